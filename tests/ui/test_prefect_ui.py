"""What a person does in the Prefect UI, in a real browser: fill the form, start, watch, and look at what came of it.

`SEEDANCE_SCREENSHOTS=1` renews the pictures in docs/images.
"""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect, sync_playwright

from prefect_seedance.cli.app import run
from prefect_seedance.cli.console import out
from prefect_seedance.sandbox import SandboxServer
from tests.deployments.worker import FINAL, Ui, worker
from tests.patience import patience

pytestmark = [
    pytest.mark.ui,
    pytest.mark.timeout(patience(1800)),
    pytest.mark.skipif(shutil.which("chromium") is None, reason="apt-get install chromium"),
]

IMAGES = Path(__file__).parents[2] / "docs" / "images"
PATIENCE = patience() * 1000
UNFOLD = """document.querySelectorAll('textarea').forEach(box => {
    box.style.height = `${box.scrollHeight + 4}px`;
    box.scrollTop = 0;
})"""
ROWS = """id,prompt,ratio
lantern,A paper lantern drifting over a rice terrace at dusk,16:9
fox,A red fox crossing fresh snow in slow motion,16:9
mouse,Mickey Mouse waving at the camera,16:9
tea,采茶女孩走过清晨的茶园,16:9
"""


@pytest.fixture(scope="module")
def browser_page() -> Iterator[Page]:
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1200, "height": 900})
        page.set_default_timeout(PATIENCE)
        expect.set_options(timeout=PATIENCE)
        yield page
        browser.close()


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder with a short name, since it stands in the pictures."""
    with tempfile.TemporaryDirectory(prefix="seedance-") as path:
        yield Path(path)


def picture(page: Page, name: str) -> None:
    if os.environ.get("SEEDANCE_SCREENSHOTS"):
        page.wait_for_timeout(800)  # transitions
        page.screenshot(path=IMAGES / name)


def field(page: Page, label: str) -> Locator:
    """The field below a label: the first UI does not tie the two together."""
    tied = page.get_by_label(label)
    if tied.count():
        return tied.first
    below = f"(//*[text()[starts-with(normalize-space(), '{label}')]]/following::*[self::textarea or self::input])[1]"
    return page.locator(f"xpath={below}")


def fill(page: Page, label: str, text: str) -> None:
    field(page, label).fill(text)


def sent(page: Page, ui: Ui, before: set[str]) -> str:
    """Press the form's button until the server has a new run, and give the run's id.

    A form that stays where it is was refused, mostly since the server's SQLite was locked: a person presses again.
    """
    button = page.get_by_role("button", name="Submit").or_(page.get_by_role("button", name="Run", exact=True)).last
    form = page.url
    deadline = time.monotonic() + patience()
    pressed = 0.0
    while time.monotonic() < deadline:
        new = [each["id"] for each in ui.api.post("/flow_runs/filter", json={}).json() if each["id"] not in before]
        if new:
            return str(new[0])
        if page.url == form and time.monotonic() - pressed > 5 and button.is_enabled():
            button.click()
            pressed = time.monotonic()
        page.wait_for_timeout(200)
    raise AssertionError(f"the form was not sent; the page at {page.url} says:\n{page.locator('body').inner_text()}")


@pytest.mark.parametrize("version", ["v1", "v2"])
def test_from_the_form_to_the_pictures(
    prefect_server: str, sandbox: SandboxServer, browser_page: Page, folder: Path, version: str
) -> None:
    page = browser_page
    base = prefect_server if version == "v1" else f"{prefect_server}/v2"
    batch = "spring" if version == "v1" else "autumn"
    with out.capture():
        assert run(["setup", "--sandbox", sandbox.url, "--folder", str(folder), "--deploy", "--overwrite"]) == 0
    with Ui(prefect_server) as ui, worker(folder / "worker.log"):
        before = {each["id"] for each in ui.api.post("/flow_runs/filter", json={}).json()}
        page.goto(f"{base}/deployments/deployment/{ui.deployment('generate')['id']}/run")
        expect(page.get_by_text("Batch name").first).to_be_visible()
        expect(page.get_by_text("Seedance Route Defaults").first).to_be_visible()  # the help text of the picker
        fill(page, "… or type the rows here", ROWS)
        fill(page, "Batch name", batch)
        fill(page, "Seconds", "5")
        if version == "v1":
            page.evaluate(UNFOLD)
            page.get_by_text("Parameters", exact=True).first.click()
            picture(page, "deployment-form.png")
        run_id = sent(page, ui, before)
        page.goto(f"{base}/runs/flow-run/{run_id}")
        done = ui.until(run_id, lambda seen: seen["state_type"] in FINAL)
        assert done["state_name"] == "Some failed", done["state"]
        assert done["parameters"]["duration"] == 5
        expect(page.get_by_text("Some failed").first).to_be_visible()
        expect(page.get_by_text(f"generate {batch}").first).to_be_visible()
        if version == "v1":
            page.reload()
            expect(page.get_by_text("Some failed").first).to_be_visible()
            page.wait_for_timeout(2000)
            picture(page, "run.png")

        artifacts = ui.artifacts(run_id)
        page.goto(f"{base}/artifacts/artifact/{artifacts[f'seedance-{batch}-summary']['id']}")
        expect(page.get_by_role("heading", name="3 of 4 videos stored")).to_be_visible()
        pictures = page.locator("img[src^='data:image/jpeg']")
        expect(pictures).to_have_count(3)
        widths = pictures.evaluate_all("all => all.map(each => each.naturalWidth && each.clientWidth)")
        assert min(widths) > 100, "the pictures are shown, and large enough to be seen"
        if version == "v1":
            picture(page, "summary.png")

        link = page.get_by_role("link", name="Make 1 row again that failed").get_attribute("href")
        assert link is not None
        page.goto(link.replace(prefect_server, base))
        expect(page.get_by_text("Batch name").first).to_be_visible()
        expect(field(page, "Batch name")).to_have_value(batch)
        expect(page.get_by_text("failed", exact=True).first).to_be_visible()

        page.goto(f"{base}/artifacts/artifact/{artifacts[f'seedance-{batch}-cost']['id']}")
        expect(page.get_by_text("seedance2.0-mini-720p").first).to_be_visible()
        expect(page.get_by_text("0.75").first).to_be_visible()
        if version == "v1":
            picture(page, "cost.png")
    assert len(sandbox.state.bill()) == 4
