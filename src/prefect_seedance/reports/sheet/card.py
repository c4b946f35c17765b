"""A card of the contact sheet: one row of one take, with its files, settings and costs."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import quote

from prefect_seedance.engine.steps.download import PREVIEWS, poster_name, strip_name
from prefect_seedance.ledger import AttemptRecord, RowRecord, State
from prefect_seedance.reports.results.result import INVALID
from prefect_seedance.reports.sheet.addresses import link_to

__all__ = ["Card", "cards_of", "pictures_in"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """What the sheet shows of one row in one take.

    Attributes:
        key: The row key.
        status: The row's state, or `invalid` where it broke a rule and was left out.
        order: The position of the row in the table; takes of a row share it.
        columns: The user's own columns, by heading.
        video: A link to the video, relative if it is in the sheet's folder; None where there is none.
        poster: The link of its poster picture, relative to the sheet; None where there is none.
        strip: The link of its strip: pictures side by side, from start to end.
        attempts: All creates of this row in this take, oldest first.
        remarks: What the user should know about the result, such as a length that differs.
        passed: The routes that refused it before its own, and why.
    """

    key: str
    status: str
    order: int
    take: str = "1"
    route: str | None = None
    provider: str | None = None
    account: str | None = None
    request: Mapping[str, Any] = field(default_factory=dict)
    columns: Mapping[str, str] = field(default_factory=dict)
    video: str | None = None
    poster: str | None = None
    strip: str | None = None
    path: str | None = None
    bytes: int | None = None
    width: int | None = None
    height: int | None = None
    seconds: Decimal | None = None
    sha256: str | None = None
    reason: str | None = None
    code: str | None = None
    planned_at: datetime | None = None
    finished_at: datetime | None = None
    stored_at: datetime | None = None
    attempts: Sequence[AttemptRecord] = ()
    remarks: Sequence[str] = ()
    passed: Sequence[str] = ()


def cards_of(
    records: Sequence[RowRecord],
    attempts: Sequence[AttemptRecord],
    *,
    folder: str | Path,
    columns: Mapping[str, Mapping[str, str]] | None = None,
    invalid: Mapping[str, str] | None = None,
    take: str = "1",
) -> list[Card]:
    """Make the cards of a batch, in the order of the table; the takes of a row are next to each other.

    Args:
        records: The rows of all takes, in the ledger's order.
        attempts: All attempts of the batch.
        folder: The folder of the batch and of its sheet: a path, or the URL of an object store (whose pictures are
            assumed to exist; the page can show a card without).
        columns: The user's own columns by row key, in the order of the current table. Rows that are no longer in it
            come last.
        invalid: Rows that broke a rule and were left out, with the reason, by row key.
        take: The take of the current run, to which `invalid` belongs.
    """
    base = str(folder).rstrip("/") if "://" in str(folder) else str(Path(folder).absolute())
    own, invalid = columns or {}, invalid or {}
    positions = {
        key: number for number, key in enumerate(dict.fromkeys([*own, *invalid, *(row.key for row in records)]))
    }
    tried: dict[int, list[AttemptRecord]] = {}
    for attempt in attempts:
        tried.setdefault(attempt.row_id, []).append(attempt)
    pictures = None if "://" in base else pictures_in(Path(base))
    cards = [
        _card(
            record,
            tried.get(record.id, ()),
            folder=base,
            pictures=pictures,
            order=positions[record.key],
            columns=own.get(record.key, {}),
        )
        for record in records
    ]
    known = {(card.take, card.key) for card in cards}
    cards += [
        Card(key=key, status=INVALID, order=positions[key], take=take, columns=own.get(key, {}), reason=reason)
        for key, reason in invalid.items()
        if (take, key) not in known
    ]
    # The sort is stable: takes of a row keep the order in which they were planned.
    return sorted(cards, key=lambda card: card.order)


def pictures_in(folder: Path) -> frozenset[str]:
    """The names of all pictures in a batch's folder."""
    above = str(folder / PREVIEWS)
    # As strings: Path objects would take longer than the whole page for a large batch.
    return frozenset(
        f"{root[len(above) + 1 :]}/{name}".replace(os.sep, "/").removeprefix("/")
        for root, _, names in os.walk(above)
        for name in names
    )


def _card(
    record: RowRecord,
    attempts: Sequence[AttemptRecord],
    *,
    folder: str,
    pictures: frozenset[str] | None,
    order: int,
    columns: Mapping[str, str],
) -> Card:
    stored = record.state is State.STORED

    def picture(name: str) -> str | None:
        exists = stored and (pictures is None or name.removeprefix(f"{PREVIEWS}/") in pictures)
        return quote(name) if exists else None

    return Card(
        key=record.key,
        status=record.state.value,
        order=order,
        take=record.take,
        route=record.model,
        provider=record.provider,
        account=record.account,
        request=record.request,
        columns=columns,
        video=link_to(record.path, folder) if stored else None,
        poster=picture(poster_name(record.file_name)),
        strip=picture(strip_name(record.file_name)),
        path=record.path if stored else None,
        bytes=record.bytes if stored else None,
        width=record.width if stored else None,
        height=record.height if stored else None,
        seconds=record.seconds if stored else None,
        sha256=record.sha256 if stored else None,
        reason=None if stored else record.error_message,
        code=None if stored else record.error_code or (record.error_kind if record.error_message else None),
        planned_at=record.planned_at,
        finished_at=record.finished_at,
        stored_at=record.stored_at if stored else None,
        attempts=attempts,
        remarks=(record.remarks or ()) if stored else (),
        passed=record.passed or (),
    )
