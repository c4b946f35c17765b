"""What the flow tests share: one call with sensible settings, and a view into the Prefect server."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, cast

import httpx
import pytest

from prefect_seedance import GenerateResult, NothingStored, generate_videos
from tests.patience import patience

Make = Callable[..., GenerateResult]


@pytest.fixture
def output(tmp_path: Path) -> Path:
    return tmp_path / "videos"


@pytest.fixture
def make(prefect_server: str, route_to: Callable[..., Any], output: Path) -> Make:
    """`generate_videos` with defaults for what a test leaves open; a run that stores nothing answers too."""

    def call(table: Any, **options: Any) -> GenerateResult:
        settings = {"route": options.pop("route", None) or route_to(), "batch": "spring", "output": output, **options}
        try:
            return generate_videos(table, **settings)
        except NothingStored as nothing:
            return cast("GenerateResult", nothing.result)

    return call


@pytest.fixture
def api(prefect_server: str) -> Iterator[httpx.Client]:
    """The server's own API."""
    with httpx.Client(base_url=f"{prefect_server}/api", timeout=patience()) as client:
        yield client
