// The details of one card: all that is known about the row.
const detail = $("detail");
let opened = null;

const pairs = (...entries) => make("dl", { class: "pairs" }, ...entries.filter(Boolean).flatMap(([name, value, style]) =>
  [make("dt", {}, name), make("dd", { class: style || "" }, value)]));
const section = (title, ...content) => make("section", { class: "part" }, make("h3", {}, title), ...content);

function theatre(card) {
  if (!card.video && !card.poster) return null;
  const stage = make("div", { class: "theatre" });
  if (card.poster) stage.append(poster(card));
  if (card.video) {
    stage.append(make("button", { type: "button", "aria-label": `Play ${card.key}`, onclick: () => playLarge(card, stage) },
      make("span", { class: "mark" }, icon("play"))));
  }
  if (card.width && card.height < card.width) stage.style.aspectRatio = `${card.width} / ${card.height}`;
  return stage;
}

function playLarge(card, stage) {
  play(card, stage, { loud: true });
  if (!player) return;
  player.video.controls = true;
  stage.querySelector("button").hidden = true;
  stage.append(player.video);
}

function reasonOf(card) {
  if (card.status === "stored") return null;
  return make("div", { class: `reason ${toneOf(card.status)}` }, make("b", {}, words.get(card.status)),
    card.may_have_cost && make("p", {}, `This row ${card.may_have_cost}.`),
    card.reason && make("p", {}, card.reason), card.code && make("code", {}, card.code),
    data.advice && data.advice[card.status] && make("p", {}, data.advice[card.status]));
}

function promptOf(card) {
  if (!card.prompt) return null;
  return make("section", { class: "part" },
    make("div", { class: "with-button" }, make("h3", {}, "Prompt"),
      make("button", { class: "quiet", type: "button", onclick: () => copyText(card.prompt, "The prompt is copied") }, "Copy")),
    make("p", { class: "prompt-full", dir: "auto" }, card.prompt));
}

function takesOf(card) {
  const takes = cards.filter((other) => other.key === card.key);
  if (takes.length < 2) return null;
  return section("Takes of this row", make("div", { class: "takes" }, ...takes.map((other) =>
    make("button", { type: "button", "aria-current": other === card ? "true" : "false", onclick: () => openDetail(other) },
      other.poster ? poster(other) : make("i", { class: "blank" }),
      make("span", {}, make("b", {}, `Take ${other.take}`), other.cost)))));
}

function attemptOf(attempt) {
  return pairs(
    ["Cost", attempt.cost],
    attempt.units && ["Billed", `${attempt.units}${attempt.unit_price ? ` at ${attempt.unit_price}` : ""}`],
    ["Price line", attempt.billing_model],
    ["Sent", instant(attempt.sent_at)],
    attempt.job_id && ["Job", attempt.job_id, "fine"],
    attempt.request_id && ["Request id", attempt.request_id, "fine"],
    attempt.message && ["Answer", [attempt.code, attempt.message].filter(Boolean).join(": ")]);
}

function fileOf(card) {
  if (!card.path) return null;
  const link = card.video ? make("a", { href: card.video, target: "_blank", rel: "noopener" }, card.path) : card.path;
  return section("File", pairs(
    card.width && ["Picture", `${card.width} × ${card.height}`],
    card.seconds && ["Length", `${card.seconds} s`],
    card.bytes && ["Size", bytes(card.bytes)],
    ["Where", link],
    card.sha256 && ["SHA-256", card.sha256, "fine"]));
}

function openDetail(card) {
  stop();
  opened = card;
  const at = shown.indexOf(card);
  const turn = (name, word, step) => make("button", {
    class: "icon", type: "button", "aria-label": word, title: word, disabled: at < 0 || !shown[at + step], onclick: () => turnBy(step),
  }, icon(name));
  const remarks = card.remarks || [];
  const passed = card.passed || [];
  const tries = card.attempts || [];
  const columns = Object.entries(card.columns || {}).filter(([, text]) => text && text !== card.prompt);
  const left = make("div", { class: "left" }, theatre(card), reasonOf(card),
    remarks.length > 0 && make("ul", { class: "remarks" }, ...remarks.map((text) => make("li", {}, text))), takesOf(card),
    passed.length > 0 && section("Routes that did not take it", make("ul", { class: "passed" }, ...passed.map((text) => make("li", {}, text)))),
    promptOf(card));
  const right = make("div", { class: "right" },
    section("Cost and time", pairs(
      ["Cost", card.cost],
      card.making !== undefined && ["Time to make", duration(card.making)],
      card.stored_at && ["Stored", instant(card.stored_at)])),
    card.route && section("Settings", pairs(
      card.route && ["route", card.route],
      card.provider && ["account", `${card.provider}/${card.account}`],
      ...(card.settings || []))),
    columns.length > 0 && section("Your columns", pairs(...columns)),
    fileOf(card),
    ...tries.map((attempt) => section(tries.length > 1 ? `Attempt ${attempt.number}` : "Billing", attemptOf(attempt))));
  detail.replaceChildren(
    make("div", { class: "bar-top" },
      make("h2", { id: "detail-title" }, make("span", {}, card.key),
        data.takes && data.takes.length > 1 && make("span", { class: "take" }, `take ${card.take}`), statusTag(card.status)),
      at >= 0 && make("span", { class: "place" }, `${(at + 1).toLocaleString("en")} of ${shown.length.toLocaleString("en")}`),
      turn("left", "Previous", -1), turn("right", "Next", 1),
      make("button", { class: "icon", type: "button", "aria-label": "Close", title: "Close", onclick: () => detail.close() }, icon("cross"))),
    make("div", { class: "body" }, left, right));
  detail.tabIndex = -1;
  if (!detail.open) detail.showModal();
  detail.focus({ preventScroll: true });
}

function turnBy(step) {
  const at = shown.indexOf(opened) + step;
  if (at < 0 || at >= shown.length) return;
  active = at;
  openDetail(shown[at]);
}

function playOpened() {
  const stage = detail.querySelector(".theatre");
  if (!stage || !opened.video) return;
  if (!player) playLarge(opened, stage);
  else if (player.video.paused) player.video.play();
  else player.video.pause();
}

detail.addEventListener("close", () => {
  stop();
  const at = shown.indexOf(opened);
  opened = null;
  detail.replaceChildren();
  if (at >= 0) goTo(at);
});
