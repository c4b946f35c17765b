"""The dialect: what a provider's module must know, without doing any I/O itself."""

from __future__ import annotations

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from datetime import timedelta
from typing import Literal, Protocol

from prefect_seedance.errors import InputError
from prefect_seedance.messages import message
from prefect_seedance.providers.answers import Answer, Balance, Call, Created, JobView
from prefect_seedance.providers.anyfast.dialect import Anyfast
from prefect_seedance.providers.jimmy.dialect import Jimmy
from prefect_seedance.providers.library import LibraryDialect
from prefect_seedance.routes import VideoRequest


class Dialect(LibraryDialect, Protocol):
    """How one provider is asked and understood.

    Every reading method returns its typed result or raises a `SeedanceError`, whatever the bytes are.
    """

    @property
    def name(self) -> str:
        """The provider's name."""

    @property
    def default_base_url(self) -> str:
        """The address that the documents give."""

    @property
    def result_lifetime(self) -> timedelta:
        """How long a result link lives after the job has ended."""

    @property
    def poll_advice_seconds(self) -> float:
        """A sensible pause between two queries of one job, in seconds."""

    @property
    def refund_on_failure(self) -> Literal["documented", "undocumented"]:
        """Whether the documents promise that a failed job costs nothing."""

    @property
    def shows_balance(self) -> bool:
        """Whether there is a call that shows what is left."""

    def create_call(self, model: str, request: VideoRequest) -> Call:
        """Encode a create. What is not set is left out.

        Raises:
            InputError: If the request sets something that this provider has no field for.
        """

    def read_created(self, answer: Answer, *, refusal_codes: AbstractSet[str] = frozenset()) -> Created:
        """Decode the answer to a create.

        Args:
            answer: The answer as it came.
            refusal_codes: Further codes that the user knows to be refusals.

        Raises:
            Refused: If the answer proves that nothing was made (or one of its kinds).
            UnknownOutcome: If it does not.
        """

    def query_call(self, job_id: str) -> Call:
        """Encode the question how a job is doing."""

    def read_job(self, answer: Answer, job_id: str) -> JobView:
        """Decode the answer to a query.

        Raises:
            NotFound: If the provider does not know the job (any more).
            AuthenticationError: If the key is not accepted.
            InsufficientFunds: If the key's quota does not even allow questions.
            RateLimited: If asked too often.
            InvalidResponse: For everything else; asking again costs nothing.
        """

    def balance_calls(self) -> tuple[Call, ...]:
        """Encode the questions about what is left; calls without cost that also prove the key."""

    def read_balance(self, answers: Sequence[Answer]) -> Balance:
        """Decode the answers to `balance_calls`, in their order.

        Raises:
            SeedanceError: As `read_job` does, if no answer shows anything.
        """


DIALECTS: dict[str, Dialect] = {"jimmy": Jimmy(), "anyfast": Anyfast()}


def dialect_of(provider: str) -> Dialect:
    """Return the dialect of a provider.

    Raises:
        InputError: If there is no such provider.
    """
    dialect = DIALECTS.get(provider)
    if dialect is None:
        raise InputError(message("provider.unknown", provider=provider, known=sorted(DIALECTS)))
    return dialect
