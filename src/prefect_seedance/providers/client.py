"""The client: sends the calls of one account to its provider, and returns typed answers."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import fields, replace
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

from prefect_seedance.errors import InputError, Refused, SeedanceError, UnknownOutcome, Unreachable
from prefect_seedance.messages import Message, message
from prefect_seedance.providers.account import Account
from prefect_seedance.providers.answers import Answer, Balance, Call, Created, JobView
from prefect_seedance.providers.dialect import dialect_of
from prefect_seedance.providers.http.form import unreadable
from prefect_seedance.providers.http.transport import Timeouts, Transport
from prefect_seedance.providers.library import AssetView, Library, Uploaded
from prefect_seedance.providers.outcome import foreign_answer
from prefect_seedance.routes import VideoRequest
from prefect_seedance.routes.facts import MediaKind

__all__ = ["ProviderClient", "Timeouts"]

_T = TypeVar("_T")
_Record = TypeVar("_Record", Created, JobView, AssetView, Uploaded)

# These fields are used, not shown. Redacting a key that occurs in them by accident would break them.
_NOT_REDACTED = frozenset({"job_id", "video_url", "state", "asset_id", "reference", "url"})
_LAST_PAGE = 50

NO_JOB = "no-such-job"
"""A job id that no provider gives."""

FREE_SECONDS = 30.0
"""How long the answer to a free question is waited for: it decides whether anything is sent."""

_GROUP_TYPE = "AIGC"


class ProviderClient:
    """The client of one account. Share it within one event loop, and close it at the end.

    Calls that cost money use new connections and are sent once. All other calls keep their connections alive. Redirects
    are never followed: they would send the key to another host. Proxy and CA variables of the environment are honoured,
    except on loopback, where the sandbox runs.

    Args:
        account: The account that pays, with its base URL.
        timeouts: How long to wait.

    Raises:
        InputError: If the provider is unknown, or address, proxy or CA settings cannot be used.
    """

    def __init__(self, account: Account, *, timeouts: Timeouts | None = None) -> None:
        self.account = account
        self.dialect = dialect_of(account.provider)
        self._transport = Transport(account, timeouts or Timeouts())

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close all connections. May be called twice."""
        await self._transport.aclose()

    async def create(self, model: str, request: VideoRequest) -> Created:
        """Create one video job. This call costs money; it is sent at most once.

        Raises:
            InputError: If the provider has no field for a setting of the request; nothing was sent.
            Unreachable: If no connection could be made; proven: nothing was sent.
            Refused: If the provider's answer proves that nothing was made (or a subclass).
            UnknownOutcome: If a job may have been made. The same must be assumed if this call is cancelled.
        """
        answer = await self._transport.send_once(self.dialect.create_call(model, request))
        codes = self.account.refusal_codes
        return self._decode(lambda: self.dialect.read_created(answer, refusal_codes=codes))

    async def query(self, job_id: str) -> JobView:
        """Query the state of a job. Free; may be repeated after any error.

        Raises:
            NotFound: If the provider does not know the job (any more).
            Refused: The key, its quota or the rate is the cause (`AuthenticationError`, `InsufficientFunds`,
                `RateLimited`).
            InvalidResponse: If the answer cannot be used.
            Unreachable: If no answer came.
        """
        self._check_id(job_id, "job")
        answer = await self._transport.ask(self.dialect.query_call(job_id))
        return self._decode(lambda: self.dialect.read_job(answer, job_id))

    async def ask_free(self) -> None:
        """Make sure that the provider's API answers at the base URL. Free.

        It is asked about a job that cannot exist, then for the balance or the like. One answer in the provider's own
        form is enough, whatever it says.

        Raises:
            InvalidResponse: If no answer has the provider's own form.
            Unreachable: If no answer came.
        """
        trouble: SeedanceError | None = None
        for call in (self.dialect.query_call(NO_JOB), *self.dialect.balance_calls()):
            try:
                async with asyncio.timeout(FREE_SECONDS):
                    answer = await self._transport.ask(call)
            except TimeoutError:
                text = message("provider.silent", provider=self.account.provider, seconds=FREE_SECONDS)
                raise Unreachable(text, provider=self.account.provider) from None
            if self.dialect.own_form(answer):
                return
            trouble = trouble or foreign_answer(self.account.provider, answer)
        if trouble is not None:
            raise self._redact_error(trouble)

    async def balance(self) -> Balance:
        """Query the balance. Free; also checks the key.

        Raises:
            SeedanceError: As `query` does.
        """
        answers = [await self._transport.ask(call) for call in self.dialect.balance_calls()]
        balance = self._read(lambda: self.dialect.read_balance(answers))
        return Balance({self.account.redact(name): self.account.redact(text) for name, text in balance.raw.items()})

    async def upload_file(self, path: Path, *, filename: str, mime_type: str) -> Uploaded:
        """Upload a local file to the provider, which serves it for `dialect.upload_lifetime`. Jimmy AI only.

        The file is streamed from the disk. Free; may be repeated after any error.

        Args:
            path: The file; at most 100 MB.
            filename: The file name that the provider sees; the provider must list its extension.
            mime_type: Its MIME type, for example `image/png`.

        Raises:
            InputError: If the provider does not accept such a file, or it cannot be read.
            Refused: If the provider refuses it (or the key, its quota or the rate is the cause).
            InvalidResponse: If the answer cannot be used.
            Unreachable: If no answer came.
        """
        try:
            size = path.stat().st_size
        except (OSError, ValueError) as error:
            raise unreadable(path, self.account.provider, OSError(str(error))) from error
        call = self.dialect.upload_call(filename, mime_type, size)
        answer = await self._transport.upload(call, path, size)
        return self._decode(lambda: self.dialect.read_uploaded(answer))

    async def submit_asset(
        self, library: Library, *, name: str, kind: MediaKind, url: str, group: str | None = None
    ) -> AssetView:
        """Submit one asset or one portrait for review.

        Free at Jimmy AI. Where `dialect.asset_billing_model(library, kind)` names a price line (Anyfast), this costs
        money and is sent at most once. `find_asset` resolves an unknown outcome, and is free.

        Args:
            library: The library that reviews it. (`audit` is unconfirmed: its bodies are a guess.)
            name: The user's name for it; at Anyfast it is unique in a group.
            kind: The kind of media. A portrait is an image.
            url: A public URL; at Anyfast a data URI is accepted too.
            group: Anyfast's group id; None elsewhere.

        Raises:
            InputError: If the provider has no such library or does not accept the URL; nothing was sent.
            Unreachable: If no connection could be made (where it is free: if no answer came).
            DuplicateName: If the group already has an asset of this name; `find_asset` returns it.
            Refused: If nothing was made (or a subclass).
            UnknownOutcome: Where it costs money: if it may have been made. The same must be assumed if this call is
                cancelled.
            InvalidResponse: Where it is free: if the answer cannot be used.
        """
        call = self.dialect.submit_asset_call(library, name=name, kind=kind, url=url, group=group)
        paid = self.dialect.asset_billing_model(library, kind) is not None
        answer = await (self._transport.send_once(call) if paid else self._transport.ask(call))
        codes = self.account.refusal_codes
        return self._decode(lambda: self.dialect.read_submitted(answer, library, refusal_codes=codes))

    async def asset(self, library: Library, asset_id: str) -> AssetView:
        """Query the review of an asset or a portrait. Free.

        Raises:
            NotFound: If the provider does not know it. At Anyfast this is normal for some 20 seconds after it was made.
            SeedanceError: As `query` does; `Refused` for any other plain refusal.
        """
        self._check_id(asset_id, "asset")
        answer = await self._transport.ask(self.dialect.asset_call(library, asset_id))
        return self._decode(lambda: self.dialect.read_asset(answer, library, asset_id))

    async def create_group(self, name: str) -> str:
        """Create a group of assets and return its id. Anyfast only; it is billed, and sent at most once.

        Raises:
            InputError: If the provider has no groups; nothing was sent.
            SeedanceError: As `submit_asset` does where it costs money; `find_group` resolves an unknown outcome.
        """
        answer = await self._transport.send_once(self.dialect.create_group_call(name))
        return self._read(lambda: self.dialect.read_group(answer, refusal_codes=self.account.refusal_codes))

    async def find_group(self, name: str) -> str | None:
        """Return the id of the group with exactly this name, or None. Anyfast only; free.

        Raises:
            SeedanceError: As `asset` does.
        """

        def call(page: int, group_type: str | None) -> Call:
            return self.dialect.list_groups_call(name, page=page, group_type=group_type)

        for page in range(1, _LAST_PAGE + 1):
            groups = await self._list_page(call, page, self.dialect.read_groups)
            found = next((group.id for group in groups if group.name == name), None)
            if found is not None or not groups:
                return found
        return None

    async def find_asset(self, name: str, group: str) -> AssetView | None:
        """Return the asset with exactly this name in a group, or None. Anyfast only; free.

        Raises:
            SeedanceError: As `asset` does.
        """

        def call(page: int, group_type: str | None) -> Call:
            return self.dialect.list_assets_call(name, group, page=page, group_type=group_type)

        for page in range(1, _LAST_PAGE + 1):
            assets = await self._list_page(call, page, self.dialect.read_assets)
            found = next((view for title, view in assets if title == name), None)
            if found is not None or not assets:
                return self._redact_fields(found) if found else None
        return None

    async def _list_page(
        self, call: Callable[[int, str | None], Call], page: int, read: Callable[[Answer], tuple[_T, ...]]
    ) -> tuple[_T, ...]:
        """Fetch one page of a list. Some servers require the type of group; with it, others find nothing."""
        answer = await self._transport.ask(call(page, None))
        try:
            return self._read(lambda: read(answer))
        except Refused as refusal:
            if "grouptype" not in refusal.message.lower():
                raise
        typed = await self._transport.ask(call(page, _GROUP_TYPE))
        return self._read(lambda: read(typed))

    def _check_id(self, name: str, what: str) -> None:
        if name.strip() in {"", ".", ".."}:
            raise InputError(message("provider.bad_id", id=name, what=what), provider=self.account.provider)

    def _decode(self, read: Callable[[], _Record]) -> _Record:
        return self._redact_fields(self._read(read))

    def _redact_fields(self, result: _Record) -> _Record:
        redacted: dict[str, Any] = {
            field.name: self.account.redact(value)
            for field in fields(result)
            if field.name not in _NOT_REDACTED and isinstance(value := getattr(result, field.name), str)
        }
        return replace(result, **redacted)

    def _read(self, read: Callable[[], _T]) -> _T:
        try:
            return read()
        except SeedanceError as error:
            raise self._redact_error(error) from None

    def _redact_error(self, error: SeedanceError) -> SeedanceError:
        error.reword(self._redact_text(error.text))
        error.code = self.account.redact(error.code) if error.code else None
        error.request_id = self.account.redact(error.request_id) if error.request_id else None
        if isinstance(error, UnknownOutcome) and error.named_job != self.account.redact(error.named_job or ""):
            error.named_job = None  # no id, but the key
        return error

    def _redact_text(self, text: Message | str) -> Message | str:
        """Return a message without the key, in case the provider's words in it echoed the key."""
        if isinstance(text, str):
            return self.account.redact(text)
        parameters = {
            name: self._redact_text(value) if isinstance(value, Message | str) else value
            for name, value in text.parameters.items()
        }
        return replace(text, parameters=parameters)
