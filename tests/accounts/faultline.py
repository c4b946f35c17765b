"""Two providers at once, of which the first goes wrong as each row's own fate says: for tests of falling back."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from pydantic import SecretStr

from prefect_seedance.engine.step_runner import PLAIN, with_retries
from prefect_seedance.engine.steps import create, download, poll
from prefect_seedance.engine.steps.media import review, upload
from prefect_seedance.engine.steps.retry import CREATE, DOWNLOAD, MEDIUM, POLL
from prefect_seedance.ledger import AttemptRecord, Ledger, RowRecord
from prefect_seedance.ledger.rows import lookups
from prefect_seedance.media import MediaAccess
from prefect_seedance.planning.plan import BatchPlan, prepare
from prefect_seedance.planning.route_policy import RoutePolicy
from prefect_seedance.planning.run_limits import RunLimits
from prefect_seedance.providers import Account, RouteSettings, dialect_of
from prefect_seedance.routes import Prices, VideoRequest, find
from prefect_seedance.runs.batch import RunOutcome, retry_states, run_batch
from prefect_seedance.sandbox import SandboxServer, SandboxSettings
from prefect_seedance.sandbox.http.calls import request_sha256
from prefect_seedance.sandbox.world.faults import CALL_FAULTS, JOB_FAULTS, Faults
from prefect_seedance.tables.reader import read_table
from tests.engine.asked import asked

MODELS = {"jimmy": "seedance2.0-mini", "anyfast": "seedance-2.0-mini"}
KEYS = {"jimmy": "sk_sandbox", "anyfast": "sk-sandbox"}
PRICES = Prices.parse("CNY", {"seedance2.0-mini-480p": "0.03", "seedance-2.0-mini": "23", "volc-asset": "0.01"})

SMALL = VideoRequest(duration=4, resolution="480p")
"""What rows ask for where they say nothing: the less there is to be decoded, the faster the tests."""

STEPS = replace(
    PLAIN,
    create=with_retries(create.create, replace(CREATE, delays=(0.1,))),
    upload=with_retries(upload.upload, replace(MEDIUM, delays=(0.05,))),
    review=with_retries(review.review, replace(MEDIUM, delays=(0.05,))),
    poll=with_retries(poll.poll, replace(POLL, delays=(0.1,))),
    download=with_retries(download.download, replace(DOWNLOAD, delays=(0.05,))),
)
"""The steps under the same rules, without the long waits between tries."""


class Fated(Faults):
    """Faults by request: what is to go wrong with a row is known by the hash of what is asked for."""

    def __init__(self, fates: Mapping[str, str]) -> None:
        super().__init__(retry_after=0.05, slow_create_seconds=0.3)
        object.__setattr__(self, "fates", dict(fates))

    def draw(self, point: Any, seed: int, *who: object) -> frozenset[str]:
        """The fault of this request, at the point where it belongs; calls that may be repeated are met twice."""
        sha256 = who[0] if point in {"query", "download"} else who[1]
        fault = self.fates.get(str(sha256), "")
        if fault in CALL_FAULTS[point] and (point == "create" or int(str(who[-1])) < 2):
            return frozenset({fault})
        return frozenset({fault}) if point == "create" and fault.partition("=")[0] in JOB_FAULTS else frozenset()


@dataclass(frozen=True)
class Seen:
    """What came of a run, and all that the ledger knows after it."""

    outcome: RunOutcome
    records: dict[str, RowRecord]
    attempts: list[AttemptRecord]

    @property
    def done(self) -> set[str]:
        """The keys of the rows that the run moved."""
        return self.outcome.done

    @property
    def committed(self) -> Decimal | None:
        """What it holds of the budget."""
        return self.outcome.committed

    @property
    def stopped(self) -> BaseException | None:
        """Why it took no more rows."""
        return self.outcome.stopped


@dataclass
class World:
    """Two sandboxes, the routes to them, and a batch."""

    servers: tuple[SandboxServer, SandboxServer]
    routes: tuple[RouteSettings, ...]
    folder: Any

    def prepare(self, rows: list[dict[str, Any]], **options: Any) -> BatchPlan:
        """The rows, checked."""
        choice = options.pop("choice", RoutePolicy("in_order"))
        return prepare(read_table(rows), self.routes, policy=choice, **options)

    async def run(self, rows: list[dict[str, Any]], *, patience: float = 600.0, **options: Any) -> Seen:
        """One run over them."""
        limits = options.pop("limits", RunLimits(limit_patience=0.2))
        retry = retry_states(options.pop("retry", []))
        spec, context = asked(
            self.prepare(rows, limits=limits, **options),
            self.routes,
            batch="spring",
            output=self.folder / "videos",
            ledger_url=f"sqlite+aiosqlite:///{self.folder / 'ledger.db'}",
            patience=patience,
            limits=limits,
            retry=retry,
            media_access=MediaAccess(folder=self.folder, loopback=True),
        )
        outcome = await run_batch(spec, context, lambda _rows: STEPS)
        ledger = await Ledger.open(context.ledger_url)
        try:
            found = await ledger.read(lookups.rows_by_id, [row.id for row in outcome.records.values()])
            records = {record.key: record for record in found.values()}
            return Seen(outcome, records, await ledger.read(lookups.attempts_of, spec.batch))
        finally:
            await ledger.close()

    def billed(self, prompt: str) -> tuple[int, int]:
        """How many jobs each of the two has made, and put on its bill, for a prompt."""
        first, second = ([job.prompt for job in server.state.jobs()].count(prompt) for server in self.servers)
        return first, second

    def asked(self) -> tuple[int, int]:
        """How many creates each of the two has seen."""
        return tuple(
            sum(count for call, count in server.state.calls.items() if call.endswith(".create"))
            for server in self.servers
        )  # type: ignore[return-value]


def route(server: SandboxServer, provider: str, label: str = "default", **options: Any) -> RouteSettings:
    """A route of a sandbox."""
    account = Account(provider=provider, label=label, base_url=server.url, api_key=SecretStr(KEYS[provider]))
    settings: dict[str, Any] = {"prices": PRICES, "poll_seconds": 0.05, "defaults": SMALL}
    return RouteSettings(account, find(MODELS[provider]), **{**settings, **options})


def fate_of(settings: RouteSettings, prompt: str) -> str:
    """The hash under which the sandbox will know a row of this prompt."""
    call = dialect_of(settings.account.provider).create_call(
        settings.route.model, settings.defaults.model_copy(update={"prompt": prompt})
    )
    assert call.json is not None
    return request_sha256(dict(call.json))


@contextlib.contextmanager
def world(
    folder: Any,
    first: str,
    second: str,
    fates: Mapping[str, str] | None = None,
    *,
    funds: Decimal | None = None,
    **options: Any,
) -> Iterator[World]:
    """Two sandboxes; what goes wrong at the first is named by prompt."""
    settings = SandboxSettings(speed=400.0, funds=funds)
    with SandboxServer(settings) as one, SandboxServer(SandboxSettings(speed=400.0)) as two:
        routes = (route(one, first, "one", **options), route(two, second, "two"))
        one.state.faults = Fated({fate_of(routes[0], prompt): fault for prompt, fault in (fates or {}).items()})
        yield World((one, two), routes, folder)


__all__ = ["STEPS", "Fated", "World", "fate_of", "route", "world"]
