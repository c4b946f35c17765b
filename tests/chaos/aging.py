"""Bringing a ledger back to the tables of an earlier release, with all that it holds, as an upgrade would find it."""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import create_async_engine

from prefect_seedance.ledger.db.schema import metadata

DUMPS = Path(__file__).parent.parent / "ledger" / "db" / "data"


def tables_of(version: int) -> dict[str, set[str]]:
    """The columns and indexes of each table as that version was released, read from its frozen dump."""
    with contextlib.closing(sqlite3.connect(":memory:")) as connection:
        connection.executescript((DUMPS / f"version-{version}.sql").read_text("utf-8"))
        names = [name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        return {
            name: {
                line[1]
                for what in ("table_info", "index_list")
                for line in connection.execute(f"PRAGMA {what}({name})")
            }
            for name in names
        }


def age(url: str, version: int) -> list[str]:
    """Take everything out that the version did not have, in place; nobody may have the ledger open.

    The ledger is then what the old package would have left behind: its tables hold the same rows, attempts and runs,
    and nothing of what only a later one writes down. Returns what was taken out.
    """

    async def change() -> list[str]:
        engine = create_async_engine(url)
        try:
            async with engine.begin() as connection:
                return await connection.run_sync(_age, tables_of(version), version)
        finally:
            await engine.dispose()

    return asyncio.run(change())


def _age(connection: sa.Connection, old: dict[str, set[str]], version: int) -> list[str]:
    looked = sa.inspect(connection)
    gone = []
    for table in reversed(metadata.sorted_tables):
        if not looked.has_table(table.name):
            continue
        if table.name not in old:
            connection.execute(sa.text(f"DROP TABLE {table.name}"))
            gone.append(table.name)
            continue
        for index in looked.get_indexes(table.name):
            if not index.get("duplicates_constraint") and index["name"] not in old[table.name]:
                connection.execute(sa.text(f"DROP INDEX {index['name']}"))
                gone.append(str(index["name"]))
        for column in looked.get_columns(table.name):
            if column["name"] not in old[table.name]:
                connection.execute(sa.text(f'ALTER TABLE {table.name} DROP COLUMN "{column["name"]}"'))
                gone.append(f"{table.name}.{column['name']}")
    text = sa.text("UPDATE seedance_book SET value = :version WHERE name = 'version'")
    connection.execute(text, {"version": str(version)})
    return gone


def version_of(url: str) -> int:
    """The version of the tables that a ledger has now."""

    async def ask() -> int:
        engine = create_async_engine(url)
        try:
            async with engine.connect() as connection:
                found = await connection.execute(sa.text("SELECT value FROM seedance_book WHERE name = 'version'"))
                return int(found.scalar_one())
        finally:
            await engine.dispose()

    return asyncio.run(ask())
