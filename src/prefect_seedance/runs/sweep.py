"""The sweep: adopts what ended runs left behind: paid jobs, and finished videos that were not downloaded."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from prefect_seedance.engine.local_claims import LocalClaims
from prefect_seedance.engine.row import Row
from prefect_seedance.engine.row_loader import RowLoader
from prefect_seedance.engine.run_spec import RunContext, RunSpec
from prefect_seedance.engine.session import open_session
from prefect_seedance.engine.worker import carry
from prefect_seedance.ledger import AttemptRecord, Ledger, RowRecord, State
from prefect_seedance.ledger.rows import lookups, maintenance
from prefect_seedance.runs.batch import StepsFor

__all__ = ["SweepOutcome", "sweep"]

PAID = frozenset({State.SENT, State.CREATED, State.SUCCEEDED})


@dataclass
class SweepOutcome:
    """The result of a sweep.

    Attributes:
        found: Rows that were paid for and had no file, by batch.
        saved: Those whose video is stored now.
        ended: Those that ended otherwise.
        left: Those that are not finished: still running, held by a live run, or not available just now.
        unknown: Rows of these batches that may or may not have been paid.
        attempts: All attempts of these batches.
        troubles: Why a row is not finished, by batch and row, where its state does not say it.
    """

    found: list[RowRecord] = field(default_factory=list)
    saved: list[RowRecord] = field(default_factory=list)
    ended: list[RowRecord] = field(default_factory=list)
    left: list[RowRecord] = field(default_factory=list)
    unknown: list[RowRecord] = field(default_factory=list)
    attempts: list[AttemptRecord] = field(default_factory=list)
    troubles: dict[tuple[str, str], str] = field(default_factory=dict)


async def sweep(context: RunContext, steps_for: StepsFor, *, batch: str | None = None, patience: float) -> SweepOutcome:
    """Poll and download what is paid for, batch by batch, those whose links expire first before the others.

    Nothing is created. A row expires only when the provider itself no longer has it.

    Args:
        context: The routes of the accounts (a row needs one of its own account), and the ledger.
        steps_for: Returns how the steps are carried out, by the number of rows.
        batch: Only this batch; None takes all of them.
        patience: Seconds that a job is waited for.
    """
    outcome = SweepOutcome()
    ledger = await Ledger.open(context.ledger_url)
    try:
        names = [pair for pair in await ledger.read(maintenance.unfinished_batches) if batch in {None, pair[0]}]
    finally:
        await ledger.close()
    for name, take in names:
        await _sweep_one(RunSpec(batch=name, take=take, patience=patience), context, steps_for, outcome)
    return outcome


async def _sweep_one(spec: RunSpec, context: RunContext, steps_for: StepsFor, outcome: SweepOutcome) -> None:
    async with open_session(spec, context) as session:
        ledger = session.ledger
        paid = {
            row.id: row.key for row in await ledger.read(lookups.rows_of, spec.batch, spec.take) if row.state in PAID
        }
        # The link that expires first comes first: it is the one that may be lost.
        claims = LocalClaims(session, RowLoader(session), paid, order=_by_expiry)
        await carry(session, claims, steps_for(len(paid)))
        outcome.troubles |= {(spec.batch, key): text for key, text in claims.troubles.items()}
        if session.stopped is not None:
            raise session.stopped
        _sort(await ledger.read(lookups.rows_of, spec.batch, spec.take), paid.keys(), outcome)
        outcome.attempts += await ledger.read(lookups.attempts_of, spec.batch)


def _by_expiry(row: Row) -> tuple[bool, datetime | None, int]:
    return row.link_expires_at is None, row.link_expires_at, row.id


def _sort(rows: Sequence[RowRecord], found: Collection[int], outcome: SweepOutcome) -> None:
    for row in rows:
        if row.state is State.UNKNOWN:
            outcome.unknown.append(row)
        if row.id not in found:
            continue
        outcome.found.append(row)
        if row.state is State.STORED:
            outcome.saved.append(row)
        elif row.state in PAID:
            outcome.left.append(row)
        else:
            outcome.ended.append(row)
