from __future__ import annotations

import asyncio
import contextlib
import gc
import sqlite3
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from prefect_seedance.errors import LedgerError
from prefect_seedance.ledger import Ledger, State
from prefect_seedance.ledger.db import versions
from prefect_seedance.ledger.db.database import Database
from prefect_seedance.ledger.rows import lookups, planning
from tests.ledger.conftest import a_plan
from tests.patience import patience


def tables(path: Path) -> set[str]:
    with sqlite3.connect(path) as connection:
        found = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    connection.close()
    return found


def change(path: Path, *statements: str) -> None:
    with sqlite3.connect(path) as connection:
        for statement in statements:
            connection.execute(statement)
    connection.close()


async def test_a_ledger_keeps_its_identity(url: str) -> None:
    first = await Ledger.open(url)
    await first.close()
    second = await Ledger.open(url)
    await second.close()
    assert first.identity == second.identity != ""


async def test_newcomers_at_the_same_moment_make_one_ledger(url: str) -> None:
    ledgers = await asyncio.gather(*(Ledger.open(url) for _ in range(8)))
    assert len({ledger.identity for ledger in ledgers}) == 1
    for ledger in ledgers:
        await ledger.close()


async def test_a_ledger_that_is_up_to_date_opens_beside_a_writer(url: str, locked: sqlite3.Connection) -> None:
    await (await Ledger.open(url)).close()
    locked.execute("BEGIN IMMEDIATE")
    async with asyncio.timeout(patience()):
        ledger = await Ledger.open(url)
        assert await ledger.read(lookups.batch_names) == []
    locked.rollback()
    await ledger.close()


async def test_a_later_version_is_refused_and_not_touched(url: str, path: Path) -> None:
    await (await Ledger.open(url)).close()
    change(path, "UPDATE seedance_book SET value = '99' WHERE name = 'version'", "DROP TABLE seedance_attempts")
    before = tables(path)
    with pytest.raises(LedgerError, match=r"later version.*schema is 99.*Nothing was spent"):
        await Ledger.open(url)
    assert tables(path) == before


async def test_an_earlier_version_is_migrated_once_and_keeps_what_it_has(
    url: str, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ledger = await Ledger.open(url)
    await ledger.begin_run("spring")
    await ledger.close()
    now = versions.VERSION
    monkeypatch.setattr(versions, "VERSION", now + 2)
    for version in (now, now + 1):
        adding = sa.text(f"CREATE TABLE seedance_after_{version} (id INTEGER)")
        monkeypatch.setitem(versions.MIGRATIONS, version, lambda c, adding=adding: c.execute(adding))
    for _ in range(2):
        again = await Ledger.open(url)
        assert (again.identity, await again.read(lookups.batch_names)) == (ledger.identity, ["spring"])
        await again.close()
    assert {f"seedance_after_{now}", f"seedance_after_{now + 1}"} <= tables(path)
    # The ledger as it was lies beside it.
    assert f"seedance_after_{now}" not in tables(path.with_name(f"{path.name}.version-{now}"))


@pytest.mark.parametrize("version", [1, 2])
async def test_a_ledger_of_an_earlier_version_comes_out_as_a_new_one_would_be_made(
    url: str, path: Path, tmp_path: Path, version: int
) -> None:
    """Each version as it was released, with a row stored, one created, one sent and one planned."""
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.executescript((Path(__file__).parent / "data" / f"version-{version}.sql").read_text("utf-8"))
    ledger = await Ledger.open(url)
    kept = await ledger.read(lookups.rows_of, "spring")
    states = [row.state.value for row in kept if row.state is not State.UNKNOWN]
    assert states == ["stored", "created", "sent", "planned"]
    assert (kept[0].sha256, kept[0].seconds, kept[0].remarks, kept[0].etag) == ("ab" * 32, Decimal("5.042"), (), None)
    jobs = [attempt.job_id for attempt in await ledger.read(lookups.attempts_of, "spring")]
    assert jobs == ["job-1", "job-2", *[None] * version]
    run = await ledger.begin_run("summer")
    await ledger.write(planning.plan, run, "1", [a_plan("new")])
    await ledger.close()
    await (await Ledger.open(f"sqlite+aiosqlite:///{tmp_path / 'new.db'}")).close()
    assert shape(path) == shape(tmp_path / "new.db")


def shape(path: Path) -> dict[str, object]:
    """What a database's tables are: columns without their order, indexes, what is unique, what refers to what."""
    engine = sa.create_engine(f"sqlite:///{path}")
    looked = sa.inspect(engine)
    found = {
        table: (
            sorted((c["name"], str(c["type"]), c["nullable"], c["primary_key"]) for c in looked.get_columns(table)),
            sorted(str(index_shape(i)) for i in looked.get_indexes(table)),
            sorted(str(u["column_names"]) for u in looked.get_unique_constraints(table)),
            sorted(str((f["constrained_columns"], f["referred_table"])) for f in looked.get_foreign_keys(table)),
        )
        for table in looked.get_table_names()
    }
    engine.dispose()
    return found


def index_shape(index: Mapping[str, Any]) -> list[tuple[str, str]]:
    options = {name: str(option) for name, option in index.get("dialect_options", {}).items()}
    return sorted((name, str(value)) for name, value in {**index, "dialect_options": options}.items())


async def test_a_migration_that_fails_leaves_the_ledger_as_it_was(
    url: str, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await (await Ledger.open(url)).close()

    def half(connection: sa.Connection) -> None:
        connection.execute(sa.text("CREATE TABLE seedance_half (id INTEGER)"))
        connection.execute(sa.text("CREATE TABLE seedance_book (id INTEGER)"))

    with monkeypatch.context() as patch:
        patch.setattr(versions, "VERSION", versions.VERSION + 1)
        patch.setitem(versions.MIGRATIONS, versions.VERSION - 1, half)
        with pytest.raises(LedgerError, match="cannot be opened"):
            await Ledger.open(url)
    assert "seedance_half" not in tables(path)
    await (await Ledger.open(url)).close()


async def test_a_database_of_somebody_else_keeps_its_tables(url: str, path: Path) -> None:
    change(path, "CREATE TABLE rows (id INTEGER)", "INSERT INTO rows VALUES (7)")
    await (await Ledger.open(url)).close()
    assert {"rows", "seedance_rows"} <= tables(path)


async def test_a_file_that_is_no_database(url: str, path: Path) -> None:
    path.write_bytes(b"prompt,duration\n" * 500)
    with pytest.raises(LedgerError, match=r"cannot be opened: file is not a database.*Nothing was spent"):
        await Ledger.open(url)
    assert path.read_bytes() == b"prompt,duration\n" * 500
    gc.collect()  # a connection that was left open would warn now


async def test_a_folder_that_cannot_be_made_or_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(LedgerError, match=r"cannot be opened: .*Not a directory.*Nothing was spent"):
        await Ledger.open(f"sqlite+aiosqlite:///{tmp_path}/file/below/l.db")
    with pytest.raises(LedgerError, match=r"unable to open database file.*Nothing was spent"):
        await Ledger.open(f"sqlite+aiosqlite:///{tmp_path}")


async def test_a_closed_ledger_writes_no_more(url: str) -> None:
    database = Database(url)
    await database.open()
    await database.close()
    with pytest.raises(LedgerError, match="was closed"):
        await database.write(lambda connection: None)
