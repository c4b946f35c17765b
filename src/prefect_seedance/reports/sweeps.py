"""The result of a sweep: in one line, and in Markdown."""

from __future__ import annotations

from collections.abc import Sequence

from prefect_seedance.ledger import RowRecord
from prefect_seedance.messages import listing, message
from prefect_seedance.reports.summary import cell, markdown_table, status_words
from prefect_seedance.runs.sweep import SweepOutcome

__all__ = ["sweep_line", "sweep_summary"]

SHOWN = 50


def sweep_line(outcome: SweepOutcome) -> str:
    """A sweep in one line."""
    if not outcome.found and not outcome.unknown:
        return str(message("sweep.nothing"))
    facts = [message("sweep.found", rows=len(outcome.found)), message("sweep.saved", rows=len(outcome.saved))]
    if outcome.ended:
        facts.append(message("sweep.ended", rows=len(outcome.ended)))
    if outcome.left:
        facts.append(message("sweep.left", rows=len(outcome.left)))
    if outcome.unknown:
        facts.append(message("sweep.unknown", rows=len(outcome.unknown)))
    return listing(facts)


def sweep_summary(outcome: SweepOutcome) -> str:
    """A sweep in Markdown: unknown rows first, since they wait for a person."""
    parts = [f"# {cell(sweep_line(outcome))}"]
    for title, rows in (
        (message("sweep.unknown_title"), outcome.unknown),
        (message("sweep.ended_title"), outcome.ended),
        (message("sweep.left_title"), outcome.left),
        (message("sweep.saved_title"), outcome.saved),
    ):
        if rows:
            parts.append(f"## {title}\n\n{_table(outcome, rows)}")
    return "\n\n".join(parts)


def _table(outcome: SweepOutcome, rows: Sequence[RowRecord]) -> str:
    lines = [
        (
            row.batch,
            row.key,
            status_words(row.state),
            row.job_id or "–",
            row.link_expires_at.strftime("%Y-%m-%d %H:%M UTC") if row.link_expires_at else "–",
            row.path or row.error_message or outcome.troubles.get((row.batch, row.key)) or "–",
        )
        for row in rows[:SHOWN]
    ]
    table = markdown_table(("batch", "row", "state", "job", "link lives until", "video, or reason"), lines)
    return table + (f"\n\n{message('sweep.more', rows=len(rows) - SHOWN)}" if len(rows) > SHOWN else "")
