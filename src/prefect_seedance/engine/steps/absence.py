"""What follows where the provider does not have a row's job now, or its link does not work (law 4).

The row stays as it is, and every later run and sweep asks again, for free. It expires only where the documented life of
its job, or of its link, is over, the absence has lasted for minutes, and the key is the one that made the job.
"""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta

from prefect_seedance.accounts.polling.poller import ABSENCE
from prefect_seedance.core.clock import now
from prefect_seedance.engine.row import Row
from prefect_seedance.errors import NotFound
from prefect_seedance.ledger import Charge, RowRecord, Settlement, State
from prefect_seedance.ledger.rows import transitions
from prefect_seedance.messages import Message, message

__all__ = ["absent", "asked_for", "made_with_other_key", "pause_before_next"]

ASKED_AGAIN = 30.0
"""Seconds for which a run asks about what an earlier run has found absent."""

LONGEST_PAUSE = 60.0
"""Seconds between two tries of a link that does not work; the first pause is one second."""

SEVERAL = 3
"""Absent jobs of one account that are reported as one trouble of the account."""


def asked_for(row: Row) -> float:
    """Seconds for which this run goes on asking about the row, from the first absence."""
    return ASKED_AGAIN if row.was_absent else ABSENCE


def pause_before_next(row: Row) -> float | None:
    """Seconds to wait before a link that did not work is tried again; None where it is left to a later run."""
    if row.state is not State.SUCCEEDED or not isinstance(row.trouble, NotFound):
        return None
    clock = asyncio.get_running_loop().time()
    if row.absent_from is None:
        row.absent_from, row.absent_tries = clock, 0
    row.absent_tries += 1
    pause = min(LONGEST_PAUSE, 2.0 ** min(row.absent_tries - 1, 16))
    longest = min(asked_for(row), row.session.spec.patience)
    return None if row.session.is_over() or clock + pause - row.absent_from > longest else pause


def made_with_other_key(row: Row, record: RowRecord) -> bool:
    """Whether another key than the present one made the row's job; it may belong to another account."""
    made_with = record.attempt.key_fingerprint if record.attempt else None
    return made_with not in {None, row.settings.account.key_fingerprint}


async def absent(row: Row, error: NotFound) -> NotFound:
    """Record that the row's job, or its link, is absent; returns the error for the row.

    Args:
        row: The row, `created` or `succeeded`.
        error: What the provider or the file server said.
    """
    session, record = row.session, await row.record()
    if record.attempt is None:
        # A copy of another row's video: there is no job that could be asked.
        lost = NotFound(message("reuse.copy_lost"), row=row.key)
        await session.ledger.write(transitions.expire, session.run, row.id, lost)
        row.set_state(State.EXPIRED, lost.message)
        return lost
    moment = now()
    lasted = error.lasted
    if row.absent_from is not None:
        lasted = max(lasted, asyncio.get_running_loop().time() - row.absent_from)
    since = min(record.absent_since or moment, moment - timedelta(seconds=lasted))
    until = _life_ends(row, record, error)
    other_key = made_with_other_key(row, record)
    expired = not other_key and until < moment and moment - since >= timedelta(seconds=ABSENCE)
    found = NotFound(
        _text(row, error, until, other_key=other_key, expired=expired),
        provider=row.settings.account.provider,
        code=error.code,
        row=row.key,
        http_status=error.http_status,
    )
    if not expired:
        await session.ledger.write(transitions.absent, session.run, row.id, found, since)
    elif row.state is State.CREATED:
        # It was accepted, but its outcome and its cost can no longer be found out.
        charge = Charge(Settlement.UNDOCUMENTED)
        await session.ledger.write(transitions.fail_gone, session.run, row.id, charge, found)
    else:
        await session.ledger.write(transitions.expire, session.run, row.id, found)
    row.set_state(State.EXPIRED if expired else row.state, found.message)
    _report(row)
    return found


def _life_ends(row: Row, record: RowRecord, error: NotFound) -> datetime:
    """When the documented life of what is absent ends."""
    if error.about_link and record.link_expires_at is not None:
        return record.link_expires_at
    attempt = record.attempt
    born = record.planned_at if attempt is None else attempt.answered_at or attempt.sent_at
    return born + row.account_client.client.dialect.job_lifetime


def _text(row: Row, error: NotFound, until: datetime, *, other_key: bool, expired: bool) -> Message:
    label = row.settings.account.identity
    if other_key:
        return message("job.absent_with_other_key", job=row.job_id, account=label, reason=error.text)
    if expired:
        return message("job.video_expired", reason=error.text, job=row.job_id)
    day = f"{until:%Y-%m-%d %H:%M} UTC"
    if error.about_link:
        return message("job.link_absent", job=row.job_id, reason=error.text, until=day)
    return message("job.absent", job=row.job_id, reason=error.text, until=day)


def _report(row: Row) -> None:
    """Say once that several jobs of an account are absent: then it is hardly the jobs."""
    account = row.settings.account.identity
    rows = row.session.absent.setdefault(account, set())
    before = len(rows)
    rows.add(row.key)
    if before < SEVERAL <= len(rows):
        row.session.say(message("account.jobs_absent", account=account, number=SEVERAL))
