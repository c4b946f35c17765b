// Which cards are shown, and in which order. Unknown rows come first in every order.
const filter = { text: "", statuses: new Set(), route: "", take: "", columns: new Map(), sort: "order", reversed: false };
let shown = [];

const haystacks = new Array(cards.length);
function haystack(card) {
  const found = haystacks[card.index];
  if (found !== undefined) return found;
  const settings = (card.settings || []).map(([, value]) => value);
  const tries = (card.attempts || []).flatMap((attempt) => [attempt.job_id, attempt.request_id]);
  const texts = [card.key, card.prompt, card.route, words.get(card.status), card.reason, card.code, ...settings,
    ...Object.values(card.columns || {}), ...(card.remarks || []), ...tries];
  haystacks[card.index] = texts.filter(Boolean).join("\n").toLowerCase();
  return haystacks[card.index];
}

function matches(card, needles) {
  if (filter.statuses.size && !filter.statuses.has(card.status)) return false;
  if (filter.route && card.route !== filter.route) return false;
  if (filter.take && card.take !== filter.take) return false;
  for (const [heading, wanted] of filter.columns) {
    const cell = (card.columns && card.columns[heading]) || "";
    if (wanted.exact ? cell !== wanted.text : !cell.toLowerCase().includes(wanted.text.toLowerCase())) return false;
  }
  return needles.every((needle) => haystack(card).includes(needle));
}

const SORTS = {
  order: { word: "row order", value: (card) => card.order },
  cost: { word: "cost, dearest first", value: (card) => card.money && card.money.value, falling: true },
  making: { word: "time to make, slowest first", value: (card) => card.making, falling: true },
  newest: { word: "newest first", value: (card) => card.stored_at && Date.parse(card.stored_at), falling: true },
  length: { word: "length, longest first", value: (card) => card.seconds && Number(card.seconds), falling: true },
  key: { word: "row id", value: (card) => card.key },
};

const names = new Intl.Collator(undefined, { numeric: true });

function compare(one, other) {
  const { value, falling } = SORTS[filter.sort];
  // Currencies are never compared: they come one after the other.
  if (filter.sort === "cost" && one.money && other.money && one.money.currency !== other.money.currency) {
    return one.money.currency < other.money.currency ? -1 : 1;
  }
  const [left, right] = [value(one), value(other)];
  const [noLeft, noRight] = [left === null || left === undefined, right === null || right === undefined];
  // An unknown cost is not 0: it comes last, in either direction.
  if (noLeft || noRight) return noLeft - noRight || one.index - other.index;
  const rising = typeof left === "string" ? names.compare(left, right) : left < right ? -1 : left > right ? 1 : 0;
  return (rising * (Boolean(falling) === filter.reversed ? 1 : -1)) || one.index - other.index;
}

function look() {
  const needles = filter.text.toLowerCase().split(/\s+/).filter(Boolean);
  const found = cards.filter((card) => matches(card, needles));
  const pinned = new Set(found.filter((card) => card.status === "unknown").map((card) => sideBySide() ? card.key : card.index));
  const first = (card) => (pinned.has(sideBySide() ? card.key : card.index) ? 0 : 1);
  shown = found.sort((one, other) => first(one) - first(other) || compare(one, other));
}

// In row order, the takes of a row are next to each other.
const sideBySide = () => filter.sort === "order" && data.takes && data.takes.length > 1;

function filtered() {
  return Boolean(filter.text || filter.statuses.size || filter.route || filter.take || filter.columns.size);
}
