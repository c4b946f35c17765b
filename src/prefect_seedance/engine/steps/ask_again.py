"""Asks about the jobs of expired rows that the user wants again: only what is gone may be paid for again (law 4)."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from prefect_seedance.engine.row import Row
from prefect_seedance.engine.steps.absence import made_with_other_key
from prefect_seedance.errors import LedgerError, NotFound, SeedanceError
from prefect_seedance.ledger import State
from prefect_seedance.ledger.rows import planning, transitions
from prefect_seedance.media import ensure_folder
from prefect_seedance.messages import message
from prefect_seedance.providers import JobState

__all__ = ["ask_again"]

AT_ONCE = 8
"""Jobs that are asked about at once."""


async def ask_again(rows: Sequence[Row]) -> None:
    """Ask about the job of each expired row, for free.

    Afterwards a row is `created` where the provider still has its job, and `planned` where job or link is gone. It
    stays `expired` where the answer proves neither; `row.trouble` says why.
    """
    places = asyncio.Semaphore(AT_ONCE)

    async def ask(row: Row) -> None:
        async with places:
            await _ask(row)

    # Not a task group: a ledger that cannot be written must arrive as its own error, which the callers know.
    await asyncio.gather(*(ask(row) for row in rows))


async def _ask(row: Row) -> None:
    session = row.session
    try:
        gone = await _is_gone(row)
        if gone is not None and made_with_other_key(row, await row.record()):
            account = row.settings.account.identity
            raise NotFound(
                message("job.absent_with_other_key", job=row.job_id, account=account, reason=gone.text),
                provider=row.settings.account.provider,
                row=row.key,
            )
    except LedgerError:
        raise
    except SeedanceError as error:
        error.row = row.key
        row.trouble = error
        return
    if gone is None:
        await session.ledger.write(transitions.revive, session.run, row.id)
        row.set_state(State.CREATED)
    else:
        await session.ledger.write(planning.plan_again, session.run, [row.id])
        row.set_state(State.PLANNED, gone.message)


async def _is_gone(row: Row) -> NotFound | None:
    """Why the job or its video is gone; None where it is not.

    Raises:
        SeedanceError: The provider did not answer that.
    """
    if row.job_id is None:
        return NotFound(message("job.not_recorded"))
    try:
        view = await row.account_client.client.query(row.job_id)
    except NotFound as error:
        return error
    if view.state is not JobState.SUCCEEDED or view.video_url is None:
        return None  # it goes on, or it failed: its next query says so
    part, account = row.part, row.settings.account
    await asyncio.to_thread(ensure_folder, part.parent)
    try:
        # The download step goes on with these bytes.
        await row.session.downloader.fetch(view.video_url, part, provider_url=account.base_url, api_key=account.api_key)
    except NotFound as error:
        return error
    except SeedanceError:
        return None  # the link works, if badly
    return None
