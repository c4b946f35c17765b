"""What a table of 100,000 rows costs on one machine: to plan it, and to resume it when all rows are finished.

    .venv/bin/python benchmarks/big_table.py [ROWS] [--growth]

    plan      read, check, quote and record a table of prompts in a new ledger, up to where the first row would be
              claimed; once from a CSV file, once from a DataFrame, and once as a pilot with limit=3
    results   the end of a run that has stored all rows: the same call, with its result, its files and its artifacts
    resume    the same call again, for the batch that this run has finished
    --growth  both at 100, 1,000 and 10,000 rows too

Each figure is of a separate process, which does what a user's program does: `import prefect_seedance`, one call of
`generate_videos` against a Prefect server. No provider is called, and nothing is bought. The stored rows are inserted
into the ledger directly, with a small file for each.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import random
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

BYTES = b"not a video, but the ledger has its hash"
MODELS = ("seedance2.0-mini", "seedance2.0-sp", "seedance2.0-fast-sp")
RATIOS = ("16:9", "9:16", "1:1", "4:3", "21:9")
WORDS = (
    "a paper lantern drifts over dark water while snow falls on the wooden roofs of an old harbour town and slow "
    "camera moves past lit windows towards the mountain at dawn handheld warm light shallow focus film grain"
)
LETTERS = (
    "镜头缓慢推进城市夜景霓虹灯倒映在雨后的街道上一位老人撑着油纸伞走过石桥远处传来钟声晨雾笼罩山谷光影柔和电影质感"
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("rows", nargs="?", type=int, default=100_000)
    parser.add_argument("--growth", action="store_true")
    parser.add_argument("--child", nargs=2, metavar=("WAY", "FOLDER"), help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.child:
        child(given.child[0], Path(given.child[1]))
        return
    with tempfile.TemporaryDirectory(prefix="seedance-bench-") as temporary:
        folder = Path(temporary)
        os.environ["PREFECT_HOME"] = str(folder / "prefect")
        os.environ["PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL"] = "CRITICAL"
        from prefect_seedance.cli.prefect_server import local_server  # noqa: PLC0415

        with local_server(folder / "prefect", folder / "server.log", port=0) as url:
            os.environ["PREFECT_API_URL"] = f"{url}/api"
            print("| rows | what | wall s | CPU s | CPU ms/row | peak MB | of it above import MB | ledger B/row |")
            print("| ---: | --- | ---: | ---: | ---: | ---: | ---: | ---: |")
            for rows in sorted({100, 1000, 10_000, given.rows} if given.growth else {given.rows}):
                measure(rows, folder / str(rows))


def measure(rows: int, folder: Path) -> None:
    folder.mkdir()
    write_csv(rows, folder / "table.csv")
    for way in ("plan csv", "plan frame", "pilot csv", "results csv", "resume csv"):
        if way.startswith("results"):
            finished(folder)
        elif not way.startswith("resume"):
            forget(folder)
        command = [sys.executable, __file__, "--child", way, str(folder)]
        measured = json.loads(
            subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout.splitlines()[-1]
        )
        figures = f"{measured['wall']:.2f} | {measured['cpu']:.2f} | {1000 * measured['cpu'] / rows:.3f}"
        memory = f"{measured['peak']:.0f} | {measured['peak'] - measured['before']:.0f}"
        print(f"| {rows:,} | {way} | {figures} | {memory} | {measured['ledger'] / rows:.0f} |", flush=True)


def forget(folder: Path) -> None:
    """Delete what an earlier measurement left, except the table."""
    shutil.rmtree(folder / "videos", ignore_errors=True)
    for path in folder.glob("ledger.db*"):
        path.unlink()


def write_csv(rows: int, path: Path) -> None:
    """A typical table: ids, Chinese and English prompts of 40 to 400 characters, settings in columns."""
    lines = (",".join(cells) for cells in table(rows))
    path.write_text("id,prompt,model,duration,ratio,campaign\n" + "\n".join(lines) + "\n", encoding="utf-8")


def table(rows: int) -> Iterator[tuple[str, ...]]:
    chance = random.Random(7)
    for number in range(rows):
        if number % 2:
            prompt = " ".join(chance.choices(WORDS.split(), k=chance.randint(10, 65)))
        else:
            prompt = "".join(chance.choices(LETTERS, k=chance.randint(40, 250)))
        settings = (chance.choice(MODELS), str(chance.randint(4, 12)), chance.choice(RATIOS))
        yield (f"shot-{number:06}", f"{prompt} {number}", *settings, f"campaign {number % 40}")


def routes() -> list:
    from prefect_seedance import JimmyCredentials, PriceBook, RouteDefaults  # noqa: PLC0415

    key = JimmyCredentials(api_key="sk_none", base_url="http://127.0.0.1:9")
    prices = PriceBook(currency="CNY", prices={f"{model}-720p": "0.05" for model in MODELS})
    return [RouteDefaults(credentials=key, model=model, prices=prices) for model in MODELS]


def child(way: str, folder: Path) -> None:
    """One measured call; prints its figures as JSON."""
    os.environ["PREFECT_SEEDANCE_LEDGER"] = str(folder / "ledger.db")
    import prefect_seedance as seedance  # noqa: PLC0415
    from prefect_seedance.core.checkpoints import listen  # noqa: PLC0415
    from prefect_seedance.errors import SeedanceError  # noqa: PLC0415

    class Planned(SeedanceError):
        """All rows are recorded: the measurement ends here."""

    what, kind = way.split()
    given, blocks = folder / "table.csv", routes()
    if kind == "frame":
        import pandas as pd  # noqa: PLC0415

        given = pd.read_csv(given)
    figures = {}
    wall, busy, figures["before"] = time.perf_counter(), cpu(), peak()

    def arrived(name: str) -> None:
        if name == "rows planned" and what in {"plan", "pilot"}:
            raise Planned("planned")

    listen(arrived)
    options = {"limit": 3} if what == "pilot" else {}
    try:
        result = seedance.generate_videos(given, route=blocks, batch="bench", output=folder / "videos", **options)
        assert result.name == "Nothing new", result.name
        assert (folder / "videos" / "bench" / "results.csv").exists()
    except Planned:
        assert what in {"plan", "pilot"}
    figures |= {"wall": time.perf_counter() - wall, "cpu": cpu() - busy, "peak": peak()}
    figures["ledger"] = sum(path.stat().st_size for path in folder.glob("ledger.db*"))
    print(json.dumps(figures))


def cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def peak() -> float:
    """The peak memory of this process, in MB."""
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most / 1e6 if sys.platform == "darwin" else most * 1024 / 1e6


def finished(folder: Path) -> None:
    """Set every row of a planned batch to `stored`, as a run would have left it."""
    forget(folder)
    command = [sys.executable, __file__, "--child", "plan csv", str(folder)]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    fill(folder)


def fill(folder: Path) -> None:
    """Add proofs, attempts and files for the planned rows."""
    import sqlalchemy as sa  # noqa: PLC0415

    from prefect_seedance.ledger.db.schema import attempts, rows, runs  # noqa: PLC0415

    engine = sa.create_engine(f"sqlite:///{folder / 'ledger.db'}")
    with engine.begin() as connection:
        run_id = connection.execute(sa.select(runs.c.id)).scalar_one()
        known = connection.execute(sa.select(rows.c.id, rows.c.file_name, rows.c.folder, rows.c.model)).all()
        paths = [Path(row.folder) / f"{row.file_name}.mp4" for row in known]
        for path in paths:
            path.write_bytes(BYTES)
        connection.execute(sa.insert(attempts), [paid(row.id, row.model, run_id) for row in known])
        where = sa.update(rows).where(rows.c.id == sa.bindparam("row"))
        connection.execute(
            where.values(
                **stored(),
                attempt_id=sa.bindparam("row"),
                path=sa.bindparam("where"),
                modified_ns=sa.bindparam("touched"),
            ),
            [
                {"row": row.id, "where": str(path), "touched": path.stat().st_mtime_ns}
                for row, path in zip(known, paths, strict=True)
            ],
        )
    engine.dispose()


def stored() -> dict:
    """The columns that all stored rows have in common."""
    from prefect_seedance.ledger.states import State  # noqa: PLC0415

    now = datetime.now(UTC)
    return {
        "state": State.STORED,
        "sha256": hashlib.sha256(BYTES).hexdigest(),
        "bytes": len(BYTES),
        "width": 1280,
        "height": 720,
        "seconds": Decimal("5.04"),
        "finished_at": now,
        "stored_at": now,
    }


def paid(row: int, model: str, run_id: str) -> dict:
    """The attempt of a stored row."""
    from prefect_seedance.ledger.states import Outcome, Settlement  # noqa: PLC0415

    now, price = datetime.now(UTC), Decimal("0.05")
    return {
        "id": row,
        "row_id": row,
        "number": 1,
        "run_id": run_id,
        "provider": "jimmy",
        "account": "default",
        "model": model,
        "fingerprint": f"1:{row:064x}",
        "sent_at": now,
        "answered_at": now,
        "outcome": Outcome.CREATED,
        "http_status": 200,
        "job_id": f"vid_{row:032x}",
        "billing_model": f"{model}-720p",
        "unit": "second",
        "unit_price": price,
        "currency": "CNY",
        "quote_low": 5 * price,
        "quote_high": 5 * price,
        "settlement": Settlement.CHARGED,
        "units": Decimal(5),
        "charge": 5 * price,
    }


if __name__ == "__main__":
    main()
