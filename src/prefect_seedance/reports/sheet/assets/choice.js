// The selection, and copying it as a call.
const chosen = new Set();
let anchor = 0;

function mark(element, index) {
  const is = chosen.has(index);
  if (element.classList.contains("chosen") !== is) element.classList.toggle("chosen", is);
  element.querySelector(".check input").checked = is;
}

function tellChosen() {
  for (const [index, element] of live) mark(element, index);
  const some = cards.filter((card) => chosen.has(card.index));
  $("choice").hidden = !some.length;
  grid.classList.toggle("choosing", some.length > 0);
  const { text, unsure } = added(some);
  const rows = new Set(some.map((card) => card.key)).size;
  const money = [text, unsure && `${unsure} not known`].filter(Boolean).join(", ");
  $("choice-count").textContent = some.length ? `${count(rows, "row")} selected${money ? ` · ${money}` : ""}` : "";
  const all = shown.length > 0 && shown.every((card) => chosen.has(card.index));
  $("select-all").textContent = all ? "Select none" : "Select all shown";
}

function choose(at, { range = false } = {}) {
  if (!shown[at]) return;
  if (range) {
    const [from, to] = [Math.min(anchor, at), Math.max(anchor, at)];
    for (let each = from; each <= to; each += 1) if (shown[each]) chosen.add(shown[each].index);
  } else if (!chosen.delete(shown[at].index)) chosen.add(shown[at].index);
  anchor = at;
  tellChosen();
}

function chooseAll() {
  const all = shown.every((card) => chosen.has(card.index));
  for (const card of shown) if (all) chosen.delete(card.index); else chosen.add(card.index);
  tellChosen();
}

function unchoose() {
  chosen.clear();
  tellChosen();
}

const chosenKeys = () => [...new Set(cards.filter((card) => chosen.has(card.index)).map((card) => card.key))];

// A Python string. Invisible characters, and those that change the text direction, are escaped.
function quoted(text) {
  return JSON.stringify(text).replace(/[\u007f-\u009f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ud800-\udfff]/gu,
    (each) => `\\u${each.charCodeAt(0).toString(16).padStart(4, "0")}`);
}

function call(keys) {
  const ids = keys.map(quoted);
  const only = ids.join(", ").length < 80 ? `[${ids.join(", ")}]` : `[\n        ${ids.join(",\n        ")},\n    ]`;
  return `generate_videos(\n    table,\n    route=route,\n    batch=${quoted(data.batch)},\n    only=${only},\n    take=${quoted(data.next_take)},\n)\n`;
}

async function copyText(text, notice) {
  try {
    await navigator.clipboard.writeText(text);
    toast(notice);
  } catch {
    // A page from a file may not have access to the clipboard: let the user copy the text.
    $("by-hand-text").value = text;
    $("by-hand").showModal();
    $("by-hand-text").select();
  }
}

function copyCall() {
  const keys = chosenKeys();
  if (keys.length) copyText(call(keys), `Copied: a call that makes ${count(keys.length, "row")} again, as take ${data.next_take}`);
}

function copyIds() {
  const keys = chosenKeys();
  if (keys.length) copyText(keys.join("\n"), `Copied: ${count(keys.length, "row id")}`);
}
