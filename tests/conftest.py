"""What all tests share: a home of their own, a real Prefect server, a sandbox, and routes that lead to it."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx._config
import hypothesis
import pytest

from tests.patience import FACTOR, patience

# A landing must not hang on luck: developers explore, and CI tries the same examples each time.
# No example has a deadline: a busy machine would miss it.
hypothesis.settings.register_profile("tests", derandomize=bool(os.environ.get("CI")), deadline=None)
hypothesis.settings.load_profile("tests")

# Prefect reads its settings while it is imported: no test may read or write the developer's own home.
_HOME = Path(tempfile.mkdtemp(prefix="seedance-tests-"))
for _name in [name for name in os.environ if name.startswith(("PREFECT_", "JIMMY_", "ANYFAST_"))]:
    del os.environ[_name]
os.environ["PREFECT_HOME"] = str(_HOME / "prefect")
os.environ["PREFECT_SERVER_ANALYTICS_ENABLED"] = "false"
os.environ["PREFECT_SERVER_ALLOW_EPHEMERAL_MODE"] = "false"
os.environ["PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL"] = "CRITICAL"
os.environ["PREFECT_LOGGING_TO_API_WHEN_MISSING_FLOW"] = "ignore"
# Prefect's own deadlines are made for an idle machine, and so is that of httpx where a call names none (5 seconds).
for _name in (
    "PREFECT_API_REQUEST_TIMEOUT",
    "PREFECT_SERVER_DATABASE_TIMEOUT",
    "PREFECT_SERVER_DATABASE_CONNECTION_TIMEOUT",
    "PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS",
):
    os.environ[_name] = f"{patience():.0f}"
for _name in ("connect", "read", "write", "pool"):
    setattr(httpx._config.DEFAULT_TIMEOUT_CONFIG, _name, patience())

from prefect_seedance.blocks import AnyfastCredentials, JimmyCredentials, PriceBook, RouteDefaults
from prefect_seedance.cli import prefect_server as local
from prefect_seedance.cli.prefect_server import local_server
from prefect_seedance.routes import find
from prefect_seedance.sandbox import SandboxServer
from prefect_seedance.sandbox.fixtures import sandbox, sandbox_settings
from tests.objectstore import s3, s3_server
from tests.postgres import postgres, postgres_server

__all__ = ["postgres", "postgres_server", "s3", "s3_server", "sandbox", "sandbox_settings"]

RouteTo = Callable[..., RouteDefaults]

local.PATIENCE = patience(300)

PRICES = {
    "seedance2.0-mini-480p": "0.03",
    "seedance2.0-mini-720p": "0.05",
    "seedance2.0-mini-1080p": "0.1",
    "seedance2.0-mini-sp-720p": "0.4",
    "seedance2.0-sp-720p": "0.2",
    "seedance2.0-md": "0.9",
    "seedance2.0-std": "0.8",
    "seedance-2.0-mini": "23",
}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Scale the deadline of every test, and let Prefect leave connections to its own server to the collector.

    Nowhere else may a connection be left.
    """
    for item in items:
        if not item.config.getoption("timeout") and item.get_closest_marker("timeout") is None:
            item.add_marker(pytest.mark.timeout(float(item.config.getini("timeout")) * FACTOR))
        if "prefect_server" in getattr(item, "fixturenames", ()):
            for left in ("<socket.socket .*raddr=", "<function _SelectorTransport.__del__"):
                ignored = f"ignore:Exception ignored in. {left}:pytest.PytestUnraisableExceptionWarning"
                item.add_marker(pytest.mark.filterwarnings(ignored))


@pytest.fixture(scope="session")
def prefect_server() -> Iterator[str]:
    """A real Prefect server process, used by everything in this test process."""
    from prefect.settings import PREFECT_API_URL, temporary_settings

    with local_server(_HOME / "prefect", _HOME / "server.log", port=0) as url:
        os.environ["PREFECT_API_URL"] = f"{url}/api"
        with temporary_settings({PREFECT_API_URL: f"{url}/api"}):
            yield url
        del os.environ["PREFECT_API_URL"]


@pytest.fixture(scope="session", autouse=True)
def _no_heartbeats() -> Iterator[None]:
    """A synchronous flow waits for its heartbeat's thread at its end, up to a second.

    Once for all tests: Prefect takes 0.04 s of CPU to read its settings again.
    """
    from prefect.settings import PREFECT_FLOWS_HEARTBEAT_FREQUENCY, temporary_settings

    with temporary_settings({PREFECT_FLOWS_HEARTBEAT_FREQUENCY: None}):
        yield


@pytest.fixture(autouse=True)
def ledger_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A ledger of the test's own, which is the default while it runs."""
    path = tmp_path / "ledger.db"
    monkeypatch.setenv("PREFECT_SEEDANCE_LEDGER", str(path))
    return path


@pytest.fixture
def route_to(sandbox: SandboxServer) -> RouteTo:
    """Makes a route block that leads to the sandbox: `route_to("seedance2.0-mini", duration=5)`."""

    def make(model: str = "seedance2.0-mini", **fields: object) -> RouteDefaults:
        kind, key = (
            (AnyfastCredentials, "sk-sandbox")
            if find(model).provider == "anyfast"
            else (JimmyCredentials, "sk_sandbox")
        )
        settings: dict[str, object] = {
            "credentials": kind(api_key=key, base_url=sandbox.url),
            "prices": PriceBook(currency="CNY", prices=PRICES),
            "poll_seconds": 0.05,
            **fields,
        }
        return RouteDefaults(model=model, **settings)

    return make
