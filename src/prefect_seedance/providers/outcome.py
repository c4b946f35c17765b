"""What an answer without a result proves (DESIGN, law 2).

A create is judged strictly: only an answer that proves that nothing was made becomes a `Refused`. A query is free, so a
doubtful answer to it is an `InvalidResponse`, and the query can be repeated.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from collections.abc import Set as AbstractSet
from typing import Any

from prefect_seedance.errors import (
    AuthenticationError,
    ContentRejected,
    InsufficientFunds,
    InvalidResponse,
    NotFound,
    RateLimited,
    Refused,
    RouteUnavailable,
    SeedanceError,
    UnknownOutcome,
)
from prefect_seedance.messages import Message, message
from prefect_seedance.providers.answers import Answer
from prefect_seedance.providers.error_body import ErrorBody, ErrorKind, means_route_closed
from prefect_seedance.providers.reading import excerpt, identifier, presentable, request_id, retry_after

_REFUSALS: dict[ErrorKind, type[Refused]] = {
    ErrorKind.MODERATED: ContentRejected,
    ErrorKind.FUNDS: InsufficientFunds,
    ErrorKind.KEY: AuthenticationError,
}
# Statuses below 500 that are about the transfer, not the request: time-outs, a closed connection, a duplicate.
_DOUBTFUL_STATUSES = frozenset({408, 409, 425, 499})
_STATUS_KINDS = {401: ErrorKind.KEY, 402: ErrorKind.FUNDS, 403: ErrorKind.KEY, 429: ErrorKind.LIMITED}
_ABOUT_A_MODEL = re.compile(r"model|模型|group|分组|region", re.IGNORECASE)

_JOB_KEYS = frozenset({"task_id", "taskid", "job_id", "jobid", "video_id", "videoid"})
_JOB_IN_TEXT = re.compile(r"\b(?:cgt-|asyntask_|vid_|task_id\W{1,4})[A-Za-z0-9][\w-]{5,}")
_ABSENT_ASSET = re.compile(
    r"asset.{0,80}?not[ _](?:be[ _])?(?:found|exist)|notfound\b|素材.{0,20}?(?:不存在|未找到|找不到)", re.IGNORECASE
)
_MAX_TEXT = 4000


def means_absent_asset(error: SeedanceError) -> bool:
    """Whether the provider's words say that an asset does not exist."""
    return _ABSENT_ASSET.search(f"{error.code} {error.message}"[:_MAX_TEXT]) is not None


_URL = re.compile(r"(?:https?|asset)://\S+", re.IGNORECASE)


def create_error(
    provider: str,
    answer: Answer,
    error_body: ErrorBody | None,
    *,
    job: str | None,
    refusal_codes: AbstractSet[str] = frozenset(),
    what: str = "job",
) -> SeedanceError:
    """Judge an answer to a create that is not a plain success.

    Args:
        provider: The provider's name.
        answer: The answer.
        error_body: What the answer says, if it is in the provider's own error form.
        job: A job that the answer names nevertheless.
        refusal_codes: Further codes that the user knows to be refusals.
        what: What the call creates, such as `job`.
    """
    if job is not None:
        words = _words(answer, error_body)
        named = message("provider.names_job", words=words, what=what, job=presentable(job))
        return _unknown(provider, answer, error_body, named, what)
    kind = _kind(answer, error_body)
    named_by_user = not refusal_codes.isdisjoint(_all_codes(answer, error_body))
    proven = (
        answer.status == 429
        or named_by_user
        or (answer.status < 500 and not 300 <= answer.status < 400 and error_body is not None)
    )
    doubtful = kind is ErrorKind.TROUBLE or answer.status in _DOUBTFUL_STATUSES
    if not proven or (doubtful and not named_by_user and answer.status != 429):
        return _unknown(provider, answer, error_body, _redirected(answer, error_body), what)
    return _refusal(provider, answer, error_body, kind)


def query_error(
    provider: str, answer: Answer, error_body: ErrorBody | None, *, about_job: bool = True
) -> SeedanceError:
    """Judge an answer to a free call that is not a plain success.

    A 404 that is not in the provider's own form may come from a proxy, and proves nothing about the job.

    Args:
        provider: The provider's name.
        answer: The answer.
        error_body: What the answer says, if it is in the provider's own error form.
        about_job: Whether the call queries a job, so that "not found" can mean that it no longer exists.
    """
    details = _details(provider, answer, error_body)
    words = _words(answer, error_body)
    kind = _kind(answer, error_body)
    if answer.status == 429 or (kind is ErrorKind.LIMITED and answer.status < 500):
        return _rate_limited(provider, answer, error_body)
    if answer.status < 500 and (error_body is not None or answer.status == 401):
        if kind in {ErrorKind.KEY, ErrorKind.FUNDS}:
            return _REFUSALS[kind](message("provider.refused", provider=provider, words=words), **details)
        wrong_address = error_body is not None and "invalid url" in error_body.text.lower()
        if about_job and not wrong_address and (kind is ErrorKind.GONE or answer.status in {404, 410}):
            return NotFound(message("provider.unknown_job", provider=provider, words=words), **details)
    text = message(
        "provider.unusable_answer", provider=provider, status=answer.status, words=_redirected(answer, error_body)
    )
    return InvalidResponse(text, **details)


def foreign_answer(provider: str, answer: Answer) -> InvalidResponse:
    """The error for an answer that does not have the provider's own form."""
    text = message("provider.unusable_answer", provider=provider, status=answer.status, words=_redirected(answer, None))
    return InvalidResponse(text, **_details(provider, answer, None))


def library_error(
    provider: str, answer: Answer, error_body: ErrorBody | None, *, about_asset: bool = False
) -> SeedanceError:
    """Judge an answer to a free call about uploads and assets that is not a plain success.

    Unlike for a job's query, a plain refusal becomes a `Refused`: a repetition would not help.

    Args:
        provider: The provider's name.
        answer: The answer.
        error_body: What the answer says, if it is in the provider's own error form.
        about_asset: Whether the call queries an asset, so that "not found" can mean that it does not exist.
    """
    error = query_error(provider, answer, error_body, about_job=False)
    kind = _kind(answer, error_body)
    if isinstance(error, Refused) or error_body is None or kind is ErrorKind.TROUBLE:
        return error
    if answer.status >= 500 or 300 <= answer.status < 400 or answer.status in _DOUBTFUL_STATUSES:
        return error
    words = " ".join((*error_body.codes, error_body.text))
    unknown_asset = answer.status in {404, 410} or kind is ErrorKind.GONE or _ABSENT_ASSET.search(words[:_MAX_TEXT])
    if about_asset and unknown_asset and "invalid url" not in words.lower():
        details = _details(provider, answer, error_body)
        return NotFound(
            message("provider.unknown_asset", provider=provider, words=_words(answer, error_body)), **details
        )
    return _refusal(provider, answer, error_body, kind)


def named_job(answer: Answer, body: Mapping[str, Any] | None) -> str | None:
    """Return a job id that an answer contains anywhere: in a field or in its text."""
    for source, is_record in _objects(body or {}):
        for name, value in source.items():
            if name.lower() in _JOB_KEYS or (name == "id" and is_record):
                job = identifier(value)
                if job is not None:
                    return job
    # File names of the user's media may look like ids; they occur in URLs, which are removed.
    found = _JOB_IN_TEXT.search(_URL.sub("", answer.body.decode("utf-8", "replace")))
    return found.group(0) if found else None


def _objects(body: Mapping[str, Any]) -> Iterator[tuple[Mapping[str, Any], bool]]:
    """Yield the objects of an answer down to four levels, and whether an `id` in them would be that of a job."""
    level: list[tuple[Mapping[str, Any], bool]] = [(body, True)]
    for _ in range(4):
        yield from level
        level = [
            (value, is_record and name == "data")
            for source, is_record in level
            for name, value in source.items()
            if isinstance(value, Mapping)
        ]


def _kind(answer: Answer, error_body: ErrorBody | None) -> ErrorKind:
    by_status = _STATUS_KINDS.get(answer.status, ErrorKind.REFUSED)
    if error_body is None:
        return by_status
    if error_body.kind is not ErrorKind.REFUSED or error_body.relayed:
        return error_body.kind
    if answer.status == 403 and _ABOUT_A_MODEL.search(" ".join((*error_body.codes, error_body.text))):
        return ErrorKind.REFUSED
    return by_status


def _refusal(provider: str, answer: Answer, error_body: ErrorBody | None, kind: ErrorKind) -> Refused:
    limited = kind is ErrorKind.LIMITED or (answer.status == 429 and kind not in _REFUSALS)
    if limited:
        return _rate_limited(provider, answer, error_body)
    refusal = _REFUSALS.get(kind, Refused)
    if refusal is Refused and error_body is not None and means_route_closed((*error_body.codes, error_body.text)):
        refusal = RouteUnavailable
    text = message("provider.refused", provider=provider, words=_words(answer, error_body))
    return refusal(text, **_details(provider, answer, error_body))


def _rate_limited(provider: str, answer: Answer, error_body: ErrorBody | None) -> RateLimited:
    wait = retry_after(answer)
    words = _words(answer, error_body)
    if wait is None:
        text = message("provider.rate_limited", provider=provider, words=words)
    else:
        text = message("provider.rate_limited_for", provider=provider, seconds=wait, words=words)
    return RateLimited(text, retry_after=wait, **_details(provider, answer, error_body))


def _unknown(
    provider: str, answer: Answer, error_body: ErrorBody | None, words: Message | str, what: str
) -> UnknownOutcome:
    text = message("provider.nothing_proven", provider=provider, status=answer.status, what=what, words=words)
    return UnknownOutcome(text, **_details(provider, answer, error_body))


def _words(answer: Answer, error_body: ErrorBody | None) -> Message | str:
    """The provider's own words."""
    if error_body is None:
        return excerpt(answer.body) or message("provider.empty_answer")
    text = error_body.text or error_body.code
    if not text:
        return message("provider.without_words")
    wrapping = ": ".join(error_body.codes[:-1])
    return presentable(f"{wrapping}: {text}" if wrapping else text)


def _redirected(answer: Answer, error_body: ErrorBody | None) -> Message | str:
    """The provider's own words, and the target of a redirect."""
    words, target = _words(answer, error_body), answer.header("location")
    if not 300 <= answer.status < 400 or not target:
        return words
    return message("provider.redirects", words=words, target=presentable(target.split("?")[0]))


def _details(provider: str, answer: Answer, error_body: ErrorBody | None) -> dict[str, Any]:
    code = error_body.code if error_body else None
    return {
        "provider": provider,
        "code": presentable(code, 120) if code else f"http-{answer.status}",
        "request_id": request_id(answer),
        "http_status": answer.status,
    }


def _all_codes(answer: Answer, error_body: ErrorBody | None) -> set[str]:
    codes = error_body.codes if error_body else ()
    heads = (code.split(".")[0] for code in codes)
    return {f"http-{answer.status}", *codes, *heads}
