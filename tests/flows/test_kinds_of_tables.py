"""Tables of other libraries and of databases: they become videos, and the user's own numbers come back as they were."""

from __future__ import annotations

import csv
import sqlite3

import duckdb
import polars as pl
import pyarrow.parquet as pq

from prefect_seedance import quote_videos

BIG = 12345678901234567
ROWS = [{"prompt": "a cat", "sku": BIG, "stock": 1001}, {"prompt": "a dog", "sku": 3, "stock": None}]


def test_whole_numbers_beside_gaps_come_back_whole_and_no_kind_of_table_pays_twice(make, route_to, sandbox, tmp_path):
    database = sqlite3.connect(":memory:")
    database.row_factory = sqlite3.Row
    query = f"select 'a cat' as prompt, {BIG} as sku, 1001 as stock union all select 'a dog', 3, null"
    ledger = tmp_path / "kept here.db"
    tables = [ROWS, pl.DataFrame(ROWS), duckdb.sql(query), database.execute(query).fetchall(), iter(ROWS)]
    assert quote_videos(pl.DataFrame(ROWS), route=route_to(), ledger=ledger).total.rows == 2
    for number, table in enumerate(tables):
        result = make(table, ledger=ledger)
        assert result.made == (0 if number else 2)
        with result.files["csv"].open(encoding="utf-8-sig", newline="") as file:
            assert [(row["sku"], row["stock"]) for row in csv.DictReader(file)] == [(str(BIG), "1001"), ("3", "")]
        assert pq.read_table(result.files["parquet"])["stock"].to_pylist() == [1001, None]
    assert ledger.exists()
    assert sandbox.state.calls["jimmy.create"] == 2
