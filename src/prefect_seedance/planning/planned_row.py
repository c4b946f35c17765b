"""A row that may be sent: its request and its quote for each candidate route."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from prefect_seedance.messages import Message, message
from prefect_seedance.planning.run_limits import RunLimits
from prefect_seedance.providers import RouteSettings
from prefect_seedance.routes import Quote, VideoRequest
from prefect_seedance.routes.forms import Review
from prefect_seedance.routes.pricing.ranking import by_price, span

__all__ = ["PlannedRow", "in_order"]


@dataclass(frozen=True, slots=True)
class PlannedRow:
    """A row that may be sent, for its first candidate route.

    Attributes:
        reference_seconds: The length of its reference videos in seconds; None where the route does not bill them or it
            was not measured.
        others: The row for its further candidates, in order. Each is used only after those before it have provably
            refused.
        accepts: The fingerprints under which it may have been made before: one for each of several routes, and those
            that an earlier version gave it. A video that any of them made is the row's video, whatever their order is
            now.
        former_keys: The keys that earlier versions gave it, where they differ.
        priced_in: The currency in which the candidates were ordered by price; None where the user ordered them.
    """

    position: int
    key: str
    request: VideoRequest
    settings: RouteSettings
    quote: Quote
    fingerprint: str
    warnings: tuple[Message | str, ...] = ()
    line: int = 0
    review: Review | None = None
    reference_seconds: Decimal | None = None
    others: tuple[PlannedRow, ...] = ()
    accepts: frozenset[str] = frozenset()
    priced_in: str | None = None
    former_keys: tuple[str, ...] = ()

    @property
    def candidates(self) -> tuple[PlannedRow, ...]:
        """All candidates in order, this one first."""
        return (self, *self.others) if self.others else (self,)

    @property
    def span(self) -> Quote:
        """A quote that covers all candidates."""
        return span([row.quote for row in self.candidates]) if self.others else self.quote

    def objections(self, limits: RunLimits) -> tuple[Message, ...]:
        """Why it may not be sent under these limits. Budget and spending limits must be able to hold each candidate."""
        if not self.others:
            objection = limits.objection(self.quote, self.settings.account.spending_limits)
            return () if objection is None else (objection,)
        found = [
            (row.settings.label, limits.objection(row.quote, row.settings.account.spending_limits))
            for row in self.candidates
        ]
        return tuple(
            message("rows.candidate", route=label, reason=objection)
            for label, objection in found
            if objection is not None
        )

    def knows(self, fingerprint: str) -> bool:
        """Whether a row with this fingerprint is this row."""
        return fingerprint == self.fingerprint or fingerprint in self.accepts


def in_order(row: PlannedRow, candidates: Sequence[PlannedRow]) -> PlannedRow:
    """The row with other candidates, in the given order, or by price where the row was ordered by price.

    Args:
        row: The row as it was.
        candidates: The new candidates, at least one.
    """
    if row.priced_in is not None:
        places, _ = by_price([each.quote for each in candidates], row.priced_in)
        candidates = [candidates[place] for place in places] or candidates
    first, *others = [replace(each, others=()) for each in candidates]
    return replace(first, others=tuple(others), accepts=row.accepts, priced_in=row.priced_in)
