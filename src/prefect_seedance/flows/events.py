"""Events for Prefect's automations: what became of rows and batches.

| event | of what (`prefect.resource.id`) | when |
| --- | --- | --- |
| `seedance.video.stored` | `seedance.video.<batch>.<take>.<row>` | a video was stored |
| `seedance.video.failed` | the same | a row failed, was refused for good, or its link expired |
| `seedance.video.unknown` | the same | nobody knows whether it was made and paid; a person has to look |
| `seedance.batch.finished` | `seedance.batch.<batch>` | a run is through, however it went |
| `seedance.budget.exhausted` | `seedance.batch.<batch>` | a row no longer fits into the budget; once a run |

Resources carry what a trigger may ask for: `seedance.state` (a row's state, or the name of a run's final state),
`seedance.take`, and of a video `seedance.provider` and `seedance.model`. Related are the batch (role `batch`), the
routes (`route`, `seedance.route.<provider>.<model>`) and accounts (`account`, `seedance.account.<provider>.<label>`);
Prefect adds the flow run, its flow, deployment and tags.

A row is told once it is at its end, never on its way. A server is burdened little: of a run of more than 500 rows
stored videos are not told one by one, and of failed and unknown ones no more than 500 of each. The finished batch
counts them all. A row that was unknown before is told again by each run of the batch, for somebody has to resolve it.

An event may be lost, as everything may that is sent to a server in the background; the ledger is the truth.
"""

from __future__ import annotations

import contextlib
import logging
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from prefect.events import emit_event

from prefect_seedance.core.events import RowEvent, watching
from prefect_seedance.ledger import State
from prefect_seedance.reports.results.result import GenerateResult
from prefect_seedance.routes.pricing.amount import Amount
from prefect_seedance.runs.batch import RunSpec
from prefect_seedance.runs.sweep import SweepOutcome

__all__ = ["RouteRef", "RowEventEmitter", "emit_finished", "emit_swept", "row_events"]

log = logging.getLogger(__name__)

ONE_BY_ONE = 500
"""Rows of a run whose stored videos are told one by one, and events of each other kind that a run sends at most."""

LONGEST = 500
RELATED = 40
"""Characters of a message, and resources, that go along with an event."""

_KINDS: Mapping[str, str] = {
    State.STORED: "seedance.video.stored",
    State.FAILED: "seedance.video.failed",
    State.REFUSED: "seedance.video.failed",
    State.EXPIRED: "seedance.video.failed",
    State.UNKNOWN: "seedance.video.unknown",
}


@dataclass(frozen=True, slots=True)
class RouteRef:
    """Where a row is made: the route, and the account that pays."""

    provider: str
    account: str
    model: str


class RowEventEmitter:
    """Hears what happens to the rows of a run, and tells Prefect what is worth an event.

    Args:
        batch: The batch.
        take: The take.
        places: Where each row is made, by key.
        budget: What the batch may cost.
    """

    def __init__(self, batch: str, take: str, places: Mapping[str, RouteRef], budget: Amount | None = None) -> None:
        self._batch = batch
        self._take = take
        self._places = places
        self._budget = budget
        self._met: set[str] = set()
        self._told: Counter[str] = Counter()

    def hear(self, event: RowEvent) -> None:
        """Tell Prefect, if the row has come to its end. The first word of a row only says where it stood before."""
        if event.state == "held":
            return
        new = event.key not in self._met
        self._met.add(event.key)
        if new and event.state != State.UNKNOWN:
            return
        if event.state == State.OVER_BUDGET:
            self._exhausted()
        elif event.state in _KINDS:
            self._ended(event)

    def _ended(self, event: RowEvent) -> None:
        name = _KINDS[event.state]
        most = 0 if event.state == State.STORED and len(self._places) > ONE_BY_ONE else ONE_BY_ONE
        place = self._places.get(event.key)
        if place is not None and event.provider is not None and event.account is not None:
            place = RouteRef(event.provider, event.account, event.model)  # a row may have gone on to another route
        if place is not None and self._told[name] < most:
            self._told[name] += 1
            _tell_row(self._batch, self._take, place, event)

    def _exhausted(self) -> None:
        name = "seedance.budget.exhausted"
        if not self._told[name]:
            self._told[name] += 1
            _tell(
                name,
                _batch(self._batch, {"seedance.take": self._take}),
                _related(self._places.values()),
                {"batch": self._batch, "take": self._take, "budget": str(self._budget or "")},
            )


@contextlib.contextmanager
def row_events(order: RunSpec) -> Iterator[None]:
    """Tell Prefect of the rows of a run while the block runs."""
    # Rows are many, and share a few routes: by their identity, no place is made twice.
    routes: dict[int, RouteRef] = {}
    places = {}
    for row in order.plan.rows:
        route = row.settings
        if id(route) not in routes:
            routes[id(route)] = RouteRef(route.account.provider, route.account.label, route.route.model)
        places[row.key] = routes[id(route)]
    with watching(RowEventEmitter(order.batch, order.take, places, order.limits.budget).hear):
        yield


def emit_finished(result: GenerateResult, state: str) -> None:
    """Tell Prefect that a run is through.

    Args:
        result: What became of the rows.
        state: The name of the run's final state.
    """
    places = [RouteRef(*route) for route in result.chosen.routes]
    payload = {
        "batch": result.batch,
        "take": result.take,
        "state": state,
        "made": result.made,
        "rows": dict(result.counts),
        "cost": {currency: f"{cost:f}" for currency, cost in result.cost().items()},
        "folder": str(result.folder),
    }
    resource = _batch(result.batch, {"seedance.take": result.take, "seedance.state": state})
    _tell("seedance.batch.finished", resource, _related(places), payload)


def emit_swept(outcome: SweepOutcome) -> None:
    """Tell Prefect of the rows that a sweep brought to their end."""
    for row in [*outcome.ended, *outcome.saved][:ONE_BY_ONE]:
        event = RowEvent(
            row.key,
            row.state.value,
            row.model,
            message=row.error_message,
            job_id=row.job_id,
            video=row.path if row.state is State.STORED else None,
        )
        _tell_row(row.batch, row.take, RouteRef(row.provider, row.account, row.model), event)


def _tell_row(batch: str, take: str, place: RouteRef, event: RowEvent) -> None:
    if event.state not in _KINDS:
        return
    row, state = event.key, str(event.state)
    resource = {
        "prefect.resource.id": f"seedance.video.{batch}.{take}.{row}",
        "prefect.resource.name": row,
        "seedance.state": state,
        "seedance.take": take,
        "seedance.provider": place.provider,
        "seedance.model": place.model,
    }
    facts = {"batch": batch, "take": take, "row": row, "state": state, "provider": place.provider, "model": place.model}
    known = {"job_id": event.job_id, "video": event.video, "message": (event.message or "")[:LONGEST]}
    related = [{**_batch(batch), "prefect.resource.role": "batch"}, *_related([place])]
    _tell(_KINDS[event.state], resource, related, {**facts, **{name: value for name, value in known.items() if value}})


def _batch(batch: str, labels: Mapping[str, str] | None = None) -> dict[str, str]:
    return {"prefect.resource.id": f"seedance.batch.{batch}", "prefect.resource.name": batch, **(labels or {})}


def _related(places: Iterable[RouteRef]) -> list[dict[str, str]]:
    named = {
        key: None
        for place in dict.fromkeys(places)
        for key in (
            ("route", f"seedance.route.{place.provider}.{place.model}", place.model),
            ("account", f"seedance.account.{place.provider}.{place.account}", place.account),
        )
    }
    return [
        {"prefect.resource.id": identity, "prefect.resource.role": role, "prefect.resource.name": name}
        for role, identity, name in list(named)[:RELATED]
    ]


def _tell(name: str, resource: dict[str, str], related: Sequence[dict[str, str]], payload: dict[str, Any]) -> None:
    try:
        emit_event(name, resource=resource, related=list(related), payload=payload)
    except Exception:
        # Whatever Prefect makes of it, a paid row must not fall over its announcement.
        log.warning("The event %s of %s could not be sent", name, resource["prefect.resource.id"], exc_info=True)
