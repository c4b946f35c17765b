"""How many creates does a provider bill for one, when its answer is lost? Published clients and prefect-seedance.

    .venv/bin/python benchmarks/billed_creates.py                  print the table
    .venv/bin/python benchmarks/billed_creates.py --write README   and put it into the README at the root

See benchmarks/README.md for what is measured and how. Takes about two minutes.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from billing.measuring import log, measure
from billing.table import MARKER, doubts, table, write_into

ROOT = Path(__file__).parents[1]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--write", choices=["README"], help=f"replace the block between the {MARKER} markers")
    arguments = parser.parse_args()
    with TemporaryDirectory(prefix="billed-creates-", ignore_cleanup_errors=True) as folder:
        found = measure(Path(folder))
    block = table(found)
    print(block)
    if problems := doubts(found):
        log("\nThis table must not be shown:\n" + "\n".join(f"- {problem}" for problem in problems))
        return 1
    if arguments.write and not write_into(ROOT / "README.md", block):
        log(f"\nREADME.md has no {MARKER} markers, so it was not changed.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
