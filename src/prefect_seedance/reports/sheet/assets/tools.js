// The heading, the numbers, and the tools that filter and sort.
function fact(name, values, small, tone = "") {
  const lines = values.map((value) => make("b", {}, value));
  if (small) lines.at(-1).append(make("small", {}, ` ${small}`));
  return make("div", { class: `fact ${tone}` }, make("span", {}, name), ...lines);
}

function fillTop() {
  const stored = cards.filter((card) => card.status === "stored");
  const rows = new Set(cards.map((card) => card.key)).size;
  $("title").textContent = data.title;
  $("subtitle").textContent = [count(rows, "row"), data.takes && data.takes.length > 1 && count(data.takes.length, "take"),
    data.title !== data.batch && `batch ${data.batch}`, `made ${instant(data.made_at)}`].filter(Boolean).join(" · ");
  const length = stored.reduce((sum, card) => sum + Number(card.seconds || 0), 0);
  $("facts").append(fact("Videos stored", [stored.length.toLocaleString("en")], `of ${cards.length.toLocaleString("en")}`), fact("Cost", data.cost));
  if (data.doubts) $("facts").append(fact(`Not known of ${count(data.unsure, "job")}, and in no sum`, data.doubts, "", "warn"));
  if (length) $("facts").append(fact("Length of all videos", [duration(length)]));
  for (const text of data.warnings || []) $("warnings").append(make("li", {}, text));
  $("warnings").hidden = !data.warnings;
  fillAttention(cards.filter((card) => card.status === "unknown"));
}

function fillAttention(unknown) {
  if (!unknown.length) return;
  const lines = unknown.slice(0, 6).map((card) => {
    const last = (card.attempts || []).at(-1);
    const when = last && [`sent ${instant(last.sent_at)}`, last.request_id && `request ${last.request_id}`].filter(Boolean).join(" · ");
    return make("li", {}, make("button", { type: "button", onclick: () => openDetail(card) },
      make("b", {}, card.key), make("span", { class: "most" }, card.may_have_cost || words.get("unknown")), when && make("span", {}, when)));
  });
  $("attention").append(
    make("h2", { id: "attention-title" }, icon("alert"), `${count(unknown.length, "row")} whose outcome is unknown`),
    make("p", {}, (data.advice && data.advice.unknown) || ""), make("ul", {}, ...lines));
  if (unknown.length > 3) {
    $("attention").append(make("button", { class: unknown.length > 6 ? "quiet" : "quiet if-narrow", type: "button", onclick: () => { filter.statuses = new Set(["unknown"]); changed(); goTo(0); } },
      `Show all ${unknown.length.toLocaleString("en")}`));
  }
  $("attention").hidden = false;
}

const option = (value, text) => make("option", { value }, text);

function fillTools() {
  const routes = [...new Set(cards.map((card) => card.route).filter(Boolean))].sort();
  $("route").append(option("", "all"), ...routes.map((route) => option(route, route)));
  const takes = data.takes || [];
  $("take-pick").hidden = takes.length < 2;
  $("take").append(option("", "all"), ...takes.map((take) => option(take, take)));
  $("sort").append(...Object.entries(SORTS).map(([name, { word }]) => option(name, word)));
  $("column-pick").hidden = !data.headings;
  $("column").append(option("", "any"), ...(data.headings || []).map((heading, at) => option(String(at), heading)));
  const many = new Map();
  for (const card of cards) many.set(card.status, (many.get(card.status) || 0) + 1);
  for (const { name, word } of data.statuses) {
    $("statuses").append(make("button", { type: "button", class: name === "unknown" ? "warn" : "", "aria-pressed": "false", value: name,
      onclick: () => { if (!filter.statuses.delete(name)) filter.statuses.add(name); changed(); } },
    word, make("b", {}, many.get(name).toLocaleString("en"))));
  }
}

// After a heading is picked, its value is chosen from a list where there are few, or typed otherwise.
function askValue(heading) {
  const held = $("column-value");
  if (held) held.remove();
  if (heading === undefined) return;
  const values = [...new Set(cards.map((card) => (card.columns && card.columns[heading]) || ""))].sort(names.compare);
  const take = (text, exact) => { filter.columns.set(heading, { text, exact }); $("column").value = ""; askValue(); changed(); };
  const few = values.length <= 200;
  const input = few
    ? make("select", { "aria-label": `Value of ${heading}`, onchange: (event) => take(values[event.target.value], true) },
      option("", "choose …"), ...values.map((value, at) => option(String(at), value.slice(0, 60) || "(empty)")))
    : make("input", { placeholder: "contains …", "aria-label": `Text in ${heading}`, onchange: (event) => event.target.value && take(event.target.value, false) });
  $("column-pick").after(make("label", { class: "pick", id: "column-value" }, make("span", {}, few ? "is" : ""), input));
  input.focus();
}

function setRoute(route) {
  filter.route = route;
  changed();
}

function changed() {
  $("route").value = filter.route;
  $("take").value = filter.take;
  $("sort").value = filter.sort;
  $("direction").setAttribute("aria-pressed", String(filter.reversed));
  if ($("search").value !== filter.text) $("search").value = filter.text;
  for (const button of $("statuses").children) button.setAttribute("aria-pressed", String(filter.statuses.has(button.value)));
  for (const button of document.querySelectorAll(".bars button")) button.setAttribute("aria-pressed", String(filter.route === button.dataset.route));
  $("chosen-filters").replaceChildren(...[...filter.columns].map(([heading, { text, exact }]) =>
    make("button", { type: "button", "aria-label": `Remove the filter ${heading} ${text}`, onclick: () => { filter.columns.delete(heading); changed(); } },
      `${heading} ${exact ? "is" : "has"} ${text.slice(0, 40) || "(empty)"} ×`)));
  refresh();
}

function tellShown() {
  const { text, unsure } = added(shown);
  const some = filtered() ? `${shown.length.toLocaleString("en")} of ${count(cards.length, "video")}` : count(cards.length, "video");
  $("shown").textContent = [some, text || null, unsure && `${unsure} not known`].filter(Boolean).join(" · ");
  $("nothing").hidden = shown.length > 0;
  $("clear").hidden = !filtered();
  tellChosen();
}

function clearFilters() {
  Object.assign(filter, { text: "", statuses: new Set(), route: "", take: "", columns: new Map() });
  changed();
}

function listenToTools() {
  let wait = 0;
  $("search").addEventListener("input", () => { clearTimeout(wait); wait = setTimeout(() => { filter.text = $("search").value; changed(); }, 90); });
  for (const name of ["route", "take", "sort"]) $(name).addEventListener("change", (event) => { filter[name] = event.target.value; changed(); });
  $("column").addEventListener("change", (event) => askValue(event.target.value === "" ? undefined : data.headings[event.target.value]));
  $("direction").addEventListener("click", () => { filter.reversed = !filter.reversed; changed(); });
  $("clear").addEventListener("click", clearFilters);
  $("more").addEventListener("click", () => $("more").setAttribute("aria-expanded", String($("filters").classList.toggle("open"))));
  $("select-all").addEventListener("click", chooseAll);
  $("unselect").addEventListener("click", unchoose);
  $("copy").addEventListener("click", copyCall);
  $("copy-ids").addEventListener("click", copyIds);
  $("help-open").addEventListener("click", () => $("help").showModal());
  $("theme").addEventListener("click", switchTheme);
  for (const button of document.querySelectorAll("[data-close]")) button.addEventListener("click", () => button.closest("dialog").close());
}
