// The keyboard, the light and dark theme, and clicks on cards.
const KEPT = "seedance-contact-sheet-theme";

function restoreTheme() {
  try {
    const kept = localStorage.getItem(KEPT);
    if (kept === "light" || kept === "dark") document.documentElement.dataset.theme = kept;
  } catch { /* the browser has no storage for pages from files */ }
}

function switchTheme() {
  const now = document.documentElement.dataset.theme || (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light");
  document.documentElement.dataset.theme = now === "dark" ? "light" : "dark";
  try { localStorage.setItem(KEPT, document.documentElement.dataset.theme); } catch { /* as above */ }
}

function listenToPresses() {
  grid.addEventListener("click", (event) => {
    const element = event.target.closest(".card");
    if (!element) return;
    const card = cards[element.dataset.index];
    const at = Number(element.dataset.at);
    if (event.target.closest(".check")) {
      // The label passes its click on to the box, whose own event follows.
      if (!event.target.matches("input")) return;
      choose(at, { range: event.shiftKey });
      return;
    }
    active = at;
    const screen = event.target.closest(".screen:not(.plain)");
    if (screen) { clearTimeout(rest); dropStrip(screen); toggle(card, screen); render(); } else openDetail(card);
  });
  grid.addEventListener("mousedown", (event) => { if (event.shiftKey) event.preventDefault(); });
  grid.addEventListener("focusin", (event) => {
    const element = event.target.closest(".card");
    if (element && element.dataset.at !== "") active = Number(element.dataset.at);
  });
}

const screenAt = (at) => shown[at] && live.get(shown[at].index) && live.get(shown[at].index).querySelector(".screen:not(.plain)");

const inGrid = {
  ArrowRight: () => goTo(active + 1),
  ArrowLeft: () => goTo(active - 1),
  ArrowDown: () => goTo(beside(active, 1)),
  ArrowUp: () => goTo(beside(active, -1)),
  Home: () => goTo(0),
  End: () => goTo(shown.length - 1),
  Enter: () => shown[active] && openDetail(shown[active]),
  " ": () => { const screen = screenAt(active); if (screen) toggle(shown[active], screen); },
  x: (event) => choose(active, { range: event.shiftKey }),
};

const anywhere = {
  "/": () => { $("search").focus(); $("search").select(); },
  "?": () => $("help").showModal(),
  a: chooseAll,
  c: copyCall,
  t: switchTheme,
  Escape: () => { if (player) stop(); else if (chosen.size) unchoose(); else if (filtered()) clearFilters(); },
};

const inDetail = {
  ArrowRight: () => turnBy(1),
  ArrowLeft: () => turnBy(-1),
  " ": playOpened,
  t: switchTheme,
};

function listenToKeys() {
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
    const name = event.key.length === 1 ? event.key.toLowerCase() : event.key;
    const target = event.target;
    if (target.matches("input[type=search], textarea, select, .pick input")) {
      if (event.key === "Escape" && target === $("search")) { filter.text = ""; changed(); target.blur(); event.preventDefault(); }
      if (event.key === "ArrowDown" && target === $("search")) { event.preventDefault(); goTo(0); }
      return;
    }
    const pressed = target.matches("button, a, video, summary, input") && !target.closest(".card");
    if (pressed && [" ", "Enter"].includes(event.key)) return;
    if (detail.open && target.matches("video") && name.startsWith("Arrow")) return;
    if (document.querySelector("dialog[open]:not(#detail)")) return;
    const onGrid = target === document.body || target.closest("#grid");
    const table = detail.open ? [inDetail] : onGrid ? [inGrid, anywhere] : [anywhere];
    const act = table.map((each) => each[name]).find(Boolean);
    if (!act) return;
    // While nothing has the focus, the first arrow key goes to the first video.
    if (!detail.open && name.startsWith("Arrow") && !target.closest("#grid")) goTo(active);
    else act(event);
    event.preventDefault();
  });
}
