"""Throughput of one batch with 1, 2 and 4 processes, over one provider without limits and a PostgreSQL ledger.

    PYTHONPATH=.:benchmarks .venv/bin/python benchmarks/spread.py --rows 200

The provider is the bundled sandbox in a process of its own, whose jobs last 50 to 100 ms; the shards are real processes
without Prefect, so what is measured is the program and its ledger. Statements are those that SQLAlchemy sends, counted
in the shards; processor times are those of each process, and show what is saturated.
"""

from __future__ import annotations

import argparse
import asyncio
import functools
import json
import multiprocessing
import os
import resource
import tempfile
import time
from pathlib import Path

import httpx
import sqlalchemy as sa
from fleet.sandbox import sandbox

from prefect_seedance.blocks import JimmyCredentials, PriceBook, RouteDefaults
from prefect_seedance.core.portal import call_core
from prefect_seedance.engine.run_spec import RunContext, RunSpec
from prefect_seedance.engine.step_runner import PLAIN
from prefect_seedance.ledger import State
from prefect_seedance.planning.plan import prepare
from prefect_seedance.runs.batch import run_batch
from prefect_seedance.runs.distributed.coordinator import Begun, distribute
from prefect_seedance.runs.distributed.shard import carry
from prefect_seedance.tables.reader import read_table
from tests.postgres import PostgresServer

IN_FLIGHT = 40


def route(url: str):
    return RouteDefaults(
        credentials=JimmyCredentials(api_key="sk_sandbox", base_url=url),
        model="seedance2.0-mini",
        prices=PriceBook(currency="CNY", prices={"seedance2.0-mini-480p": "0.03"}),
        duration=4,
        resolution="480p",
        max_in_flight=IN_FLIGHT,
        poll_seconds=0.1,
    ).to_settings()


def cpu(who: int = resource.RUSAGE_SELF) -> float:
    used = resource.getrusage(who)
    return used.ru_utime + used.ru_stime


def shard(fields: dict, url: str, out: str, go: str) -> None:
    """Run one shard; it waits for the start signal, so that the figures exclude the loading of the program."""
    statements = 0

    def count(*_: object) -> None:
        nonlocal statements
        statements += 1

    sa.event.listen(sa.engine.Engine, "before_cursor_execute", count)
    ledger = fields.pop("ledger_url")
    spec, context = RunSpec.model_validate(fields), RunContext(routes=(route(url),), ledger_url=ledger)
    Path(out).touch()
    while not Path(go).exists():
        time.sleep(0.01)
    before = cpu()
    outcome = call_core(lambda: carry(spec, context, PLAIN))
    figures = {"rows": outcome.counts.total(), "claims": outcome.claims, "statements": statements}
    Path(out).write_text(json.dumps({**figures, "cpu": cpu() - before}))
    os._exit(0)


def measure(number: int, rows: int, postgres: PostgresServer, folder: Path) -> dict:
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["benchmarks.spread"])
    ledger = postgres.url(postgres.database())
    with sandbox(speed=400.0) as provider:
        settings = route(provider.url)
        table = [{"id": f"r{each}", "prompt": f"a lamp {each}"} for each in range(rows)]
        spent: dict = {}

        async def launch(begun: Begun) -> list[str]:
            fields = {
                "batch": "b",
                "ledger_url": ledger,
                "output": str(folder / f"videos-{number}"),
                "parent": begun.parent.model_dump(mode="json"),
                "patience": 600,
            }
            go = folder / f"go-{number}"
            outs = [folder / f"out-{number}-{each}" for each in range(number)]
            started = [context.Process(target=shard, args=(fields, provider.url, str(out), str(go))) for out in outs]
            for each in started:
                each.start()
            while not all(out.exists() for out in outs):  # noqa: ASYNC110 - other processes write these files
                await asyncio.sleep(0.05)
            before = postgres_cpu(postgres), sandbox_cpu(provider)
            began = time.monotonic()
            go.touch()
            for each in started:
                await asyncio.to_thread(each.join)
            spent["seconds"] = time.monotonic() - began
            spent["postgres"] = postgres_cpu(postgres) - before[0]
            spent["sandbox"] = sandbox_cpu(provider) - before[1]
            spent["shards"] = [json.loads(out.read_text()) for out in outs]
            return []

        spec = RunSpec(batch="b", output=str(folder / f"videos-{number}"), patience=600)
        plan = prepare(read_table(table), (settings,))
        context = RunContext(routes=(settings,), ledger_url=ledger, plan=plan)
        spread = functools.partial(distribute, launcher=launch)
        outcome = call_core(lambda: run_batch(spec, context, lambda _: PLAIN, distribution=spread))
        stored = sum(record.state is State.STORED for record in outcome.records.values())
        assert stored == rows == len(provider.records().jobs), stored
    return spent


def postgres_cpu(postgres: PostgresServer) -> float:
    return sum(process_cpu(pid) for pid in postgres._pids())  # noqa: SLF001


def sandbox_cpu(provider) -> float:
    port = str(httpx.URL(provider.url).port)
    for found in Path("/proc").glob("[0-9]*/cmdline"):
        line = found.read_bytes().replace(b"\0", b" ").decode(errors="replace")
        if "sandbox" in line and port in line:
            return process_cpu(int(found.parent.name))
    return 0.0


def process_cpu(pid: int) -> float:
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return sum(map(int, fields[11:15])) / os.sysconf("SC_CLK_TCK")


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rows", type=int, default=200)
    parser.add_argument("--processes", type=int, nargs="+", default=[1, 2, 4])
    given = parser.parse_args()
    postgres = PostgresServer()
    postgres.start()
    print(f"{given.rows} rows, {IN_FLIGHT} in flight over all, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}")
    print("processes  rows/s  rows by process  statements/row  CPU ms/row: shards  ledger  provider  cores busy")
    try:
        for number in given.processes:
            with tempfile.TemporaryDirectory(prefix="seedance-spread-") as folder:
                spent = measure(number, given.rows, postgres, Path(folder))
            shards = spent["shards"]
            own = sum(each["cpu"] for each in shards)
            busy = (own + spent["postgres"] + spent["sandbox"]) / spent["seconds"]
            each_row = 1000 / given.rows
            print(
                f"{number:9}  {given.rows / spent['seconds']:6.1f}  {[each['rows'] for each in shards]!s:>15}  "
                f"{sum(each['statements'] for each in shards) / given.rows:14.1f}  {own * each_row:18.1f}  "
                f"{spent['postgres'] * each_row:6.1f}  {spent['sandbox'] * each_row:8.1f}  {busy:10.2f}"
            )
    finally:
        postgres.close()


if __name__ == "__main__":
    main()
