"""Everything that `make bench` measures: what a row costs, compared with a bare script and plain Prefect.

    .venv/bin/python benchmarks/bench.py [--only 1 2 3 4 5] [--rows 500] [--many 10000] [--write README]

1. `--rows` rows at once, jobs of 20 to 40 s, with uneven progress and with none: all ways of many_rows.py.
2. `--many` rows in flight at once, jobs of 120 to 240 s: ours per chunk, and the bare script. They are longer because
   the provider shares the two cores with its client: ten thousand videos within 20 s are more than it can serve.
3. A hidden limit that moves while rows run: moving_limit.py.
4. A table of 100,000 rows, planned and resumed when finished, and smaller tables: big_table.py.
5. 100 and 1,000 rows at once, for the growth of what a video costs.

Takes about an hour on two idle cores. See benchmarks/README.md.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
from pathlib import Path

from billing.table import write_into
from fleet.run import WAYS
from many_rows import PROGRESS, many, table
from moving_limit import moving
from moving_limit import table as moving_table

ROOT = Path(__file__).parents[1]
BEGIN, END = "<!-- bench -->", "<!-- /bench -->"


def first(rows: int) -> str:
    return "\n\n".join(table(many(rows, list(WAYS), progress), progress) for progress in PROGRESS)


def second(rows: int) -> str:
    ways = ["per_chunk", "bare", "bare_proof"]
    return table(many(rows, ways, "uneven", speed=1 / 6), "uneven") + "\n\nJobs of 120 to 240 s."


def third(rows: int) -> str:
    return moving_table(moving(rows, (150.0, 300.0)))


def fourth(rows: int) -> str:
    """Run big_table.py as a process; it measures each figure in a child process of its own."""
    command = [sys.executable, str(Path(__file__).with_name("big_table.py")), str(rows), "--growth"]
    lines = []
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as running:
        for line in running.stdout or ():
            print(line, end="", flush=True)
            lines += [line.rstrip()] if line.startswith("|") else []
    if running.returncode:
        raise SystemExit(running.returncode)
    return "\n".join(lines)


def fifth() -> str:
    found = [one for rows in (100, 1_000) for one in many(rows, ["per_chunk"], "uneven", speed=1 / 3)]
    return table(found, "uneven") + "\n\nJobs of 60 to 120 s."


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", type=int, nargs="+", choices=(1, 2, 3, 4, 5), default=(1, 2, 3, 4, 5))
    parser.add_argument("--rows", type=int, default=500)
    parser.add_argument("--many", type=int, default=10_000)
    parser.add_argument("--limited", type=int, default=400, help="rows of scene 3")
    parser.add_argument("--large", type=int, default=100_000, help="rows of scene 4")
    parser.add_argument("--write", choices=["README"], nargs="?", const="README", help=f"replace the block at {BEGIN}")
    given = parser.parse_args()
    begun = time.monotonic()
    scenes = {1: lambda: first(given.rows), 2: lambda: second(given.many), 3: lambda: third(given.limited)}
    scenes |= {4: lambda: fourth(given.large), 5: fifth}
    tables = [scenes[number]() for number in given.only]
    print(f"\nTook {(time.monotonic() - begun) / 60:.0f} minutes.\n")
    block = "\n\n".join(tables)
    print(block)
    if given.write and not write_into(ROOT / "README.md", block, (BEGIN, END)):
        print(f"\nREADME.md has no {BEGIN} markers, so it was not changed.", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
