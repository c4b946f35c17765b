"""The result of each row of a table. A row's result is built on access, since large tables are rarely read in full."""

from __future__ import annotations

import hashlib
import marshal
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import cached_property
from typing import overload

from prefect_seedance.ledger import AttemptRecord, Payment, RowSummary, Settlement, SharedFields, State, moment
from prefect_seedance.messages import Message, message

__all__ = ["INVALID", "LEFT_OUT", "RowResult", "Rows"]

INVALID = "invalid"
LEFT_OUT = "left_out"

PIECE = 5000
"""Rows that are hashed at once."""

_MADE = frozenset({State.SUCCEEDED, State.STORED, State.EXPIRED})
"""States that a row reaches without an attempt only as a copy of another row's video."""

Paid = AttemptRecord | Payment
"""An attempt, as far as money is concerned."""


@dataclass(frozen=True, slots=True)
class RowResult:
    """The result of one row.

    Attributes:
        row: The row key.
        status: The row's state; `invalid` where it broke a rule and was left out, `left_out` where `only` or `limit`
            did not choose it.
        route: The route that made it, or was tried last.
        refused_before: The routes that refused it before that one, and why, as text.
        remarks: How the video differs from the request, and what is unusual about its file, as text.
        cost: What the row cost in this take, over all its attempts; None while that is not known.
        cost_note: What is not known about the cost, as text.
    """

    row: str
    status: str
    route: str | None = None
    provider: str | None = None
    account: str | None = None
    refused_before: str | None = None
    job_id: str | None = None
    video: str | None = None
    sha256: str | None = None
    bytes: int | None = None
    width: int | None = None
    height: int | None = None
    seconds: Decimal | None = None
    remarks: str | None = None
    billing_model: str | None = None
    unit: str | None = None
    units: Decimal | None = None
    unit_price: Decimal | None = None
    cost: Decimal | None = None
    currency: str | None = None
    cost_note: str | None = None
    attempts: int = 0
    planned_at: datetime | None = None
    sent_at: datetime | None = None
    finished_at: datetime | None = None
    stored_at: datetime | None = None
    link_expires_at: datetime | None = None
    error_code: str | None = None
    error_message: str | None = None


class Rows(Sequence[RowResult]):
    """Rows in the order of the table. Statuses and keys are cached; a row is built on each access."""

    def __init__(
        self,
        entries: Iterable[RowResult | RowSummary],
        earlier: Mapping[int, Sequence[AttemptRecord]] | None = None,
        troubles: Mapping[str, str] | None = None,
    ) -> None:
        """Keep the entries; build nothing yet.

        Args:
            entries: The rows: as the ledger has them, or as results where the ledger has none.
            earlier: The attempts of rows that are not the latest, by the ledger's row id.
            troubles: Why a row is in its state, by key, where the state does not show it.
        """
        self._entries = list(entries)
        self._earlier = earlier or {}
        self._troubles = troubles or {}
        self._costs: dict[int, tuple[Decimal | None, str | None]] = {}

    @cached_property
    def statuses(self) -> list[str]:
        """The status of each row."""
        return [entry.status if type(entry) is RowResult else entry.kind.state.value for entry in self._entries]  # type: ignore[union-attr]

    @cached_property
    def keys(self) -> list[str]:
        """The key of each row."""
        return [entry.row if type(entry) is RowResult else entry.key for entry in self._entries]  # type: ignore[union-attr]

    @property
    def routes(self) -> list[tuple[str, str, str]]:
        """The distinct (provider, account, route) of the rows, in their order."""
        kinds = {id(entry.kind): entry.kind for entry in self._entries if isinstance(entry, RowSummary)}
        made = [(kind.provider, kind.account, kind.model) for kind in kinds.values()]
        results = [entry for entry in self._entries if isinstance(entry, RowResult)]
        made += [(e.provider, e.account, e.route) for e in results if e.provider and e.account and e.route]
        return list(dict.fromkeys(made))

    @property
    def remarked(self) -> Rows:
        """The rows with remarks, above all those whose videos differ from their requests."""
        return self.at(position for position, entry in enumerate(self._entries) if _remarks(entry))

    @property
    def samples(self) -> Rows:
        """One row of each kind. Together they have every size, price and cost that any row has."""
        seen: set[int] = set()
        positions = []
        for position, entry in enumerate(self._entries):
            if isinstance(entry, RowSummary) and entry.id not in self._earlier:
                if id(entry.kind) in seen:
                    continue
                seen.add(id(entry.kind))
            positions.append(position)
        return self.at(positions)

    def of(self, statuses: Collection[str]) -> Rows:
        """The rows with one of these statuses."""
        return self.at(position for position, status in enumerate(self.statuses) if status in statuses)

    def at(self, positions: Iterable[int]) -> Rows:
        """The rows at these positions, in that order."""
        return Rows([self._entries[position] for position in positions], self._earlier, self._troubles)

    def digest(self) -> bytes:
        """A digest of all that is known of the rows."""
        kinds: dict[int, tuple[int, SharedFields]] = {}
        made_of = hashlib.sha256()
        for start in range(0, len(self._entries), PIECE):
            listed: list[object] = []
            for entry in self._entries[start : start + PIECE]:
                if isinstance(entry, RowResult):
                    listed.append(repr(entry))
                else:
                    number, _ = kinds.setdefault(id(entry.kind), (len(kinds), entry.kind))
                    listed.append((*entry[:-1], number))
            made_of.update(_digest(listed))
        made_of.update(_digest([repr(kind) for _, kind in kinds.values()]))
        made_of.update(_digest([repr(attempts) for _, attempts in sorted(self._earlier.items())]))
        made_of.update(_digest([*sorted(self._troubles.items())]))
        return made_of.digest()

    def order(self) -> bytes:
        """A digest of which rows these are, in their order; without the ledger's facts on them."""
        return _digest([entry.id if isinstance(entry, RowSummary) else repr(entry) for entry in self._entries])

    @overload
    def __getitem__(self, position: int) -> RowResult: ...

    @overload
    def __getitem__(self, position: slice) -> Rows: ...

    def __getitem__(self, position: int | slice) -> RowResult | Rows:
        if isinstance(position, slice):
            return Rows(self._entries[position], self._earlier, self._troubles)
        return self._made(self._entries[position])

    def __iter__(self) -> Iterator[RowResult]:
        return map(self._made, self._entries)

    def __len__(self) -> int:
        return len(self._entries)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Sequence) or len(self) != len(other):
            return NotImplemented if not isinstance(other, Sequence) else False
        return all(mine == theirs for mine, theirs in zip(self, other, strict=True))

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return repr(list(self))

    def _made(self, entry: RowResult | RowSummary) -> RowResult:
        if isinstance(entry, RowResult):
            return entry
        earlier = self._earlier.get(entry.id, ())
        payment = entry.kind.payment
        if payment is None and not earlier and entry.kind.state in _MADE:
            cost: tuple[Decimal | None, str | None] = Decimal(0), None  # a copy of another row's video
        elif earlier or payment is None:
            cost = _cost(earlier if payment is None else [*earlier, payment])
        else:
            cost = self._costs.get(id(payment)) or self._costs.setdefault(id(payment), _cost([payment]))
        return _row(entry, len(earlier) + (payment is not None), cost, self._troubles.get(entry.key))


def _digest(known: list[object]) -> bytes:
    # Faster than JSON or pickle. Version 2 of the format writes equal values equally, whether shared or not.
    return hashlib.sha256(marshal.dumps(known, 2)).digest()


def _remarks(entry: RowResult | RowSummary) -> object:
    if isinstance(entry, RowResult):
        return entry.remarks
    return entry.kind.remarks if entry.kind.state is State.STORED else None


def _row(record: RowSummary, attempts: int, cost: tuple[Decimal | None, str | None], trouble: str | None) -> RowResult:
    kind = record.kind
    latest = kind.payment
    stored = kind.state is State.STORED
    return RowResult(
        row=record.key,
        status=kind.state.value,
        route=kind.model,
        provider=kind.provider,
        account=kind.account,
        refused_before="; ".join(kind.passed) or None,
        job_id=record.job_id,
        video=record.path if stored else None,
        sha256=record.sha256 if stored else None,
        bytes=record.bytes if stored else None,
        width=kind.width if stored else None,
        height=kind.height if stored else None,
        seconds=kind.seconds if stored else None,
        remarks=("; ".join(kind.remarks) or None) if stored else None,
        billing_model=latest.billing_model if latest else None,
        unit=latest.unit if latest else None,
        units=latest.units if latest else None,
        unit_price=latest.unit_price if latest else None,
        cost=cost[0],
        currency=latest.currency if latest else None,
        cost_note=cost[1],
        attempts=attempts,
        planned_at=moment(record.planned_at),
        sent_at=moment(record.sent_at),
        finished_at=moment(record.finished_at),
        stored_at=moment(record.stored_at) if stored else None,
        link_expires_at=moment(record.link_expires_at),
        error_code=kind.error_code or (kind.error_kind if record.error_message else None),
        error_message=record.error_message or (None if stored else trouble),
    )


def _cost(attempts: Sequence[Paid]) -> tuple[Decimal | None, str | None]:
    """The known cost of a row's attempts, and what is not known about it."""
    known = [attempt.charge for attempt in attempts if attempt.charge is not None]
    notes = [str(note) for attempt in attempts if (note := _beside(attempt) or _doubt(attempt))]
    # Refunded and refused attempts are known to cost nothing.
    amount = sum(known, Decimal(0)) if known or (attempts and not notes) else None
    return amount, "; ".join(dict.fromkeys(notes)) or None


def _beside(attempt: Paid) -> Message | None:
    if not isinstance(attempt, AttemptRecord) or not attempt.is_evidence:
        return None
    return message("cost.attempt_beside", job=attempt.job_id, most=_most(attempt))


def _doubt(attempt: Paid) -> Message | None:
    if attempt.charge is not None and attempt.settlement is Settlement.CHARGED:
        return None  # nearly all of them
    match attempt.settlement:
        case Settlement.UNKNOWN:
            return message("cost.attempt_unknown", most=_most(attempt))
        case Settlement.UNDOCUMENTED:
            return message("cost.attempt_undocumented", most=_most(attempt))
        case Settlement.OPEN:
            return message("cost.attempt_open", most=_most(attempt))
        case Settlement.CHARGED if attempt.charge is None:
            return message("cost.attempt_unpriced")
        case _:
            return None


def _most(attempt: Paid) -> Message:
    if attempt.quote_high is None:
        return message("cost.amount_without_limit")
    return message("cost.up_to", amount=f"{attempt.quote_high:f} {attempt.currency}")
