"""The create step: written down first, sent once, and never again unless it was provably refused (laws 1 and 2)."""

from __future__ import annotations

import asyncio

from prefect_seedance.errors import (
    BadKey,
    LedgerError,
    OutOfFunds,
    RateLimited,
    Refused,
    SeedanceError,
    UnknownOutcome,
    Unreachable,
    UserMistake,
)
from prefect_seedance.instants import reached
from prefect_seedance.jobs.loop import GRACE
from prefect_seedance.jobs.row import Row
from prefect_seedance.jobs.terms import OverBudget
from prefect_seedance.ledger import TAKEABLE, Intent, State

__all__ = ["create"]


async def create(row: Row) -> None:
    """Have the row's video made, if it may be: afterwards the row is `created`.

    Does nothing for a row that is past this step already.

    Raises:
        OverBudget: Its worst case does not fit; nothing was sent.
        Refused: Proven: nothing was made. `RateLimited` may be tried again, as may `Unreachable`.
        UnknownOutcome: It cannot be told whether a job was made. Never try again.
        LedgerError: The intent could not be written; nothing was sent.
    """
    if row.state not in TAKEABLE:
        return
    session = row.session
    await row.channel.limiter.ready(row.place)
    if (reason := session.closed.get(row.settings.account)) is not None:
        await session.ledger.put_off(session.run, row.id, reason)
        row.moved(State.DEFERRED, reason.message)
        raise reason
    sending = asyncio.create_task(_send(row), name=f"seedance create {row.key}")
    session.sending.add(sending)
    sending.add_done_callback(session.sending.discard)
    await _in_order(sending)


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
    attempt = await session.ledger.intend(session.run, _intent(row), session.terms.budget)
    if attempt is None:
        told = (
            f"Its worst case does not fit into what is left of the budget of {session.terms.budget}; nothing was sent."
        )
        row.moved(State.OVER_BUDGET, told)
        raise OverBudget(told, row=row.key)
    reached("intent written")
    row.moved(State.SENT)
    try:
        made = await row.channel.client.create(row.settings.route.model, row.sendable or row.request)
    except UserMistake as error:
        # The request could not even be put into words; it never left.
        refusal = Refused(error.message, provider=row.settings.account.provider, code=error.code, row=row.key)
        await _refused(row, attempt, refusal)
        raise refusal from None
    except SeedanceError as error:
        error.row = row.key
        await _refused(row, attempt, error)
        raise
    except BaseException as error:
        # Cancelled on the wire, or an error that nobody foresaw: the request may have arrived.
        lost = UnknownOutcome(
            f"The create was given up before the provider's answer came ({type(error).__name__}).",
            provider=row.settings.account.provider,
            row=row.key,
        )
        await _refused(row, attempt, lost)
        raise
    reached("answer received")
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
        raise LedgerError(
            f"{error.message} The provider has made job {made.job_id} of this row.", row=row.key
        ) from error
    reached("job written")
    row.job_id = made.job_id
    row.created_at = asyncio.get_running_loop().time()
    row.channel.limiter.accepted(row.place)
    row.moved(State.CREATED)


async def _refused(row: Row, attempt: int, error: SeedanceError) -> None:
    session = row.session
    state = _state_after(error)
    if isinstance(error, RateLimited):
        row.channel.limiter.refused(error.retry_after, row.place)
    elif row.place is not None and not isinstance(error, UnknownOutcome):
        row.channel.limiter.unsent(row.place)
    if isinstance(error, BadKey):
        account = row.settings.account.identity
        error.message = f"The API key of {account} is not accepted; check the key in its credentials. {error.message}"
    if isinstance(error, BadKey | OutOfFunds):
        session.closed.setdefault(row.settings.account, error)
    await session.ledger.refuse(session.run, row.id, attempt, error, state)
    row.moved(state, error.message)


def _state_after(error: SeedanceError) -> State:
    if isinstance(error, RateLimited | Unreachable | OutOfFunds | BadKey):
        return State.DEFERRED
    # Whatever is not proven to be a refusal may have been paid.
    return State.REFUSED if isinstance(error, Refused) else State.UNKNOWN


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
        reserve=row.session.terms.reserve(row.quote),
        reference_seconds=row.reference_seconds,
    )
