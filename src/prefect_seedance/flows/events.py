"""Events for Prefect's automations: the outcome of rows and batches.

| event | resource (`prefect.resource.id`) | when |
| --- | --- | --- |
| `seedance.video.stored` | `seedance.video.<batch>.<take>.<row>` | a video was stored |
| `seedance.video.failed` | the same | a row failed, was refused, or expired |
| `seedance.video.unknown` | the same | it is unknown whether the video was made and paid; a person has to look |
| `seedance.batch.finished` | `seedance.batch.<batch>` | a run ended, with or without success |
| `seedance.budget.exhausted` | `seedance.batch.<batch>` | a row exceeds the budget or a spending limit; once a run |

Resources have labels that a trigger may match: `seedance.state` (a row's state, or the name of a run's final state),
`seedance.take`, and of a video `seedance.provider` and `seedance.model`. Related are the batch (role `batch`), the
routes (`route`, `seedance.route.<provider>.<model>`) and accounts (`account`, `seedance.account.<provider>.<label>`);
Prefect adds the flow run, its flow, deployment and tags.

A row has an event when it has ended, and none before. To spare the server, a run of more than 500 rows sends no events
of stored videos, and at most 500 each of failed and unknown ones. The event of the finished batch counts all of them.
A row that was unknown before has an event in each run of the batch, since a person has to resolve it.

Events are sent in the background and may be lost; the ledger is the record.
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
from prefect_seedance.engine.run_spec import RunSpec
from prefect_seedance.ledger import State
from prefect_seedance.planning.plan import BatchPlan
from prefect_seedance.reports.results.result import GenerateResult
from prefect_seedance.routes.pricing.amount import Amount
from prefect_seedance.runs.sweep import SweepOutcome

__all__ = ["RouteRef", "RowEventEmitter", "emit_finished", "emit_swept", "row_events"]

log = logging.getLogger(__name__)

ONE_BY_ONE = 500
"""Rows of a run whose stored videos have an event each, and events of each other kind that a run sends at most."""

LONGEST = 500
RELATED = 40
"""Characters of a message, and related resources, of one event."""

_KINDS: Mapping[str, str] = {
    State.STORED: "seedance.video.stored",
    State.FAILED: "seedance.video.failed",
    State.REFUSED: "seedance.video.failed",
    State.EXPIRED: "seedance.video.failed",
    State.UNKNOWN: "seedance.video.unknown",
}


@dataclass(frozen=True, slots=True)
class RouteRef:
    """The route that makes a row, and the account that pays."""

    provider: str
    account: str
    model: str


class RowEventEmitter:
    """Listens to the events of the rows of a run, and emits Prefect events for those that end.

    Args:
        batch: The batch.
        take: The take.
        routes: The route of each row, by key.
        budget: What the batch may cost.
    """

    def __init__(self, batch: str, take: str, routes: Mapping[str, RouteRef], budget: Amount | None = None) -> None:
        self._batch = batch
        self._take = take
        self._routes = routes
        self._budget = budget
        self._seen: set[str] = set()
        self._emitted: Counter[str] = Counter()

    def handle(self, event: RowEvent) -> None:
        """Emit a Prefect event if the row has ended. The first event of a row is only its state before the run."""
        if event.state == "held":
            return
        new = event.key not in self._seen
        self._seen.add(event.key)
        if new and event.state != State.UNKNOWN:
            return
        if event.state == State.OVER_BUDGET:
            self._emit_exhausted(event.message or "")
        elif event.state in _KINDS:
            self._ended(event)

    def _ended(self, event: RowEvent) -> None:
        name = _KINDS[event.state]
        most = 0 if event.state == State.STORED and len(self._routes) > ONE_BY_ONE else ONE_BY_ONE
        route = self._routes.get(event.key)
        if route is not None and event.provider is not None and event.account is not None:
            route = RouteRef(event.provider, event.account, event.model)  # a row may have gone on to another route
        if route is not None and self._emitted[name] < most:
            self._emitted[name] += 1
            _emit_row(self._batch, self._take, route, event)

    def _emit_exhausted(self, reason: str) -> None:
        name = "seedance.budget.exhausted"
        if not self._emitted[name]:
            self._emitted[name] += 1
            _emit(
                name,
                _batch(self._batch, {"seedance.take": self._take}),
                _related(self._routes.values()),
                {
                    "batch": self._batch,
                    "take": self._take,
                    "budget": str(self._budget or ""),
                    "reason": reason[:LONGEST],
                },
            )


@contextlib.contextmanager
def row_events(spec: RunSpec, plan: BatchPlan) -> Iterator[None]:
    """Emit Prefect events for the rows of a run while the block runs."""
    # Many rows share a few routes: each of them is made into one RouteRef.
    made: dict[int, RouteRef] = {}
    routes = {}
    for row in plan.rows:
        settings = row.settings
        if id(settings) not in made:
            made[id(settings)] = RouteRef(settings.account.provider, settings.account.label, settings.route.model)
        routes[row.key] = made[id(settings)]
    with watching(RowEventEmitter(spec.batch, spec.take, routes, spec.limits.budget).handle):
        yield


def emit_finished(result: GenerateResult, state: str) -> None:
    """Emit the event of a run that ended.

    Args:
        result: The result of the run.
        state: The name of the run's final state.
    """
    routes = [RouteRef(*route) for route in result.chosen.routes]
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
    _emit("seedance.batch.finished", resource, _related(routes), payload)


def emit_swept(outcome: SweepOutcome) -> None:
    """Emit the events of the rows that ended in a sweep."""
    for row in [*outcome.ended, *outcome.saved][:ONE_BY_ONE]:
        event = RowEvent(
            row.key,
            row.state.value,
            row.model,
            message=row.error_message,
            job_id=row.job_id,
            video=row.path if row.state is State.STORED else None,
        )
        _emit_row(row.batch, row.take, RouteRef(row.provider, row.account, row.model), event)


def _emit_row(batch: str, take: str, route: RouteRef, event: RowEvent) -> None:
    if event.state not in _KINDS:
        return
    row, state = event.key, str(event.state)
    resource = {
        "prefect.resource.id": f"seedance.video.{batch}.{take}.{row}",
        "prefect.resource.name": row,
        "seedance.state": state,
        "seedance.take": take,
        "seedance.provider": route.provider,
        "seedance.model": route.model,
    }
    facts = {"batch": batch, "take": take, "row": row, "state": state, "provider": route.provider, "model": route.model}
    known = {"job_id": event.job_id, "video": event.video, "message": (event.message or "")[:LONGEST]}
    related = [{**_batch(batch), "prefect.resource.role": "batch"}, *_related([route])]
    _emit(_KINDS[event.state], resource, related, {**facts, **{name: value for name, value in known.items() if value}})


def _batch(batch: str, labels: Mapping[str, str] | None = None) -> dict[str, str]:
    return {"prefect.resource.id": f"seedance.batch.{batch}", "prefect.resource.name": batch, **(labels or {})}


def _related(routes: Iterable[RouteRef]) -> list[dict[str, str]]:
    named = {
        key: None
        for route in dict.fromkeys(routes)
        for key in (
            ("route", f"seedance.route.{route.provider}.{route.model}", route.model),
            ("account", f"seedance.account.{route.provider}.{route.account}", route.account),
        )
    }
    return [
        {"prefect.resource.id": identity, "prefect.resource.role": role, "prefect.resource.name": name}
        for role, identity, name in list(named)[:RELATED]
    ]


def _emit(name: str, resource: dict[str, str], related: Sequence[dict[str, str]], payload: dict[str, Any]) -> None:
    try:
        emit_event(name, resource=resource, related=list(related), payload=payload)
    except Exception:
        # An event that cannot be sent must not fail a paid row.
        log.warning("The event %s of %s could not be sent", name, resource["prefect.resource.id"], exc_info=True)
