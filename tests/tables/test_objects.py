from __future__ import annotations

import dataclasses
import io
import sqlite3
from typing import NamedTuple

import duckdb
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from pydantic import BaseModel

from prefect_seedance.errors import TableError
from prefect_seedance.routes.request import VideoRequest
from prefect_seedance.tables.reader import read_table

BIG = 12345678901234567
ROWS = [
    {"id": 1, "prompt": "a cat", "duration": 5, "sku": BIG},
    {"id": 2, "prompt": "a dog", "duration": None, "sku": None},
]


@dataclasses.dataclass
class Shot:
    id: int
    prompt: str
    duration: int | None
    sku: int | None


class Scene(BaseModel):
    id: int
    prompt: str
    duration: int | None
    sku: int | None


class Take(NamedTuple):
    id: int
    prompt: str
    duration: int | None
    sku: int | None


class OnlyToPandas:
    def to_pandas(self):
        return pd.DataFrame(ROWS, dtype=object)


def database_rows():
    connection = sqlite3.connect(":memory:")
    connection.row_factory = sqlite3.Row
    connection.execute("create table shots (id, prompt, duration, sku)")
    connection.executemany("insert into shots values (?, ?, ?, ?)", [tuple(row.values()) for row in ROWS])
    return connection.execute("select * from shots").fetchall()


QUERY = (
    f"select 1 as id, 'a cat' as prompt, 5 as duration, {BIG} as sku "
    "union all select 2, 'a dog', null, null order by id"
)

TABLES = {
    "polars": lambda: pl.DataFrame(ROWS),
    "Arrow": lambda: pa.Table.from_pylist(ROWS),
    "record batch": lambda: pa.RecordBatch.from_pylist(ROWS),
    "duckdb relation": lambda: duckdb.sql(QUERY),
    "duckdb connection": lambda: duckdb.connect().execute(QUERY),
    "to_pandas": OnlyToPandas,
    "sqlite3 rows": database_rows,
    "dataclasses": lambda: [Shot(**row) for row in ROWS],
    "pydantic": lambda: [Scene(**row) for row in ROWS],
    "named tuples": lambda: [Take(**row) for row in ROWS],
    "generator": lambda: (row for row in ROWS),
    "tuple": lambda: tuple(ROWS),
    "columns": lambda: {name: [row[name] for row in ROWS] for name in ROWS[0]},
    "arrays": lambda: {name: np.array([row[name] for row in ROWS], dtype=object) for name in ROWS[0]},
    "series of rows": lambda: [pd.Series(row, dtype=object) for row in ROWS],
}


@pytest.mark.parametrize("kind", TABLES)
def test_every_kind_of_table_gives_the_same_rows_and_keeps_whole_numbers(kind):
    table = read_table(TABLES[kind]())
    assert [(row.key, row.request) for row in table.rows] == [
        ("1", VideoRequest(prompt="a cat", duration=5)),
        ("2", VideoRequest(prompt="a dog")),
    ]
    assert table.frame["sku"].tolist()[0] == BIG
    assert f",{BIG}\n" in table.frame[["prompt", "sku"]].to_csv(index=False)


@pytest.mark.parametrize("prompts", [["a cat", "a dog"], pd.Series(["a cat", "a dog"]), np.array(["a cat", "a dog"])])
def test_a_list_of_texts_is_a_list_of_prompts(prompts):
    table = read_table(prompts)
    assert [row.request.prompt for row in table.rows] == ["a cat", "a dog"]
    assert [row.key for row in table.rows] == [row.key for row in read_table([{"prompt": p} for p in prompts]).rows]


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ({"prompt": "a cat"}, "one row. Put it in a list"),
        (Scene(**ROWS[0]), "one row. Put it in a list"),
        (Shot(**ROWS[0]), "one row. Put it in a list"),
        (Take(**ROWS[0]), "one row. Put it in a list"),
        (pd.Series(ROWS[0]), "one row. Put it in a list"),
        ({"prompt": ["a"], "duration": [5, 6]}, "different lengths: 1, 2"),
        (["a.csv", "b.xlsx"], "names of files"),
        (io.StringIO("prompt\na cat\n"), "or the path or URL of a file"),
        (pl.DataFrame(ROWS).lazy(), "or the path or URL of a file"),
        (Scene, "or the path or URL of a file"),
        (iter([]), "put its rows in a list"),
        ((1 // 0 for _ in "ab"), "Reading its rows failed (ZeroDivisionError"),
        ([(1, "a cat")], "Row 1 is of type tuple"),
    ],
    ids=lambda part: str(part)[:20],
)
def test_what_is_no_table_is_refused_in_words_that_help(source, words):
    with pytest.raises(TableError) as caught:
        read_table(source)
    assert words in str(caught.value)


def test_a_number_beside_an_empty_cell_stays_what_it_is():
    rows = [{"prompt": "a", "n": 1001, "b": True, "x": 1.5}, {"prompt": "b"}, {"prompt": "c", "n": 2**70, "x": 2}]
    frame = read_table(rows).frame
    assert frame.to_csv(index=False) == f"prompt,n,b,x\na,1001,True,1.5\nb,,,\nc,{2**70},,2\n"
    own = pd.DataFrame(rows[:2])
    assert read_table(own).frame is own


def test_ids_that_a_person_would_take_for_one_are_told():
    (warning,) = read_table([{"id": "1", "prompt": "a"}, {"id": "001", "prompt": "b"}]).warnings
    assert (warning.slug, warning.parameters["lines"]) == ("table.alike_ids", [2])
    with pytest.raises(TableError, match="row 1 has the same id"):
        read_table([{"id": 1, "prompt": "a"}, {"id": 1.0, "prompt": "b"}])
