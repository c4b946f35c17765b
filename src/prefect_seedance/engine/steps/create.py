"""The create step: written down first, sent once, and never again unless it was provably refused (laws 1 and 2)."""

from __future__ import annotations

import asyncio

from prefect_seedance.accounts.clock_gap import moment, stood_still_since
from prefect_seedance.core.checkpoints import reached
from prefect_seedance.core.portal import GRACE
from prefect_seedance.engine.row import Row
from prefect_seedance.engine.steps.fallback import may_move, out_of_patience, refused_by_route, skip, state_after
from prefect_seedance.errors import (
    AuthenticationError,
    InputError,
    InsufficientFunds,
    LedgerError,
    MovedToNextRoute,
    OverBudget,
    RateLimited,
    Refused,
    RouteUnavailable,
    SeedanceError,
    UnknownOutcome,
    Unreachable,
)
from prefect_seedance.ledger import TAKEABLE, Intent, State
from prefect_seedance.ledger.rows.transitions import over_budget
from prefect_seedance.messages import message
from prefect_seedance.tables.row_keys import redacted

__all__ = ["create"]


async def create(row: Row) -> None:
    """Have the row's video made, if it may be: afterwards the row is `created`.

    Does nothing for a row that is past this step already.

    Raises:
        MovedToNextRoute: Proven: nothing was made, and the row has another route, to which it goes on.
        OverBudget: Its worst case does not fit; nothing was sent.
        Refused: Proven: nothing was made. `RateLimited` may be tried again, as may `Unreachable`.
        UnknownOutcome: It cannot be told whether a job was made. Never try again.
        LedgerError: The intent could not be written; nothing was sent.
    """
    if row.state not in TAKEABLE:
        return
    session = row.session
    await _ready(row)
    if session.is_over():
        return  # it stopped while the row waited, and takes nothing new
    if skip(row):
        raise _moved_on(row, row.skipped[row.at])
    if not row.others and (reason := session.closed.get(row.settings.account)) is not None:
        await session.ledger.put_off(session.run, row.id, reason)
        row.moved(State.DEFERRED, reason.message)
        raise reason
    sending = asyncio.create_task(_send(row), name=f"seedance create {row.key}")
    session.sending.add(sending)
    sending.add_done_callback(session.sending.discard)
    await _in_order(sending)


async def _ready(row: Row) -> None:
    """Wait until the provider may be asked; a row with another route waits no longer than the user's patience."""
    limiter, over = row.account_client.limiter, row.session.is_over
    if not row.others or row.limited is None:
        return await limiter.ready(row.place, over)
    first, refusal = row.limited
    try:
        async with asyncio.timeout_at(first + row.session.limits.limit_patience):
            await limiter.ready(row.place, over)
    except TimeoutError:
        refused_by_route(row, refusal)
        raise _moved_on(row, refusal) from None


def _moved_on(row: Row, reason: SeedanceError) -> MovedToNextRoute:
    text = message("row.moved_on", route=row.settings.label, reason=reason.text)
    return MovedToNextRoute(text, provider=row.settings.account.provider, code=reason.code, row=row.key)


async def _in_order(sending: asyncio.Task[None]) -> None:
    """Wait for a create; a cancelled run still gives it a little time to be answered, rather than leave it unknown."""
    try:
        await asyncio.shield(sending)
    except asyncio.CancelledError:
        if not sending.done():
            await asyncio.wait({sending}, timeout=GRACE * 0.8)
            sending.cancel()
            await asyncio.wait({sending})
        if not sending.cancelled():
            sending.exception()  # it is in the ledger; nobody is left to be told
        raise


async def _send(row: Row) -> None:
    session = row.session
    begun = moment()
    attempt = await session.ledger.intend(session.run, _intent(row), session.limits.budget)
    if attempt is None:
        text = over_budget(session.limits.reserve(row.quote), session.limits.budget)
        row.moved(State.OVER_BUDGET, str(text))
        raise OverBudget(text, row=row.key)
    reached("intent written")
    session.spending.sent(row.key, row.quote)
    row.moved(State.SENT)
    if stood_still_since(begun):
        # Another machine may have given the row up meanwhile, and a person may have sent it anew.
        await session.ledger.withdraw(session.run, row.id, attempt)
        session.spending.settled(row.key, made=False)
        text = message("row.suspended_before_create")
        row.moved(State.PLANNED, str(text))
        raise Unreachable(text, provider=row.settings.account.provider, row=row.key)
    try:
        made = await row.account_client.client.create(row.settings.route.model, row.sendable or row.request)
    except InputError as error:
        # The request could not even be put into words; it never left.
        refusal = Refused(error.text, provider=row.settings.account.provider, code=error.code, row=row.key)
        await _refused(row, attempt, refusal)
        raise (_moved_on(row, refusal) if row.moving else refusal) from None
    except SeedanceError as error:
        error.row = row.key
        await _refused(row, attempt, error)
        if row.moving:
            raise _moved_on(row, error) from None
        raise
    except BaseException as error:
        # Cancelled on the wire, or an error that nobody foresaw: the request may have arrived.
        lost = UnknownOutcome(
            message("row.create_unanswered", reason=type(error).__name__),
            provider=row.settings.account.provider,
            row=row.key,
        )
        await _refused(row, attempt, lost)
        raise
    reached("answer received")
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
    except LedgerError as error:
        # Nothing else knows this id now; the message is where a person can find it again.
        text = message("row.job_not_recorded", error=error.text, job=made.job_id)
        raise LedgerError(text, row=row.key) from error
    reached("job written")
    session.spending.settled(row.key, made=True)
    row.job_id = made.job_id
    row.created_at = asyncio.get_running_loop().time()
    row.account_client.limiter.accepted(row.place)
    session.circuit_breaker.opened(row.settings)
    row.moved(State.CREATED)


async def _refused(row: Row, attempt: int, error: SeedanceError) -> None:
    session = row.session
    state = state_after(error)
    if isinstance(error, RateLimited):
        row.account_client.limiter.refused(error.retry_after, row.place)
    elif row.place is not None and not isinstance(error, UnknownOutcome):
        row.account_client.limiter.unsent(row.place)
    if isinstance(error, AuthenticationError):
        account = row.settings.account.identity
        error.reword(message("row.key_rejected", account=account, words=error.text))
    if row.others and may_move(error, session.limits) and out_of_patience(row, error):
        refused_by_route(row, error)
        state = State.DEFERRED
    elif isinstance(error, AuthenticationError | InsufficientFunds | RouteUnavailable):
        session.circuit_breaker.close(row.settings, error, session.limits.limit_patience)
    await session.ledger.refuse(session.run, row.id, attempt, error, state)
    session.spending.settled(row.key, made=False)
    row.moved(state, error.message)


def _intent(row: Row) -> Intent:
    return Intent(
        row_id=row.id,
        provider=row.settings.account.provider,
        account=row.settings.account.label,
        model=row.settings.route.model,
        fingerprint=row.fingerprint,
        billing_model=row.quote.billing_model,
        unit=row.quote.unit,
        unit_price=row.quote.unit_price,
        currency=row.quote.currency,
        quote_low=row.quote.low,
        quote_high=row.quote.high,
        reserve=row.session.limits.reserve(row.quote),
        reference_seconds=row.reference_seconds,
        request=redacted(row.request) if row.others else None,
        passed=tuple(str(each) for each in row.passed()),
    )
