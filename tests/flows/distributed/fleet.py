"""What the tests of spreading share: a real server with its database, workers as processes, and their deaths."""

from __future__ import annotations

import contextlib
import contextvars
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from prefect_seedance import GenerateResult, generate_videos
from prefect_seedance.blocks import JimmyCredentials, PriceBook, RouteDefaults
from prefect_seedance.cli.prefect_server import local_server
from prefect_seedance.sandbox import SandboxServer
from tests.patience import eventually, patience
from tests.postgres import PostgresServer

SOURCES = str(Path(__file__).parents[3] / "src")


def until(holds: Callable[[], Any], what: str) -> Any:
    """Wait until something holds, and return it."""
    return eventually(holds, what, seconds=600, every=0.1)


@contextlib.contextmanager
def server_on(postgres: PostgresServer, folder: Path) -> Iterator[str]:
    """A Prefect server whose own database is PostgreSQL, used by this process while the block runs."""
    from prefect.events.worker import EventsWorker
    from prefect.settings import PREFECT_API_URL, temporary_settings

    EventsWorker.drain_all(timeout=patience())  # it would go on to speak to the server of the tests before
    address = postgres.url(postgres.empty_database())
    before = dict(os.environ)
    os.environ["PREFECT_SERVER_DATABASE_CONNECTION_URL"] = address
    os.environ["PREFECT_SERVER_LOGGING_LEVEL"] = "INFO"  # it tells every call; see `calls`
    try:
        with local_server(folder / "server", folder / "server.log", port=0) as url:
            os.environ["PREFECT_API_URL"] = f"{url}/api"
            with temporary_settings({PREFECT_API_URL: f"{url}/api"}):
                yield url
    finally:
        os.environ.clear()
        os.environ.update(before)


def calls(folder: Path) -> int:
    """How often the server's API was called until now, but for what idle workers ask as well."""
    text = re.findall(r'"(?:GET|POST|PATCH|PUT|DELETE) (/api/\S+)', (folder / "server.log").read_text(errors="replace"))
    return sum("/work_pools/" not in each and "/health" not in each for each in text)


class Workers:
    """Process workers of one pool, each for one run at a time."""

    def __init__(self, folder: Path, ledger: str, pool: str = "seedance") -> None:
        self.folder = folder
        self.pool = pool
        self.environment = {
            **os.environ,
            "PYTHONPATH": os.pathsep.join([SOURCES, str(Path(SOURCES).parent)]),
            "PREFECT_SEEDANCE_LEDGER": ledger,
            "PREFECT_WORKER_QUERY_SECONDS": "1",
            "PREFECT_LOGGING_LEVEL": "WARNING",
        }
        self.running: list[subprocess.Popen[bytes]] = []

    def add(self) -> subprocess.Popen[bytes]:
        """One more worker."""
        command = [sys.executable, "-m", "prefect", "worker", "start", "--pool", self.pool, "--limit", "1"]
        number = len(self.running) + 1
        with (self.folder / f"worker-{number}.log").open("ab") as log:
            process = subprocess.Popen(
                [*command, "--name", f"worker-{number}", "--type", "process"],
                stdout=log,
                stderr=log,
                env=self.environment,
                start_new_session=True,
            )
        self.running.append(process)
        return process

    def close(self) -> None:
        """End them all, and whatever they started."""
        for process in self.running:
            for pid in (*children_of(process.pid), process.pid):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            process.wait(patience())


def children_of(pid: int) -> list[int]:
    """All processes below one."""
    found: list[int] = []
    with contextlib.suppress(OSError):
        for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
            found += [int(child), *children_of(int(child))]
    return found


class Run:
    """`generate_videos` in a thread, as somebody's flow."""

    def __init__(self, table: Any, **options: Any) -> None:
        self.result: GenerateResult | None = None
        self.error: BaseException | None = None
        # The address of the tests' own server is known in this context only.
        context = contextvars.copy_context()
        self._thread = threading.Thread(target=context.run, args=(self._go, table, options), name="tests parent")
        self._thread.start()

    def _go(self, table: Any, options: dict[str, Any]) -> None:
        try:
            self.result = generate_videos(table, **options)
        except BaseException as error:  # noqa: BLE001 - told by `end`
            self.error = error

    @property
    def alive(self) -> bool:
        return self._thread.is_alive()

    def end(self) -> GenerateResult:
        """Wait for its end, and return its result."""
        self._thread.join(patience(600))
        assert not self._thread.is_alive(), "the run did not end"
        if self.error is not None:
            raise self.error
        assert self.result is not None
        return self.result


def saved_route(sandbox: SandboxServer, name: str, **fields: Any) -> str:
    """A route block that leads to the sandbox, saved under a name."""
    settings: dict[str, Any] = {
        "credentials": JimmyCredentials(api_key="sk_sandbox", base_url=sandbox.url),
        "model": "seedance2.0-mini",
        "prices": PriceBook(currency="CNY", prices={"seedance2.0-mini-720p": "0.05"}),
        "duration": 5,
        "poll_seconds": 0.2,
        **fields,
    }
    RouteDefaults(**settings).save(name, overwrite=True, _sync=True)
    return name


def rows(number: int) -> list[dict[str, str]]:
    return [{"id": f"row-{each:03d}", "prompt": f"a lantern on river {each}"} for each in range(number)]


def shards(postgres: PostgresServer, database: str) -> list[tuple[int, str]]:
    """The processes that hold rows of the batch and live, each with its run in the ledger."""
    found = postgres.execute(
        database,
        "SELECT DISTINCT r.pid, r.id FROM seedance_runs r JOIN seedance_rows w ON w.holder = r.id "
        "WHERE r.ended_at IS NULL",
    )
    return [(int(pid), str(run)) for pid, run in found if Path(f"/proc/{pid}").exists() and pid != os.getpid()]


def kill_between_creates(postgres: PostgresServer, database: str, pid: int, run: str) -> int:
    """`kill -9` at a moment at which none of its creates is on the wire; returns how many jobs it left behind."""
    while True:
        os.kill(pid, signal.SIGSTOP)
        time.sleep(0.1)  # what the database is just committing for it comes to its end
        states = postgres.execute(database, "SELECT state FROM seedance_rows WHERE holder = ?", run)
        counts = Counter(state for (state,) in states)
        if not counts["sent"] and counts["created"]:
            os.kill(pid, signal.SIGKILL)
            return counts["created"]
        os.kill(pid, signal.SIGCONT)
        time.sleep(0.2)


def taken_over(postgres: PostgresServer, database: str, run: str) -> bool:
    """Whether nobody has to do with what a killed shard held."""
    found = postgres.execute(database, "SELECT count(*) FROM seedance_rows WHERE holder = ?", run)
    return found[0][0] == 0
