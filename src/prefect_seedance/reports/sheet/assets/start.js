// Shared by all parts: the data, and functions that make elements. Text from the table becomes text nodes, never markup.
const data = JSON.parse(document.getElementById("data").textContent);
const cards = data.cards;
cards.forEach((card, index) => { card.index = index; });
const words = new Map(data.statuses.map(({ name, word }) => [name, word]));

const $ = (id) => document.getElementById(id);

function make(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (value === undefined || value === null || value === false) continue;
    if (name === "class") element.className = value;
    else if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name in element && !name.startsWith("aria")) element[name] = value;
    else element.setAttribute(name, value);
  }
  element.append(...children.filter((child) => child !== undefined && child !== null && child !== false));
  return element;
}

function draw(tag, attributes = {}, ...children) {
  const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

const SHAPES = {
  play: "M7 4.5v15l13-7.5z",
  alert: "M12 8.500v4.500m0 3.500v.1M10.3 3.9 2.6 17.500A2 2 0 0 0 4.3 20.500h15.400a2 2 0 0 0 1.7-3L13.7 3.900a2 2 0 0 0-3.4 0Z",
  cross: "M6 6l12 12M18 6 6 18",
  stop: "M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18ZM5.7 5.700l12.6 12.6",
  wait: "M12 7v5l3.5 2M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18Z",
  left: "m14.5 5.5-6.5 6.5 6.5 6.5",
  right: "m9.5 5.5 6.5 6.5-6.5 6.5",
  film: "M4 5h16v14H4zM8 5v14M16 5v14M4 12h16",
};
const icon = (name) => draw("svg", { viewBox: "0 0 24 24", "aria-hidden": "true" }, draw("path", { d: SHAPES[name] }));

const count = (number, noun) => `${number.toLocaleString("en")} ${noun}${number === 1 ? "" : "s"}`;

// The tone of a status: good, bad, warn (a person has to look), or calm.
const TONES = { stored: "good", unknown: "warn", failed: "bad", refused: "bad", expired: "bad", invalid: "bad" };
const toneOf = (status) => TONES[status] || "calm";
const SIGNS = { unknown: "alert", failed: "cross", refused: "stop", expired: "cross", invalid: "stop", stored: "film" };
const signOf = (status) => SIGNS[status] || "wait";

function duration(seconds) {
  if (seconds < 60) return `${Number(seconds.toFixed(seconds < 10 ? 1 : 0))} s`;
  const whole = Math.round(seconds);
  const [hours, minutes, rest] = [Math.floor(whole / 3600), Math.floor((whole % 3600) / 60), whole % 60];
  return hours ? `${hours} h ${minutes} min` : `${minutes} min${rest ? ` ${rest} s` : ""}`;
}

const clock = new Intl.DateTimeFormat("en-GB", { dateStyle: "medium", timeStyle: "short" });
const instant = (text) => clock.format(new Date(text));

function bytes(number) {
  const units = ["bytes", "kB", "MB", "GB"];
  let at = 0;
  while (number >= 1000 && at < 3) { number /= 1000; at += 1; }
  return `${at ? number.toFixed(1) : number} ${units[at]}`;
}

const note = $("toast");
let noteTimer = 0;
function toast(text) {
  // An open dialog covers everything that is not in it.
  (document.querySelector("dialog[open]") || document.body).append(note);
  note.textContent = text;
  note.classList.add("on");
  clearTimeout(noteTimer);
  noteTimer = setTimeout(() => note.classList.remove("on"), 2600);
}

const still = matchMedia("(prefers-reduced-motion: reduce)");
