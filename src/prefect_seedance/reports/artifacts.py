"""Prefect artifacts of a run: a summary, the cost of this run and of the batch to date, the rows, and the progress.

Cloud caps the body of an artifact at 5 MiB, so the table of rows is bounded, and names the file with all rows. Amounts
are text, since artifacts reject decimals.
"""

from __future__ import annotations

import asyncio
import hashlib
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from uuid import UUID

from prefect.artifacts import (
    acreate_markdown_artifact,
    acreate_progress_artifact,
    acreate_table_artifact,
    aupdate_progress_artifact,
)

from prefect_seedance.ledger import State
from prefect_seedance.messages import Message, message
from prefect_seedance.reports.money import amounts, cost_table, doubts, number
from prefect_seedance.reports.next_steps import next_steps
from prefect_seedance.reports.pictures import first_pictures
from prefect_seedance.reports.results.result import GenerateResult, RowResult, sums
from prefect_seedance.reports.summary import headline, row_cost, status_words, summary

__all__ = ["ProgressArtifact", "artifact_key", "publish"]

ROWS_SHOWN = 500


def artifact_key(batch: str, kind: str) -> str:
    """A key that Prefect accepts (`[a-z0-9-]`). A batch always has the same one, so that Prefect lists versions."""
    plain = re.sub(r"[^a-z0-9]+", "-", batch.lower()).strip("-")[:60]
    if plain != batch:
        plain = f"{plain}-{hashlib.sha256(batch.encode()).hexdigest()[:6]}".strip("-")
    return f"seedance-{plain}-{kind}"


async def publish(result: GenerateResult) -> None:
    """Create the artifacts of a finished run."""
    batch = result.batch
    pictures = await asyncio.to_thread(first_pictures, result)
    await acreate_markdown_artifact(
        markdown=summary(result, pictures=pictures, steps=await next_steps(result)),
        key=artifact_key(batch, "summary"),
        description=f"{result.name}: {headline(result)}",
    )
    cost, to_date = amounts(sums(result.costs)), amounts(sums(result.costs_to_date))
    for kind, lines, words in (
        ("cost", result.costs, message("artifact.cost", cost=cost, batch=batch)),
        ("cost-to-date", result.costs_to_date, message("artifact.cost_to_date", cost=to_date, batch=batch)),
    ):
        unsure = f" {message('artifact.not_known')}" if any(doubts(line) for line in lines) else ""
        await acreate_table_artifact(
            table=[dict(row) for row in cost_table(lines)] or [{"route": str(message("artifact.nothing_bought"))}],
            key=artifact_key(batch, kind),
            description=". ".join([f"{words}{unsure}", *result.spending]),
        )
    chosen = result.chosen
    statuses = chosen.statuses
    shown = chosen.at(sorted(range(len(chosen)), key=lambda position: _urgency(statuses[position]))[:ROWS_SHOWN])
    where = result.files.get("csv", result.folder)
    await acreate_table_artifact(
        table=[_row(row, result.folder) for row in shown] or [{"row": str(message("artifact.no_rows"))}],
        key=artifact_key(batch, "rows"),
        description=str(message("artifact.rows", shown=len(shown), rows=len(chosen), place=where)),
    )


class ProgressArtifact:
    """The progress artifact of a run."""

    def __init__(self, artifact_id: UUID, description: str) -> None:
        self._id = artifact_id
        self._description = description
        self._shown: tuple[float, str] = (0.0, description)

    @classmethod
    async def create(cls, batch: str, description: str) -> ProgressArtifact:
        """Create the artifact, at 0 percent."""
        made = await acreate_progress_artifact(
            progress=0.0, key=artifact_key(batch, "progress"), description=description
        )
        return cls(made, description)

    async def update(self, percent: float, notices: Sequence[str] = ()) -> None:
        """Show a new value, in percent, and what the run has said. Does nothing if both are unchanged.

        Args:
            percent: The value; it is rounded to 0.1.
            notices: What a person should know.
        """
        shown = round(percent, 1), " ".join([self._description, *notices])
        if shown != self._shown:
            self._shown = shown
            await aupdate_progress_artifact(artifact_id=self._id, progress=shown[0], description=shown[1])


def _urgency(status: str) -> int:
    """Unknown rows first, stored rows last; within these the table's order stays."""
    return 0 if status == State.UNKNOWN else 2 if status == State.STORED else 1


def _before(row: RowResult) -> Message | None:
    return message("artifact.refused_before", reasons=row.refused_before) if row.refused_before else None


def _row(row: RowResult, folder: Path | str) -> dict[str, Any]:
    """The most important columns come first: the UI shows as many as fit."""
    return {
        "row": row.row,
        "status": status_words(row.status),
        "cost": row_cost(row),
        "video": "–" if row.video is None else row.video.removeprefix(f"{folder}/"),
        "note": "; ".join(str(text) for text in (row.error_message, row.remarks, row.cost_note, _before(row)) if text),
        "size": f"{row.width}×{row.height}" if row.width else "–",
        "seconds": number(row.seconds),
        "route": row.route or "–",
    }
