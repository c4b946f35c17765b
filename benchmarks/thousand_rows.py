"""What a row costs: rows per second and processor time per row, and the time to resume a finished batch.

    .venv/bin/python benchmarks/thousand_rows.py [ROWS]

The sandbox runs in a process of its own, with jobs that last a fraction of a second, so that our own work is
measured. `resume` is the same call again, for a batch whose rows are all stored.
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

folder = Path(tempfile.mkdtemp(prefix="seedance-bench-"))
os.environ["PREFECT_HOME"] = str(folder / "prefect")
os.environ["PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL"] = "CRITICAL"
os.environ["PREFECT_SEEDANCE_LEDGER"] = str(folder / "ledger.db")

from prefect_seedance.blocks import JimmyCredentials, PriceBook, RouteDefaults  # noqa: E402
from prefect_seedance.cli.prefect_server import free_port, local_server  # noqa: E402


def cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def timed(name: str, rows: int, work) -> None:
    wall, busy = time.perf_counter(), cpu()
    result = work()
    wall, busy = time.perf_counter() - wall, cpu() - busy
    figures = f"{rows / wall:.1f} rows/s, {1000 * busy / rows:.1f} ms CPU a row, {wall:.1f} s, {busy:.1f} s CPU"
    print(f"{name}: {rows:,} rows: {figures}; {dict(result.counts)}; {result.name}")


def main(rows: int) -> None:
    port = free_port(0)
    command = [sys.executable, "-m", "prefect_seedance.sandbox", "--port", str(port), "--speed", "40"]
    sandbox = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    try:
        with local_server(folder / "prefect", folder / "server.log", port=0) as url:
            os.environ["PREFECT_API_URL"] = f"{url}/api"
            from prefect_seedance import generate_videos  # noqa: PLC0415

            route = RouteDefaults(
                credentials=JimmyCredentials(api_key="sk_sandbox", base_url=f"http://127.0.0.1:{port}"),
                model="seedance2.0-mini",
                resolution="480p",
                duration=4,
                prices=PriceBook(currency="CNY", prices={"seedance2.0-mini-480p": "0.03"}),
                max_in_flight=50,
            )
            table = [{"id": f"r{number}", "prompt": f"a lantern {number}"} for number in range(rows)]

            def run():
                return generate_videos(table, route=route, batch="bench", output=folder / "videos")

            timed("generate", rows, run)
            timed("resume of the finished batch", rows, run)
    finally:
        sandbox.terminate()
        sandbox.wait()


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1000)
