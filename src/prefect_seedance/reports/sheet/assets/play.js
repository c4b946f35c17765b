// One video plays at a time. It gets its address only when it is played.
let player = null;
let rest = 0;

function play(card, screen, { loud = false, loop = true } = {}) {
  if (!card.video) { toast("This video lies where a browser cannot play it from"); return; }
  stop();
  const video = make("video", { muted: !loud, loop, playsInline: true, preload: "auto" });
  video.setAttribute("playsinline", "");
  video.addEventListener("error", () => { stop(); toast(`The video of ${card.key} is not beside this sheet`); });
  video.src = card.video;
  screen.querySelector(".mark").before(video);
  screen.classList.add("playing");
  player = { index: card.index, screen, video, loud };
  video.play().catch((error) => {
    // A browser that blocks sound without a user action may still play the video muted.
    if (error.name === "NotAllowedError" && loud) { video.muted = true; video.play().catch(() => {}); }
  });
}

function stop() {
  clearTimeout(rest);
  if (!player) return;
  const { video, screen } = player;
  player = null;
  screen.classList.remove("playing");
  video.pause();
  video.removeAttribute("src");
  video.load();
  video.remove();
}

// A click: play with sound; while it plays muted, switch the sound on; while it plays with sound, stop.
function toggle(card, screen) {
  if (!player || player.index !== card.index || player.screen !== screen) play(card, screen, { loud: true });
  else if (!player.loud && player.hovered) { player.video.muted = false; player.loud = true; player.hovered = false; }
  else stop();
}

function dropStrip(screen) {
  screen.classList.remove("scrubbed");
  screen.querySelectorAll(".frames, .needle").forEach((element) => element.remove());
}

function scrub(card, screen, event) {
  const { left, width, height } = screen.getBoundingClientRect();
  const share = Math.max(0, Math.min(.999, (event.clientX - left) / width));
  if (!card.stripImage) {
    card.stripImage = new Image();
    card.stripImage.src = card.strip;
  }
  const { naturalWidth, naturalHeight } = card.stripImage;
  if (!naturalWidth || player) return;
  const shape = card.width && card.height ? card.width / card.height : 16 / 9;
  const many = Math.max(1, Math.round(naturalWidth / naturalHeight / shape));
  let frames = screen.querySelector(".frames");
  if (!frames) {
    frames = make("span", { class: "frames" });
    screen.querySelector(".mark").before(frames, make("span", { class: "needle" }));
    screen.classList.add("scrubbed");
    const wide = Math.min(width, height * shape);
    frames.style.inset = `${(height - wide / shape) / 2}px ${(width - wide) / 2}px`;
    frames.style.backgroundImage = `url("${card.strip}")`;
    frames.style.backgroundSize = `${many * 100}% 100%`;
  }
  const at = Math.floor(share * many);
  frames.style.backgroundPosition = `${many > 1 ? (at / (many - 1)) * 100 : 0}% 0`;
  screen.querySelector(".needle").style.width = `${share * 100}%`;
}

function listenToPointer() {
  const ofEvent = (event) => {
    const screen = event.target.closest && event.target.closest(".screen:not(.plain)");
    return screen ? [cards[screen.closest(".card").dataset.index], screen] : [null, null];
  };
  const startSoon = (card, screen, wait) => {
    clearTimeout(rest);
    if (still.matches || !card.video || (player && player.index === card.index)) return;
    rest = setTimeout(() => {
      dropStrip(screen);
      play(card, screen);
      if (player) player.hovered = true;
    }, wait);
  };
  grid.addEventListener("pointerover", (event) => {
    const [card, screen] = ofEvent(event);
    if (!card || event.pointerType !== "mouse" || screen.contains(event.relatedTarget)) return;
    startSoon(card, screen, card.strip ? 500 : 160);
  });
  grid.addEventListener("pointermove", (event) => {
    const [card, screen] = ofEvent(event);
    if (!card || !card.strip || event.pointerType !== "mouse" || (player && player.screen === screen)) return;
    scrub(card, screen, event);
    startSoon(card, screen, 500);
  });
  grid.addEventListener("pointerout", (event) => {
    const [card, screen] = ofEvent(event);
    if (!card || event.pointerType !== "mouse" || screen.contains(event.relatedTarget)) return;
    clearTimeout(rest);
    dropStrip(screen);
    if (player && player.screen === screen && player.hovered) stop();
  });
}
