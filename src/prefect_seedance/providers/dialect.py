"""The dialect: the interface of a provider's module. It does no I/O."""

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
    """Encodes the calls of one provider and decodes its answers.

    Every `read_` method returns its typed result or raises a `SeedanceError`, for any bytes.
    """

    @property
    def name(self) -> str:
        """The provider's name."""

    @property
    def default_base_url(self) -> str:
        """The base URL in the provider's documents."""

    @property
    def result_lifetime(self) -> timedelta:
        """How long a result link is valid after the end of the job."""

    @property
    def job_lifetime(self) -> timedelta:
        """How long the provider knows a job after its creation; seven days where no document says it."""

    @property
    def poll_advice_seconds(self) -> float:
        """A reasonable pause between two queries of one job, in seconds."""

    @property
    def refund_on_failure(self) -> Literal["documented", "undocumented"]:
        """Whether the documents promise that a failed job costs nothing."""

    @property
    def shows_balance(self) -> bool:
        """Whether there is a call that shows the balance."""

    def create_call(self, model: str, request: VideoRequest) -> Call:
        """Encode a create. Unset fields are left out.

        Raises:
            InputError: If the request sets something that this provider has no field for.
        """

    def read_created(self, answer: Answer, *, refusal_codes: AbstractSet[str] = frozenset()) -> Created:
        """Decode the answer to a create.

        Args:
            answer: The answer.
            refusal_codes: Further codes that the user knows to be refusals.

        Raises:
            Refused: If the answer proves that nothing was made (or a subclass).
            UnknownOutcome: If it proves neither.
        """

    def query_call(self, job_id: str) -> Call:
        """Encode the query of a job."""

    def read_job(self, answer: Answer, job_id: str) -> JobView:
        """Decode the answer to a query.

        Raises:
            NotFound: If the provider does not know the job (any more).
            AuthenticationError: If the key is not accepted.
            InsufficientFunds: If the key's quota does not allow queries.
            RateLimited: If there were too many queries.
            InvalidResponse: For everything else; the query can be repeated for free.
        """

    def own_form(self, answer: Answer) -> bool:
        """Whether an answer to a free call is in the provider's own form, whatever it says.

        "No such job" in the provider's error form is; a proxy's page, an index page or a redirect is not.
        """

    def balance_calls(self) -> tuple[Call, ...]:
        """Encode the balance queries; free calls that also check the key."""

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
