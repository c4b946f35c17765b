"""The table, and the conditions for publishing it."""

from __future__ import annotations

from pathlib import Path

from billing.faults import READ_TIMEOUT, RETRY_AFTER, TITLES, Fault
from billing.measuring import OURS, Measurement

MARKER = "<!-- billed-creates -->"
END = "<!-- /billed-creates -->"


def doubts(found: list[Measurement]) -> list[str]:
    """Return why these measurements must not be published: they prove nothing, or they show a fault of ours."""
    doubts = []
    for one in found:
        where = f"{one.client}, {one.fault}"
        if one.unexpected:
            doubts.append(f"{where}: it sent a request that its fake provider does not know: {one.unexpected[0]}")
        if one.fault is Fault.NONE and not (one.ok and one.billed == one.asked == 1):
            doubts.append(f"{where}: without a fault, {one.billed} of {one.asked} billed; {one.end}")
        if one.fault is not Fault.LIMIT and not one.billed:
            doubts.append(f"{where}: nothing was billed, so the fault did not occur; {one.end}")
        if one.client == OURS and not one.billed == one.billed_again == 1:
            doubts.append(f"{where}: {one.billed} billed, {one.billed_again} after a second run; {one.end}")
        if one.client == OURS and one.end != ("stored" if one.fault in {Fault.LIMIT, Fault.NONE} else "unknown"):
            doubts.append(f"{where}: the row ended as {one.end}")
    return doubts


def table(found: list[Measurement]) -> str:
    """Return the table in Markdown, with notes."""
    cells = {(one.client, one.fault): one for one in found}
    versions = {one.client: one.version for one in found}
    heads = [f"{client} {version}" for client, version in versions.items()]
    lines = [
        "| one create meets | " + " | ".join(heads) + " | …the same batch run again |",
        "| --- |" + " --- |" * (len(heads) + 1),
    ]
    for fault, title in TITLES.items():
        row = [_cell(cells[client, fault]) for client in versions]
        lines.append(f"| {title} | " + " | ".join(row) + f" | {cells[OURS, fault].billed_again} |")
    return "\n".join([*lines, "", _notes(found)])


def _cell(one: Measurement) -> str:
    number = f"**{one.billed}**" if one.billed > 1 else str(one.billed)
    if one.client == OURS:
        return f"{number}, {'held as `unknown`' if one.end == 'unknown' else one.end}"
    return f"{number}, {'job' if one.ok else f'`{one.end}`'}"


def _notes(found: list[Measurement]) -> str:
    notes = (
        "How many creates the provider bills for one that the caller asked for, and how the call ends (an error's "
        "name: the caller was given no job). Every client runs with its defaults; only the read timeout of "
        f"the second row is shortened, to {READ_TIMEOUT} s. A fault applies to every request of the call, except "
        "the 429s. Measured in one run on loopback by [`benchmarks/billed_creates.py`](benchmarks/README.md)."
    )
    hasty = [
        f"{one.client} asked again after {one.shortest_pause:.1f} s"
        for one in found
        if one.fault is Fault.LIMIT and one.shortest_pause is not None and one.shortest_pause < RETRY_AFTER * 0.95
    ]
    if hasty:
        notes += f" With `Retry-After: {RETRY_AFTER}`, {' and '.join(hasty)}."
    return notes


def write_into(readme: Path, block: str, markers: tuple[str, str] = (MARKER, END)) -> bool:
    """Replace the text between the markers; return False if there are none."""
    text = readme.read_text(encoding="utf-8")
    before, begin, rest = text.partition(f"{markers[0]}\n")
    end = markers[1] if markers[1] in rest else markers[0]
    _, found, after = rest.partition(end)
    if not (begin and found):
        return False
    readme.write_text(f"{before}{begin}{block}\n{found}{after}", encoding="utf-8")
    return True
