"""Loads rows from the ledger alone, for a process that has no plan in memory.

The ledger keeps a row's request without its secrets: signed links, and content that was given inline. A row that needs
one of these cannot be loaded, and `not_loadable` says so before anything is spent.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

from prefect_seedance.engine.row import Row
from prefect_seedance.engine.session import Session
from prefect_seedance.errors import InputError, SeedanceError
from prefect_seedance.ledger import TAKEABLE, RowRecord, State
from prefect_seedance.media import Storage, open_storage
from prefect_seedance.messages import Message, message
from prefect_seedance.planning.planned_row import PlannedRow
from prefect_seedance.providers import RouteSettings
from prefect_seedance.routes import Quote, VideoRequest, find, quote
from prefect_seedance.routes.media_fields import addresses
from prefect_seedance.tables.row_keys import redacted

__all__ = ["RowLoader", "addressed", "not_loadable"]

_WORKED_ON = TAKEABLE | {State.CREATED, State.SUCCEEDED}


def not_loadable(row: PlannedRow) -> Message | None:
    """Why a row cannot be loaded from the ledger; None where it can."""
    for candidate in row.candidates:
        kept = VideoRequest.model_validate(redacted(candidate.request))
        if kept == candidate.request:
            continue
        lost = sorted(
            {field for field, address in addresses(candidate.request) if (field, address) not in set(addresses(kept))}
        )
        return message("row.not_in_ledger", fields=lost)
    return None


def addressed(row: PlannedRow, row_id: int, *, named: bool) -> dict[str, Any]:
    """A row in the form that `Ledger.address` takes.

    Args:
        row: The planned row.
        row_id: Its id in the ledger.
        named: Whether the route's name has to be kept, since provider, account and model are not unique.
    """
    account = row.settings.account
    meant: dict[str, Any] | None = None
    if row.others or row.review or row.reference_seconds is not None or named:
        meant = {"candidates": [_candidate(each) for each in row.candidates]}
    return {
        "row_id": row_id,
        "provider": account.provider,
        "account": account.label,
        "model": row.settings.route.model,
        "fingerprint": row.fingerprint,
        "request": redacted(row.request),
        "meant": meant,
    }


def _candidate(row: PlannedRow) -> dict[str, Any]:
    facts: dict[str, Any] = {"block": row.settings.block, "fingerprint": row.fingerprint}
    facts["request"] = redacted(row.request)
    if row.review:
        facts["review"] = row.review
    if row.reference_seconds is not None:
        facts["reference_seconds"] = str(row.reference_seconds)
    return facts


class RowLoader:
    """Loads the rows of one session from the ledger.

    Args:
        session: The run that holds them.
        routes: The routes that they may use.
        parts: A folder for unfinished downloads before they are moved to a store.
    """

    def __init__(self, session: Session, routes: Sequence[RouteSettings], parts: Path | None) -> None:
        self._session = session
        self._routes = routes
        self._parts = parts
        self._storages: dict[str, Storage] = {}

    async def rows(self, ids: Collection[int]) -> list[Row]:
        """The rows that can be worked on, in the order in which they were planned."""
        records = await self._session.ledger.rows(ids)
        meant = await self._session.ledger.plan_details(ids)
        found = [await self._row(records[row_id], meant.get(row_id)) for row_id in sorted(records)]
        return [row for row in found if row is not None]

    async def _row(self, record: RowRecord, meant: Mapping[str, Any] | None) -> Row | None:
        if record.state not in _WORKED_ON or record.folder is None:
            return None
        candidates = self._candidates(record, meant) if record.state in TAKEABLE else self._as_made(record)
        if not candidates:
            return None
        first = candidates[0]
        return Row(
            session=self._session,
            record=record,
            request=first.request,
            settings=first.settings,
            fingerprint=first.fingerprint,
            quote=first.quote,
            storage=await self._storage(record.folder),
            review=first.review,
            reference_seconds=first.reference_seconds,
            candidates=candidates if len(candidates) > 1 else (),
        )

    def _candidates(self, record: RowRecord, meant: Mapping[str, Any] | None) -> list[PlannedRow]:
        """The row as planned for each of its routes; empty where this process lacks one of them."""
        if meant is None:
            settings = route_of(record, self._routes)
            return [] if settings is None else [_planned(record, settings, record.request, record.fingerprint)]
        named = {settings.block: settings for settings in self._routes}
        listed = meant["candidates"]
        if not all(each["block"] in named for each in listed):
            return []
        found = [
            _planned(
                record,
                named[each["block"]],
                each["request"],
                each["fingerprint"],
                review=each.get("review"),
                seconds=each.get("reference_seconds"),
            )
            for each in listed
        ]
        return [replace(found[0], others=tuple(found[1:])), *found[1:]]

    def _as_made(self, record: RowRecord) -> list[PlannedRow]:
        """The row with the route that made its job; any route of the account can query it."""
        settings = route_of(record, self._routes) or _any_route_of(record, self._routes)
        return [] if settings is None else [_planned(record, settings, record.request, record.fingerprint)]

    async def _storage(self, folder: str) -> Storage:
        if folder not in self._storages:
            storage = open_storage(folder, self._parts)
            await asyncio.to_thread(storage.ensure)
            self._storages[folder] = storage
        return self._storages[folder]


def route_of(record: RowRecord, routes: Sequence[RouteSettings]) -> RouteSettings | None:
    """The route of a row; None where this process lacks it."""
    for settings in routes:
        account = settings.account
        if (account.provider, account.label, settings.route.model) == (record.provider, record.account, record.model):
            return settings
    return None


def _any_route_of(record: RowRecord, routes: Sequence[RouteSettings]) -> RouteSettings | None:
    for settings in routes:
        if (settings.account.provider, settings.account.label) == (record.provider, record.account):
            try:
                return replace(settings, route=find(record.model, record.provider), prices=None)
            except InputError:
                return settings
    return None


def _planned(
    record: RowRecord,
    settings: RouteSettings,
    asked: Mapping[str, Any],
    fingerprint: str,
    *,
    review: Any = None,
    seconds: str | None = None,
) -> PlannedRow:
    request = VideoRequest.model_validate(dict(asked))
    measured = None if seconds is None else Decimal(seconds)
    return PlannedRow(
        position=0,
        key=record.key,
        request=request,
        settings=settings,
        quote=_quote(settings, request, measured),
        fingerprint=fingerprint,
        review=review if review is not None else settings.review,
        reference_seconds=measured,
    )


def _quote(settings: RouteSettings, request: VideoRequest, seconds: Decimal | None) -> Quote:
    try:
        return quote(settings.route, request, settings.prices, reference_seconds=seconds)
    except SeedanceError:
        # As in the check of the table: the measured length is outside the range that the route's rule covers.
        return quote(settings.route, request, settings.prices)
