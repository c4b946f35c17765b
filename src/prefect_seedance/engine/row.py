"""A row at work: the request that was resolved for it, its route, and the session that holds it."""

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
    from prefect_seedance.accounts.limiter import Slot
    from prefect_seedance.engine.session import Session
    from prefect_seedance.planning.planned_row import PlannedRow

__all__ = ["Row"]


class Row:
    """One row in the hands of a session.

    It is opaque on purpose: Prefect looks into dataclasses and models that are handed to tasks, and there is nothing
    to be found here, least of all a key.
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
        """Where its video is to stand."""
        self.link_expires_at = record.link_expires_at
        self.proven = record.sha256 is not None
        """Whether an earlier run has had its whole video: most likely it only has to be put, or found, in its place."""
        self.review = review
        self.reference_seconds = reference_seconds
        """The length of its reference videos, as far as the route bills them and it was measured."""
        self.sendable: VideoRequest | None = None
        """The request with all media in the form that the route takes; None until they are."""
        self.video_url: str | None = None
        """The signed link, kept in memory only."""
        self.video: str | None = None
        """Where its file is put."""
        self.place: Slot | None = None
        """Its place in flight, while it holds one."""
        self.created_at: float | None = None
        """When this process had its job created, on the core loop's clock; None where it did not."""
        self.settled: RowRecord | None = None
        """The row as the ledger had it when its charge was settled, for its first download to go by."""
        self.candidates = tuple(candidates)
        """The row as each of its routes would make it, in order; empty where nothing but its own route is known."""
        self.at = 0
        """Which of them it stands at."""
        self.refusals: dict[int, SeedanceError] = {}
        """The candidates that have provably refused it in this run, and why."""
        self.skipped: dict[int, SeedanceError] = {}
        """Those that it did not ask, since they were known to take nothing, and why."""
        self.probe: int | None = None
        """A candidate that it asks although it is known to be closed: to see whether it still is."""
        self.limited: tuple[float, SeedanceError] | None = None
        """When its present route first refused it for now, on the core loop's clock, and how it did so last."""
        self.moving = False
        """Whether it has left its route for another one, in whose queue it belongs."""
        self.trouble: SeedanceError | None = None
        """Why the row's last step did not come to its end, where the row's state does not say it."""

    def __repr__(self) -> str:
        return f"Row({self.key!r}, {self.state.value})"

    def __str__(self) -> str:
        return self.key

    @property
    def account_client(self) -> AccountClient:
        """The open door of the row's account."""
        return self.session.account_clients[self.settings.account]

    @property
    def others(self) -> bool:
        """Whether it has more than one route."""
        return len(self.candidates) > 1

    @property
    def probes(self) -> bool:
        """Whether it only tries whether its route is still closed."""
        return self.probe is not None and self.probe == self.at

    def go_to(self, place: int) -> None:
        """Stand at another of its candidates: nothing that was brought into form for the one before is of use there."""
        meant = self.candidates[place]
        self.at = place
        self.request, self.settings, self.fingerprint = meant.request, meant.settings, meant.fingerprint
        self.quote, self.review, self.reference_seconds = meant.quote, meant.review, meant.reference_seconds
        self.sendable = self.trouble = self.limited = None

    def passed(self, before: int | None = None) -> tuple[Message, ...]:
        """The routes before the present one (or the first `before`) that did not take it, and why."""
        lines = []
        for place, each in enumerate(self.candidates[: self.at if before is None else before]):
            if (refusal := self.refusals.get(place)) is not None:
                lines.append(message("row.route_refused", route=each.settings.label, reason=refusal.text))
            elif (closed := self.skipped.get(place)) is not None:
                lines.append(message("row.route_skipped", route=each.settings.label, reason=closed.text))
        return tuple(lines)

    def moved(self, state: State, message: str | None = None) -> None:
        """The ledger has moved the row; tell those who watch."""
        self.state = state
        video = self.video if state is State.STORED else None
        self.session.tell(
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
