"""The manual as it is built: whole, offline, and made from the code."""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from prefect_seedance.cli.app import app
from prefect_seedance.routes import CATALOGUE
from tests.docs.snippets import ROOT
from tests.patience import patience

pytestmark = pytest.mark.skipif(importlib.util.find_spec("mkdocs") is None, reason="make docs installs it")

OUTSIDE = re.compile(r"""<(?:script|img|iframe|link|source)\b[^>]*?(?:src|href)=["']?(?:https?:)?//[^"' >]+""")


@pytest.fixture
def hook(monkeypatch: pytest.MonkeyPatch):
    """Loads one of the scripts that make pages."""
    monkeypatch.syspath_prepend(str(ROOT / "docs" / "hooks"))

    def load(name: str):
        monkeypatch.delitem(sys.modules, name, raising=False)
        return importlib.import_module(name)

    yield load
    for name in ("route_pages", "route_parts", "command_page", "field_tables", "create_answers"):
        sys.modules.pop(name, None)


def test_a_page_for_each_route(hook) -> None:
    pages = hook("route_pages")
    overview = pages.overview()
    for route in CATALOGUE:
        page = pages.page(route)
        assert f"({route.provider}/{route.model}.md)" in overview
        for word in (route.model, *route.resolution.allowed, *route.ratio.listed, *route.switches, *route.sources):
            assert word in page, (route.name, word)
        for rule in (route.duration, route.resolution, route.ratio, route.images, route.audio_pairing):
            assert rule.doubt in page, (route.name, rule)


def test_every_command_has_its_page(hook) -> None:
    text = hook("command_page").commands()
    for command in ("demo", "setup", "run", "resolve", "ledger copy", "ledger prune", "ledger adopt"):
        assert f"## prefect-seedance {command}\n" in text
    assert set(re.findall(r"(?m)^## prefect-seedance (\S+)$", text)) == {
        name for name in app if not name.startswith("-")
    }
    assert all(line.count("|") - line.count("\\|") == 3 for line in text.splitlines() if line.startswith("|"))
    assert "its job id is known" in text


def test_fields_and_parameters(hook) -> None:
    tables = hook("field_tables")
    assert "| `api_key` | The API key." in tables.table("prefect_seedance.blocks", "JimmyCredentials")
    form = tables.table("prefect_seedance.flows.forms.generate", "videos_from_table")
    assert "| Batch name | `batch` | The name under which the rows are kept." in form
    assert form.splitlines()[2].startswith("| Table | `table` |"), "in the order of the form"


def test_the_verdict_on_each_answer_to_a_create(hook) -> None:
    answers = hook("create_answers")
    page = (ROOT / "docs" / "reference" / "create-answers.md").read_text("utf-8")
    assert set(answers.MARK.findall(page)) == set(answers.SECTIONS)
    made = answers.on_page_markdown(page)
    for words in ("created: job `vid_1234567`", "refused: the route", "refused: the rate", "unknown; names job"):
        assert words in made
    wrong = answers.both("a gateway's page", (502,), "<html>")
    answers.SECTIONS["refused"].append(wrong)
    with pytest.raises(ValueError, match="at jimmy"):
        answers.table("refused")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("manual") / "site"
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", str(folder)]
    environment = {**os.environ, "NO_MKDOCS_2_WARNING": "1"}
    done = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=patience(300), check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


@pytest.mark.slow
def test_it_asks_nobody(site: Path) -> None:
    pages = list(site.rglob("*.html"))
    assert len(pages) > 24 + 25
    for page in pages:
        found = OUTSIDE.findall(page.read_text(encoding="utf-8"))
        assert not found, (page, found)
    assert not list(site.rglob("*.py"))
    assert (site / "routes" / "jimmy" / "seedance2.0-mini.html").exists()


@pytest.mark.ui
@pytest.mark.skipif(shutil.which("chromium") is None, reason="needs Chromium")
def test_it_is_read_and_searched_from_the_folder(site: Path) -> None:
    from playwright.sync_api import expect, sync_playwright

    asked: list[str] = []
    wrong: list[str] = []
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 390, "height": 800})
        page.set_default_timeout(patience() * 1000)
        page.on("request", lambda request: asked.append(request.url))
        page.on("pageerror", lambda error: wrong.append(str(error)))
        for file in sorted(site.rglob("*.html")):
            page.goto(file.as_uri())
            wide = page.evaluate("document.documentElement.scrollWidth - innerWidth")
            assert wide <= 0, f"{file} is {wide} pixels too wide for a phone"
        page.set_viewport_size({"width": 1280, "height": 900})
        page.goto((site / "index.html").as_uri())
        # The search listens to keys, and not to a text that is put there.
        page.get_by_placeholder("Search").press_sequentially("may have accepted this paid call")
        expect(page.locator(".md-search-result__item").first).to_contain_text(
            "Troubleshooting", timeout=patience() * 1000
        )
        browser.close()
    assert not wrong
    assert [url for url in asked if not url.startswith(("file:", "data:", "blob:"))] == []
