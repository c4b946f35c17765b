"""The poll step: waits for a job, and settles its charge as soon as it has ended."""

from __future__ import annotations

import asyncio
import logging

from prefect_seedance.accounts.polling.forecast import Profile
from prefect_seedance.core.checkpoints import reached
from prefect_seedance.core.clock import now
from prefect_seedance.core.events import RowEvent
from prefect_seedance.engine.row import Row
from prefect_seedance.engine.steps.absence import absent, asked_for
from prefect_seedance.engine.steps.dead_job import ASKED, probably_dead
from prefect_seedance.errors import ContentRejected, JobFailed, NotFound, SeedanceError, StillRunning
from prefect_seedance.ledger import Charge, RowRecord, Settlement, State
from prefect_seedance.ledger.rows import transitions
from prefect_seedance.messages import Message, message
from prefect_seedance.providers import JobState, JobView
from prefect_seedance.routes import settle_units
from prefect_seedance.routes.pricing import decimals

__all__ = ["poll"]

log = logging.getLogger(__name__)


async def poll(row: Row) -> None:
    """Wait for the row's job: afterwards the row is `succeeded`.

    Does nothing for a row that is not waiting for a job.

    Raises:
        JobFailed: The job failed; its charge is settled as the provider's documents say.
        ContentRejected: The job failed because of its content.
        StillRunning: The run's patience is over; the job goes on.
        NotFound: The provider does not know the job now; `absence` says what follows.
        SeedanceError: The provider cannot be queried now. The row stays `created`.
    """
    if row.state is not State.CREATED or row.job_id is None:
        return
    remarks = _Remarks(row)
    patience = row.session.spec.patience
    if row.created_at is None and await probably_dead(row) is not None:
        patience = min(patience, ASKED)
    try:
        view = await row.account_client.poller.wait(
            row.job_id,
            pace=row.settings.poll_seconds,
            patience=patience,
            profile=_profile(row),
            age=None if row.created_at is None else asyncio.get_running_loop().time() - row.created_at,
            link_lifetime=row.account_client.client.dialect.result_lifetime.total_seconds(),
            absence=asked_for(row),
            on_view=remarks.seen,
        )
    except NotFound as error:
        raise await absent(row, error) from error
    except SeedanceError as error:
        error.row = row.key
        raise
    finally:
        await remarks.written()
    if view.state.final:
        reached("job ended")
    if view.state is JobState.SUCCEEDED:
        await _succeeded(row, view)
    elif view.state is JobState.FAILED:
        raise await _failed(row, view)
    else:
        text = await probably_dead(row) or message("job.still_running", job=row.job_id, seconds=patience)
        if remarks.last is not None:
            text = message("job.still_running_unclear", text=text, remark=remarks.last)
        raise StillRunning(text, provider=row.settings.account.provider, row=row.key)


def _profile(row: Row) -> Profile:
    return Profile(row.settings.route.model, row.request.duration, row.request.resolution)


class _Remarks:
    """What a person should know while the job goes on: a status word that this program does not know.

    It is in each row event, once in the log, and in the ledger, where `status` reads it.
    """

    def __init__(self, row: Row) -> None:
        self.last: Message | None = None
        self._row = row
        self._stored: str | None = None
        self._writing: list[asyncio.Task[None]] = []

    def seen(self, view: JobView) -> None:
        """Publish the progress of the job, and a remark where its status is not known."""
        row, session = self._row, self._row.session
        self.last = None if view.status_known else _unknown_status(row, view)
        text = None if self.last is None else str(self.last)
        session.notify(
            RowEvent(row.key, State.CREATED.value, row.settings.route.model, progress=view.progress, message=text)
        )
        word = (row.settings.account.provider, view.provider_status)
        if text is not None and word not in session.unknown_words:
            session.unknown_words.add(word)
            log.warning("Row %s: %s", row.key, text)
        if text != self._stored and not view.state.final:
            self._stored = text
            written = session.ledger.write(transitions.remark, session.run, row.id, text)
            self._writing.append(asyncio.create_task(written, name=f"seedance remark {row.key}"))

    async def written(self) -> None:
        """Wait until the ledger has the remarks. They only show something, so an error of theirs stops no row."""
        for error in await asyncio.gather(*self._writing, return_exceptions=True):
            if isinstance(error, Exception):
                log.warning("Row %s: a remark was not recorded: %s", self._row.key, error)


def _unknown_status(row: Row, view: JobView) -> Message:
    provider, status = row.settings.account.provider, view.provider_status
    if view.error_message is None:
        return message("job.unknown_status", provider=provider, status=status)
    return message("job.unknown_status_why", provider=provider, status=status, reason=view.error_message)


async def _succeeded(row: Row, view: JobView) -> None:
    record = await row.record()
    lifetime = row.account_client.client.dialect.result_lifetime
    expires = (view.finished_at or now()) + lifetime
    await row.session.ledger.write(
        transitions.succeed, row.session.run, row.id, _charge(row, record, view), link_expires_at=expires
    )
    reached("charge written")
    row.video_url, row.link_expires_at, row.settled = view.video_url, expires, record
    row.set_state(State.SUCCEEDED)


async def _failed(row: Row, view: JobView) -> SeedanceError:
    kind: type[SeedanceError] = ContentRejected if view.moderated else JobFailed
    error = kind(
        view.error_message or message("job.no_reason"),
        provider=row.settings.account.provider,
        code=view.error_code,
        request_id=view.request_id,
        row=row.key,
    )
    await row.session.ledger.write(transitions.fail, row.session.run, row.id, _failure_charge(row), error)
    row.set_state(State.FAILED, error.message)
    return error


def _charge(row: Row, record: RowRecord, view: JobView) -> Charge:
    """The charge at the price that was recorded with the intent, whatever the price is now."""
    reference = record.attempt.reference_seconds if record.attempt else None
    units = settle_units(row.settings.route, row.request, tokens=view.tokens, reference_seconds=reference)
    price = record.attempt.unit_price if record.attempt else None
    if record.attempt is not None and record.attempt.unit not in {None, row.settings.route.unit}:
        units = None  # another route has made the job, and this one counts in another unit
    amount = None if units is None or price is None else decimals.multiply(units, price)
    return Charge(Settlement.CHARGED, units=units, amount=amount, tokens=view.tokens)


def _failure_charge(row: Row) -> Charge:
    if row.account_client.client.dialect.refund_on_failure == "documented":
        return Charge(Settlement.REFUNDED)
    return Charge(Settlement.UNDOCUMENTED)
