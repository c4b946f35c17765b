"""The summary of a run in Markdown, for people who have never seen the code."""

from __future__ import annotations

from collections.abc import Sequence

from prefect_seedance.ledger import State
from prefect_seedance.reports.money import amount, amounts, cost_table, count, doubts, line_cost
from prefect_seedance.reports.result import GenerateResult, RowResult, sums

__all__ = ["ADVICE", "WORDS", "cell", "headline", "markdown_table", "row_cost", "summary"]

SHOWN = 30
"""Rows that the summary spells out."""

FEW = 5
"""Rows that are named of many that fared alike."""

WORDS: dict[str, str] = {
    State.STORED: "stored",
    State.FAILED: "failed at the provider",
    State.REFUSED: "refused by the provider",
    State.UNKNOWN: "outcome unknown",
    State.EXPIRED: "made and paid, but expired",
    State.CREATED: "still running",
    State.SUCCEEDED: "made, not fetched yet",
    State.DEFERRED: "refused for now",
    State.PLANNED: "not sent yet",
    State.OVER_BUDGET: "over the budget",
    State.SENT: "being sent",
    "invalid": "left out: breaks a rule",
    "left_out": "not chosen",
}
"""What each status means to a person."""

ADVICE: dict[str, str] = {
    State.UNKNOWN: (
        "The provider never answered. These rows may have been made and paid, so they are not sent again by "
        "themselves: look them up at the provider first."
    ),
    State.FAILED: 'To try these again, run the same batch with `retry=["failed"]`. That is a new, paid attempt.',
    State.REFUSED: (
        "Nothing was made or charged. A prompt that was refused for what it says needs other words, as a new row. To "
        'send these rows again as they are, run the same batch with `retry=["refused"]`.'
    ),
    State.EXPIRED: (
        "The provider no longer has these videos. To make them anew, and pay again, run the same batch with "
        '`retry=["expired"]`.'
    ),
    State.CREATED: "Run the same batch again: it picks these jobs up, and does not pay for them again.",
    State.SUCCEEDED: "Run the same batch again soon: it fetches these videos while their links live.",
    State.DEFERRED: "Nothing was made or charged. Run the same batch again: it takes these rows up.",
    State.OVER_BUDGET: "Nothing was sent: their worst case does not fit into the budget. Run the same batch with more.",
    State.PLANNED: "Nothing was made or charged. Run the same batch again: it takes these rows up.",
    "invalid": "Nothing was sent. Mend these rows and run the same batch again.",
}
"""What a person can do about each status."""

_ORDER = (
    State.UNKNOWN,
    State.EXPIRED,
    State.FAILED,
    State.REFUSED,
    "invalid",
    State.SUCCEEDED,
    State.CREATED,
    State.DEFERRED,
    State.OVER_BUDGET,
    State.PLANNED,
)


def summary(result: GenerateResult, *, pictures: str = "", steps: str = "") -> str:
    """The whole summary: what was made, what it cost, where it is, and what to do about the rest.

    Args:
        result: The run's answer.
        pictures: Pictures of its first videos, in Markdown.
        steps: What a person can do next, in Markdown.
    """
    groups = [(status == State.UNKNOWN, _group(status, rows)) for status, rows in _troubled(result)]
    # What may have been paid and nobody knows of comes before everything else: a person has to act.
    unknown = [text for first, text in groups if first]
    parts = [f"# {headline(result)}", *unknown, pictures, _facts(result), steps, _warnings(result)]
    parts += [text for first, text in groups if not first]
    parts += [_fallen_back(result), _remarks(result)]
    parts += [_costs(result), _records(result)]
    return "\n\n".join(part for part in parts if part)


def headline(result: GenerateResult) -> str:
    """How many videos there are, of how many that were asked for."""
    stored = result.counts.get(State.STORED, 0)
    return f"{stored:,} of {count(len(result.chosen), 'video')} stored"


_FILES = {
    "csv": "Table of the results, for a spreadsheet",
    "parquet": "The same, for programs",
}


def _facts(result: GenerateResult) -> str:
    take = "" if result.take == "1" else f", take {cell(result.take)}"
    lines = [
        f"- **Batch:** {cell(result.batch)}{take}",
        f"- **New in this run:** {count(result.made, 'video')}, for {_code(amounts(result.cost()))}",
        f"- **The batch to date:** {_code(amounts(sums(result.costs_to_date)))}",
    ]
    unsure = [f"{line.billing_model}: {told}" for line in result.costs_to_date if (told := doubts(line))]
    if unsure:
        lines.append("- **Not known, and not in these sums:**")
        lines += [f"    - {cell(told)}" for told in unsure]
    lines.append(f"- **Videos:** {_code(result.folder)}")
    if sheet := result.files.get("sheet"):
        lines.append(f"- **Contact sheet, for a browser:** {_code(sheet)}")
    return "\n".join(lines)


def _records(result: GenerateResult) -> str:
    """What only few people look for."""
    files = {kind: path for kind, path in result.files.items() if kind != "sheet"}
    lines = [f"- **{_FILES.get(kind, f'Results ({kind})')}:** {_code(path)}" for kind, path in files.items()]
    lines += [f"- {cell(hint)}" for hint in result.hints]
    lines.append(f"- **Ledger:** {_code(result.ledger)}")
    return "## Records\n\n" + "\n".join(lines)


def _code(text: object) -> str:
    """Text in a typeface of even width: in the UI's own, the point of 27.148 can hardly be seen."""
    return f"`{' '.join(str(text).split()).replace('`', ' ')}`"


def _warnings(result: GenerateResult) -> str:
    if not result.warnings:
        return ""
    shown = [f"- {cell(text)}" for text in result.warnings[:SHOWN]]
    return "## Good to know\n\n" + "\n".join(shown)


def _fallen_back(result: GenerateResult) -> str:
    """Rows that their first route did not take: another one made them, perhaps at another price."""
    rows = [row for row in result.chosen if row.refused_before]
    if not rows:
        return ""
    alike: dict[tuple[str, str], list[str]] = {}
    for row in rows:
        alike.setdefault((row.route or "?", row.refused_before or ""), []).append(row.row)
    groups = sorted(alike.items(), key=lambda group: -len(group[1]))
    told = [
        f"- **{cell(', '.join(keys[:FEW]))}**{f' and {len(keys) - FEW:,} more' if len(keys) > FEW else ''} · "
        f"{cell(route)}, after  \n    {cell(before)}"
        for (route, before), keys in groups[:SHOWN]
    ]
    more = [f"\n… and {len(groups) - SHOWN:,} more ways, in the results file."] if len(groups) > SHOWN else []
    title = f"## {count(len(rows), 'row')} went on to another route"
    return "\n\n".join([title, "Nothing was made or charged by the routes before.", "\n".join([*told, *more])])


def _remarks(result: GenerateResult) -> str:
    """Videos that are stored and paid for, and are not what was asked for."""
    rows = result.chosen.remarked
    if not rows:
        return ""
    differ = "differs" if len(rows) == 1 else "differ"
    title = f"## {count(len(rows), 'video')} {differ} from what was asked: you may have a claim"
    told = [
        f"- **{cell(row.row)}** · job {cell(row.job_id or '?')}  \n    {cell(row.remarks or '')}"
        for row in rows[:SHOWN]
    ]
    more = [f"\n… and {len(rows) - SHOWN:,} more, in the results file."] if len(rows) > SHOWN else []
    return "\n\n".join([title, "\n".join([*told, *more])])


def _troubled(result: GenerateResult) -> list[tuple[str, Sequence[RowResult]]]:
    chosen, counts = result.chosen, result.counts
    return [(status, chosen.of({status})) for status in _ORDER if counts.get(status)]


def _group(status: str, rows: Sequence[RowResult]) -> str:
    title = f"## {count(len(rows), 'row')} {WORDS[status]}"
    # A list, since Prefect's UI breaks its lines, and hides the end of a long cell.
    told = "\n".join(_told(row) for row in rows[:SHOWN])
    more = f"\n\n… and {len(rows) - SHOWN:,} more, in the results file." if len(rows) > SHOWN else ""
    return "\n\n".join(part for part in (title, ADVICE.get(status, ""), told + more) if part)


def _told(row: RowResult) -> str:
    facts = [
        row.route,
        f"job {row.job_id}" if row.job_id else None,
        f"cost {_paid(row)}" if row.attempts and row.cost is not None else None,
        row.cost_note,
    ]
    reason = f"  \n    {cell(row.error_message)}" if row.error_message else ""
    return f"- **{cell(row.row)}**" + "".join(f" · {cell(fact)}" for fact in facts if fact) + reason


def row_cost(row: RowResult) -> str:
    """What a row has cost, for a cell of a table."""
    return "–" if row.cost is None and not row.attempts else amount(row.cost, row.currency)


def _paid(row: RowResult) -> str:
    return "nothing" if not row.cost else amount(row.cost, row.currency)


def _costs(result: GenerateResult) -> str:
    if not result.costs:
        return "## Cost of this run\n\nNothing was bought in this run."
    head = ("billing model", "cost", "succeeded", "failed", "units", "unit price")
    rows = [{**row, "cost": line_cost(line)} for line, row in zip(result.costs, cost_table(result.costs), strict=True)]
    return "## Cost of this run\n\n" + markdown_table(head, [[row[name] for name in head] for row in rows])


def markdown_table(head: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """A table in Markdown; whatever stands in a cell stays text."""
    lines = ["| " + " | ".join(head) + " |", "|" + " --- |" * len(head)]
    lines += ["| " + " | ".join(cell(str(value)) for value in row) + " |" for row in rows]
    return "\n".join(lines)


_SPECIAL = str.maketrans({character: f"\\{character}" for character in "\\`*_[]<>|#~!"})


def cell(text: str, longest: int = 300) -> str:
    """Text from outside, so that no part of it is taken for Markdown or HTML."""
    line = " ".join(text.split())
    return (line if len(line) <= longest else line[: longest - 1] + "…").translate(_SPECIAL)
