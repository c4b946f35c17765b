"""How long a run takes to find that all of a large batch is done: no provider is asked, nothing is bought.

    .venv/bin/python benchmarks/resume.py [ROWS]

The ledger is filled through its own moves, as a run would have done, with a small file for each row.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import sys
import tempfile
import time
from decimal import Decimal
from pathlib import Path

folder = Path(tempfile.mkdtemp(prefix="seedance-bench-"))
os.environ["PREFECT_HOME"] = str(folder / "prefect")
os.environ["PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL"] = "CRITICAL"
os.environ["PREFECT_SEEDANCE_LEDGER"] = str(folder / "ledger.db")

from prefect_seedance.blocks import JimmyCredentials, PriceBook, RouteDefaults  # noqa: E402
from prefect_seedance.cli.prefect_server import local_server  # noqa: E402
from prefect_seedance.jobs.batch import _plan  # noqa: E402
from prefect_seedance.jobs.preparing import prepare  # noqa: E402
from prefect_seedance.jobs.table import read_table  # noqa: E402
from prefect_seedance.ledger import Charge, Intent, Ledger, Proof, Settlement  # noqa: E402

BYTES = b"not a video, but the ledger has its hash"
ROUTE = RouteDefaults(
    credentials=JimmyCredentials(api_key="sk_none", base_url="http://127.0.0.1:9"),
    model="seedance2.0-mini",
    duration=5,
    prices=PriceBook(currency="CNY", prices={"seedance2.0-mini-720p": "0.05"}),
)


async def fill(table: list[dict[str, str]]) -> None:
    """Bring every row to `stored`."""
    home = folder / "videos" / "bench"
    home.mkdir(parents=True)
    ledger = await Ledger.open(f"sqlite+aiosqlite:///{folder / 'ledger.db'}")
    run = await ledger.begin_run("bench")
    rows = prepare(read_table(table), (ROUTE.to_settings(),)).rows
    ids = await ledger.plan(run, "1", [_plan(row, "1", str(home), None) for row in rows])
    await ledger.claim(run, ids.values())
    price = Decimal("0.05")

    async def one(key: str, row_id: int, fingerprint: str) -> None:
        model = "seedance2.0-mini"
        intent = Intent(
            row_id,
            "jimmy",
            "default",
            model,
            fingerprint,
            f"{model}-720p",
            "second",
            price,
            "CNY",
            5 * price,
            5 * price,
        )
        attempt = await ledger.intend(run, intent)
        await ledger.created(run, row_id, attempt or 0, job_id=f"vid_{key}", http_status=200, request_id=None)
        charge = Charge(Settlement.CHARGED, units=Decimal(5), amount=5 * price)
        await ledger.succeed(run, row_id, charge, link_expires_at=None)
        path = home / f"{key}.mp4"
        path.write_bytes(BYTES)
        digest = hashlib.sha256(BYTES).hexdigest()
        await ledger.prove(run, row_id, Proof(str(path), digest, len(BYTES), 1280, 720, Decimal(5)))
        await ledger.store(run, row_id, modified_ns=path.stat().st_mtime_ns)

    for start in range(0, len(rows), 500):
        await asyncio.gather(*(one(row.key, ids[row.key], row.fingerprint) for row in rows[start : start + 500]))
    await ledger.end_run(run)
    await ledger.close()


def main(rows: int) -> None:
    table = [{"id": f"r{number}", "prompt": f"a lantern {number}"} for number in range(rows)]
    asyncio.run(fill(table))
    with local_server(folder / "prefect", folder / "server.log", port=0) as url:
        os.environ["PREFECT_API_URL"] = f"{url}/api"
        from prefect_seedance import generate_videos  # noqa: PLC0415

        started = time.perf_counter()
        result = generate_videos(table, route=ROUTE, batch="bench", output=folder / "videos")
        print(f"{rows:,} finished rows: {time.perf_counter() - started:.1f} s; {result.name}; {dict(result.counts)}")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 10_000)
