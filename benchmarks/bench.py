"""All that `make bench` measures, in one go: what a row costs, beside a bare script and plain Prefect.

    .venv/bin/python benchmarks/bench.py [--only 1 2 3] [--rows 500] [--many 10000] [--write README]

1. `--rows` rows at once, jobs of 20 to 40 s, with uneven progress and with none: all ways of many_rows.py.
2. `--many` rows in flight at once, jobs of 120 to 240 s: ours per chunk, and the bare script. They are longer because
   the provider shares the two cores with its client: ten thousand videos within 20 s are more than it can serve.
3. A hidden limit that moves while rows run: moving_limit.py.

Takes about three quarters of an hour on two idle cores. See benchmarks/README.md.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

from billing.table import write_into
from fleet.run import WAYS
from many_rows import TOLD, many, table
from moving_limit import moving
from moving_limit import table as moving_table

ROOT = Path(__file__).parents[1]
BEGIN, END = "<!-- bench -->", "<!-- /bench -->"


def first(rows: int) -> str:
    return "\n\n".join(table(many(rows, list(WAYS), progress), progress) for progress in TOLD)


def second(rows: int) -> str:
    ways = ["per_chunk", "bare", "bare_proof"]
    return table(many(rows, ways, "uneven", speed=1 / 6), "uneven") + "\n\nJobs of 120 to 240 s."


def third(rows: int) -> str:
    return moving_table(moving(rows, (150.0, 300.0)))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", type=int, nargs="+", choices=(1, 2, 3), default=(1, 2, 3))
    parser.add_argument("--rows", type=int, default=500)
    parser.add_argument("--many", type=int, default=10_000)
    parser.add_argument("--limited", type=int, default=400, help="rows of scene 3")
    parser.add_argument("--write", choices=["README"], nargs="?", const="README", help=f"replace the block at {BEGIN}")
    given = parser.parse_args()
    begun = time.monotonic()
    scenes = {1: lambda: first(given.rows), 2: lambda: second(given.many), 3: lambda: third(given.limited)}
    tables = [scenes[number]() for number in given.only]
    print(f"\nTook {(time.monotonic() - begun) / 60:.0f} minutes.\n")
    block = "\n\n".join(tables)
    print(block)
    if given.write and not write_into(ROOT / "README.md", block, (BEGIN, END)):
        print(f"\nREADME.md has no {BEGIN} markers, so it was left alone.", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
