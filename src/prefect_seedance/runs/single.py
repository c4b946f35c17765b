"""One step of one row, for tasks in a user's own flow. The ledger records it like any other step."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

from prefect_seedance.engine.disk_space import check_space
from prefect_seedance.engine.dispatcher import PLAIN_STEPS
from prefect_seedance.engine.medium import Medium
from prefect_seedance.engine.row import Row
from prefect_seedance.engine.session import Session, open_session
from prefect_seedance.engine.steps.create import create
from prefect_seedance.engine.steps.media import prepare_media
from prefect_seedance.engine.stored_files import missing_files
from prefect_seedance.errors import InputError, JobFailed, LedgerError, NotFound, Refused, SeedanceError, UnknownOutcome
from prefect_seedance.ledger import TAKEABLE, Plan, RowRecord, State, check_manifest
from prefect_seedance.media import MediaAccess, Storage, open_storage
from prefect_seedance.messages import message
from prefect_seedance.planning.file_names import default_name
from prefect_seedance.planning.media_check import survey_one
from prefect_seedance.providers import RouteSettings
from prefect_seedance.routes import VideoRequest, check, quote, reference_seconds, resolve
from prefect_seedance.routes.facts import MediaKind
from prefect_seedance.routes.forms import Form
from prefect_seedance.runs.batch import batch_folder, manifest_place
from prefect_seedance.tables.row_keys import fingerprint, redacted

__all__ = ["JobTicket", "carry_out", "create_with_media", "plan_one", "prepare_medium"]

MEDIA_BATCH = "media by hand"
"""The batch under which the ledger keeps runs that only upload or review media."""

REVIEWED = 1800.0
"""Seconds that a review is waited for."""

HELD = 30
"""Seconds that a step waits for another run to release its row."""


@dataclass(frozen=True)
class JobTicket:
    """A row of the ledger, as plain data without secrets: it can be passed from task to task, and stored.

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
        seconds: The length of the video, in seconds.
        cost: The charge; None while it is not known.
        currency: The currency of `cost`.
        route_block: The saved block of the route, by which another process loads the key.
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
    settings: RouteSettings, request: VideoRequest, key: str, take: str, folder: str
) -> tuple[Plan, VideoRequest]:
    """One request, checked and resolved, as a plan for the ledger.

    Raises:
        InputError: The route cannot honour it; the message has all reasons.
    """
    resolved = resolve(settings.route, request, settings.defaults)
    reasons = [
        problem.message
        for problem in check(settings.route, resolved, review=settings.review, experimental=settings.experimental)
        if problem.severity == "error"
    ]
    if reasons:
        raise InputError(message("request.invalid", problems=reasons), row=key)
    plan = Plan(
        key=key,
        fingerprint=fingerprint(settings.account.provider, settings.route.model, resolved),
        request=redacted(resolved),
        provider=settings.account.provider,
        account=settings.account.label,
        model=settings.route.model,
        file_name=default_name(key, take),
        folder=folder,
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
    output: Path | str | None,
    ledger_url: str,
    patience: float,
    parts: Path | None = None,
    request: VideoRequest | None = None,
    media_access: MediaAccess | None = None,
) -> JobTicket:
    """Carry out one step of one row, which is planned first where `request` is given.

    Args:
        step: The step.
        reaches: The states that a row may be in after it.
        settings: The row's route.
        batch: The batch.
        take: The take.
        key: The row key.
        output: The folder, or the URL, that holds the folders of batches; None takes the folder that the ledger has
            for the row.
        ledger_url: The ledger.
        patience: Seconds that a job is waited for.
        parts: A folder on this machine for unfinished downloads before they are moved to a store.
        request: What the video should be, where the row may be new.
        media_access: Which files and hosts its media may be read from.

    Raises:
        LedgerError: The ledger does not know the row, another run holds it, or it has not reached this step yet.
        SeedanceError: An error of the step, or the reason why the row has ended before it.
    """
    root, storage = (None, None) if output is None else batch_folder(output, batch, parts)
    if storage is not None:
        await asyncio.to_thread(storage.ensure)
    async with open_session(
        batch=batch,
        take=take,
        ledger_url=ledger_url,
        routes=(settings,),
        patience=patience,
        media_access=media_access,
    ) as session:
        ledger = session.ledger
        if root is not None:
            await asyncio.to_thread(check_manifest, manifest_place(root), ledger.identity, ledger.shown_url)
        resolved = None
        if request is not None and storage is not None:
            plan, resolved = plan_one(settings, request, key, take, storage.shown)
            await ledger.plan(session.run, take, [plan])
        record = await _taken(session, key)
        seconds = await _measured(session, record, settings, resolved)
        storage = storage or open_storage(record.folder or ".", parts)
        if record.state in TAKEABLE and resolved is not None:
            await check_space(storage, [resolved])
        if record.state is State.STORED and await missing_files([record], storage, parts):
            await ledger.refetch(session.run, record.id)
            record = await ledger.row(record.id)
        await step(_row(session, record, settings, resolved, storage, seconds))
        record = await ledger.row(record.id)
        if record.state not in reaches:
            raise _stuck(record)
        return _job(record, settings)


async def create_with_media(row: Row) -> None:
    """Prepare the row's media, and create its job."""
    await prepare_media(row, PLAIN_STEPS.upload, PLAIN_STEPS.review)
    await create(row)


async def prepare_medium(
    address: str,
    kind: MediaKind,
    form: Form,
    step: Callable[[Medium], Awaitable[None]],
    *,
    settings: RouteSettings,
    media_access: MediaAccess,
    ledger_url: str,
) -> str:
    """Carry out one step of one medium; returns its reference, as a request takes it.

    Raises:
        LedgerError: The step gave no reference.
        SeedanceError: An error of the step.
    """
    async with open_session(
        batch=MEDIA_BATCH,
        take="1",
        ledger_url=ledger_url,
        routes=(settings,),
        patience=REVIEWED,
        media_access=media_access,
        retry_refused=True,
    ) as session:
        medium = session.medium(settings, address, kind, form)
        await step(medium)
        if medium.reference is None:
            raise LedgerError(message("upload.no_reference", medium=medium.shown))
        return medium.reference


async def _measured(
    session: Session, record: RowRecord, settings: RouteSettings, request: VideoRequest | None
) -> Decimal | None:
    """The length in seconds of the reference videos of a row that is about to be sent; this also checks its media."""
    if request is None or record.state not in TAKEABLE:
        return None
    seen = await survey_one(settings, request, session.media_access)
    return reference_seconds(settings.route, request, seen.facts)


def _stuck(record: RowRecord) -> SeedanceError:
    """The error for a row that has not reached the state to which the step leads."""
    kinds: dict[State, type[SeedanceError]] = {
        State.UNKNOWN: UnknownOutcome,
        State.REFUSED: Refused,
        State.FAILED: JobFailed,
        State.EXPIRED: NotFound,
    }
    reason = record.error_message or message("row.wrong_step")
    return kinds.get(record.state, LedgerError)(
        message("row.stuck", state=record.state.value, reason=reason),
        provider=record.provider,
        code=record.error_code,
        row=record.key,
    )


async def _taken(session: Session, key: str) -> RowRecord:
    for _ in range(HELD):
        record = await session.ledger.find(session.run.batch, session.take, key)
        if record is None:
            raise LedgerError(message("row.not_in_batch", batch=session.run.batch, take=session.take), row=key)
        if await session.ledger.claim(session.run, [record.id]):
            return await session.ledger.row(record.id)
        await asyncio.sleep(1)
    raise LedgerError(message("row.held"), row=key)


def _row(
    session: Session,
    record: RowRecord,
    settings: RouteSettings,
    request: VideoRequest | None,
    storage: Storage,
    seconds: Decimal | None,
) -> Row:
    # Without the caller's request the ledger's copy is used: it has all fields that billing depends on.
    resolved = request or VideoRequest.model_validate(dict(record.request))
    return Row(
        session=session,
        record=record,
        request=resolved,
        settings=settings,
        fingerprint=record.fingerprint,
        quote=quote(settings.route, resolved, settings.prices, reference_seconds=seconds),
        review=settings.review,
        reference_seconds=seconds,
        storage=storage,
    )


def _job(record: RowRecord, settings: RouteSettings) -> JobTicket:
    stored = record.state is State.STORED
    return JobTicket(
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
