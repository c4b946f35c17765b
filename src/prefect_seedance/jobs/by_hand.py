"""One step of one row on its own: for tasks in anybody's flow. The ledger stands behind it all the same."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

from prefect_seedance.errors import Gone, LedgerError, Refused, SeedanceError, UnknownOutcome, UserMistake
from prefect_seedance.jobs.batch import batch_folder
from prefect_seedance.jobs.downloading import still_stored
from prefect_seedance.jobs.polling import JobFailed
from prefect_seedance.jobs.row import Row
from prefect_seedance.jobs.rowkey import fingerprint, redacted
from prefect_seedance.jobs.session import Session, open_session
from prefect_seedance.ledger import Plan, RowRecord, State, check_manifest
from prefect_seedance.media import ensure_folder, slug
from prefect_seedance.providers import RouteSettings
from prefect_seedance.routes import VideoRequest, check, quote, resolve

__all__ = ["VideoJob", "carry_out", "plan_one"]

HELD = 30
"""Seconds that a step waits for another run to let go of its row."""


@dataclass(frozen=True)
class VideoJob:
    """A row of the ledger, as plain data: fit to be handed from task to task, and to be stored. It holds no secret.

    Attributes:
        batch: The batch.
        take: The take.
        row: The row key.
        provider: The provider.
        account: The account's label.
        model: The route.
        state: The row's state (`ledger.State`).
        job_id: The provider's id of the job, once it is known.
        video: The path of the stored file, once there is one.
        sha256: Its hash.
        seconds: Its length.
        cost: The charge; None while it is not known.
        currency: The currency of `cost`.
        route_block: The saved block that the route came from; another process finds the key by it.
    """

    batch: str
    take: str
    row: str
    provider: str
    account: str
    model: str
    state: str
    job_id: str | None = None
    video: str | None = None
    sha256: str | None = None
    seconds: Decimal | None = None
    cost: Decimal | None = None
    currency: str | None = None
    route_block: str | None = None


Step = Callable[[Row], Awaitable[None]]

MADE = frozenset({State.CREATED, State.SUCCEEDED, State.STORED})
ENDED = frozenset({State.SUCCEEDED, State.STORED})
STORED = frozenset({State.STORED})
"""What a row may be after it was created, polled and downloaded."""


def plan_one(
    settings: RouteSettings, request: VideoRequest, key: str, take: str, folder: Path
) -> tuple[Plan, VideoRequest]:
    """One request, checked and resolved, as a plan for the ledger.

    Raises:
        UserMistake: The route cannot honour it; all reasons are told.
    """
    resolved = resolve(settings.route, request, settings.defaults)
    reasons = [problem.message for problem in check(settings.route, resolved) if problem.severity == "error"]
    if reasons:
        raise UserMistake("; ".join(reasons) + " Nothing was spent.", row=key)
    plan = Plan(
        key=key,
        fingerprint=fingerprint(settings.account.provider, settings.route.model, resolved),
        request=redacted(resolved),
        provider=settings.account.provider,
        account=settings.account.label,
        model=settings.route.model,
        file_name=slug(key) if take == "1" else f"{slug(key)}.take-{slug(take)}",
        folder=str(folder),
    )
    return plan, resolved


async def carry_out(
    step: Step,
    reaches: Collection[State],
    *,
    settings: RouteSettings,
    batch: str,
    take: str,
    key: str,
    output: Path | None,
    ledger_url: str,
    patience: float,
    request: VideoRequest | None = None,
) -> VideoJob:
    """Carry out one step of one row, which is planned first where `request` is given.

    Args:
        step: The step.
        reaches: The states that a row may be in after it.
        settings: The row's route.
        batch: The batch.
        take: The take.
        key: The row key.
        output: The folder that holds the folders of batches; None: the row's files belong where the ledger has them.
        ledger_url: The ledger.
        patience: Seconds that a job is waited for.
        request: What the video should be, where the row may be new.

    Raises:
        LedgerError: The ledger does not know the row, another run holds it, or it has not come to this step yet.
        SeedanceError: Whatever the step raises, or why the row cannot take it any more.
    """
    folder = None if output is None else batch_folder(output, batch)
    if folder is not None:
        await asyncio.to_thread(ensure_folder, folder)
    async with open_session(
        batch=batch,
        take=take,
        output=folder or Path(),
        ledger_url=ledger_url,
        routes=(settings,),
        patience=patience,
    ) as session:
        ledger = session.ledger
        if output is not None:
            await asyncio.to_thread(check_manifest, output, ledger.identity, ledger.shown_url)
        resolved = None
        if request is not None and folder is not None:
            plan, resolved = plan_one(settings, request, key, take, folder)
            await ledger.plan(session.run, take, [plan])
        record = await _taken(session, key)
        if record.state is State.STORED and not await still_stored(record):
            await ledger.refetch(session.run, record.id)
            record = await ledger.row(record.id)
        await step(_row(session, record, settings, resolved, folder))
        record = await ledger.row(record.id)
        if record.state not in reaches:
            raise _stuck(record)
        return _job(record, settings)


def _stuck(record: RowRecord) -> SeedanceError:
    """Why a row is not where the step leads to: nothing was done with it, and nobody may think that it was."""
    kinds: dict[State, type[SeedanceError]] = {
        State.UNKNOWN: UnknownOutcome,
        State.REFUSED: Refused,
        State.FAILED: JobFailed,
        State.EXPIRED: Gone,
    }
    told = record.error_message or "This step does not fit it; nothing was done."
    message = f"The row is {record.state.value!r}. {told}"
    return kinds.get(record.state, LedgerError)(
        message, provider=record.provider, code=record.error_code, row=record.key
    )


async def _taken(session: Session, key: str) -> RowRecord:
    for _ in range(HELD):
        record = await session.ledger.find(session.run.batch, session.take, key)
        if record is None:
            raise LedgerError(f"Batch {session.run.batch!r} has no such row in take {session.take!r}.", row=key)
        if await session.ledger.claim(session.run, [record.id]):
            return await session.ledger.row(record.id)
        await asyncio.sleep(1)
    raise LedgerError("Another run works on this row; nothing was done.", row=key)


def _row(
    session: Session,
    record: RowRecord,
    settings: RouteSettings,
    request: VideoRequest | None,
    folder: Path | None,
) -> Row:
    # Without the caller's request the ledger's own copy serves: what is billed by is all in it.
    resolved = request or VideoRequest.model_validate(dict(record.request))
    return Row(
        session=session,
        record=record,
        request=resolved,
        settings=settings,
        fingerprint=record.fingerprint,
        quote=quote(settings.route, resolved, settings.prices),
        folder=folder or (Path(record.folder) if record.folder else None),
    )


def _job(record: RowRecord, settings: RouteSettings) -> VideoJob:
    stored = record.state is State.STORED
    return VideoJob(
        batch=record.batch,
        take=record.take,
        row=record.key,
        provider=record.provider,
        account=record.account,
        model=record.model,
        state=record.state.value,
        job_id=record.job_id,
        video=record.path if stored else None,
        sha256=record.sha256 if stored else None,
        seconds=record.seconds if stored else None,
        cost=record.attempt.charge if record.attempt else None,
        currency=record.attempt.currency if record.attempt else None,
        route_block=settings.block,
    )
