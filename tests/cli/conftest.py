from __future__ import annotations

from collections.abc import Iterator

import pytest
from prefect.settings import PREFECT_FLOWS_HEARTBEAT_FREQUENCY, temporary_settings


@pytest.fixture(autouse=True)
def _no_heartbeats() -> Iterator[None]:
    """The engine waits up to a second for its heartbeat thread at the end of every sync flow."""
    with temporary_settings({PREFECT_FLOWS_HEARTBEAT_FREQUENCY: None}):
        yield
