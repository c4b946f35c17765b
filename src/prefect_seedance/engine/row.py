"""A row of a run: what is planned for it, how far it has come, and the session that holds it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from prefect_seedance.accounts.send_gate import Sender
from prefect_seedance.core.events import RowEvent
from prefect_seedance.engine.route_fallback import RouteFallback
from prefect_seedance.errors import SeedanceError
from prefect_seedance.ledger import RowRecord, State
from prefect_seedance.media import Storage
from prefect_seedance.planning.planned_row import PlannedRow
from prefect_seedance.providers import RouteSettings
from prefect_seedance.routes import VideoRequest

if TYPE_CHECKING:
    from prefect_seedance.accounts.account_client import AccountClient
    from prefect_seedance.accounts.circuit_breaker import CircuitBreaker
    from prefect_seedance.accounts.limiter import Slot
    from prefect_seedance.engine.medium import Medium
    from prefect_seedance.engine.session import Session

__all__ = ["Row"]


class Row:
    """One row that a session works on; `RowLoader` makes it.

    It is opaque on purpose: Prefect inspects dataclasses and models among the arguments of tasks, and would find the
    account's key.
    """

    def __init__(self, *, session: Session, record: RowRecord, planned: PlannedRow, storage: Storage) -> None:
        self.session = session
        self.id = record.id
        self.key = record.key
        self.state = record.state
        self.job_id = record.job_id
        self._file_name = record.file_name
        self.planned = planned
        """The row as planned for its present route."""
        self.fallback = RouteFallback(planned.candidates)
        self.storage = storage
        """Where its video will be stored."""
        self.link_expires_at = record.link_expires_at
        self.proven = record.sha256 is not None
        """Whether an earlier run has verified its whole video: most likely it only has to be moved, or found."""
        self.sendable: VideoRequest | None = None
        """The request with all media in the form that the route takes; None until they are prepared."""
        self.media: tuple[Medium, ...] = ()
        """The media that were prepared for it."""
        self.assets_renewed = False
        """Whether this run makes assets again that the provider has lost; then the row is sent once more."""
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
        self.was_absent = record.absent_since is not None
        """Whether an earlier run has found its job or its link absent."""
        self.absent_from: float | None = None
        """When this run first found its link absent, on the core loop's clock."""
        self.absent_tries = 0
        """How often its link was absent in this run."""
        self.trouble: SeedanceError | None = None
        """Why the row's last step did not complete, where the row's state does not say it."""

    def __repr__(self) -> str:
        return f"Row({self.key!r}, {self.state.value})"

    def __str__(self) -> str:
        return self.key

    @property
    def request(self) -> VideoRequest:
        """What its video should be."""
        return self.planned.request

    @property
    def settings(self) -> RouteSettings:
        """Its present route."""
        return self.planned.settings

    @property
    def account_client(self) -> AccountClient:
        """The client of the row's account."""
        return self.session.account_clients[self.settings.account]

    @property
    def circuit_breaker(self) -> CircuitBreaker:
        """The circuit breaker of the row's account."""
        return self.account_client.circuit_breaker

    @property
    def part(self) -> Path:
        """The unfinished download of its video, on this machine."""
        return self.storage.parts / f"{self._file_name}.part"

    @property
    def sender(self) -> Sender:
        """Who sends its create, for the gate of its account."""
        session = self.session
        return Sender(
            run=session.context.flow_run_id or session.run.id,
            patience=session.limits.limit_patience,
            moves=self.fallback.has_alternatives,
            over=session.is_over,
        )

    def use_candidate(self, index: int) -> None:
        """Switch to another route. The media that were prepared for the one before are not used there."""
        self.fallback.at = index
        self.planned = self.fallback.candidates[index]
        self.sendable = self.trouble = self.fallback.limited = None

    def adopt(self, record: RowRecord, planned: PlannedRow | None) -> None:
        """Take over the job that the ledger has for this row by now.

        Args:
            record: The row in the ledger.
            planned: The row as planned for the route that made the job; None where this run does not use its account.
                Then the job is left to a later run.
        """
        self.planned = planned or self.planned
        self.job_id = None if planned is None else record.job_id
        self.fallback.moving = False
        self.set_state(record.state)

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
