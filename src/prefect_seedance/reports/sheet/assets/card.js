// One card: picture, row id, prompt, cost; without a picture, the reason why there is none.
const CAPTION = 120;

function poster(card, extra = "") {
  const image = make("img", { class: extra, alt: "", loading: "lazy", decoding: "async", draggable: false });
  image.addEventListener("error", () => image.remove());
  image.src = card.poster;
  return image;
}

const isWide = (card) => !card.width || Math.abs(card.width / card.height - 16 / 9) < .12;

function screenOf(card) {
  const tone = toneOf(card.status);
  if (card.video || card.poster) {
    const screen = make("button", { class: "screen", type: "button", tabIndex: -1, "aria-label": `Play ${card.key}` });
    if (card.poster) screen.append(...(isWide(card) ? [] : [poster(card, "fill")]), poster(card));
    screen.append(make("span", { class: "mark" }, icon("play")));
    if (card.seconds) screen.append(make("span", { class: "length" }, `${Number(card.seconds).toFixed(1)} s`));
    return screen;
  }
  const screen = make("div", { class: `screen plain ${tone}` }, icon(signOf(card.status)), make("strong", {}, words.get(card.status)));
  const why = card.status === "unknown" ? card.may_have_cost || card.reason : card.reason;
  if (why) screen.append(make("p", {}, why.slice(0, 400)));
  return screen;
}

function statusTag(status) {
  return make("span", { class: `tag ${toneOf(status)}` }, words.get(status));
}

function captionOf(card) {
  const remarks = card.remarks || [];
  const head = make("span", { class: "head" },
    make("span", { class: "key", title: card.key }, card.key),
    data.takes && data.takes.length > 1 && make("span", { class: "take" }, `take ${card.take}`),
    card.status !== "stored" && card.status !== "unknown" && (card.video || card.poster) && statusTag(card.status));
  if (remarks.length) {
    head.append(make("span", { class: "remark", title: remarks.join("\n"), role: "img", "aria-label": remarks.join("; ") }, icon("alert")));
  }
  const prompt = card.prompt || Object.values(card.columns || {}).find((text) => text.length > 12) || "";
  return make("button", { class: "caption", type: "button", tabIndex: -1, "aria-label": `Details of ${card.key}` },
    head,
    make("span", { class: "prompt" }, prompt.slice(0, 300)),
    make("span", { class: "foot" },
      make("span", { class: "route" }, card.route || words.get(card.status)),
      make("span", { class: (card.doubts || []).some((doubt) => doubt.kind !== "open") ? "cost unsure" : "cost" }, card.cost)));
}

function build(card) {
  const box = make("input", { type: "checkbox", tabIndex: -1, "aria-label": `Select ${card.key}` });
  const element = make("div", { class: `card ${card.status}`, role: "listitem" },
    screenOf(card), captionOf(card), make("label", { class: "check" }, box));
  element.dataset.key = card.key;
  element.dataset.index = card.index;
  element.setAttribute("aria-label", [card.key, data.takes && data.takes.length > 1 && `take ${card.take}`,
    words.get(card.status), card.cost, ...(card.remarks || [])].filter(Boolean).join(", "));
  return element;
}
