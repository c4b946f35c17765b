from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from prefect_seedance.ledger import Charge, Intent, Ledger, Plan, Proof, Run, Settlement, State
from prefect_seedance.ledger.rows import planning, transitions
from tests.postgres import PostgresServer


def a_plan(key: str, **changes: Any) -> Plan:
    values: dict[str, Any] = {
        "key": key,
        "fingerprint": f"1:{key}",
        "request": {"prompt": f"一只猫 {key}", "duration": 5},
        "provider": "jimmy",
        "account": "default",
        "model": "seedance2.0-mini",
        "file_name": key,
    }
    return Plan(**(values | changes))


def an_intent(row_id: int, **changes: Any) -> Intent:
    values: dict[str, Any] = {
        "row_id": row_id,
        "provider": "jimmy",
        "account": "default",
        "model": "seedance2.0-mini",
        "fingerprint": "1:x",
        "billing_model": "seedance2.0-mini-720p",
        "unit": "second",
        "unit_price": Decimal("0.05"),
        "currency": "CNY",
        "quote_low": Decimal("0.25"),
        "quote_high": Decimal("0.25"),
    }
    return Intent(**(values | changes))


CHARGED = Charge(Settlement.CHARGED, units=Decimal(5), amount=Decimal("0.25"))
PROOF = Proof(path="/videos/a.mp4", sha256="ab" * 32, bytes=1234, width=1280, height=720, seconds=Decimal("5.042"))


@dataclass(frozen=True)
class Place:
    """Where a test's ledger lies, and another program's way to it."""

    url: str
    query: Callable[..., list[tuple[Any, ...]]]


@dataclass
class Bench:
    """A ledger with a run over the batch `spring`, and the way to bring a row somewhere."""

    ledger: Ledger
    run: Run
    place: Place

    async def rows(self, *keys: str, run: Run | None = None, take: str = "1") -> list[int]:
        """The ids of the rows of these keys, planned and claimed."""
        run = run or self.run
        ids = await self.ledger.write(planning.plan, run, take, [a_plan(key) for key in keys])
        assert await self.ledger.write(planning.claim, run, ids.values()) == set(ids.values())
        return [ids[key] for key in keys]

    async def sent(self, row: int, run: Run | None = None) -> int:
        return await self.ledger.intend(run or self.run, an_intent(row))

    async def created(self, row: int, run: Run | None = None) -> int:
        attempt = await self.sent(row, run)
        await self.ledger.created(run or self.run, row, attempt, job_id=f"job-{row}", http_status=200, request_id="q")
        return attempt

    async def stored(self, row: int) -> int:
        attempt = await self.created(row)
        await self.ledger.write(transitions.succeed, self.run, row, CHARGED, link_expires_at=None)
        await self.ledger.write(transitions.prove, self.run, row, PROOF)
        await self.ledger.write(transitions.store, self.run, row, modified_ns=1)
        return attempt

    async def state(self, row: int) -> State:
        return (await self.ledger.row(row)).state

    def query(self, sql: str, *values: object) -> list[tuple[Any, ...]]:
        """What is on disk, as another program sees it."""
        return self.place.query(sql, *values)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "ledger.db"


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Whatever does not speak of a file is tested on both databases."""
    if "place" in metafunc.fixturenames:
        file_only = {"path", "locked"} & set(metafunc.fixturenames)
        metafunc.parametrize("place", ["sqlite"] if file_only else ["sqlite", "postgresql"], indirect=True)


@pytest.fixture
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    """A ledger's place of the test's own."""
    if request.param == "sqlite":
        file = tmp_path / "ledger.db"
        yield Place(f"sqlite+aiosqlite:///{file}", partial(ask_file, file))
        return
    server: PostgresServer = request.getfixturevalue("postgres_server")
    # A test of how tables are made wants none.
    name = server.empty_database() if request.node.get_closest_marker("no_tables") else server.database()
    yield Place(server.url(name), partial(server.execute, name))
    server.drop(name)


def ask_file(path: Path, sql: str, *values: object) -> list[tuple[Any, ...]]:
    connection = sqlite3.connect(path)
    try:
        with connection:
            return connection.execute(sql, values).fetchall()
    finally:
        connection.close()


@pytest.fixture
def url(place: Place) -> str:
    return place.url


@pytest.fixture
async def bench(place: Place) -> AsyncIterator[Bench]:
    ledger = await Ledger.open(place.url)
    yield Bench(ledger, await ledger.begin_run("spring"), place)
    await ledger.close()


@pytest.fixture
def locked(path: Path) -> Iterator[sqlite3.Connection]:
    """Another program that can hold the ledger's write lock: `execute("BEGIN IMMEDIATE")`, `rollback()`."""
    connection = sqlite3.connect(path, isolation_level=None)
    yield connection
    connection.close()


@pytest.fixture
def plan_of() -> Any:
    return a_plan
