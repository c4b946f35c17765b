"""The sweep: adopts what ended runs left behind: paid jobs, and finished videos that were not downloaded."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from prefect_seedance.engine.dispatcher import StepRunner, work
from prefect_seedance.engine.row import Row
from prefect_seedance.engine.session import Session, open_session
from prefect_seedance.errors import InputError, SeedanceError
from prefect_seedance.ledger import AttemptRecord, Ledger, RowRecord, State
from prefect_seedance.media import Storage, open_storage
from prefect_seedance.messages import message
from prefect_seedance.providers import RouteSettings
from prefect_seedance.routes import VideoRequest, find, quote

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


async def sweep(
    routes: Sequence[RouteSettings],
    step_runner: StepRunner,
    *,
    ledger_url: str,
    batch: str | None = None,
    patience: float,
    flow_run_id: str | None = None,
    parts: Path | None = None,
) -> SweepOutcome:
    """Poll and download what is paid for, batch by batch, those whose links expire first before the others.

    Nothing is created. A row expires only when the provider itself no longer has it.

    Args:
        routes: Routes of the accounts; a row needs one of its own account.
        step_runner: How the steps are carried out.
        ledger_url: The ledger.
        batch: Only this batch; None takes all of them.
        patience: Seconds that a job is waited for.
        flow_run_id: Prefect's id of the run, for the record.
        parts: A folder on this machine for unfinished downloads before they are moved to a store.
    """
    outcome = SweepOutcome()
    ledger = await Ledger.open(ledger_url)
    try:
        names = [pair for pair in await ledger.unfinished_batches() if batch in {None, pair[0]}]
    finally:
        await ledger.close()
    for name, take in names:
        await _sweep_one(name, take, routes, step_runner, ledger_url, patience, flow_run_id, outcome, parts)
    return outcome


async def _sweep_one(
    batch: str,
    take: str,
    routes: Sequence[RouteSettings],
    step_runner: StepRunner,
    ledger_url: str,
    patience: float,
    flow_run_id: str | None,
    outcome: SweepOutcome,
    parts: Path | None,
) -> None:
    storages: dict[str, Storage] = {}
    async with open_session(
        batch=batch,
        take=take,
        ledger_url=ledger_url,
        routes=tuple(routes),
        patience=patience,
        flow_run_id=flow_run_id,
    ) as session:
        paid = [row for row in await session.ledger.rows_of(batch, take) if row.state in PAID]
        taken = await session.ledger.claim(session.run, [row.id for row in paid])
        records = (await session.ledger.rows(taken)).values()
        # The link that expires first comes first: it is the one that may be lost.
        ordered = sorted(records, key=lambda row: (row.link_expires_at is None, row.link_expires_at, row.id))
        found = [await _row(session, record, routes, outcome, storages, parts) for record in ordered]
        rows = [row for row in found if row is not None]
        await work(session, rows, step_runner(len(rows)))
        outcome.troubles |= {(batch, row.key): row.trouble.message for row in rows if row.trouble is not None}
        if session.stopped is not None:
            raise session.stopped
        _sort(await session.ledger.rows_of(batch, take), {row.id for row in paid}, outcome)
        outcome.attempts += await session.ledger.attempts_of(batch)


def _sort(rows: Sequence[RowRecord], found: set[int], outcome: SweepOutcome) -> None:
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


async def _row(
    session: Session,
    record: RowRecord,
    routes: Sequence[RouteSettings],
    outcome: SweepOutcome,
    storages: dict[str, Storage],
    parts: Path | None,
) -> Row | None:
    if record.state not in PAID:
        return None
    settings = _route_of(record, routes)
    if settings is None or record.folder is None:
        account = f"{record.provider}/{record.account}"
        outcome.troubles[record.batch, record.key] = str(message("row.no_route_in_sweep", account=account))
        return None
    try:
        if record.folder not in storages:
            storage = open_storage(record.folder, parts)
            await asyncio.to_thread(storage.ensure)
            storages[record.folder] = storage
    except SeedanceError as error:
        outcome.troubles[record.batch, record.key] = error.message
        return None
    request = VideoRequest.model_validate(dict(record.request))
    return Row(
        session=session,
        record=record,
        request=request,
        settings=settings,
        fingerprint=record.fingerprint,
        quote=quote(settings.route, request, settings.prices),
        storage=storages[record.folder],
    )


def _route_of(record: RowRecord, routes: Sequence[RouteSettings]) -> RouteSettings | None:
    """The route given for this model, else any route of the same account: its key is all that a sweep needs."""
    mine = [
        route for route in routes if (route.account.provider, route.account.label) == (record.provider, record.account)
    ]
    for settings in mine:
        if settings.route.model == record.model:
            return settings
    if not mine:
        return None
    try:
        route = find(record.model, mine[0].account.provider)
    except InputError:
        return None
    return RouteSettings(account=mine[0].account, route=route, max_in_flight=mine[0].max_in_flight)
