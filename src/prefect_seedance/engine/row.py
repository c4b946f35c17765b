"""A row of a run: its resolved request, its route, and the session that holds it."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import TYPE_CHECKING

from prefect_seedance.core.events import RowEvent
from prefect_seedance.errors import SeedanceError
from prefect_seedance.ledger import RowRecord, State
from prefect_seedance.media import Storage
from prefect_seedance.messages import Message, message
from prefect_seedance.providers import RouteSettings
from prefect_seedance.routes import Quote, VideoRequest
from prefect_seedance.routes.forms import Review

if TYPE_CHECKING:
    from prefect_seedance.accounts.account_client import AccountClient
    from prefect_seedance.accounts.circuit_breaker import CircuitBreaker
    from prefect_seedance.accounts.limiter import Slot
    from prefect_seedance.engine.session import Session
    from prefect_seedance.planning.planned_row import PlannedRow

__all__ = ["Row"]


class Row:
    """One row that a session works on.

    It is opaque on purpose: Prefect inspects dataclasses and models among the arguments of tasks, and would find the
    account's key.
    """

    def __init__(
        self,
        *,
        session: Session,
        record: RowRecord,
        request: VideoRequest,
        settings: RouteSettings,
        fingerprint: str,
        quote: Quote,
        storage: Storage,
        review: Review | None = None,
        reference_seconds: Decimal | None = None,
        candidates: Sequence[PlannedRow] = (),
    ) -> None:
        self.session = session
        self.id = record.id
        self.key = record.key
        self.state = record.state
        self.request = request
        self.settings = settings
        self.fingerprint = fingerprint
        self.quote = quote
        self.job_id = record.job_id
        self.storage = storage
        """Where its video will be stored."""
        self.link_expires_at = record.link_expires_at
        self.proven = record.sha256 is not None
        """Whether an earlier run has verified its whole video: most likely it only has to be moved, or found."""
        self.review = review
        self.reference_seconds = reference_seconds
        """The length of its reference videos in seconds, as far as the route bills them and it was measured."""
        self.sendable: VideoRequest | None = None
        """The request with all media in the form that the route takes; None until they are prepared."""
        self.video_url: str | None = None
        """The signed link, kept in memory only."""
        self.video: str | None = None
        """The path or URL of its file."""
        self.slot: Slot | None = None
        """Its slot in flight, while it holds one."""
        self.created_at: float | None = None
        """When this process created its job, on the core loop's clock; None where it did not."""
        self.settled: RowRecord | None = None
        """The ledger's record from when its charge was settled, for its first download."""
        self.candidates = tuple(candidates)
        """The row as planned for each of its routes, in order; empty where it has its own route only."""
        self.at = 0
        """The index of its present candidate."""
        self.refusals: dict[int, SeedanceError] = {}
        """By index: the candidates that have provably refused it in this run, and why."""
        self.skipped: dict[int, SeedanceError] = {}
        """By index: the candidates that it did not ask, since they were known to be closed, and why."""
        self.probe: int | None = None
        """The index of a closed candidate that it asks all the same, to find out whether it is open again."""
        self.limited: tuple[float, SeedanceError] | None = None
        """When its present route first refused it temporarily, on the core loop's clock, and the last such refusal."""
        self.moving = False
        """Whether it has to move to the queue of another route."""
        self.trouble: SeedanceError | None = None
        """Why the row's last step did not complete, where the row's state does not say it."""

    def __repr__(self) -> str:
        return f"Row({self.key!r}, {self.state.value})"

    def __str__(self) -> str:
        return self.key

    @property
    def account_client(self) -> AccountClient:
        """The client of the row's account."""
        return self.session.account_clients[self.settings.account]

    @property
    def circuit_breaker(self) -> CircuitBreaker:
        """The circuit breaker of the row's account."""
        return self.account_client.circuit_breaker

    @property
    def has_alternatives(self) -> bool:
        """Whether it has more than one route."""
        return len(self.candidates) > 1

    @property
    def is_probe(self) -> bool:
        """Whether it probes a closed route."""
        return self.probe is not None and self.probe == self.at

    def use_candidate(self, index: int) -> None:
        """Switch to another candidate. The media that were prepared for the one before are not used there."""
        meant = self.candidates[index]
        self.at = index
        self.request, self.settings, self.fingerprint = meant.request, meant.settings, meant.fingerprint
        self.quote, self.review, self.reference_seconds = meant.quote, meant.review, meant.reference_seconds
        self.sendable = self.trouble = self.limited = None

    def earlier_refusals(self, before: int | None = None) -> tuple[Message, ...]:
        """The routes before the present one (or the first `before`) that did not accept it, and why."""
        lines = []
        for index, each in enumerate(self.candidates[: self.at if before is None else before]):
            if (refusal := self.refusals.get(index)) is not None:
                lines.append(message("row.route_refused", route=each.settings.label, reason=refusal.text))
            elif (closed := self.skipped.get(index)) is not None:
                lines.append(message("row.route_skipped", route=each.settings.label, reason=closed.text))
        return tuple(lines)

    def set_state(self, state: State, message: str | None = None) -> None:
        """Take over the state that the ledger has recorded, and publish a row event."""
        self.state = state
        video = self.video if state is State.STORED else None
        self.session.notify(
            RowEvent(
                self.key,
                state.value,
                self.settings.route.model,
                message=message,
                job_id=self.job_id,
                video=video,
                provider=self.settings.account.provider,
                account=self.settings.account.label,
            )
        )

    async def record(self) -> RowRecord:
        """The row as the ledger has it now."""
        return await self.session.ledger.row(self.id)
