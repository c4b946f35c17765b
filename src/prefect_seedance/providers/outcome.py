"""What an answer without a result proves (DESIGN, law 2).

A create is judged strictly: only an answer that proves that nothing was made becomes a `Refused`. A query is free, so a
doubtful answer to it is an `InvalidResponse`, and the query can be repeated.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from typing import Any
from urllib.parse import urlsplit

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
from prefect_seedance.providers.error_body import (
    DOUBTFUL_STATUSES,
    ErrorBody,
    ErrorKind,
    means_route_closed,
    names_other_thing,
    says_that_something_is_missing,
    speaks_of_missing_job,
)
from prefect_seedance.providers.job_ids import jobs_named
from prefect_seedance.providers.reading import excerpt, presentable, read_object, request_id, retry_after

_REFUSALS: dict[ErrorKind, type[Refused]] = {
    ErrorKind.MODERATED: ContentRejected,
    ErrorKind.FUNDS: InsufficientFunds,
    ErrorKind.KEY: AuthenticationError,
}
# Statuses that a server answers with before it does what was asked.
_PROVING_STATUSES = frozenset({401, 405, 411, 413, 414, 415, 429, 431})
_MOVED = frozenset({301, 307, 308})
_STATUS_KINDS = {401: ErrorKind.KEY, 402: ErrorKind.FUNDS, 403: ErrorKind.KEY, 429: ErrorKind.LIMITED}
_ABOUT_A_MODEL = re.compile(r"model|模型|group|分组|region", re.IGNORECASE)
_ABSENT_ASSET = re.compile(
    r"asset.{0,80}?not[ _](?:be[ _])?(?:found|exist)|notfound\b|素材.{0,20}?(?:不存在|未找到|找不到)", re.IGNORECASE
)
_MAX_TEXT = 4000


def means_absent_asset(error: SeedanceError) -> bool:
    """Whether the provider's words say that an asset does not exist."""
    return _ABSENT_ASSET.search(f"{error.code} {error.message}"[:_MAX_TEXT]) is not None


def create_error(
    provider: str,
    answer: Answer,
    error_body: ErrorBody | None,
    *,
    path: str,
    jobs: tuple[str, ...] | None = None,
    refusal_codes: AbstractSet[str] = frozenset(),
    what: str = "job",
) -> SeedanceError:
    """Judge an answer to a create that is not a plain success: a proven refusal, or an unknown outcome.

    An answer that names a job anywhere is unknown; so is one that says that a job is missing, since a relay that made
    one and asked for it too early answers so. Of all others, these prove that nothing was made:

    - 429, and 401, 405, 411, 413, 414, 415, 431, whatever the body says;
    - 301, 307 and 308 to the same call at another scheme, host or path prefix;
    - 404 with an empty body or one that is not in the provider's form, or that speaks of a path, a model or another
      thing that is not a job;
    - below 500, an error in the provider's form whose code or words say what was wrong, and speak of no trouble on the
      way (408, 409, 425 and 499 are such trouble by themselves);
    - at any status, an outermost code that the gateway raises before it calls any upstream (`model_not_found`);
    - a code that the user knows to be a refusal.

    Everything else is unknown: 5xx, other redirects, an error without words, a page of something on the way.

    Args:
        provider: The provider's name.
        answer: The answer.
        error_body: What the answer says, if it is in the provider's own error form.
        path: The path of the call below the base URL.
        jobs: What the answer names of the kind that the call makes; None: look for jobs.
        refusal_codes: Further codes that the user knows to be refusals.
        what: What the call creates, such as `job`.
    """
    named = jobs_named(answer) if jobs is None else jobs
    if named:
        words = _words(answer, error_body)
        text = message("provider.names_job", words=words, what=what, job=presentable(named[0]))
        return _unknown(provider, answer, error_body, text, what, named[0] if len(named) == 1 else None)
    by_user = not refusal_codes.isdisjoint(_all_codes(answer, error_body))
    if by_user or _proves_that_nothing_was_made(answer, error_body, path, what):
        wrong_address = what == "job" and _is_wrong_address(answer, error_body)
        return _refusal(provider, answer, error_body, wrong_address=wrong_address)
    return _unknown(provider, answer, error_body, _redirected(answer, error_body), what)


def _proves_that_nothing_was_made(answer: Answer, error_body: ErrorBody | None, path: str, what: str) -> bool:
    """The list in `create_error`, for an answer that names no job."""
    said = _said(answer, error_body)
    if speaks_of_missing_job(said, path):
        return False
    if answer.status in _PROVING_STATUSES or (error_body is not None and error_body.undispatched):
        return True
    if 300 <= answer.status < 400:
        return answer.status in _MOVED and _is_same_call(answer.header("location"), path)
    if error_body is None:
        return answer.status == 404 and not _in_own_form(answer)
    if answer.status >= 500 or answer.status in DOUBTFUL_STATUSES or error_body.kind is ErrorKind.TROUBLE:
        return False
    missing = answer.status in {404, 410} or error_body.kind is ErrorKind.GONE or says_that_something_is_missing(said)
    return not missing or names_other_thing(said, path, what)


def _is_same_call(location: str | None, path: str) -> bool:
    """Whether a redirect's target differs in scheme, host or path prefix only."""
    try:
        target = urlsplit(location or "")
    except ValueError:
        return False
    return target.path.endswith(path) and not target.query and not target.fragment


def _in_own_form(answer: Answer) -> bool:
    """Whether an answer without an error looks like the provider's: only such a 404 may speak of a job."""
    body = read_object(answer.body)
    return body is not None and ("code" in body or isinstance(body.get("error"), Mapping))


def _said(answer: Answer, error_body: ErrorBody | None) -> str:
    """All codes and words of an answer."""
    if error_body is None:
        return answer.body[: _MAX_TEXT * 4].decode("utf-8", "replace")
    return " ".join((*error_body.codes, error_body.text))


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


def wrong_job(provider: str, answer: Answer, asked: str, named: str) -> InvalidResponse:
    """The answer to a query is that of another job: it says nothing about the one asked for."""
    text = message("provider.other_job", provider=provider, asked=presentable(asked), named=presentable(named))
    return InvalidResponse(text, **_details(provider, answer, None))


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
    if answer.status >= 500 or 300 <= answer.status < 400 or answer.status in DOUBTFUL_STATUSES:
        return error
    words = " ".join((*error_body.codes, error_body.text))
    unknown_asset = answer.status in {404, 410} or kind is ErrorKind.GONE or _ABSENT_ASSET.search(words[:_MAX_TEXT])
    if about_asset and unknown_asset and "invalid url" not in words.lower():
        details = _details(provider, answer, error_body)
        return NotFound(
            message("provider.unknown_asset", provider=provider, words=_words(answer, error_body)), **details
        )
    return _refusal(provider, answer, error_body)


def _kind(answer: Answer, error_body: ErrorBody | None) -> ErrorKind:
    by_status = _STATUS_KINDS.get(answer.status, ErrorKind.REFUSED)
    if error_body is None:
        return by_status
    if error_body.kind is not ErrorKind.REFUSED or error_body.relayed:
        return error_body.kind
    if answer.status == 403 and _ABOUT_A_MODEL.search(" ".join((*error_body.codes, error_body.text))):
        return ErrorKind.REFUSED
    return by_status


def _refusal(provider: str, answer: Answer, error_body: ErrorBody | None, *, wrong_address: bool = False) -> Refused:
    kind = _kind(answer, error_body)
    if kind is ErrorKind.TROUBLE:
        kind = _STATUS_KINDS.get(answer.status, kind)  # proven by the status, whatever the words say
    limited = kind is ErrorKind.LIMITED or (answer.status == 429 and kind not in _REFUSALS)
    if limited:
        return _rate_limited(provider, answer, error_body)
    refusal = _REFUSALS.get(kind, Refused)
    texts = (*error_body.codes, error_body.text) if error_body else ()
    if refusal is Refused and (wrong_address or means_route_closed(texts)):
        refusal = RouteUnavailable  # every other row would get the same answer
    text = message("provider.refused", provider=provider, words=_redirected(answer, error_body))
    return refusal(text, **_details(provider, answer, error_body))


def _is_wrong_address(answer: Answer, error_body: ErrorBody | None) -> bool:
    if error_body is not None and answer.status == 404:
        return "invalid url" in error_body.text.lower()
    return answer.status in {404, 405} or answer.status in _MOVED


def _rate_limited(provider: str, answer: Answer, error_body: ErrorBody | None) -> RateLimited:
    wait = retry_after(answer)
    words = _words(answer, error_body)
    if wait is None:
        text = message("provider.rate_limited", provider=provider, words=words)
    else:
        text = message("provider.rate_limited_for", provider=provider, seconds=wait, words=words)
    return RateLimited(text, retry_after=wait, **_details(provider, answer, error_body))


def _unknown(
    provider: str,
    answer: Answer,
    error_body: ErrorBody | None,
    words: Message | str,
    what: str,
    named_job: str | None = None,
) -> UnknownOutcome:
    text = message("provider.nothing_proven", provider=provider, status=answer.status, what=what, words=words)
    return UnknownOutcome(text, named_job=named_job, **_details(provider, answer, error_body))


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
