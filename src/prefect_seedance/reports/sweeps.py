"""What a sweep came upon, as people read it."""

from __future__ import annotations

from collections.abc import Sequence

from prefect_seedance.jobs.sweeping import SweepOutcome
from prefect_seedance.ledger import RowRecord
from prefect_seedance.reports.money import count
from prefect_seedance.reports.summary import WORDS, cell, markdown_table

__all__ = ["sweep_line", "sweep_summary"]

SHOWN = 50


def sweep_line(outcome: SweepOutcome) -> str:
    """A sweep in one line."""
    if not outcome.found and not outcome.unknown:
        return "Nothing was left behind."
    parts = [
        f"{count(len(outcome.found), 'paid row')} without a file",
        f"{len(outcome.saved):,} saved",
        f"{len(outcome.ended):,} came to another end" if outcome.ended else "",
        f"{len(outcome.left):,} left for the next sweep" if outcome.left else "",
        f"{len(outcome.unknown):,} unknown: a person has to look" if outcome.unknown else "",
    ]
    return ", ".join(part for part in parts if part)


def sweep_summary(outcome: SweepOutcome) -> str:
    """A sweep in Markdown: what is unknown first, since it waits for a person."""
    parts = [f"# {cell(sweep_line(outcome))}"]
    for title, rows in (
        ("Unknown: they may have been paid", outcome.unknown),
        ("Came to another end", outcome.ended),
        ("Left for the next sweep", outcome.left),
        ("Saved", outcome.saved),
    ):
        if rows:
            parts.append(f"## {title}\n\n{_table(outcome, rows)}")
    return "\n\n".join(parts)


def _table(outcome: SweepOutcome, rows: Sequence[RowRecord]) -> str:
    lines = [
        (
            row.batch,
            row.key,
            WORDS[row.state],
            row.job_id or "–",
            row.link_expires_at.strftime("%Y-%m-%d %H:%M UTC") if row.link_expires_at else "–",
            row.path or row.error_message or outcome.troubles.get((row.batch, row.key)) or "–",
        )
        for row in rows[:SHOWN]
    ]
    table = markdown_table(("batch", "row", "state", "job", "link lives until", "video, or reason"), lines)
    return table + (f"\n\n… and {len(rows) - SHOWN:,} more" if len(rows) > SHOWN else "")
