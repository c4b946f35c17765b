"""The only place that makes rows: from a plan in memory, or from the ledger alone.

The ledger keeps a row's request without its secrets: signed links, and content that was given inline. A row that needs
one of these cannot be sent by another process, and `not_loadable` says so before anything is spent.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any

from prefect_seedance.core.events import RowEvent
from prefect_seedance.engine.row import Row
from prefect_seedance.engine.session import Session
from prefect_seedance.engine.stored_files import missing_files
from prefect_seedance.errors import InputError, LedgerError, SeedanceError
from prefect_seedance.ledger import TAKEABLE, RouteKey, RowRecord, State
from prefect_seedance.ledger.rows import lookups, transitions
from prefect_seedance.ledger.sharing import work_claims
from prefect_seedance.media import Storage, open_storage
from prefect_seedance.messages import Message, message
from prefect_seedance.planning.planned_row import PlannedRow
from prefect_seedance.providers import RouteSettings
from prefect_seedance.routes import Quote, VideoRequest, find, quote
from prefect_seedance.routes.media_fields import addresses
from prefect_seedance.tables.row_keys import redacted

__all__ = ["HAS_WORK", "RowLoader", "addressed", "as_made", "not_loadable", "route_key"]

HAS_WORK = TAKEABLE | {State.CREATED, State.SUCCEEDED}
"""States in which a run has something to do for a row."""


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
    """A row in the form that `work_claims.update_plans` takes.

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
    """Makes the rows of one session: as planned in memory, or else from the ledger alone.

    Args:
        session: The run that holds them.
        plan: The rows as planned, by key. They have what the ledger does not keep, such as signed links.
        storage: Where their videos are stored; None: in the folder that the ledger has for each row.

    Attributes:
        reasons: By row id: why a row cannot be worked on by this run. A `LedgerError` concerns that row alone.
    """

    def __init__(
        self, session: Session, *, plan: Mapping[str, PlannedRow] | None = None, storage: Storage | None = None
    ) -> None:
        self._session = session
        self._routes = session.context.routes
        self._plan = plan or {}
        self._storage = storage
        self._storages: dict[str, Storage] = {}
        self.reasons: dict[int, SeedanceError] = {}

    async def rows(self, ids: Collection[int]) -> list[Row]:
        """The rows that this run can work on, in the order of the table, else of their planning.

        A stored row whose file is gone or changed is `succeeded` again, so that its video is fetched anew.
        """
        ledger = self._session.ledger
        records = await ledger.read(lookups.rows_by_id, ids)
        for row_id in await self._lost([each for each in records.values() if each.state is State.STORED]):
            await ledger.write(transitions.refetch, self._session.run, row_id)
            records[row_id] = await ledger.row(row_id)
        details: Mapping[int, Any] = {}
        if not all(record.key in self._plan for record in records.values()):
            details = await ledger.read(work_claims.plan_details, ids)
        found = [
            await self._row(record, details.get(record.id)) for record in sorted(records.values(), key=self._place)
        ]
        return [row for row in found if row is not None]

    def _place(self, record: RowRecord) -> tuple[int, int]:
        return (self._plan[record.key].position if record.key in self._plan else 0), record.id

    async def _lost(self, stored: Sequence[RowRecord]) -> set[int]:
        if not stored:
            return set()
        parts = self._session.context.parts
        home = self._storage or open_storage(stored[0].folder or ".", parts)
        return await missing_files(stored, home, parts)

    async def _row(self, record: RowRecord, details: Mapping[str, Any] | None) -> Row | None:
        has_job = record.state in {State.CREATED, State.SUCCEEDED, State.EXPIRED}
        known = self._plan.get(record.key)
        if has_job:
            planned = as_made(record, known.candidates if known is not None else (), self._routes)
        else:
            planned = self._as_planned(record, details)
        if planned is None:
            account = f"{record.provider}/{record.account}"
            if has_job:
                text = message("row.account_not_used", account=account)
            else:
                text = message("row.route_not_used", account=account, model=record.model)
            self.reasons[record.id] = LedgerError(text, row=record.key)
            return None
        if self._storage is None and record.folder is None:
            self.reasons[record.id] = LedgerError(message("row.no_folder"), row=record.key)
            return None
        try:
            storage = self._storage or await self._opened(str(record.folder))
        except SeedanceError as error:
            self.reasons[record.id] = error
            return None
        row = Row(session=self._session, record=record, planned=planned, storage=storage)
        model = planned.settings.route.model
        self._session.notify(RowEvent(row.key, row.state.value, model, message=record.error_message))
        return row

    def _as_planned(self, record: RowRecord, details: Mapping[str, Any] | None) -> PlannedRow | None:
        """A row that may be sent, with all its routes; None where this process lacks one of them."""
        if record.key in self._plan:
            return self._plan[record.key]
        if details is None:
            settings = _route_of(record, self._routes)
            return None if settings is None else _planned(record, settings, record.request, record.fingerprint)
        named = {settings.block: settings for settings in self._routes}
        listed = details["candidates"]
        if not all(each["block"] in named for each in listed):
            return None
        first, *others = [
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
        return replace(first, others=tuple(others))

    async def _opened(self, folder: str) -> Storage:
        if folder not in self._storages:
            storage = open_storage(folder, self._session.context.parts)
            await asyncio.to_thread(storage.ensure)
            self._storages[folder] = storage
        return self._storages[folder]


def route_key(settings: RouteSettings) -> RouteKey:
    """What the ledger knows of a route: provider, account and model."""
    return settings.account.provider, settings.account.label, settings.route.model


def as_made(record: RowRecord, candidates: Sequence[PlannedRow], routes: Sequence[RouteSettings]) -> PlannedRow | None:
    """A row that was sent, with the route that made its job: another account does not know the job.

    Where that route is no candidate of the row any more, any route of the account has the key to query the job. The
    charge is known only where that route counts in the unit of the attempt.

    Args:
        record: The row in the ledger.
        candidates: The row as planned for each of its routes, where it is planned.
        routes: The routes of the run.

    Returns:
        None where the run does not use the account.
    """
    for candidate in candidates:
        if route_key(candidate.settings) == _made_by(record):
            return replace(candidate, others=())
    settings = _route_of(record, routes) or _other_route_of(record, routes)
    return None if settings is None else _planned(record, settings, record.request, record.fingerprint)


def _made_by(record: RowRecord) -> RouteKey:
    return record.provider, record.account, record.model


def _route_of(record: RowRecord, routes: Sequence[RouteSettings]) -> RouteSettings | None:
    return next((settings for settings in routes if route_key(settings) == _made_by(record)), None)


def _other_route_of(record: RowRecord, routes: Sequence[RouteSettings]) -> RouteSettings | None:
    """The row's model at its account, with the key of another route; that route where the catalogue lacks the model."""
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
