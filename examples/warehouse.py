"""A warehouse table in, its videos out: prompts are read from DuckDB, and the results are written back to it.

The table's own key is the row id. So the flow can run as often as you like: it pays for new rows only.

    python examples/warehouse.py
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import duckdb
from prefect import flow, task
from sandbox_route import sandbox_route

from prefect_seedance import RouteDefaults, generate_videos

PROMPTS = """
    CREATE TABLE IF NOT EXISTS prompts (sku TEXT PRIMARY KEY, shot TEXT, seconds INTEGER, campaign TEXT);
    INSERT OR IGNORE INTO prompts VALUES
        ('tea-01', 'A paper lantern drifts over a rice terrace at dawn', 4, 'tea'),
        ('tea-02', '热茶倒入白瓷杯，水汽升腾，微距慢动作', 5, 'tea'),
        ('shoe-01', 'A running shoe splashes through a puddle in slow motion', 4, 'shoes');
"""

RESULTS = """
    CREATE TABLE IF NOT EXISTS videos (
        sku TEXT PRIMARY KEY, status TEXT, video TEXT, sha256 TEXT, cost DECIMAL(18, 6), currency TEXT, error TEXT
    );
    INSERT OR REPLACE INTO videos SELECT sku, status, video, sha256, cost, currency, error_message FROM results;
"""


@task
def read_prompts(warehouse: Path) -> Any:
    """Return the prompts as a DataFrame."""
    with duckdb.connect(str(warehouse)) as database:
        return database.execute("SELECT sku, shot, seconds, campaign FROM prompts ORDER BY sku").df()


@task
def write_results(warehouse: Path, results: Any) -> None:
    """Write the result of each prompt."""
    # Amounts are passed as text, which DuckDB converts to exact decimals.
    plain = results.assign(cost=results["cost"].map(lambda cost: None if cost is None else str(cost)))
    with duckdb.connect(str(warehouse)) as database:
        database.register("results", plain[["sku", "status", "video", "sha256", "cost", "currency", "error_message"]])
        database.execute(RESULTS)


@flow
def videos_of_warehouse(warehouse: Path, route: RouteDefaults | str, output: Path) -> int:
    """Make the videos of all prompts that have none yet; return how many were made."""
    result = generate_videos(
        read_prompts(warehouse),
        route=route,
        batch="warehouse",
        output=output,
        columns={"id": "sku", "prompt": "shot", "duration": "seconds"},
    )
    write_results(warehouse, result.to_dataframe())
    return result.made


if __name__ == "__main__":
    home = Path(tempfile.mkdtemp(prefix="seedance-warehouse-"))
    with duckdb.connect(str(home / "warehouse.duckdb")) as made:
        made.execute(PROMPTS)
    with sandbox_route() as route:
        videos_of_warehouse(home / "warehouse.duckdb", route, home / "videos")
    with duckdb.connect(str(home / "warehouse.duckdb")) as filled:
        print(filled.sql("SELECT sku, status, cost, currency FROM videos ORDER BY sku"))
