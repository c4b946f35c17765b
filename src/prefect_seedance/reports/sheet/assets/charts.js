// Two charts: what each route has cost, and how long each video took.
function hatch(id) {
  const pattern = draw("pattern", { id, width: 5, height: 5, patternUnits: "userSpaceOnUse", patternTransform: "rotate(45)" });
  pattern.append(draw("line", { x1: 0, y1: 0, x2: 0, y2: 5, class: "hatch-line" }));
  return draw("defs", {}, pattern);
}

function unsureSwatch(id) {
  return draw("svg", { viewBox: "0 0 14 10", "aria-hidden": "true" }, hatch(id),
    draw("rect", { x: .5, y: .5, width: 13, height: 9, rx: 2, fill: `url(#${id})`, class: "hatch-box" }),
    draw("rect", { x: .5, y: .5, width: 13, height: 9, rx: 2, class: "hatch" }));
}

function routeBar(route, longest, number) {
  const value = parsed(route.value || "0");
  const most = route.most ? parsed(route.most) : 0n;
  const meter = draw("svg", { class: "meter", "aria-hidden": "true" }, hatch(`hatch-${number}`));
  const known = part(value, longest) * 100;
  const unsure = part(most, longest) * 100;
  meter.append(draw("rect", { class: "rail", x: 0, y: 0, width: "100%", height: 14, rx: 4 }));
  if (value) meter.append(draw("rect", { class: "known", x: 0, y: 0, width: `${Math.max(known, .6)}%`, height: 14, rx: 4 }));
  if (most) {
    // Behind the known cost and outlined: possible, but in no sum.
    const box = { x: `${known + .6}%`, y: 1, width: `${Math.max(unsure - .8, .8)}%`, height: 12, rx: 3 };
    meter.append(draw("rect", { ...box, fill: `url(#hatch-${number})`, stroke: "none" }), draw("rect", { ...box, class: "hatch" }));
  }
  const doubts = route.doubts ? make("span", { class: "unsure" }, unsureSwatch(`swatch-${number}`), route.doubts) : null;
  const button = make("button", {
    type: "button", "aria-pressed": "false", title: `${route.route}: show only these`,
    onclick: () => setRoute(filter.route === route.route ? "" : route.route),
  }, make("span", { class: "name" }, route.route), make("span", { class: "value" }, route.cost), meter, doubts);
  button.dataset.route = route.route;
  return make("li", {}, button);
}

function costChart(currency, routes) {
  const reach = routes.map((route) => parsed(route.value || "0") + parsed(route.most || "0"));
  const longest = reach.reduce((most, each) => (each > most ? each : most), 0n);
  const title = currency ? `Cost by route, in ${currency}` : "Routes without a known price";
  return make("figure", { class: "chart cost-chart" },
    make("figcaption", {}, make("h2", {}, title),
      routes.some((route) => route.unsure) && make("span", { class: "legend" }, unsureSwatch(`legend-${currency}`), "not known, in no sum")),
    make("ul", { class: "bars" }, ...routes.map((route, at) => routeBar(route, longest, `${currency}-${at}`.replace(/\W/g, "")))));
}

const STEPS = [1, 2, 5, 10, 15, 20, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 28800, 86400];

function timeChart(times) {
  const sorted = [...times].sort((one, other) => one - other);
  const [high, median] = [sorted[sorted.length - 1], sorted[Math.floor((sorted.length - 1) / 2)]];
  // The slowest few must not squeeze all others into one bin: they share the last one.
  const reach = Math.min(high, Math.max(sorted[Math.floor((sorted.length - 1) * .98)] * 1.2, median * 2));
  const step = STEPS.find((each) => reach / each <= 24) || 86400 * Math.ceil(reach / 86400 / 24);
  const bins = new Array(Math.max(1, Math.ceil((reach + .001) / step))).fill(0);
  for (const time of sorted) bins[Math.min(bins.length - 1, Math.floor(time / step))] += 1;
  const tall = Math.max(...bins);
  const [width, height] = [440, 128];
  const each = width / bins.length;
  const svg = draw("svg", { class: "times", viewBox: `0 0 ${width} ${height + 44}`, role: "img",
    "aria-label": `Time per video: median ${duration(median)}, slowest ${duration(high)}` });
  bins.forEach((many, at) => {
    if (!many) return;
    const tallness = Math.max(3, (many / tall) * (height - 18));
    const last = at === bins.length - 1 && high > bins.length * step;
    const label = last ? `${duration(at * step)} or more` : `${duration(at * step)} to ${duration((at + 1) * step)}`;
    svg.append(draw("rect", { class: "bin", x: at * each + 1.5, y: height + 18 - tallness, width: Math.max(1, each - 3), height: tallness, rx: 3 },
      draw("title", {}, `${label}: ${count(many, "video")}`)));
  });
  svg.append(draw("line", { class: "axis", x1: 0, x2: width, y1: height + 18.5, y2: height + 18.5 }));
  const every = Math.max(1, Math.ceil(bins.length / 5));
  for (let at = 0; at <= bins.length; at += every) {
    const anchor = at === 0 ? "start" : at === bins.length ? "end" : "middle";
    svg.append(draw("text", { x: at * each, y: height + 38, "text-anchor": anchor }, at ? duration(at * step) : "0"));
  }
  const middle = Math.min(width, (median / step) * each);
  const before = middle > width * .6;
  svg.append(draw("line", { class: "median", x1: middle, x2: middle, y1: 4, y2: height + 18 }));
  svg.append(draw("text", { class: "median-text", x: middle + (before ? -8 : 8), y: 13, "text-anchor": before ? "end" : "start" }, `median ${duration(median)}`));
  return make("figure", { class: "chart time-chart" },
    make("figcaption", {}, make("h2", {}, "Time per video"), make("span", { class: "legend" }, `slowest ${duration(high)}`)), svg);
}

function drawCharts() {
  const byCurrency = new Map();
  for (const route of data.routes || []) {
    const currency = route.currency || "";
    byCurrency.set(currency, [...(byCurrency.get(currency) || []), route]);
  }
  for (const [currency, routes] of byCurrency) $("charts").append(costChart(currency, routes));
  const times = cards.map((card) => card.making).filter((time) => time !== undefined);
  if (times.length) $("charts").append(timeChart(times));
}
