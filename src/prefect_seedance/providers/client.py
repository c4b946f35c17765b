"""The client: carries calls to one account's provider and back. The only place of this room that does I/O."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from types import TracebackType
from typing import Any, Self, TypeVar

import httpx

from prefect_seedance.errors import BrokenAnswer, SeedanceError, UnknownOutcome, Unreachable, UserMistake
from prefect_seedance.providers.account import Account
from prefect_seedance.providers.answers import Answer, Balance, Call, Created, JobView
from prefect_seedance.providers.dialect import dialect_of
from prefect_seedance.providers.journey import Journey
from prefect_seedance.providers.reading import presentable
from prefect_seedance.routes import VideoRequest

MAX_BODY = 1024 * 1024

_T = TypeVar("_T", Created, JobView)


@dataclass(frozen=True)
class Timeouts:
    """How long to wait, in seconds.

    Attributes:
        connect: For a connection.
        create: For each byte of the answer to a create; the gateways hold it for minutes while they relay it.
        create_whole: For a create from end to end, so that a trickle does not hold a place for ever.
        query: For each byte of the answer to anything else.
        query_whole: For anything else from end to end.
    """

    connect: float = 15.0
    create: float = 300.0
    create_whole: float = 660.0
    query: float = 60.0
    query_whole: float = 120.0


class ProviderClient:
    """One account's client; share it within one event loop, and close it at the end.

    Creates go out on fresh connections and are sent once: a connection that idled may be dead, and a request lost on
    it looks just like a lost answer. Everything else keeps its connections alive. Redirects are never followed: they
    would carry the key to another host. Proxy and CA variables of the environment are honoured, except on loopback,
    where the sandbox lives.

    Args:
        account: Who pays, and where.
        timeouts: How long to wait.

    Raises:
        UserMistake: If the provider is unknown, or address, proxy or CA settings cannot be used.
    """

    def __init__(self, account: Account, *, timeouts: Timeouts | None = None) -> None:
        self.account = account
        self.dialect = dialect_of(account.provider)
        self._timeouts = timeouts or Timeouts()
        # As many creates as the caller's limiter lets through: a second limit here would only hide behind it.
        fresh = httpx.Limits(max_connections=None, max_keepalive_connections=0)
        kept_alive = httpx.Limits(max_connections=50, max_keepalive_connections=20)
        self._creates, self._queries = _http_clients(account, fresh, kept_alive)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close all connections. May be called twice."""
        await self._creates.aclose()
        await self._queries.aclose()

    async def create(self, model: str, request: VideoRequest) -> Created:
        """Ask for one video. This is the call that costs money; it is sent at most once.

        Raises:
            UserMistake: If the request cannot be put in the provider's words; nothing was sent.
            Unreachable: If no connection could be made; proven: nothing was sent.
            Refused: If the provider's answer proves that nothing was made (or one of its kinds).
            UnknownOutcome: If a job may have been made. Also to be assumed if this call is cancelled.
        """
        call = self.dialect.create_call(model, request)
        journey = Journey()
        http_request = self._build(self._creates, call, self._timeouts.create, journey)
        try:
            async with asyncio.timeout(self._timeouts.create_whole):
                answer = await self._carry(self._creates, http_request, journey)
        except Exception as error:  # noqa: BLE001  whatever it was: it is the journey that tells what it proves
            answer = self._judge_lost_create(journey, error)
        codes = self.account.refusal_codes
        return self._decode(lambda: self.dialect.read_created(answer, refusal_codes=codes))

    async def query(self, job_id: str) -> JobView:
        """Ask how a job is doing. Costs nothing, and may be asked again after any error.

        Raises:
            Gone: If the provider does not know the job (any more).
            Refused: If the key, its quota or the pace is at fault (`BadKey`, `OutOfFunds`, `RateLimited`).
            BrokenAnswer: If the answer cannot be used.
            Unreachable: If none came.
        """
        if job_id.strip() in {"", ".", ".."}:
            raise UserMistake(f"{job_id!r} is no job id", provider=self.account.provider)
        answer = await self._ask(self.dialect.query_call(job_id))
        return self._decode(lambda: self.dialect.read_job(answer, job_id))

    async def balance(self) -> Balance:
        """Ask what is left. Costs nothing, and proves the key.

        Raises:
            SeedanceError: As `query` does.
        """
        answers = [await self._ask(call) for call in self.dialect.balance_calls()]
        try:
            balance = self.dialect.read_balance(answers)
        except SeedanceError as error:
            raise self._without_key(error) from None
        return Balance({self.account.redact(name): self.account.redact(text) for name, text in balance.raw.items()})

    def _build(self, client: httpx.AsyncClient, call: Call, read: float, journey: Journey) -> httpx.Request:
        if client.is_closed:
            raise Unreachable("this client is already closed; nothing was sent", provider=self.account.provider)
        headers = {
            "Authorization": f"Bearer {self.account.api_key.get_secret_value()}",
            "Accept": "application/json",
            # A compressed answer that cannot be unpacked would be one more way to lose a paid job.
            "Accept-Encoding": "identity",
            "User-Agent": "prefect-seedance",
        }
        content = None
        try:
            if call.json is not None:
                content = json.dumps(call.json, ensure_ascii=False, allow_nan=False).encode("utf-8")
                headers["Content-Type"] = "application/json"
            return client.build_request(
                call.method,
                self.account.base_url + call.path,
                content=content,
                headers=headers,
                timeout=httpx.Timeout(read, connect=self._timeouts.connect),
                extensions={"trace": journey.watch},
            )
        except (UnicodeEncodeError, httpx.InvalidURL) as error:
            raise UserMistake(
                "a text holds broken characters (half of a surrogate pair, or control characters) and cannot be sent",
                provider=self.account.provider,
            ) from error

    async def _carry(self, client: httpx.AsyncClient, request: httpx.Request, journey: Journey) -> Answer:
        response = await client.send(request, stream=True, follow_redirects=False)
        try:
            journey.status = response.status_code
            journey.headers = dict(response.headers)
            body = bytearray()
            async for chunk in response.aiter_bytes():
                body += chunk
                if len(body) > MAX_BODY:
                    raise _TooLongError
        finally:
            await response.aclose()
        return Answer(response.status_code, dict(response.headers), self.account.redact_bytes(bytes(body)))

    def _judge_lost_create(self, journey: Journey, error: Exception) -> Answer:
        """Return the answer if its head alone proves a refusal (429); else raise what the journey proves."""
        if journey.status == 429:
            return Answer(429, journey.headers)
        what, provider = self._describe(error), self.account.provider
        if journey.never_sent(error):
            raise Unreachable(f"no connection to {provider}: {what}; nothing was sent", provider=provider) from error
        raise UnknownOutcome(
            f"{provider} may have taken this create, but its answer was lost: {what}",
            provider=provider,
            code="lost-answer",
            http_status=journey.status,
        ) from error

    async def _ask(self, call: Call) -> Answer:
        journey = Journey()
        request = self._build(self._queries, call, self._timeouts.query, journey)
        provider = self.account.provider
        try:
            async with asyncio.timeout(self._timeouts.query_whole):
                return await self._carry(self._queries, request, journey)
        except (_TooLongError, httpx.DecodingError) as error:
            raise BrokenAnswer(
                f"{provider} gave an unreadable answer: {self._describe(error)}",
                provider=provider,
                http_status=journey.status,
            ) from error
        except (httpx.HTTPError, httpx.StreamError, OSError) as error:
            raise Unreachable(f"{provider} gave no answer: {self._describe(error)}", provider=provider) from error

    def _describe(self, error: Exception) -> str:
        words = presentable(self.account.redact(str(error)))
        return f"{type(error).__name__}{': ' if words else ''}{words}"

    def _decode(self, read: Callable[[], _T]) -> _T:
        try:
            result = read()
        except SeedanceError as error:
            raise self._without_key(error) from None
        # The id and the link are used, not shown.
        shown: dict[str, Any] = {
            field.name: self.account.redact(value)
            for field in fields(result)
            if field.name not in {"job_id", "video_url", "state"}
            and isinstance(value := getattr(result, field.name), str)
        }
        return replace(result, **shown)

    def _without_key(self, error: SeedanceError) -> SeedanceError:
        error.message = self.account.redact(error.message)
        error.args = (error.message,)
        error.code = self.account.redact(error.code) if error.code else None
        error.request_id = self.account.redact(error.request_id) if error.request_id else None
        return error


class _TooLongError(Exception):
    """The body passed the limit."""

    def __str__(self) -> str:
        return f"the body is longer than {MAX_BODY} bytes"


def _http_clients(account: Account, *limits: httpx.Limits) -> list[httpx.AsyncClient]:
    try:
        context = httpx.create_ssl_context(trust_env=True)
        httpx.URL(account.base_url)
        return [
            # On loopback a proxy of the environment could not reach the sandbox, and would see its key in the clear.
            httpx.AsyncClient(limits=limit, verify=context, trust_env=not account.on_loopback, http2=False)
            for limit in limits
        ]
    except (OSError, ImportError, ValueError, httpx.InvalidURL) as error:
        # The environment's proxy address may hold a password: the error's own words are not repeated.
        raise UserMistake(
            f"no HTTP client can be set up for {account.provider} ({type(error).__name__}): look at the base URL, "
            "the proxy variables of the environment (SOCKS needs `pip install 'httpx[socks]'`) and SSL_CERT_FILE",
            provider=account.provider,
        ) from None
