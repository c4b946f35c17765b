"""A row at work: the request that was resolved for it, its route, and the session that holds it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from prefect_seedance.errors import SeedanceError
from prefect_seedance.jobs.events import RowEvent
from prefect_seedance.ledger import RowRecord, State
from prefect_seedance.providers import RouteSettings
from prefect_seedance.routes import Quote, VideoRequest

if TYPE_CHECKING:
    from prefect_seedance.jobs.channel import Channel
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
        folder: Path | None = None,
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
        self.folder = folder or session.output
        self.video_url: str | None = None
        """The signed link, kept in memory only."""
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
        self.session.tell(RowEvent(self.key, state.value, self.settings.route.model, message=message))

    async def record(self) -> RowRecord:
        """The row as the ledger has it now."""
        return await self.session.ledger.row(self.id)
