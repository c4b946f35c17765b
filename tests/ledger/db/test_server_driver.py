"""A server that is restarted, and connections that are cut at the worst moment: each write is made once."""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import pytest
import sqlalchemy as sa

from prefect_seedance.errors import LedgerError
from prefect_seedance.ledger.db import server_driver
from prefect_seedance.ledger.db.database import Database
from prefect_seedance.ledger.db.schema import properties
from tests.postgres import PostgresServer


@pytest.fixture
def own_server() -> Iterator[PostgresServer]:
    """A server that a test may kill: its neighbours have another one."""
    server = PostgresServer()
    server.start()
    yield server
    server.close()


@contextlib.asynccontextmanager
async def opened(url: str) -> AsyncIterator[Database]:
    database = Database(url)
    await database.open()
    yield database
    await database.close()


def adding(name: str) -> Callable[[sa.Connection], int]:
    """Adds one; nothing but the door keeps it from adding one more."""

    def operation(connection: sa.Connection) -> int:
        wanted = sa.select(properties.c.value).where(properties.c.name == name).with_for_update()
        before = connection.execute(wanted).scalar()
        if before is None:
            connection.execute(sa.insert(properties).values(name=name, value="1"))
            return 1
        number = int(before) + 1
        connection.execute(sa.update(properties).where(properties.c.name == name).values(value=str(number)))
        return number

    return operation


async def count(database: Database, name: str) -> int:
    found = await database.read(
        lambda c: c.execute(sa.select(properties.c.value).where(properties.c.name == name)).scalar()
    )
    return int(found or 0)


class Line:
    """A line to the server that cuts itself once, just before or just after a commit has gone through."""

    def __init__(self, port: int, cut: str) -> None:
        self.port, self.cut, self.armed, self.cuts = port, cut, False, 0
        self.tasks: set[asyncio.Task[None]] = set()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self.port)
        deaf = False

        async def there() -> None:
            nonlocal deaf
            while data := await reader.read(65536):
                if self.armed and b"COMMIT" in data:
                    self.armed = False
                    self.cuts += 1
                    if self.cut == "before":
                        return
                    deaf = True
                far_writer.write(data)

        async def back() -> None:
            while data := await far_reader.read(65536):
                if deaf:
                    return
                writer.write(data)

        ways = [asyncio.ensure_future(there()), asyncio.ensure_future(back())]
        with contextlib.suppress(OSError):
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        for way in ways:
            way.cancel()
        await asyncio.gather(*ways, return_exceptions=True)
        for end in (writer, far_writer):
            end.transport.abort()


@pytest.mark.parametrize("cut", ["before", "after"])
async def test_a_write_whose_commit_got_no_answer_is_made_once(
    postgres: str, postgres_server: PostgresServer, cut: str
) -> None:
    line = Line(postgres_server.port, cut)
    server = await asyncio.start_server(line.serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with opened(postgres.replace(f":{postgres_server.port}/", f":{port}/")) as database:
        assert await database.write(adding("n")) == 1
        for wanted in range(2, 6):
            line.armed = True
            assert await database.write(adding("n")) == wanted
        assert await count(database, "n") == 5
    assert line.cuts == 4
    server.close()


@pytest.mark.slow
async def test_a_server_that_is_killed_again_and_again_loses_and_repeats_nothing(own_server: PostgresServer) -> None:
    url = own_server.url(own_server.empty_database())
    async with opened(url) as one, opened(url) as other:
        lines: list[Any] = []

        async def write(database: Database, name: str) -> None:
            for number in range(1, 151):
                assert await database.write(adding(name)) == number
                assert await count(database, name) == number
                lines.append(name)

        work = asyncio.gather(write(one, "a"), write(other, "b"), *(count(one, "a") for _ in range(20)))
        deaths = 0
        while not work.done():
            before = len(lines)
            while len(lines) < before + 10 and not work.done():  # else a slow machine would never get on
                await asyncio.sleep(0.02)
            await asyncio.to_thread(own_server.die)
            await asyncio.to_thread(own_server.start)
            deaths += 1
        await work
        assert (await count(one, "a"), await count(one, "b"), len(lines)) == (150, 150, 300)
        assert deaths >= 2


async def test_connections_that_are_killed_again_and_again_are_thrown_away(
    postgres: str, postgres_server: PostgresServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At any moment: in a statement, in a commit, and while a connection is being made."""
    monkeypatch.setattr(server_driver, "LONGEST_PAUSE", 0.1)
    kill = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = ?"
    name, chance, lines, kills = postgres.rpartition("/")[2], random.Random(5), [0], 0

    async def write(database: Database, name: str) -> None:
        for number in range(1, 16):
            assert await database.write(adding(name)) == number
            assert await count(database, name) == number
            lines[0] += 1

    async with opened(postgres) as one, opened(postgres) as other:
        work = asyncio.gather(*(write(database, f"{n}") for n, database in enumerate((one, one, one, other, other))))
        while not work.done():
            before = lines[0]
            while lines[0] < before + chance.randint(0, 2) and not work.done():  # else a slow machine would not get on
                await asyncio.sleep(0.001)
            kills += len(await asyncio.to_thread(postgres_server.execute, "postgres", kill, name))
        await work
        assert [await count(one, f"{n}") for n in range(5)] == [15] * 5
    assert kills > 15
    # A run that begins meanwhile does not give up at the first broken connection.
    tries = []

    def breaks(*given: object) -> None:
        tries.append(given)
        if len(tries) < 3:
            postgres_server.execute("postgres", kill, name)

    database = Database(postgres)
    sa.event.listen(database._driver.sync_engine, "connect", breaks)
    await database.open()
    await database.close()
    assert len(tries) == 3


async def test_a_server_that_stays_away_is_told_with_what_to_do(
    own_server: PostgresServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server_driver, "PATIENCE", 3.0)
    async with opened(own_server.url(own_server.empty_database())) as database:
        await database.write(adding("n"))
        await asyncio.to_thread(own_server.die)
        results = await asyncio.gather(*(database.write(adding("n")) for _ in range(3)), return_exceptions=True)
        for result in results:
            assert isinstance(result, LedgerError)
            assert "did not answer for" in result.message
            assert "run the same call again" in result.message
        assert len({id(result) for result in results}) == 3
        # Patience is spent once, not for each of a thousand rows: that is given up at the first try.
        tries: list[object] = []
        sa.event.listen(database._driver.sync_engine, "do_connect", lambda *given: tries.append(given))
        with pytest.raises(LedgerError, match="did not answer for"):
            await database.read(lambda c: c.execute(sa.select(properties)).all())
        assert len(tries) == 1
        await asyncio.to_thread(own_server.start)
        assert await database.write(adding("n")) == 2


async def test_writers_that_stand_in_each_others_way_both_come_through(postgres: str) -> None:
    """A deadlock: the server undoes one of the two transactions, and it is run again."""
    async with opened(postgres) as one, opened(postgres) as other:
        for name in "ab":
            await one.write(adding(name))
        writes = [
            database.write(
                lambda c, names=names: (
                    [(adding(name)(c), c.execute(sa.text("SELECT pg_sleep(0.2)"))) for name in names] and None
                )
            )
            for database, names in ((one, "ab"), (other, "ba"))
        ]
        await asyncio.gather(*writes)
        assert (await count(one, "a"), await count(one, "b")) == (3, 3)
