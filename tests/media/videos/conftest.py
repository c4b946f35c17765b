"""A download from the test server."""

from __future__ import annotations

import pytest

from prefect_seedance.media import Downloader
from tests.patience import patience


@pytest.fixture
async def fetch(server, tmp_path):
    """Fetch the server's film into a part file; the provider is said to be on loopback."""
    async with Downloader(read_seconds=patience()) as loader:

        async def run(url=None, part=tmp_path / "film.part", **more):
            return await loader.fetch(url or server.url, part, provider_url=server.url, **more)

        run.part = tmp_path / "film.part"
        yield run
