// The grid lays out thousands of cards, and keeps only the visible ones (and a few more) in the page.
const grid = $("grid");
const live = new Map();
const families = new Map();
let places = [];
let lineStarts = [];
let size = { columns: 1, width: 300, height: 300, gap: 20 };
let active = 0;

function layout() {
  const room = grid.clientWidth;
  const gap = room < 640 ? 14 : 22;
  const least = room < 640 ? 250 : 280;
  const columns = Math.max(1, Math.floor((room + gap) / (least + gap)));
  const width = (room - gap * (columns - 1)) / columns;
  size = { columns, width, height: Math.round((width * 9) / 16) + CAPTION, gap, room };
  places = [];
  lineStarts = [0];
  let [line, column] = [0, 0];
  const wrap = (at) => { line += 1; column = 0; lineStarts.push(at); };
  for (let at = 0; at < shown.length;) {
    let end = at + 1;
    if (sideBySide()) while (end < shown.length && shown[end].key === shown[at].key) end += 1;
    const many = end - at;
    if (column && (column + many > columns)) wrap(at);
    for (let each = at; each < end; each += 1) {
      if (column === columns) wrap(each);
      places.push({ line, column, first: at, many });
      column += 1;
    }
    at = end;
  }
  lineStarts.push(shown.length);
  const lines = shown.length ? line + 1 : 0;
  grid.style.height = `${Math.max(0, lines * (size.height + gap) - gap)}px`;
  for (const element of live.values()) element.dataset.at = "";
  for (const element of families.values()) element.remove();
  families.clear();
  render();
}

const offset = (place) => [place.column * (size.width + size.gap), place.line * (size.height + size.gap)];

function put(element, at) {
  const [x, y] = offset(places[at]);
  element.style.width = `${size.width}px`;
  element.style.height = `${size.height}px`;
  element.style.transform = `translate(${x}px, ${y}px)`;
  element.dataset.at = at;
  element.setAttribute("aria-posinset", at + 1);
  element.setAttribute("aria-setsize", shown.length);
}

// A frame behind the takes of a row, to show that they belong together.
function frame(at) {
  const { first, many, line } = places[at];
  if (many < 2 || many > size.columns || families.has(first)) return;
  const [x, y] = offset({ line, column: places[first].column });
  const element = make("div", { class: "family" });
  element.style.width = `${many * size.width + (many - 1) * size.gap + 14}px`;
  element.style.height = `${size.height + 14}px`;
  element.style.transform = `translate(${x - 7}px, ${y - 7}px)`;
  families.set(first, element);
  grid.prepend(element);
}

function windowNow() {
  if (printing) return [0, shown.length];
  const tall = size.height + size.gap;
  const top = -grid.getBoundingClientRect().top;
  const lines = lineStarts.length - 1;
  const first = Math.max(0, Math.min(lines, Math.floor((top - innerHeight * .5) / tall)));
  const last = Math.max(0, Math.min(lines, Math.ceil((top + innerHeight * 1.5) / tall)));
  return [lineStarts[first] ?? 0, lineStarts[last] ?? shown.length];
}

let printing = false;
function render() {
  const [from, to] = windowNow();
  const wanted = new Map();
  for (let at = from; at < to; at += 1) wanted.set(shown[at].index, at);
  const focused = document.activeElement && document.activeElement.closest(".card");
  if (focused && shown[active] && focused.dataset.index === String(shown[active].index)) wanted.set(shown[active].index, active);
  for (const [index, element] of live) {
    if (wanted.has(index)) continue;
    if (player && player.index === index) stop();
    element.remove();
    live.delete(index);
  }
  const late = buildSome([...wanted].filter(([index]) => !live.has(index)));
  let before = null;
  for (const [index, at] of [...wanted].sort((one, other) => other[1] - one[1])) {
    const element = live.get(index);
    if (!element) continue;
    if (element.dataset.at !== String(at)) put(element, at);
    if (element.nextElementSibling !== before || element.parentNode !== grid) grid.insertBefore(element, before);
    before = element;
    mark(element, index);
    element.tabIndex = at === active ? 0 : -1;
    frame(at);
  }
  grid.setAttribute("aria-busy", String(late > 0));
  if (late) soon();
}

// A few cards per animation frame, visible ones first, so that fast scrolling does not wait for cards it skips.
function buildSome(missing) {
  const middle = innerHeight / 2 - grid.getBoundingClientRect().top;
  const away = ([, at]) => Math.abs(places[at].line * (size.height + size.gap) + size.height / 2 - middle);
  missing.sort((one, other) => away(one) - away(other));
  const began = performance.now();
  let built = 0;
  for (const [index, at] of missing) {
    if (!printing && built >= 4 && at !== active && performance.now() - began > 6) continue;
    live.set(index, build(cards[index]));
    built += 1;
  }
  return missing.length - built;
}

let asked = 0;
function soon() {
  if (!asked) asked = requestAnimationFrame(() => { asked = 0; render(); $("tools").classList.toggle("stuck", $("tools").getBoundingClientRect().top <= 0); });
}

// Scroll a card into view and focus it.
function goTo(at, focus = true) {
  if (!shown.length) return;
  active = Math.max(0, Math.min(shown.length - 1, at));
  const [, y] = offset(places[active]);
  const start = grid.getBoundingClientRect().top + scrollY + y;
  const head = $("tools").offsetHeight + 12;
  if (start < scrollY + head) scrollTo({ top: start - head, behavior: "instant" });
  else if (start + size.height > scrollY + innerHeight - 16) scrollTo({ top: start + size.height - innerHeight + 24, behavior: "instant" });
  render();
  const element = live.get(shown[active].index);
  if (element && focus) element.focus({ preventScroll: true });
}

// The nearest card of the line above or below.
function beside(at, step) {
  const { line, column } = places[at];
  const [from, to] = [lineStarts[line + step], lineStarts[line + step + 1]];
  if (line + step < 0 || from === undefined || to === undefined || from >= to) return at;
  let best = from;
  for (let each = from; each < to; each += 1) {
    if (Math.abs(places[each].column - column) < Math.abs(places[best].column - column)) best = each;
  }
  return best;
}

function refresh() {
  stop();
  look();
  active = 0;
  layout();
  tellShown();
}
