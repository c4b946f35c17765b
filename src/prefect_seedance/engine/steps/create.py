"""The create step: recorded first, sent once, and never again unless it was provably refused (laws 1 and 2)."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator

from prefect_seedance.accounts.clock_gap import moment, stood_still_since
from prefect_seedance.accounts.send_gate import PROBES, Turn
from prefect_seedance.core.checkpoints import reached
from prefect_seedance.core.portal import GRACE
from prefect_seedance.engine.row import Row
from prefect_seedance.engine.session import FAILED
from prefect_seedance.engine.steps.adopt import adopted, leave
from prefect_seedance.engine.steps.fallback import (
    account_closed,
    gives_up,
    out_of_patience,
    paused,
    refused_by_route,
    refused_for_good,
    skip,
)
from prefect_seedance.engine.steps.media.lost_asset import may_be_lost, will_be_made_again
from prefect_seedance.engine.steps.policy import close, decide, may_fall_back
from prefect_seedance.errors import (
    AuthenticationError,
    InputError,
    LedgerError,
    MovedToNextRoute,
    OverBudget,
    RateLimited,
    Refused,
    RoutePaused,
    SeedanceError,
    UnknownOutcome,
    Unreachable,
)
from prefect_seedance.ledger import LEASE_ENDED, TAKEABLE, Intent, State
from prefect_seedance.ledger.rows import transitions
from prefect_seedance.messages import message
from prefect_seedance.providers import Created
from prefect_seedance.tables.row_keys import redacted

__all__ = ["create", "pause"]


async def create(row: Row) -> None:
    """Create the row's job, if that is allowed: afterwards the row is `created`.

    Does nothing for a row that has passed this step. A job that a late answer to an earlier create has named meanwhile
    is adopted, and nothing is sent.

    Raises:
        MovedToNextRoute: Proven: nothing was made, and the row moves on to its next route.
        OverBudget: Its worst case does not fit the budget or a spending limit; nothing was sent.
        RoutePaused: The gate lets no create of this run through; nothing was sent.
        Refused: Proven: nothing was made. `RateLimited` may be tried again, as may `Unreachable`.
        UnknownOutcome: It is unknown whether a job was made, or whether it is this row's. Never try again.
        LedgerError: The intent could not be written; nothing was sent.
    """
    if row.state not in TAKEABLE:
        return
    session = row.session
    await _ready(row)
    if session.is_over():
        return  # the run stopped while the row waited
    if skip(row):
        raise _moved_on(row, row.fallback.skipped[row.fallback.at])
    if (reason := account_closed(row) or paused(row)) is not None:
        await leave(row, reason, State.DEFERRED)
        if row.state is State.CREATED:
            return
        raise reason
    try:
        async with _turn(row) as turn:
            if session.is_over():
                return
            sending = asyncio.create_task(_send(row, turn), name=f"seedance create {row.key}")
            session.sending.add(sending)
            sending.add_done_callback(session.sending.discard)
            await _answered(sending)
    except RoutePaused as error:
        await pause(row, error)


async def pause(row: Row, error: RoutePaused) -> None:
    """Record that a row is not sent now: it is deferred, or goes on to its next route.

    A job that a late answer has named meanwhile is adopted.

    Raises:
        RoutePaused: It is deferred.
        MovedToNextRoute: It goes on.
    """
    if row.fallback.has_alternatives:
        refused_by_route(row, error)
        raise _moved_on(row, error)
    row.session.say(message("gate.paused", reason=error.text))
    error.row = row.key
    await leave(row, error, State.DEFERRED)
    if row.state is not State.CREATED:
        raise error


@contextlib.asynccontextmanager
async def _turn(row: Row) -> AsyncIterator[Turn | None]:
    """The row's turn at the gate: that of its slot, unless the circuit has opened since; a single task has none yet."""
    limiter, model = row.account_client.limiter, row.settings.route.model
    turn = None if row.slot is None else row.slot.turn
    if limiter.gate.lets(model, turn):
        yield turn
        return
    async with limiter.turn(model, row.sender) as turn:
        yield turn


async def _ready(row: Row) -> None:
    """Wait until a create may be sent, no longer than the row's patience allows."""
    limiter, over = row.account_client.limiter, gives_up(row)
    if not row.fallback.has_alternatives or row.fallback.limited is None:
        return await limiter.ready(row.slot, over)
    first, refusal = row.fallback.limited
    try:
        async with asyncio.timeout_at(first + row.session.limits.limit_patience):
            await limiter.ready(row.slot, over)
    except TimeoutError:
        refused_by_route(row, refusal)
        raise _moved_on(row, refusal) from None


def _moved_on(row: Row, reason: SeedanceError) -> MovedToNextRoute:
    text = message("row.moved_on", route=row.settings.label, reason=reason.text)
    return MovedToNextRoute(text, provider=row.settings.account.provider, code=reason.code, row=row.key)


async def _answered(sending: asyncio.Task[None]) -> None:
    """Wait for a create. A cancelled run still waits some seconds for the answer, so that its outcome is known."""
    try:
        await asyncio.shield(sending)
    except asyncio.CancelledError:
        if not sending.done():
            await asyncio.wait({sending}, timeout=GRACE * 0.8)
            sending.cancel()
            await asyncio.wait({sending})
        if not sending.cancelled():
            sending.exception()  # the ledger has it; this marks it as retrieved
        raise


async def _send(row: Row, turn: Turn | None) -> None:
    try:
        await _send_recorded(row, turn)
    except SeedanceError:
        raise
    except Exception as error:
        # An unforeseen error after the create was sent: nothing proves what became of it.
        if row.state in {State.SENT, State.UNKNOWN}:
            _note_unknown(row, turn, UnknownOutcome(message("row.create_unanswered", reason=type(error).__name__)))
        raise


async def _send_recorded(row: Row, turn: Turn | None) -> None:
    session = row.session
    begun = moment()
    attempt = await _recorded(row)
    if attempt is None:
        return  # it has a job by now
    session.spending.sent(row.key, row.planned.quote)
    row.set_state(State.SENT)
    if stood_still_since(begun):
        # This run's lease may have expired, and a person may have sent the row again from another machine.
        await session.ledger.withdraw(session.run, row.id, attempt)
        session.spending.settled(row.key, made=False)
        text = message("row.suspended_before_create")
        row.set_state(State.PLANNED, str(text))
        raise Unreachable(text, provider=row.settings.account.provider, row=row.key)
    try:
        made = await row.account_client.client.create(row.settings.route.model, row.sendable or row.request)
    except InputError as error:
        # The request could not be built; it was never sent.
        refusal = Refused(error.text, provider=row.settings.account.provider, code=error.code, row=row.key)
        await _record_refusal(row, attempt, refusal)
        raise (_moved_on(row, refusal) if row.fallback.moving else refusal) from None
    except SeedanceError as error:
        error.row = row.key
        await _record_refusal(row, attempt, error)
        if decide(error).state is State.UNKNOWN:
            _note_unknown(row, turn, error)
        elif isinstance(error, Refused):
            row.account_client.limiter.gate.answered(row.settings.route.model, turn)
        if row.fallback.moving:
            raise _moved_on(row, error) from None
        raise
    except BaseException as error:
        # Cancelled while waiting for the answer, or an unforeseen error: the request may have arrived.
        lost = UnknownOutcome(
            message("row.create_unanswered", reason=type(error).__name__),
            provider=row.settings.account.provider,
            row=row.key,
        )
        await _record_refusal(row, attempt, lost)
        raise
    reached("answer received")
    await _record_job(row, attempt, made)
    row.account_client.limiter.gate.answered(row.settings.route.model, turn)


async def _record_job(row: Row, attempt: int, made: Created) -> None:
    session = row.session
    session.spending.answered(row.key, made.job_id)
    try:
        await session.ledger.created(
            session.run,
            row.id,
            attempt,
            job_id=made.job_id,
            http_status=made.http_status,
            request_id=made.request_id,
        )
    except UnknownOutcome as error:
        # The id is recorded, for this row and for the other one.
        error.row = row.key
        session.spending.settled(row.key, made=True)
        row.set_state(State.UNKNOWN, error.message)
        raise
    except LedgerError as error:
        # This id is recorded nowhere else; a person finds it in the message.
        text = message("row.job_not_recorded", error=error.text, job=made.job_id)
        raise LedgerError(text, row=row.key, code=error.code if error.code == LEASE_ENDED else None) from error
    reached("job written")
    session.spending.settled(row.key, made=True)
    row.job_id = made.job_id
    row.created_at = asyncio.get_running_loop().time()
    row.account_client.limiter.accepted(row.slot)
    row.circuit_breaker.opened(row.settings.route.model)
    row.set_state(State.CREATED)


def _note_unknown(row: Row, turn: Turn | None, error: SeedanceError) -> None:
    """Have the gate count an unknown outcome, and say so where the circuit opens by it."""
    model = row.settings.route.model
    if row.account_client.limiter.gate.unknown(model, turn, row.sender, error):
        row.session.say(message("gate.opened", model=model, probes=PROBES, reason=error.text))


async def _recorded(row: Row) -> int | None:
    """Record the create in the ledger, then count it in the output folder; returns the attempt's id.

    None where a late answer has named the row's job meanwhile, which is adopted.
    """
    session = row.session
    attempt = await session.ledger.intend(
        session.run, _intent(row), session.limits.budget, row.settings.account.spending_limits
    )
    if attempt is None:
        if await adopted(row):
            return None
        reason = (await session.ledger.row(row.id)).error_message or ""
        row.set_state(State.OVER_BUDGET, reason)
        raise OverBudget(reason, row=row.key)
    reached("intent written")

    async def withdraw() -> None:
        await session.ledger.withdraw(session.run, row.id, attempt)
        row.set_state(State.PLANNED)

    await session.count(withdraw)
    return attempt


async def _record_refusal(row: Row, attempt: int, error: SeedanceError) -> None:
    session = row.session
    state = decide(error).state
    if isinstance(error, AuthenticationError):
        account = row.settings.account.identity
        error.reword(message("row.key_rejected", account=account, words=error.text))
    asks = may_be_lost(row, error)
    if asks:
        state = State.DEFERRED
    elif row.fallback.has_alternatives and may_fall_back(error, session.limits) and out_of_patience(row, error):
        refused_by_route(row, error)
        state = State.DEFERRED
    elif not decide(error).again:
        close(row.circuit_breaker, row.settings.route.model, error, session.limits.limit_patience)
    if state in FAILED or refused_for_good(row):
        session.count_failure(row.id)  # before the limiter lets the next row through
    if isinstance(error, RateLimited):
        row.account_client.limiter.refused(error.retry_after, row.slot)
    elif row.slot is not None and decide(error).state is not State.UNKNOWN:
        row.account_client.limiter.unsent(row.slot)
    await session.ledger.refuse(session.run, row.id, attempt, error, state)
    session.spending.settled(row.key, made=False)
    if asks and not await will_be_made_again(row):
        state = State.REFUSED
        await session.ledger.write(transitions.reject, session.run, row.id, error)
        session.count_failure(row.id)
    row.set_state(state, error.message)


def _intent(row: Row) -> Intent:
    return Intent(
        row_id=row.id,
        provider=row.settings.account.provider,
        account=row.settings.account.label,
        model=row.settings.route.model,
        fingerprint=row.planned.fingerprint,
        billing_model=row.planned.quote.billing_model,
        unit=row.planned.quote.unit,
        unit_price=row.planned.quote.unit_price,
        currency=row.planned.quote.currency,
        quote_low=row.planned.quote.low,
        quote_high=row.planned.quote.high,
        reserve=row.session.limits.reserve(row.planned.quote),
        reference_seconds=row.planned.reference_seconds,
        key_fingerprint=row.settings.account.key_fingerprint,
        request=redacted(row.request) if row.fallback.has_alternatives else None,
        passed=tuple(str(each) for each in row.fallback.earlier_refusals()),
    )
