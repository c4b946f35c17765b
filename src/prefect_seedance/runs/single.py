"""One step of one row, for tasks in a user's own flow. The ledger records it like any other step."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass
from decimal import Decimal

from prefect_seedance.engine.disk_space import check_space
from prefect_seedance.engine.medium import Medium
from prefect_seedance.engine.row import Row
from prefect_seedance.engine.row_loader import RowLoader
from prefect_seedance.engine.run_spec import RunContext, RunSpec
from prefect_seedance.engine.session import Session, open_session
from prefect_seedance.engine.step_runner import PLAIN
from prefect_seedance.engine.steps.create import create
from prefect_seedance.engine.steps.media.prepare import prepare_media
from prefect_seedance.errors import InputError, JobFailed, LedgerError, NotFound, Refused, SeedanceError, UnknownOutcome
from prefect_seedance.ledger import TAKEABLE, Plan, RowRecord, State
from prefect_seedance.ledger.rows import lookups, planning
from prefect_seedance.media import open_storage
from prefect_seedance.messages import message
from prefect_seedance.planning.file_names import default_name
from prefect_seedance.planning.media_check import survey_one
from prefect_seedance.planning.planned_row import PlannedRow
from prefect_seedance.providers import RouteSettings
from prefect_seedance.routes import VideoRequest, check, quote, reference_seconds, resolve
from prefect_seedance.routes.facts import MediaKind
from prefect_seedance.routes.forms import Form
from prefect_seedance.runs.batch import batch_folder
from prefect_seedance.runs.ledger_check import check_identity, check_ledger
from prefect_seedance.tables.row_keys import fingerprint, former_fingerprints, redacted

__all__ = ["ENDED", "MADE", "STORED", "JobTicket", "carry_out", "create_with_media", "prepare_medium"]

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


async def carry_out(
    step: Step,
    reaches: Collection[State],
    *,
    spec: RunSpec,
    context: RunContext,
    key: str,
    request: VideoRequest | None = None,
    former_keys: Collection[str] = (),
) -> JobTicket:
    """Carry out one step of one row, which is planned first where `request` is given.

    Args:
        step: The step.
        reaches: The states that a row may be in after it.
        spec: The batch and take of the row, and its output; without one, the ledger has the row's folder.
        context: The row's route, and the ledger.
        key: The row key.
        request: What the video should be, where the row may be new.
        former_keys: The keys by which earlier versions knew the row; one stays where the ledger has it.

    Raises:
        LedgerError: The ledger does not know the row, another run holds it, or it has not reached this step yet.
        SeedanceError: An error of the step, or the reason why the row has ended before it.
    """
    settings = context.routes[0]
    root, storage = (None, None) if spec.output is None else batch_folder(spec.output, spec.batch, context.parts)
    if storage is not None:
        await asyncio.to_thread(storage.ensure)
    async with open_session(spec, context) as session:
        ledger = session.ledger
        if root is not None:
            # A later step of a row sends nothing: it takes any ledger of the folder that knows the row.
            await (check_identity(ledger, root) if request is None else check_ledger(session, root))
        key = await _known_key(session, key, former_keys)
        resolved = None
        if request is not None and storage is not None:
            resolved = _checked(settings, request, key)
            await ledger.write(
                planning.plan, session.run, spec.take, [_plan(settings, resolved, key, spec.take, storage.shown)]
            )
        record = await _taken(session, key)
        plan = {}
        if resolved is not None and record.state in TAKEABLE:
            plan[key] = await _measured(session, settings, resolved, record)
        # Without an output it is where the ledger says; to look at it must not need access to it.
        loader = RowLoader(session, plan=plan, storage=storage or open_storage(record.folder or ".", context.parts))
        for row in await loader.rows([record.id]):
            if row.state in TAKEABLE and plan:
                await check_space(row.storage, [row.request])
            await step(row)
        record = await ledger.row(record.id)
        if record.state not in reaches:
            raise loader.reasons.get(record.id) or _stuck(record)
        return _job(record, settings)


async def create_with_media(row: Row) -> None:
    """Prepare the row's media, and create its job."""
    await prepare_media(row, PLAIN.upload, PLAIN.review)
    try:
        await create(row)
    except Refused:
        if not row.assets_renewed:
            raise
        await prepare_media(row, PLAIN.upload, PLAIN.review)
        await create(row)


async def prepare_medium(
    address: str, kind: MediaKind, form: Form, step: Callable[[Medium], Awaitable[None]], *, context: RunContext
) -> str:
    """Carry out one step of one medium; returns its reference, as a request takes it.

    Raises:
        LedgerError: The step gave no reference.
        SeedanceError: An error of the step.
    """
    spec = RunSpec(batch=MEDIA_BATCH, patience=REVIEWED, retry=frozenset({State.REFUSED}))
    async with open_session(spec, context) as session:
        settings = context.routes[0]
        medium = session.media.medium(settings, address, kind, form)
        medium.is_probe = medium.circuit_breaker.claim(settings.route.model)
        await step(medium)
        if medium.reference is None:
            raise LedgerError(message("upload.no_reference", medium=medium.shown))
        return medium.reference


def _checked(settings: RouteSettings, request: VideoRequest, key: str) -> VideoRequest:
    """One request, resolved.

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
    return resolved


def _plan(settings: RouteSettings, request: VideoRequest, key: str, take: str, folder: str) -> Plan:
    return Plan(
        key=key,
        fingerprint=fingerprint(settings.account.provider, settings.route.model, request),
        request=redacted(request),
        provider=settings.account.provider,
        account=settings.account.label,
        model=settings.route.model,
        file_name=default_name(key, take),
        folder=folder,
        accepts=former_fingerprints(settings.account.provider, settings.route.model, request),
    )


async def _measured(session: Session, settings: RouteSettings, request: VideoRequest, record: RowRecord) -> PlannedRow:
    """The row as it may be sent; this also checks its media, and measures its reference videos."""
    seen = await survey_one(settings, request, session.context.media_access)
    seconds = reference_seconds(settings.route, request, seen.facts)
    return PlannedRow(
        position=0,
        key=record.key,
        request=request,
        settings=settings,
        quote=quote(settings.route, request, settings.prices, reference_seconds=seconds),
        fingerprint=record.fingerprint,
        review=settings.review,
        reference_seconds=seconds,
    )


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


async def _known_key(session: Session, key: str, former: Collection[str]) -> str:
    if not former:
        return key
    known = await session.ledger.read(lookups.marks_of, session.run.batch, session.spec.take, {key, *former})
    return next((each for each in (key, *former) if each in known), key)


async def _taken(session: Session, key: str) -> RowRecord:
    for _ in range(HELD):
        record = await session.ledger.read(lookups.row_by_key, session.run.batch, session.spec.take, key)
        if record is None:
            raise LedgerError(message("row.not_in_batch", batch=session.run.batch, take=session.spec.take), row=key)
        if await session.ledger.write(planning.claim, session.run, [record.id]):
            return await session.ledger.row(record.id)
        await asyncio.sleep(1)
    raise LedgerError(message("row.held"), row=key)


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
