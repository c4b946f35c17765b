"""What the snippets of the manual find in their place: a table, prices, keys, and saved route blocks.

Everything is real but the provider: its address leads to a sandbox, as `JIMMY_BASE_URL` would.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from prefect_seedance import NothingStored, generate_videos
from prefect_seedance.blocks import AnyfastCredentials, JimmyCredentials, PriceBook, RouteDefaults
from prefect_seedance.sandbox import SandboxServer
from prefect_seedance.sandbox.http.media import media_bytes
from tests.conftest import PRICES

KEYS = {"sk_your_key": "jimmy", "sk_sandbox": "jimmy", "sk-sandbox": "anyfast"}
TABLE = """id,prompt,duration
lantern,A paper lantern drifts over a rice terrace at dawn,5
fox,A red fox crosses fresh snow in slow motion,5
tea,热茶倒入白瓷杯，水汽升腾，微距慢动作,4
"""
ROUTES: dict[str, tuple[Callable[[], JimmyCredentials | AnyfastCredentials], str]] = {
    "my-route": (lambda: JimmyCredentials(api_key="sk_sandbox"), "seedance2.0-mini"),
    "my-sp-route": (lambda: JimmyCredentials(api_key="sk_sandbox"), "seedance2.0-sp"),
    "my-anyfast-route": (lambda: AnyfastCredentials(api_key="sk-sandbox"), "seedance-2.0-mini"),
}

Names = dict[str, Any]


@contextmanager
def at_the_sandbox(sandbox: SandboxServer) -> Iterator[None]:
    """Whoever names no address of a provider reaches the sandbox, by code or by command; and the routes are saved."""
    blocks = (JimmyCredentials, AnyfastCredentials, RouteDefaults)
    with pytest.MonkeyPatch.context() as patch:
        for kind in blocks[:2]:
            patch.setattr(kind.model_fields["base_url"], "default", sandbox.url)
        for provider, key in (("JIMMY", "sk_sandbox"), ("ANYFAST", "sk-sandbox")):
            patch.setenv(f"{provider}_API_KEY", key)
            patch.setenv(f"{provider}_BASE_URL", sandbox.url)
        for kind in blocks:
            kind.model_rebuild(force=True)
        saved_routes()
        yield
    for kind in blocks:
        kind.model_rebuild(force=True)


def files(folder: Path) -> None:
    """The table and the prices of the first page."""
    (folder / "prompts.csv").write_text(TABLE, encoding="utf-8")
    prices = {"currency": "CNY", "prices": {"seedance2.0-mini-720p": "0.05"}}
    (folder / "prices.json").write_text(json.dumps(prices), encoding="utf-8")


def saved_routes() -> None:
    """The saved blocks that the pages name."""
    prices = PriceBook(currency="CNY", prices=PRICES)
    for name, (credentials, model) in ROUTES.items():
        route = RouteDefaults(credentials=credentials(), model=model, prices=prices, poll_seconds=0.05)
        route.save(name, overwrite=True, _sync=True)


def media(request: pytest.FixtureRequest, names: Names) -> None:
    """A folder of pictures."""
    folder = Path("campaign")
    (folder / "素材").mkdir(parents=True)
    for name, width, height in (("cup.png", 640, 640), ("素材/pot.jpg", 960, 540), ("she.png", 600, 800)):
        (folder / name).write_bytes(media_bytes(Path(name).name, width=width, height=height, seconds=Decimal(1)))


def bucket(request: pytest.FixtureRequest, names: Names) -> None:
    """A bucket, at a real server that speaks S3."""
    names["bucket"] = f"{request.getfixturevalue('s3')}/2026"


def unknown(request: pytest.FixtureRequest, names: Names) -> None:
    """The row `fox` of the batch `spring`, whose answer was lost."""
    sandbox: SandboxServer = request.getfixturevalue("providers")
    sandbox.faults.cut_after = 1
    with pytest.raises(NothingStored):
        generate_videos([{"id": "fox", "prompt": "A red fox"}], route="my-route", batch="spring")
    sandbox.faults.cut_after = 0


SCENES: dict[str, Callable[[pytest.FixtureRequest, Names], None]] = {
    "bucket": bucket,
    "media": media,
    "unknown": unknown,
}
