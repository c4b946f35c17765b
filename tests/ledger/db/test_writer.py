from __future__ import annotations

import asyncio
import sqlite3
import threading
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from prefect_seedance.errors import InputError, LedgerError
from prefect_seedance.ledger import Outcome, Settlement, State
from prefect_seedance.ledger.db.database import Database
from prefect_seedance.ledger.db.schema import properties
from tests.patience import eventually_async, patience, settle

Operation = Callable[[sa.Connection], Any]


@pytest.fixture
async def database(url: str) -> AsyncIterator[Database]:
    database = Database(url)
    await database.open()
    yield database
    await database.close()


def noting(name: str, value: str = "x") -> Operation:
    def operation(connection: sa.Connection) -> str:
        connection.execute(sa.insert(properties).values(name=name, value=value))
        return name

    return operation


async def writes(database: Database) -> None:
    """Wait until the writer has handed on all that it was given, and waits for the database."""
    writer = database._writer
    await eventually_async(
        lambda: writer._task is not None and not writer._task.done() and not writer._waiting, "the writer"
    )
    await settle()


def falling(name: str, how: str) -> Operation:
    """An operation that has written something when it falls."""

    def operation(connection: sa.Connection) -> None:
        noting(name)(connection)
        match how:
            case "unlawful":
                raise LedgerError("unlawful")
            case "mistake":
                raise InputError("mistake")
            case "bug":
                raise ZeroDivisionError("bug")
            case "twin":
                noting(name)(connection)
            case "encoding":
                noting("half \ud800")(connection)
            case "deeper":
                with connection.begin_nested():
                    noting(f"{name} deeper")(connection)
                raise LedgerError("deeper")

    return operation


def on_disk(path: Path) -> set[str]:
    connection = sqlite3.connect(path)
    try:
        return {name for (name,) in connection.execute("SELECT name FROM seedance_book")} - {"identity", "version"}
    finally:
        connection.close()


async def test_what_was_written_is_on_disk_when_write_returns(database: Database, path: Path) -> None:
    async def one(name: str) -> bool:
        await database.write(noting(name))
        return name in on_disk(path)

    assert all(await asyncio.gather(*(one(f"n{number}") for number in range(20))))


async def test_a_burst_costs_few_commits(database: Database) -> None:
    commits = []
    sa.event.listen(database._driver.sync_engine, "commit", commits.append)
    await asyncio.gather(*(database.write(noting(f"n{number}")) for number in range(200)))
    assert 1 <= len(commits) <= 2


HOW = st.sampled_from(["good", "unlawful", "mistake", "bug", "twin", "encoding", "deeper"])


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(HOW, min_size=1, max_size=12), st.data())
def test_no_operation_fells_its_neighbours(tmp_path_factory: Any, ways: list[str], data: st.DataObject) -> None:
    path = tmp_path_factory.mktemp("group") / "l.db"

    async def main() -> list[Any]:
        database = Database(f"sqlite+aiosqlite:///{path}")
        await database.open()
        writes = [
            database.write(noting(str(number)) if how == "good" else falling(str(number), how))
            for number, how in enumerate(ways)
        ]
        try:
            return await asyncio.gather(*writes, return_exceptions=True)
        finally:
            await database.close()

    results = asyncio.run(main())
    good = {str(number) for number, how in enumerate(ways) if how == "good"}
    assert on_disk(path) == good
    kinds = {"mistake": InputError}
    for number, (how, result) in enumerate(zip(ways, results, strict=True)):
        if how == "good":
            assert result == str(number)
        else:
            assert type(result) is kinds.get(how, LedgerError)
    assert len({id(result) for result in results}) == len(results)  # no two callers share one error


async def test_a_cancelled_writer_learns_of_it_after_the_write(
    database: Database, path: Path, locked: sqlite3.Connection
) -> None:
    locked.execute("BEGIN IMMEDIATE")
    writing = asyncio.create_task(database.write(noting("cancelled")))
    await writes(database)
    for _ in range(3):
        writing.cancel()
        await settle()
    assert not writing.done()
    locked.rollback()
    with pytest.raises(asyncio.CancelledError):
        await writing
    assert on_disk(path) == {"cancelled"}


async def test_readers_do_not_wait_for_writers(database: Database, locked: sqlite3.Connection) -> None:
    locked.execute("BEGIN IMMEDIATE")
    async with asyncio.timeout(patience()):
        counting = sa.select(sa.func.count()).select_from(properties)
        reads = [database.read(lambda c: c.execute(counting).scalar()) for _ in range(40)]
        assert set(await asyncio.gather(*reads)) == {2}
    locked.rollback()


async def test_a_cancelled_reader_leaves_the_ledger_in_order(database: Database) -> None:
    reads, cancelled = threading.Event(), threading.Event()

    def slow(connection: sa.Connection) -> None:
        reads.set()
        until = time.monotonic() + patience()
        while not cancelled.is_set() and time.monotonic() < until:
            connection.execute(sa.text("SELECT 1"))  # a server's driver lets the event loop go on in each statement

    reading = asyncio.create_task(database.read(slow))
    await eventually_async(reads.is_set, "the reader")
    reading.cancel()
    await settle()
    cancelled.set()
    with pytest.raises(asyncio.CancelledError):
        await reading
    await database.write(noting("after"))
    assert await database.read(
        lambda c: c.execute(sa.select(properties.c.name).where(properties.c.name == "after")).scalar()
    )


async def test_nobody_waits_for_a_writer_that_was_stopped(
    database: Database, path: Path, locked: sqlite3.Connection
) -> None:
    locked.execute("BEGIN IMMEDIATE")
    first = asyncio.create_task(database.write(noting("first")))
    await writes(database)
    second = asyncio.create_task(database.write(noting("second")))
    await eventually_async(lambda: database._writer._waiting, "the second")
    assert database._writer._task is not None
    database._writer._task.cancel()
    locked.rollback()
    async with asyncio.timeout(patience()):
        results = await asyncio.gather(first, second, return_exceptions=True)
    assert [type(result) for result in results] == [LedgerError, LedgerError]
    await database.write(noting("third"))
    assert "third" in on_disk(path)


async def test_a_full_disk_tells_the_truth_to_everybody(database: Database, path: Path) -> None:
    await database.write(lambda c: c.exec_driver_sql("PRAGMA max_page_count = 40"))
    big = noting("big", "x" * 1_000_000)
    results = await asyncio.gather(
        database.write(noting("before")),
        database.write(big),
        database.write(noting("after")),
        return_exceptions=True,
    )
    assert isinstance(results[1], LedgerError)
    assert "full or failing. Free some space and run the same call again" in str(results[1])
    written = {result for result in results if isinstance(result, str)}
    assert on_disk(path) == written
    await database.write(lambda c: c.exec_driver_sql("PRAGMA max_page_count = 100000"))
    await database.write(big)
    assert "big" in on_disk(path)


async def test_an_intent_whose_sender_is_cancelled_is_withdrawn(bench: Any, locked: sqlite3.Connection) -> None:
    (row,) = await bench.rows("a")
    locked.execute("BEGIN IMMEDIATE")
    sending = asyncio.create_task(bench.sent(row))
    await writes(bench.ledger._database)
    sending.cancel()
    await settle()
    locked.rollback()
    with pytest.raises(asyncio.CancelledError):
        await sending
    record = await bench.ledger.row(row)
    assert (record.state, record.attempt.outcome) == (State.PLANNED, Outcome.WITHDRAWN)
    assert record.attempt.settlement is Settlement.NOTHING
