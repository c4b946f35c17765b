"""Where a row stands among its routes: which have refused it, which it left out, and which one it probes."""

from __future__ import annotations

from collections.abc import Sequence

from prefect_seedance.errors import SeedanceError
from prefect_seedance.messages import Message, message
from prefect_seedance.planning.planned_row import PlannedRow

__all__ = ["RouteFallback"]


class RouteFallback:
    """The candidates of one row, and what this run has found out about them.

    Attributes:
        candidates: The row as planned for each of its routes, in order; one at least.
        at: The index of the present one.
        refusals: By index: those that have provably refused the row in this run, and why.
        skipped: By index: those that it did not ask, since they were known to be closed, and why.
        probe: The index of a closed one that it asks all the same, to find out whether it is open again.
        limited: When the present one first refused temporarily, on the core loop's clock, and the last such refusal.
        moving: Whether the row has to move to the queue of another route.
    """

    def __init__(self, candidates: Sequence[PlannedRow]) -> None:
        self.candidates = tuple(candidates)
        self.at = 0
        self.refusals: dict[int, SeedanceError] = {}
        self.skipped: dict[int, SeedanceError] = {}
        self.probe: int | None = None
        self.limited: tuple[float, SeedanceError] | None = None
        self.moving = False

    @property
    def has_alternatives(self) -> bool:
        """Whether the row has more than one route."""
        return len(self.candidates) > 1

    @property
    def exhausted(self) -> bool:
        """Whether all its routes have refused it in this run."""
        return len(self.refusals) == len(self.candidates)

    @property
    def is_probe(self) -> bool:
        """Whether the row probes a closed route."""
        return self.probe is not None and self.probe == self.at

    def earlier_refusals(self, before: int | None = None) -> tuple[Message, ...]:
        """For each route before the present one, or before an index: why it did not make the row."""
        lines = []
        for index, each in enumerate(self.candidates[: self.at if before is None else before]):
            if (refusal := self.refusals.get(index)) is not None:
                lines.append(message("row.route_refused", route=each.settings.label, reason=refusal.text))
            elif (closed := self.skipped.get(index)) is not None:
                lines.append(message("row.route_skipped", route=each.settings.label, reason=closed.text))
        return tuple(lines)
