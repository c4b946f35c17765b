"""A row at work: the request that was resolved for it, its route, and the session that holds it."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from prefect_seedance.errors import SeedanceError
from prefect_seedance.jobs.events import RowEvent
from prefect_seedance.ledger import RowRecord, State
from prefect_seedance.media import Shelf
from prefect_seedance.providers import RouteSettings
from prefect_seedance.routes import Quote, VideoRequest
from prefect_seedance.routes.forms import Review

if TYPE_CHECKING:
    from prefect_seedance.jobs.channel import Channel
    from prefect_seedance.jobs.limiter import Place
    from prefect_seedance.jobs.session import Session

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
        shelf: Shelf,
        review: Review | None = None,
        reference_seconds: Decimal | None = None,
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
        self.shelf = shelf
        """Where its video is to stand."""
        self.link_expires_at = record.link_expires_at
        self.review = review
        self.reference_seconds = reference_seconds
        """The length of its reference videos, as far as the route bills them and it was measured."""
        self.sendable: VideoRequest | None = None
        """The request with all media in the form that the route takes; None until they are."""
        self.video_url: str | None = None
        """The signed link, kept in memory only."""
        self.video: str | None = None
        """Where its file is put."""
        self.place: Place | None = None
        """Its place in flight, while it holds one."""
        self.created_at: float | None = None
        """When this process had its job created, on the core loop's clock; None where it did not."""
        self.settled: RowRecord | None = None
        """The row as the ledger had it when its charge was settled, for its first download to go by."""
        self.trouble: SeedanceError | None = None
        """Why the row's last step did not come to its end, where the row's state does not say it."""

    def __repr__(self) -> str:
        return f"Row({self.key!r}, {self.state.value})"

    def __str__(self) -> str:
        return self.key

    @property
    def channel(self) -> Channel:
        """The open door of the row's account."""
        return self.session.channels[self.settings.account]

    def moved(self, state: State, message: str | None = None) -> None:
        """The ledger has moved the row; tell those who watch."""
        self.state = state
        video = self.video if state is State.STORED else None
        self.session.tell(
            RowEvent(self.key, state.value, self.settings.route.model, message=message, job_id=self.job_id, video=video)
        )

    async def record(self) -> RowRecord:
        """The row as the ledger has it now."""
        return await self.session.ledger.row(self.id)
