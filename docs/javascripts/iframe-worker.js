// A browser starts no worker for a page that was opened from a folder: there the search runs in a hidden frame.
if (location.protocol === "file:") {
  window.Worker = class extends EventTarget {
    constructor(url) {
      super()
      this.waiting = []
      const frame = document.createElement("iframe")
      frame.hidden = true
      frame.width = frame.height = 0
      document.documentElement.append(frame)
      this.inside = frame.contentWindow
      this.inside.importScripts = (...scripts) =>
        Promise.all(
          scripts.map(
            (script) =>
              new Promise((done, failed) => {
                const tag = this.inside.document.createElement("script")
                tag.src = script
                tag.onload = done
                tag.onerror = failed
                this.inside.document.body.append(tag)
              }),
          ),
        )
      // What the search says goes out, and not to itself.
      this.inside.postMessage = (data) => {
        const event = new MessageEvent("message", { data })
        this.dispatchEvent(event)
        this.onmessage?.(event)
      }
      const script = this.inside.document.createElement("script")
      script.src = new URL(url, location.href).href
      script.onload = () => {
        this.ready = true
        this.waiting.splice(0).forEach((data) => this.postMessage(data))
      }
      this.inside.document.body.append(script)
    }

    postMessage(data) {
      if (this.ready) this.inside.dispatchEvent(new MessageEvent("message", { data }))
      else this.waiting.push(data)
    }

    terminate() {}
  }
}
