"""A row that may be sent: what each of its candidates would make of it, and what that would cost."""

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
    """A row that may be sent, as its first candidate would make it.

    Attributes:
        reference_seconds: The length of its reference videos, as far as the route bills them and it was measured.
        others: The row as its further candidates would make it, in their order: each is asked only after those before
            it have provably refused.
        accepts: The fingerprints under which it may have been made before, where several routes were wanted: what one
            of them has made is the row's video, whichever is asked first today.
        priced_in: The currency in which its candidates were put into order by price; None where the user ordered them.
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

    @property
    def candidates(self) -> tuple[PlannedRow, ...]:
        """All its candidates in their order, the first of them this one."""
        return (self, *self.others) if self.others else (self,)

    @property
    def span(self) -> Quote:
        """What it costs, whichever of its candidates makes it."""
        return span([row.quote for row in self.candidates]) if self.others else self.quote

    def objections(self, limits: RunLimits) -> tuple[Message, ...]:
        """Why it may not be sent under these terms: each of its candidates has to be held by a budget."""
        if not self.others:
            objection = limits.objection(self.quote)
            return () if objection is None else (objection,)
        found = [(row.settings.label, limits.objection(row.quote)) for row in self.candidates]
        return tuple(
            message("rows.candidate", route=label, reason=objection)
            for label, objection in found
            if objection is not None
        )

    def knows(self, fingerprint: str) -> bool:
        """Whether a row with this fingerprint is this one."""
        return fingerprint == self.fingerprint or fingerprint in self.accepts


def in_order(row: PlannedRow, candidates: Sequence[PlannedRow]) -> PlannedRow:
    """The row with other candidates, in their order; by price where that is what orders them.

    Args:
        row: The row as it was.
        candidates: At least one, as they are known now.
    """
    if row.priced_in is not None:
        places, _ = by_price([each.quote for each in candidates], row.priced_in)
        candidates = [candidates[place] for place in places] or candidates
    first, *others = [replace(each, others=()) for each in candidates]
    return replace(first, others=tuple(others), accepts=row.accepts, priced_in=row.priced_in)
