"""The summary of a run in Markdown, for people who have never seen the code."""

from __future__ import annotations

from collections.abc import Sequence

from prefect_seedance.ledger import State
from prefect_seedance.reports.money import amount, amounts, cost_table, count, doubts
from prefect_seedance.reports.result import GenerateResult, RowResult, sums

__all__ = ["WORDS", "cell", "markdown_table", "summary"]

SHOWN = 30
"""Rows that the summary spells out."""

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

_ADVICE: dict[str, str] = {
    State.UNKNOWN: (
        "The provider never answered. These rows may have been made and paid, so they are not sent again by "
        "themselves: look them up at the provider first."
    ),
    State.FAILED: 'To try these again, run the same batch with `retry=["failed"]`. That is a new, paid attempt.',
    State.REFUSED: 'Nothing was made or charged. After a change on the provider\'s side: `retry=["refused"]`.',
    State.EXPIRED: 'The provider no longer has these videos. To make them anew, and pay again: `retry=["expired"]`.',
    State.CREATED: "Run the same batch again: it picks these jobs up, and does not pay for them again.",
    State.SUCCEEDED: "Run the same batch again soon: it fetches these videos while their links live.",
    State.DEFERRED: "Nothing was made or charged. Run the same batch again: it takes these rows up.",
    State.PLANNED: "Nothing was made or charged. Run the same batch again: it takes these rows up.",
    "invalid": "Nothing was sent. Mend these rows and run the same batch again.",
}

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


def summary(result: GenerateResult) -> str:
    """The whole summary: what was made, what it cost, where it is, and what to do about the rest."""
    parts = [f"# {_headline(result)}", _facts(result), _warnings(result)]
    parts += [_group(status, rows) for status, rows in _troubled(result)]
    parts.append(_costs(result))
    return "\n\n".join(part for part in parts if part)


def _headline(result: GenerateResult) -> str:
    stored = result.counts.get(State.STORED, 0)
    return f"{stored:,} of {count(len(result.chosen), 'video')} stored"


def _facts(result: GenerateResult) -> str:
    take = "" if result.take == "1" else f", take {cell(result.take)}"
    spent = amounts(result.cost())
    lines = [
        f"- **Batch:** {cell(result.batch)}{take}",
        f"- **New in this run:** {count(result.made, 'video')}, for {spent}",
        f"- **The batch to date:** {amounts(sums(result.costs_to_date))}",
        f"- **Videos:** `{result.folder}`",
    ]
    lines += [f"- **Results ({kind}):** `{path}`" for kind, path in result.files.items()]
    lines.append(f"- **Ledger:** `{result.ledger}`")
    unsure = [text for line in result.costs_to_date if (text := doubts(line))]
    if unsure:
        lines.append(f"- **Not known, and not in these sums:** {cell('; '.join(unsure))}")
    return "\n".join(lines)


def _warnings(result: GenerateResult) -> str:
    if not result.warnings:
        return ""
    shown = [f"- {cell(text)}" for text in result.warnings[:SHOWN]]
    return "## Good to know\n\n" + "\n".join(shown)


def _troubled(result: GenerateResult) -> list[tuple[str, Sequence[RowResult]]]:
    groups: dict[str, list[RowResult]] = {}
    for row in result.chosen:
        groups.setdefault(row.status, []).append(row)
    return [(status, groups[status]) for status in _ORDER if status in groups]


def _group(status: str, rows: Sequence[RowResult]) -> str:
    title = f"## {count(len(rows), 'row')} {WORDS[status]}"
    table = markdown_table(
        ("row", "route", "reason", "job", "may have cost"),
        [
            (row.row, row.route or "–", row.error_message or "–", row.job_id or "–", row.cost_note or _paid(row))
            for row in rows[:SHOWN]
        ],
    )
    more = f"\n\n… and {len(rows) - SHOWN:,} more, in the results file." if len(rows) > SHOWN else ""
    return f"{title}\n\n{_ADVICE.get(status, '')}\n\n{table}{more}"


def _paid(row: RowResult) -> str:
    return "nothing" if not row.cost else amount(row.cost, row.currency)


def _costs(result: GenerateResult) -> str:
    if not result.costs:
        return "## Cost of this run\n\nNothing was bought in this run."
    rows = cost_table(result.costs)
    return "## Cost of this run\n\n" + markdown_table(tuple(rows[0]), [tuple(row.values()) for row in rows])


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
