"""What follows where a provider has lost an asset that the ledger has as ready: it is made again, once in a run."""

from __future__ import annotations

from prefect_seedance.engine.medium import Medium
from prefect_seedance.engine.row import Row
from prefect_seedance.errors import NotFound, Refused, SeedanceError
from prefect_seedance.ledger import MaterialKey
from prefect_seedance.ledger.rows import materials
from prefect_seedance.providers.outcome import means_absent_asset

__all__ = ["may_be_lost", "will_be_made_again"]


def may_be_lost(row: Row, error: SeedanceError) -> bool:
    """Whether a create may have been refused for an asset of ours that is gone.

    An asset that the table itself names is not ours to make again.
    """
    return isinstance(error, Refused) and means_absent_asset(error) and not row.assets_renewed and bool(_assets(row))


async def will_be_made_again(row: Row) -> bool:
    """Whether assets of the row are gone, so that it may be sent with new ones: each is asked about, for free.

    Where the provider bills assets, the new one is a new billed request.
    """
    lost = [medium for medium in _assets(row) if await _is_lost(medium)]
    row.assets_renewed = bool(lost)
    for medium in lost:
        row.session.media.forget(medium)
    if lost:
        row.sendable = None
    return bool(lost)


def _assets(row: Row) -> list[Medium]:
    return [medium for medium in row.media if medium.form in {"asset", "portrait"}]


async def _is_lost(medium: Medium) -> bool:
    """Whether the provider does not know the asset any more; then the ledger opens it for another submission."""
    session, account = medium.session, medium.settings.account
    key = MaterialKey(account.provider, account.label, medium.form, medium.kind, await medium.identity())
    record = await session.ledger.read(materials.find, key)
    if record is None or record.asset_id is None or record.reference != medium.reference:
        return record is not None  # another row has found it out
    try:
        await medium.client.asset(medium.library, record.asset_id)
    except NotFound:
        await session.ledger.write(materials.reopen, record.id, record.asset_id)
        return True
    except SeedanceError:
        pass  # not proven
    return False
