"""How the steps of a row and of its media are carried out: as plain coroutines, or as Prefect task runs."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass
from typing import Any, TypeVar

from prefect_seedance.engine.chunks import ChunkStep
from prefect_seedance.engine.medium import Medium
from prefect_seedance.engine.row import Row
from prefect_seedance.engine.steps import create, download, poll
from prefect_seedance.engine.steps.media import review, upload
from prefect_seedance.engine.steps.media.prepare import MediumStep
from prefect_seedance.engine.steps.retry import CREATE, DOWNLOAD, MEDIUM, POLL, RetryRule
from prefect_seedance.errors import SeedanceError

__all__ = ["PLAIN", "Step", "StepRunner", "with_retries"]

Step = Callable[[Row], Awaitable[object]]


@dataclass(frozen=True, slots=True)
class StepRunner:
    """Carries out the steps of a run.

    Attributes:
        chunk: Carries a chunk of rows with the other steps; None where all rows of a route form one chunk.
    """

    create: Step
    poll: Step
    download: Step
    upload: MediumStep
    review: MediumStep
    chunk: ChunkStep | None = None


Subject = TypeVar("Subject", Row, Medium)


def with_retries(
    step: Callable[[Subject], Awaitable[None]], rule: RetryRule
) -> Callable[[Subject], Coroutine[Any, Any, None]]:
    """The step under a retry rule, which a Prefect task has by itself."""

    async def tries(subject: Subject) -> None:
        tried = 0
        while True:
            tried += 1
            try:
                return await step(subject)
            except SeedanceError as error:
                if not rule.again(error, tried):
                    raise
            await asyncio.sleep(rule.delay(tried))

    return tries


PLAIN = StepRunner(
    create=with_retries(create.create, CREATE),
    poll=with_retries(poll.poll, POLL),
    download=with_retries(download.download, DOWNLOAD),
    upload=with_retries(upload.upload, MEDIUM),
    review=with_retries(review.review, MEDIUM),
)
"""The steps without Prefect, under the same retry rules."""
