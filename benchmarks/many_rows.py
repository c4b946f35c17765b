"""What a row in flight costs: ours compared with a bare script and plain Prefect, on a sandbox in its own process.

    .venv/bin/python benchmarks/many_rows.py [--rows 500] [--ways per_chunk bare] [--progress uneven none] [--speed 1]

All rows are in flight at once, and a job takes 20 to 40 s, divided by `--speed`. See benchmarks/README.md.
"""

from __future__ import annotations

import argparse

from fleet.run import WAYS, Figures, run

__all__ = ["many", "table"]

PROGRESS = {"uneven": "honest but uneven progress", "none": "no progress reported"}

HEADS = (
    "| {title} | CPU ms / video | of it proof | calls / video | noticed after, p50 | p95 | KB / row in flight | "
    "seconds over the slowest job |\n| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |"
)


def many(rows: int, ways: list[str], progress: str, speed: float = 1.0) -> list[Figures]:
    """Measure each way, and print its figures at once."""
    print(HEADS.format(title=f"{rows:,} rows at once, {PROGRESS[progress]}"), flush=True)
    found = []
    for way in ways:
        found.append(run(way, rows, speed=speed, progress=progress))
        print(line(found[-1]), flush=True)
    return found


def line(one: Figures, *, with_rows: bool = False) -> str:
    proof = f"{one.proof:.1f}" if one.proof else "none"
    name = WAYS[one.way] if one.stored == one.rows else f"{WAYS[one.way]} ({one.stored:,} stored)"
    name += f", {one.rows:,} rows" if with_rows else ""
    return (
        f"| {name} | {one.cpu:.1f} | {proof} | {one.calls:.2f} | {one.half:.2f} s | {one.most:.2f} s | "
        f"{one.memory:.1f} | {one.over:.1f} |"
    )


def table(found: list[Figures], progress: str) -> str:
    """The figures in Markdown."""
    sizes = sorted({one.rows for one in found})
    title = f"{' and '.join(f'{size:,}' for size in sizes)} rows at once, {PROGRESS[progress]}"
    return "\n".join([HEADS.format(title=title), *(line(one, with_rows=len(sizes) > 1) for one in found)])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=500)
    parser.add_argument("--ways", nargs="+", choices=WAYS, default=list(WAYS))
    parser.add_argument("--progress", nargs="+", choices=PROGRESS, default=list(PROGRESS))
    parser.add_argument("--speed", type=float, default=1.0)
    given = parser.parse_args()
    for progress in given.progress:
        for one in many(given.rows, given.ways, progress, given.speed):
            notes = f"{one.in_flight:,} in flight, start {one.start:.1f} s CPU, load before {one.load:.1f}"
            print(f"    {WAYS[one.way]}: {notes}")


if __name__ == "__main__":
    main()
