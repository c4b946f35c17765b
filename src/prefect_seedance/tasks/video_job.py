"""One video in Prefect's pattern for external jobs: a job block is triggered, and its run is waited for."""

from __future__ import annotations

from collections.abc import Callable, Collection, Coroutine
from typing import TYPE_CHECKING, Any, TypeVar

from prefect.blocks.abstract import JobBlock, JobRun
from pydantic import BaseModel, Field, SecretStr

from prefect_seedance.blocks import RouteDefaults
from prefect_seedance.blocks.about import DOCUMENTATION, LOGO
from prefect_seedance.blocks.spelling import StrictFields
from prefect_seedance.core.portal import call_core, on_core
from prefect_seedance.engine.row import Row
from prefect_seedance.engine.step_runner import PLAIN
from prefect_seedance.engine.steps.media.prepare import prepare_media
from prefect_seedance.errors import LedgerError
from prefect_seedance.ledger import State
from prefect_seedance.messages import message
from prefect_seedance.providers import RouteSettings
from prefect_seedance.routes import VideoRequest
from prefect_seedance.routes.request import Options, Shape, block_fields
from prefect_seedance.runs.single import ENDED, MADE, STORED, JobTicket, carry_out
from prefect_seedance.tasks.anywhere import awaits
from prefect_seedance.tasks.create import one_request
from prefect_seedance.tasks.one_row import context_of, spec_of
from prefect_seedance.tasks.routes import route_to_use

__all__ = ["VideoJob", "VideoJobRun"]

T = TypeVar("T")

if TYPE_CHECKING:
    from prefect_seedance.routes.request import Options as _Options
    from prefect_seedance.routes.request import Shape as _Shape

    _Job = JobBlock[JobTicket]
else:
    _Options, _Shape = block_fields("job", Options), block_fields("job", Shape)
    # With the parameter, pydantic would make a class "JobBlock[JobTicket]", and Prefect would offer it as a block type.
    _Job = JobBlock


class _Head(BaseModel):
    """The first fields of a job block: they come before the settings in its form."""

    route: RouteDefaults = Field(description="How it is made: account, model, prices and defaults.")
    batch: str = Field(min_length=1, description="The batch under which its row is kept.")
    row: str | None = Field(default=None, description="The row id. Empty: one is made from the request.")
    prompt: str | None = Field(default=None, description="What the video shows.")


class _Media(BaseModel):
    """The media, as lists that a form can edit."""

    images: list[str] = Field(default_factory=list, description="Reference images: links, or files that may be read.")
    first_image: str | None = Field(default=None, title="First image", description="The image it starts with.")
    last_image: str | None = Field(default=None, title="Last image", description="The image it ends with.")
    reference_videos: list[str] = Field(
        default_factory=list, title="Reference videos", description="Videos to take motion or scenes from."
    )
    reference_audios: list[str] = Field(
        default_factory=list, title="Reference audios", description="Sounds to take voices or music from."
    )


class VideoJob(StrictFields, _Options, _Media, _Shape, _Head, _Job):
    """One video: a row of a batch, for code that is written against Prefect's job blocks.

    Triggering it again pays for nothing: it is the same row of the same batch, and its run continues. Another `take`
    generates it again, and pays again.

    Example:
        ```python
        from prefect import flow
        from prefect_seedance.tasks.video_job import VideoJob

        @flow
        def lantern() -> str:
            job = VideoJob.load("BLOCK_NAME")
            run = job.trigger()        # in an async flow: await job.trigger()
            run.wait_for_completion()
            return run.fetch_result().video
        ```
    """

    _block_type_name = "Seedance Video Job"
    _block_type_slug = "seedance-video-job"
    _logo_url = LOGO
    _documentation_url = DOCUMENTATION

    take: str = Field(default="1", description="Another take makes the same row again, on purpose, and pays again.")
    output: str = Field(default="videos", description="The folder in which videos are kept.")
    ledger: SecretStr | None = Field(
        default=None,
        description="The ledger's URL, kept secret as it may hold a password. Empty: as for generate_videos.",
    )
    patience: float = Field(
        default=3600, ge=0, description="Seconds to wait for the job. One that takes longer is kept, not paid again."
    )
    media_root: str | None = Field(
        default=None, title="Media folder", description="The folder below which its media may be read from disk."
    )

    def trigger(self) -> Any:
        """Create the job: recorded in the ledger first, sent once, and never again while it may have been paid.

        In asynchronous code this is a coroutine; `atrigger` says so to a type checker.

        Returns:
            VideoJobRun: The run, to be waited for.

        Raises:
            InputError: The route cannot honour the request; nothing was spent.
            Refused: The provider refused; nothing was spent.
            UnknownOutcome: It may have been made. The row is kept as unknown and never sent again automatically.
            JobFailed: It has failed before. Another `take` generates it again.
        """
        return _awaited(self.atrigger)

    async def atrigger(self) -> VideoJobRun:
        """The asynchronous form of `trigger`."""
        settings = await route_to_use(self.route)
        meant, key, former = one_request(self._request(), self.row)
        ticket = await self._step(_create, MADE, settings, key, request=meant, former_keys=former)
        self.logger.info("Row %s: %s as job %s of %s.", key, ticket.state, ticket.job_id, settings.account.identity)
        return VideoJobRun(self, settings, ticket)

    def _request(self) -> dict[str, Any]:
        given = {name: getattr(self, name) for name in VideoRequest.model_fields}
        return {name: value for name, value in given.items() if value not in (None, [])}

    async def _step(
        self,
        step: Callable[[Row], Coroutine[Any, Any, None]],
        reaches: frozenset[State],
        settings: RouteSettings,
        key: str,
        request: VideoRequest | None = None,
        former_keys: Collection[str] = (),
    ) -> JobTicket:
        ledger = None if self.ledger is None else self.ledger.get_secret_value()
        spec = spec_of(self.batch, self.take, self.output, self.patience)
        context = context_of(settings, ledger, media_root=self.media_root)
        return await on_core(
            lambda: carry_out(
                step, reaches, spec=spec, context=context, key=key, request=request, former_keys=former_keys
            )
        )


class VideoJobRun(JobRun[JobTicket]):
    """A video that is being made. It has no state of its own: `trigger` returns the same one again.

    Attributes:
        ticket: Its row at the last step.
    """

    def __init__(self, job: VideoJob, settings: RouteSettings, ticket: JobTicket) -> None:
        self._job = job
        self._settings = settings
        self.ticket = ticket

    def wait_for_completion(self) -> Any:
        """Wait until the video is made, fetch it, verify it and store it.

        In asynchronous code this is a coroutine; `await_for_completion` says so to a type checker.

        Raises:
            JobFailed: The job failed at the provider (`ContentRejected` where the content was the reason).
            StillRunning: It still runs when the patience is over. It is kept, and may be waited for again.
            NotFound: Made and paid, but the provider no longer has it.
            InvalidVideo: The bytes are not a whole video, after all retries.
        """
        return _awaited(self.await_for_completion)

    async def await_for_completion(self) -> None:
        """The asynchronous form of `wait_for_completion`."""
        for step, reaches in ((_poll, ENDED), (_download, STORED)):
            self.ticket = await self._job._step(step, reaches, self._settings, self.ticket.row)  # noqa: SLF001
        self.logger.info("Row %s: stored as %s.", self.ticket.row, self.ticket.video)

    def fetch_result(self) -> Any:
        """The stored video: its path, hash and length, and what it cost.

        In asynchronous code this is a coroutine; `afetch_result` says so to a type checker.

        Returns:
            JobTicket: Plain data without a secret.

        Raises:
            LedgerError: There is no video yet.
        """
        return _awaited(self.afetch_result)

    async def afetch_result(self) -> JobTicket:
        """The asynchronous form of `fetch_result`."""
        if self.ticket.state != State.STORED:
            raise LedgerError(message("job.no_video_yet", state=self.ticket.state), row=self.ticket.row)
        return self.ticket


async def _create(row: Row) -> None:
    await prepare_media(row, PLAIN.upload, PLAIN.review)
    await PLAIN.create(row)


async def _poll(row: Row) -> None:
    await PLAIN.poll(row)


async def _download(row: Row) -> None:
    await PLAIN.download(row)


def _awaited(work: Callable[[], Coroutine[Any, Any, T]]) -> Any:
    """A coroutine where the caller can await it, else the result."""
    return work() if awaits() else call_core(work)
