// Amounts are texts. They are added as integers of one common, small unit, never as floating point.
const digitsBehind = (text) => (text.split(".")[1] || "").length;
const amountTexts = cards.flatMap((card) => [
  ...(card.costs || []).map(([, text]) => text),
  ...(card.doubts || []).map((doubt) => doubt.most || "0"),
]).concat(data.routes ? data.routes.flatMap((route) => [route.value || "0", route.most || "0"]) : []);
const SCALE = amountTexts.reduce((most, text) => Math.max(most, digitsBehind(text)), 2);

function parsed(text) {
  const [whole, fraction = ""] = text.split(".");
  return BigInt(whole + fraction.padEnd(SCALE, "0"));
}

function written(number) {
  const digits = String(number).padStart(SCALE + 1, "0");
  const fraction = digits.slice(-SCALE).replace(/0+$/, "").padEnd(2, "0");
  return `${digits.slice(0, -SCALE)}.${fraction}`;
}

const part = (number, whole) => (whole ? Number((number * 1000000n) / whole) / 1000000 : 0);

// The cost of some cards: by currency, how many are not known, and the most that those may have cost.
function added(some) {
  const sums = new Map();
  let unsure = 0;
  for (const card of some) {
    for (const [currency, text] of card.costs || []) {
      sums.set(currency, (sums.get(currency) || 0n) + parsed(text));
    }
    unsure += (card.doubts || []).filter((doubt) => doubt.kind !== "open").length;
  }
  const known = [...sums].sort(([one], [other]) => (one < other ? -1 : 1));
  const spent = known.filter(([, sum]) => sum);
  return { text: spent.map(([currency, sum]) => `${written(sum)} ${currency}`).join(" + "), unsure };
}

for (const card of cards) {
  const [first] = card.costs || [];
  card.money = first ? { currency: first[0], value: parsed(first[1]) } : null;
}
