"""pytest fixtures. Put `from prefect_seedance.sandbox.fixtures import *` into your conftest.py.

Override `sandbox_settings` to configure the sandbox of a module or class.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from prefect_seedance.sandbox.server import SandboxServer
from prefect_seedance.sandbox.settings import SandboxSettings

__all__ = ["sandbox", "sandbox_settings"]


@pytest.fixture
def sandbox_settings() -> SandboxSettings:
    """Return the settings of the `sandbox` fixture: jobs last 0.1 to 0.2 seconds."""
    return SandboxSettings(speed=200.0)


@pytest.fixture
def sandbox(sandbox_settings: SandboxSettings) -> Iterator[SandboxServer]:
    """Run a fresh sandbox on a free port for one test."""
    with SandboxServer(sandbox_settings) as server:
        yield server
