"""The review step: submits a medium to a provider's asset library, once per content and account."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta

from prefect_seedance.core.clock import now
from prefect_seedance.engine.medium import Medium
from prefect_seedance.engine.steps.media.lock import held
from prefect_seedance.engine.steps.media.submit_asset import submit
from prefect_seedance.errors import (
    ContentRejected,
    InvalidResponse,
    NotFound,
    RateLimited,
    ReviewPending,
    SeedanceError,
    Unreachable,
)
from prefect_seedance.ledger import MaterialKey, MaterialRecord, MaterialState
from prefect_seedance.ledger.rows import materials
from prefect_seedance.messages import message
from prefect_seedance.providers import AssetState, AssetView

__all__ = ["review"]

FIRST_PAUSE = 1.0
LONGEST_PAUSE = 10.0
"""Seconds between two queries of a review; no document says how long one takes, an example took nine."""

UNKNOWN_AT_FIRST = timedelta(seconds=60)
"""For so long a provider may not know an asset that it has just accepted (Anyfast: observed for about 20 s)."""


async def review(medium: Medium) -> None:
    """Submit a medium to the provider's library and wait for its review: afterwards `medium.reference` is its asset.

    Raises:
        ContentRejected: It did not pass.
        ReviewPending: The run's patience is over.
        Refused: The provider does not accept it.
        UnknownOutcome: A billed request got no answer, and the asset is not found.
        Unreachable: The provider could not be reached; another try may help.
    """
    account = medium.settings.account
    identity = await medium.identity()
    key = MaterialKey(account.provider, account.label, medium.form, medium.kind, identity)
    async with held(medium, key, medium.name) as record:
        if record.state is not MaterialState.READY:
            await _reviewed(medium, record)
        else:
            medium.reference = record.reference
    medium.expires_at = None  # assets do not expire, not even that of an uploaded file whose link does


async def _reviewed(medium: Medium, record: MaterialRecord) -> None:
    session, ledger = medium.session, medium.session.ledger
    if record.state is MaterialState.FAILED:
        if not _may_resubmit(medium, record):
            raise _refusal(medium, record.error_message, record.error_code)
        record = await _reopened(medium, record)
    asset_id, made_at = record.asset_id, record.made_at or now()
    if asset_id is None:
        asset_id, made_at = await submit(medium, record), now()
        await ledger.write(
            materials.note, session.run, record.id, state=MaterialState.REVIEWING, asset_id=asset_id, made_at=made_at
        )
    view = await _review_ended(medium, asset_id, made_at.timestamp())
    if view.state is AssetState.FAILED:
        await ledger.write(
            materials.note,
            session.run,
            record.id,
            state=MaterialState.FAILED,
            error_code=view.error_code,
            error_message=view.error_message,
            failed_by=session.run.id,
        )
        raise _refusal(medium, view.error_message, view.error_code)
    medium.reference = view.reference or f"asset://{asset_id}"
    await ledger.write(materials.note, session.run, record.id, state=MaterialState.READY, reference=medium.reference)


async def _reopened(medium: Medium, record: MaterialRecord) -> MaterialRecord:
    """Prepare a failed medium for another submission. Its attempt is recorded first, so a crash causes no third one."""
    opened = replace(record, state=MaterialState.OPEN, asset_id=None, made_at=None, attempt=record.attempt + 1)
    values = {name: getattr(opened, name) for name in ("state", "asset_id", "made_at", "attempt")}
    session = medium.session
    await session.ledger.write(materials.note, session.run, record.id, error_code=None, error_message=None, **values)
    return opened


async def _review_ended(medium: Medium, asset_id: str, made_at: float) -> AssetView:
    """Wait for the end of the review; returns the asset."""
    clock = asyncio.get_running_loop().time
    until, pause = clock() + medium.session.spec.patience, FIRST_PAUSE
    trouble: SeedanceError | None = None
    while True:
        try:
            view = await medium.client.asset(medium.library, asset_id)
        except NotFound:
            if now().timestamp() > made_at + UNKNOWN_AT_FIRST.total_seconds():
                raise
        except (Unreachable, InvalidResponse, RateLimited) as error:
            trouble = error
        else:
            if view.state is not AssetState.REVIEWING:
                return view
        if clock() + pause > until:
            text = message("review.pending", medium=medium.shown, asset=asset_id, seconds=medium.session.spec.patience)
            if trouble:
                text = message("review.pending_after_error", review=text, error=trouble.text)
            raise ReviewPending(text, provider=medium.settings.account.provider)
        await asyncio.sleep(pause)
        pause = min(pause * 1.5, LONGEST_PAUSE)


def _may_resubmit(medium: Medium, record: MaterialRecord) -> bool:
    """Whether a failed medium is submitted again: never twice in a run, and where it is billed, only on request."""
    if record.failed_by == medium.session.run.id:
        return False
    return medium.session.spec.retry_refused or medium.billing_model is None


def _refusal(medium: Medium, words: str | None, code: str | None) -> ContentRejected:
    provider = medium.settings.account.provider
    text = message(
        "review.rejected",
        kind=medium.kind,
        medium=medium.shown,
        provider=provider,
        reason=words or message("job.no_reason"),
    )
    return ContentRejected(text, provider=provider, code=code or "review_failed")
