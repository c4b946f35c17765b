"""How late finished jobs are noticed while videos of natural content are proven on all cores.

    .venv/bin/python benchmarks/lateness.py [--rows 40] [--source ../other/src] [480p 720p 1080p]

A real sandbox in a process of its own serves films of `natural.py`; the engine runs in another, without Prefect.
`--source` measures the client of another checkout. "Noticed" is the time from the end of a job to the first query that
reported it, by the provider's clock. "Loop" is how late the client's event loop ran a timer that was due. "Tail" is how
much longer the run took than the slowest job.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from fleet.sandbox import sandbox
from natural import SIZES, film

SPEED = 2.0
"""Jobs take 10 to 20 s."""


def client(url: str, rows: int, folder: Path) -> None:
    """Make `rows` videos in this process, and print how late its loop was."""
    import asyncio  # noqa: PLC0415

    from pydantic import SecretStr  # noqa: PLC0415

    from prefect_seedance.engine.run_spec import RunContext, RunSpec  # noqa: PLC0415
    from prefect_seedance.engine.step_runner import PLAIN  # noqa: PLC0415
    from prefect_seedance.media import MediaAccess  # noqa: PLC0415
    from prefect_seedance.planning.plan import prepare  # noqa: PLC0415
    from prefect_seedance.providers import Account, RouteSettings  # noqa: PLC0415
    from prefect_seedance.routes import VideoRequest, find  # noqa: PLC0415
    from prefect_seedance.runs.batch import run_batch  # noqa: PLC0415
    from prefect_seedance.tables.reader import read_table  # noqa: PLC0415

    account = Account("jimmy", "default", url, SecretStr("sk_sandbox"))
    defaults = VideoRequest(duration=5, resolution="1080p", ratio="16:9")
    route = RouteSettings(account, find("seedance2.0-mini"), defaults=defaults, max_in_flight=rows)
    table = read_table([{"id": f"r{number}", "prompt": f"a lantern {number}"} for number in range(rows)])
    context = RunContext(
        routes=(route,),
        ledger_url=f"sqlite+aiosqlite:///{folder / 'ledger.db'}",
        media_access=MediaAccess(),
        plan=prepare(table, (route,)),
    )
    late: list[float] = []

    async def beat() -> None:
        while True:
            due = time.monotonic() + 0.02
            await asyncio.sleep(0.02)
            late.append(time.monotonic() - due)

    async def run() -> int:
        task = asyncio.create_task(beat())
        outcome = await run_batch(
            RunSpec(batch="late", output=str(folder / "videos"), patience=600), context, lambda _: PLAIN
        )
        task.cancel()
        return sum(row.state.value == "stored" for row in outcome.records.values())

    begun = time.monotonic()
    stored = asyncio.run(run())
    print(json.dumps({"stored": stored, "wall": time.monotonic() - begun, "loop": sorted(late)}), flush=True)


def at(values: list[float], share: float) -> float:
    return values[min(len(values) - 1, int(len(values) * share))]


def measure(size: str, rows: int, source: Path | None) -> None:
    folder_of_film = film(size).parent
    with (
        tempfile.TemporaryDirectory(prefix="seedance-late-") as folder,
        sandbox(speed=SPEED, results=folder_of_film) as provider,
    ):
        variables = {**os.environ, **({"PYTHONPATH": str(source.absolute())} if source else {})}
        command = [sys.executable, __file__, "--client", provider.url, "--rows", str(rows), "--folder", folder]
        done = subprocess.run(command, env=variables, stdout=subprocess.PIPE, text=True, check=True)
        found = json.loads(done.stdout.splitlines()[-1])
        records = provider.records()
        lags, loop = records.lags, found["loop"]
        print(
            f"| {size} | {found['stored']}/{rows} | {at(lags, 0.5):.2f} | {at(lags, 0.95):.2f} | {lags[-1]:.2f} "
            f"| {1000 * at(loop, 0.95):.0f} | {1000 * at(loop, 0.99):.0f} | {1000 * loop[-1]:.0f} "
            f"| {found['wall'] - records.ideal:.1f} | {records.asked / rows:.1f} |",
            flush=True,
        )


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("sizes", nargs="*", default=list(SIZES))
    parser.add_argument("--rows", type=int, default=40)
    parser.add_argument("--source", type=Path)
    parser.add_argument("--client")
    parser.add_argument("--folder", type=Path)
    given = parser.parse_args()
    if given.client:
        client(given.client, given.rows, given.folder)
        return
    print(f"load {os.getloadavg()[0]:.1f}, {os.cpu_count()} cores; noticed and tail in seconds, loop in milliseconds")
    print("| size | stored | noticed p50 | p95 | max | loop p95 | p99 | max | tail | calls |")
    print("| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |")
    for size in given.sizes:
        measure(size, given.rows, given.source)


if __name__ == "__main__":
    main()
