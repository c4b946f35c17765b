"""The contact sheet in a real browser, opened from a folder as people open it."""

from __future__ import annotations

import ast
import json
import shutil
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Playwright, expect, sync_playwright

from prefect_seedance.ledger import State
from prefect_seedance.reports.sheet import cards_of, contact_sheet
from tests.patience import eventually, patience
from tests.reports.sheets import a_batch, a_row, an_attempt, columns_of, film

pytestmark = [pytest.mark.ui, pytest.mark.skipif(shutil.which("chromium") is None, reason="needs Chromium")]

NASTY = "</script><img src=x onerror=\"document.title='broken'\"><!--<script>document.title='broken'</script> 茶 \u2028"
NASTY_KEY = "<b>row</b> \"1\" \\ '茶'"


@pytest.fixture(scope="module")
def playwright() -> Iterator[Playwright]:
    with sync_playwright() as started:
        yield started


@pytest.fixture(scope="module")
def browser(playwright: Playwright) -> Iterator[Browser]:
    chromium = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
    yield chromium
    chromium.close()


@pytest.fixture(scope="module")
def sheet(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """69 cards: 60 rows, 7 of them in a second take, one with nasty text, one that was left out; in a nasty folder."""
    made = tmp_path_factory.mktemp("made") / "spring"
    made.mkdir()
    rows, tried = a_batch(60, made)
    for number, row in enumerate(rows[::9], start=61):
        again = an_attempt(number)
        path = str(made / f"{row.key}-2.mp4")
        rows.append(
            a_row(number, row.key, [again], take="2", file_name=f"{row.key}-2", path=path, width=640, height=360)
        )
        tried.append(again)
    nasty = a_row(99, NASTY_KEY, [an_attempt(99)], file_name="nasty", request={"prompt": NASTY}, state=State.FAILED)
    rows.append(replace(nasty, error_message=NASTY, error_code=NASTY))
    tried += [nasty.attempt] if nasty.attempt else []
    film(rows, made, videos=len(rows))
    columns = columns_of([row for row in rows if row.take == "1"])
    columns[NASTY_KEY] = {"campaign": NASTY, NASTY: f"cell {NASTY}"}
    cards = cards_of(rows, tried, folder=made, columns=columns, invalid={"left": "duration 3: expected 4 to 15"})
    page = contact_sheet("spring", cards, folder=made, title="Spring 春季")
    (made / "contact-sheet.html").write_text(page, encoding="utf-8")
    # It works from any folder, under any name.
    moved = made.parent / "a folder #1 100% 茶"
    made.rename(moved)
    return moved / "contact-sheet.html"


Open = Callable[..., Page]


@pytest.fixture
def open_sheet(browser: Browser, sheet: Path) -> Iterator[Open]:
    """Open a sheet; at the end nothing may have gone wrong, and nothing may have been asked of any server."""
    contexts: list[BrowserContext] = []
    asked: list[str] = []
    wrong: list[str] = []

    def call(path: Path = sheet, **options: Any) -> Page:
        context = browser.new_context(**({"viewport": {"width": 1400, "height": 900}} | options))
        contexts.append(context)
        context.set_default_timeout(patience() * 1000)
        expect.set_options(timeout=patience() * 1000)
        page = context.new_page()
        page.on("request", lambda request: asked.append(request.url))
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on("console", lambda message: wrong.append(message.text) if message.type in {"error", "warning"} else None)
        page.goto(path.as_uri())
        page.wait_for_selector("html[data-ready]")
        settled(page)
        return page

    yield call
    for context in contexts:
        context.close()
    assert [url for url in asked if not url.startswith(("file:", "data:"))] == []
    assert wrong == []


def keys(page: Page) -> list[str]:
    """The keys of the cards in the page, in their order."""
    return page.eval_on_selector_all(".card", "cards => cards.map(card => card.dataset.key)")


def card(page: Page, key: str) -> Any:
    return page.locator(f".card[data-key={json.dumps(key)}]").first


def to_the_grid(page: Page) -> None:
    """Scroll down to the cards: only those in sight are in the page."""
    page.evaluate(
        "scrollTo(0, document.querySelector('main').offsetTop - document.getElementById('tools').offsetHeight)"
    )
    settled(page)


def settled(page: Page) -> None:
    """Wait until all cards in sight are there: they come a few a frame."""
    page.evaluate("() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
    page.wait_for_selector("#grid[aria-busy=false]")


def test_the_top_tells_what_was_made_what_it_cost_and_what_waits_for_a_person(open_sheet: Open) -> None:
    page = open_sheet()
    assert page.title() == "Spring 春季 · contact sheet"
    expect(page.locator("#title")).to_have_text("Spring 春季")
    expect(page.locator("#facts")).to_contain_text("56 of 69")
    expect(page.locator("#facts")).to_contain_text("22.00 CNY11.05 USD")
    expect(page.locator("#facts .warn")).to_contain_text("up to 2.50 CNYup to 1.30 USD")
    expect(page.locator("#attention h2")).to_have_text("3 rows whose outcome is unknown")
    expect(page.locator("#attention li").first).to_contain_text("may have cost up to 0.25 CNY")
    assert keys(page)[:3] == ["spring-0003", "spring-0026", "spring-0049"], "unknown rows stand first"
    assert page.locator(".cost-chart").count() == 2, "currencies are never in one chart"
    expect(page.locator(".time-chart")).to_contain_text("median")
    to_the_grid(page)
    expect(card(page, "spring-0007")).to_contain_text("content check")
    expect(card(page, "spring-0002").locator(".remark")).to_have_attribute("title", "Asked for 8 s, got 5.042 s")


def test_takes_of_a_row_stand_side_by_side(open_sheet: Open) -> None:
    page = open_sheet()
    to_the_grid(page)
    both = page.locator('.card[data-key="spring-0001"]')
    assert both.count() == 2
    left, right = (both.nth(number).bounding_box() for number in range(2))
    assert left is not None
    assert right is not None
    assert left["y"] == right["y"]
    assert 0 < right["x"] - left["x"] - left["width"] < 40
    both.first.locator(".caption").click()
    assert page.locator("#detail .takes button").count() == 2
    page.locator("#detail .takes button").nth(1).click()
    expect(page.locator("#detail-title")).to_contain_text("take 2")


def test_filters_search_and_sorting(open_sheet: Open) -> None:
    page = open_sheet()
    shown = page.locator("#shown")
    page.locator("#statuses button", has_text="failed").click()
    expect(shown).to_contain_text("4 of 69 videos")
    page.locator("#statuses button", has_text="left out").click()
    expect(shown).to_contain_text("5 of 69 videos")
    page.keyboard.press("Escape")
    expect(shown).to_contain_text("69 videos · 22.00 CNY + 11.05 USD · 6 not known")

    page.locator(".bars button", has_text="md-1080p").click()
    expect(page.locator("#route")).to_have_value("seedance2.0-md-1080p-fast")
    expect(shown).to_contain_text("11.05 USD")
    expect(shown).not_to_contain_text("CNY")
    page.locator("#route").select_option("")

    page.locator("#column").select_option(label="campaign")
    page.locator("#column-value select").select_option(label="茶园")
    page.locator("#column").select_option(label="channel")
    page.locator("#column-value select").select_option(label="Reels")
    expect(page.locator("#chosen-filters button")).to_have_count(2)
    expect(shown).to_contain_text("of 69 videos")
    assert page.evaluate("document.querySelectorAll('.card').length") < 69
    page.locator("#chosen-filters button").first.click()
    page.locator("#chosen-filters button").first.click()

    page.locator("#search").fill("raincoat TRAM")
    expect(shown).to_contain_text("of 69 videos")
    settled(page)
    assert page.locator(".card .prompt").count() > 3
    assert all("raincoat" in text for text in page.locator(".card .prompt").all_inner_texts())
    page.locator("#search").fill("nothing like this")
    expect(page.locator("#nothing")).to_be_visible()
    page.locator("#clear").click()
    expect(shown).to_contain_text("69 videos")

    page.locator("#sort").select_option("cost")
    settled(page)
    costs = page.locator(".card:not(.unknown) .cost").all_inner_texts()
    assert costs[:3] == ["1.00 CNY"] * 3
    page.locator("#direction").click()
    settled(page)
    costs = page.locator(".card:not(.unknown) .cost").all_inner_texts()
    assert costs[0] == "nothing"
    known = [Decimal(text.split()[0]) for text in costs if text.endswith("CNY")]
    assert known == sorted(known)
    page.locator("#sort").select_option("making")
    page.locator("#direction").click()
    settled(page)
    page.locator(".card:not(.unknown) .caption").first.click()
    expect(page.locator("#detail .right")).to_contain_text("Time to make2 min 9 s")


def test_the_keyboard_alone(open_sheet: Open) -> None:
    page = open_sheet()
    page.keyboard.press("?")
    expect(page.locator("#help")).to_be_visible()
    page.keyboard.press("Escape")
    page.keyboard.press("/")
    expect(page.locator("#search")).to_be_focused()
    page.keyboard.type("spring-000")
    expect(page.locator("#shown")).to_contain_text("10 of 69")
    page.keyboard.press("ArrowDown")
    focused = "document.activeElement.dataset.key"
    assert page.evaluate(focused) == "spring-0003"
    page.keyboard.press("ArrowRight")
    assert page.evaluate(focused) == "spring-0001"
    page.keyboard.press("End")
    assert page.evaluate(focused) == "spring-0009"
    page.keyboard.press("ArrowUp")
    up = page.evaluate(focused)
    page.keyboard.press("ArrowDown")
    assert page.evaluate(focused) != up
    page.keyboard.press("Home")
    page.keyboard.press("ArrowRight")
    page.keyboard.press(" ")
    expect(page.locator(".card video")).to_have_count(1)
    page.keyboard.press("Escape")
    expect(page.locator(".card video")).to_have_count(0)
    page.keyboard.press("Enter")
    expect(page.locator("#detail-title")).to_contain_text("spring-0001")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    expect(page.locator("#detail-title")).to_contain_text("spring-0002")
    page.keyboard.press("ArrowLeft")
    expect(page.locator("#detail .place")).to_have_text("3 of 10")
    page.keyboard.press(" ")
    expect(page.locator("#detail video")).to_have_count(1)
    page.keyboard.press("Escape")
    expect(page.locator("#detail")).to_be_hidden()
    assert page.evaluate(focused) == "spring-0001", "the focus comes back to where it was"
    page.keyboard.press("x")
    expect(page.locator("#choice-count")).to_contain_text("1 row selected")


def test_videos_play_and_get_their_address_only_then(open_sheet: Open) -> None:
    page = open_sheet()
    assert page.locator("video").count() == 0
    to_the_grid(page)
    screen = card(page, "spring-0001").locator(".screen")
    screen.hover()
    box = screen.bounding_box()
    page.mouse.move(box["x"] + box["width"] * 0.9, box["y"] + 40)
    expect(screen.locator(".frames")).to_have_count(1)
    assert screen.locator(".frames").evaluate("strip => strip.style.backgroundSize") == "600% 100%"
    assert screen.locator(".frames").evaluate("strip => strip.style.backgroundPosition").startswith("100%")
    video = page.locator(".card video")
    expect(video).to_have_count(1)  # the mouse rests
    assert video.evaluate("video => video.muted")
    # Playwright's own way of waiting would need what the sheet's content security policy forbids.
    eventually(lambda: video.evaluate("video => video.currentTime") > 0.1, "the video plays", every=0.1)
    screen.click()
    assert not video.evaluate("video => video.muted"), "a press gives it its sound"
    page.mouse.move(5, 5)
    expect(video).to_have_count(1)
    other = card(page, "spring-0002").locator(".screen")
    other.click()
    expect(video).to_have_count(1)
    assert page.locator(".playing").evaluate("screen => screen.closest('.card').dataset.key") == "spring-0002"
    other.click()
    expect(video).to_have_count(0)


def test_a_selection_goes_back_to_the_program(open_sheet: Open) -> None:
    page = open_sheet(permissions=["clipboard-read", "clipboard-write"])
    page.locator("#search").fill("spring-000")
    expect(page.locator("#shown")).to_contain_text("10 of 69")
    page.locator(".card .check").nth(1).click()
    page.locator(".card .check").nth(4).click(modifiers=["Shift"])
    expect(page.locator("#choice-count")).to_have_text("3 rows selected · 2.25 CNY + 0.65 USD")
    page.locator("#copy").click()
    expect(page.locator("#toast")).to_contain_text("Copied")
    assert call_of(page) == {
        "batch": "spring",
        "only": ["spring-0001", "spring-0002", "spring-0004"],
        "take": "3",
    }
    page.locator("#copy-ids").click()
    expect(page.locator("#toast")).to_contain_text("3 row ids")
    assert page.evaluate("navigator.clipboard.readText()") == "spring-0001\nspring-0002\nspring-0004"
    page.keyboard.press("Escape")
    expect(page.locator("#choice")).to_be_hidden()
    page.locator("#search").fill("")
    expect(page.locator("#shown")).to_have_text("69 videos · 22.00 CNY + 11.05 USD · 6 not known")
    page.locator("#select-all").click()
    page.locator("#copy").click()
    expect(page.locator("#toast")).to_contain_text("62 rows")
    copied = call_of(page)["only"]
    assert len(copied) == 62
    assert NASTY_KEY in copied


def call_of(page: Page) -> dict[str, Any]:
    """The arguments of the call in the clipboard, as Python reads them."""
    (statement,) = ast.parse(page.evaluate("navigator.clipboard.readText()")).body
    assert isinstance(statement, ast.Expr)
    call = statement.value
    assert isinstance(call, ast.Call)
    assert ast.unparse(call.func) == "generate_videos"
    assert [ast.unparse(argument) for argument in call.args] == ["table"]
    return {word.arg or "": ast.literal_eval(word.value) for word in call.keywords if word.arg != "route"}


def test_where_the_clipboard_is_closed_the_text_is_shown(open_sheet: Open) -> None:
    page = open_sheet()
    page.evaluate("() => { navigator.clipboard.writeText = () => Promise.reject(new Error('closed')); }")
    page.locator(".card .check").nth(0).click()
    page.locator("#copy").click()
    assert '"spring-0003"' in page.locator("#by-hand-text").input_value()


def test_what_people_and_providers_wrote_stays_text(open_sheet: Open) -> None:
    page = open_sheet()
    page.locator("#search").fill("onerror")
    expect(page.locator("#shown")).to_contain_text("1 of 69")
    assert keys(page) == [NASTY_KEY]
    page.locator(".card .caption").click()
    assert page.locator(".prompt-full").evaluate("element => element.textContent") == NASTY
    assert page.locator("#detail b, #detail img[src=x], #detail script").count() == 1, "only the reason's own heading"
    expect(page.locator("#detail .right")).to_contain_text("onerror=")
    page.keyboard.press("Escape")
    page.locator("#column").select_option(index=4)
    page.wait_for_timeout(100)
    assert page.title() == "Spring 春季 · contact sheet"
    assert page.evaluate("[...document.scripts].length") == 2


def test_light_and_dark(open_sheet: Open) -> None:
    background = "getComputedStyle(document.body).backgroundColor"
    light, dark = open_sheet().evaluate(background), open_sheet(color_scheme="dark").evaluate(background)
    assert (light, dark) == ("rgb(245, 244, 241)", "rgb(19, 20, 22)")
    page = open_sheet(color_scheme="dark")
    page.locator("#theme").click()
    assert page.evaluate(background) == light
    page.reload()
    page.wait_for_selector("html[data-ready]")
    assert page.evaluate(background) == light, "the choice is kept"


CONTRAST = """() => {
  // A mixed colour is told from 0 to 1, all others from 0 to 255.
  const scale = (text) => (text.startsWith("color(") ? 255 : 1);
  const number = (text) => text.match(/[\\d.]+/g).map((each, at) => each * (at < 3 ? scale(text) : 1));
  const light = (rgb) => rgb.slice(0, 3).map((c) => (c /= 255) <= .03928 ? c / 12.92 : ((c + .055) / 1.055) ** 2.4)
    .reduce((sum, c, at) => sum + c * [.2126, .7152, .0722][at], 0);
  const behind = (element) => {
    for (; element; element = element.parentElement) {
      const found = getComputedStyle(element).backgroundColor;
      if (number(found).length < 4 || number(found)[3] > .85) return number(found);
    }
    return [255, 255, 255];
  };
  const poor = [];
  for (const element of document.querySelectorAll("main *, .top *, .tools *, dialog[open] *")) {
    const own = [...element.childNodes].some((node) => node.nodeType === 3 && node.data.trim());
    if (!own || element.closest("svg, .sr, .length, [hidden], option") || !element.getClientRects().length) continue;
    const [one, other] = [light(number(getComputedStyle(element).color)), light(behind(element))];
    const ratio = (Math.max(one, other) + .05) / (Math.min(one, other) + .05);
    if (ratio < 4.5) poor.push(`${element.className} ${element.textContent.slice(0, 30)} ${ratio}`);
  }
  return [...new Set(poor)];
}"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_all_text_can_be_read(open_sheet: Open, scheme: str) -> None:
    page = open_sheet(color_scheme=scheme, reduced_motion="reduce")
    assert page.evaluate(CONTRAST) == []
    for number in (0, 3):
        page.locator(".card .caption").nth(number).click()
        assert page.evaluate(CONTRAST) == []
        page.keyboard.press("Escape")


def test_on_a_phone(open_sheet: Open, playwright: Playwright) -> None:
    phone = {name: value for name, value in playwright.devices["iPhone 13"].items() if name != "default_browser_type"}
    page = open_sheet(**phone)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert page.locator("#filters").is_hidden()
    page.locator("#more").tap()
    page.locator("#sort").select_option("key")
    page.locator("#more").tap()
    page.locator("#search").fill("spring-0001")
    expect(page.locator("#shown")).to_contain_text("2 of 69")
    to_the_grid(page)
    screen = card(page, "spring-0001").locator(".screen")
    screen.tap()
    expect(page.locator(".card video")).to_have_count(1)
    screen.tap()
    expect(page.locator(".card video")).to_have_count(0)
    card(page, "spring-0001").locator(".caption").tap()
    detail = page.locator("#detail").bounding_box()
    assert detail is not None
    assert detail["width"] == phone["viewport"]["width"]
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    for button in page.locator("#detail .bar-top button").all():
        box = button.bounding_box()
        assert box is not None
        assert min(box["width"], box["height"]) >= 44
    page.locator("#detail [aria-label=Next]").tap()
    page.locator("#detail [aria-label=Close]").tap()
    expect(page.locator("#detail")).to_be_hidden()


def test_paper_gets_every_card(open_sheet: Open) -> None:
    page = open_sheet()
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert page.locator(".card").count() == 69
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    assert page.locator(".card").count() < 69
    assert page.pdf().startswith(b"%PDF")


WATCH = """() => {
  [window.long, window.most] = [[], 0];
  const observer = new PerformanceObserver((list) => list.getEntries().forEach((entry) => long.push(entry.duration)));
  observer.observe({ type: "longtask" });
}"""


def scrolled(page: Page) -> float:
    """Scroll through the whole sheet, slowly and in great jumps; the longest task in milliseconds."""
    page.evaluate("() => { scrollTo(0, 0); long.length = 0; }")
    tall = page.evaluate("document.documentElement.scrollHeight")
    for step in range(50):
        page.mouse.wheel(0, 700 if step < 25 else tall // 25)
        page.wait_for_timeout(16)
        page.evaluate("() => { most = Math.max(most, document.querySelectorAll('.card').length); }")
    settled(page)
    return max(page.evaluate("long"), default=0)


def test_two_thousand_rows_stay_fluid(open_sheet: Open, tmp_path: Path) -> None:
    rows, tried = a_batch(2000, tmp_path)
    film(rows, tmp_path, videos=2)
    began = time.perf_counter()
    cards = cards_of(rows, tried, folder=tmp_path, columns=columns_of(rows))
    html = contact_sheet("spring", cards, folder=tmp_path)
    built = time.perf_counter() - began
    path = tmp_path / "contact-sheet.html"
    path.write_text(html, encoding="utf-8")
    assert "data:image/jpeg" not in html, "the posters lie beside it"
    began = time.perf_counter()
    page = open_sheet(path)
    ready = time.perf_counter() - began
    inner = page.evaluate("performance.getEntriesByType('navigation')[0].domInteractive")
    page.evaluate(WATCH)
    longest = min(scrolled(page) for _ in range(3))
    most = page.evaluate("most")
    page.keyboard.press("End")
    expect(card(page, "spring-2000")).to_be_focused()
    acts = {
        "sort": "sort.value = 'cost'; sort.dispatchEvent(new Event('change'))",
        "filter": "document.querySelector('#statuses button[value=stored]').click()",
        "select": "document.getElementById('select-all').click()",
    }
    timed = "() => {{ const from = performance.now(); {}; return Math.round(performance.now() - from); }}"
    timings = {name: page.evaluate(timed.format(act)) for name, act in acts.items()}
    page.locator("#search").fill("lantern 0001")
    expect(page.locator("#shown")).to_contain_text("of 2,000")
    print(  # noqa: T201 - the figures are to be seen with -s
        f"\n2,000 rows: {len(html) / 1e6:.1f} MB, built in {built:.2f} s, DOM interactive {inner:.0f} ms, "
        f"ready {ready:.2f} s, most cards in the page {most}, longest task {longest:.0f} ms, {timings} ms"
    )
    # The times depend on the machine and what else it does; that few cards are in the page does not.
    assert most < 120
