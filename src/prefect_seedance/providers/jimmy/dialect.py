"""Jimmy AI's dialect: one create endpoint for all its routes, and four variants of the envelope.

Sources: the provider's pages `seedance/mini/create`, `seedance/sp/create`, `seedance/mini-sp/create` and
`common/query`, their OpenAPI schemas, and the FAQ. Error codes beyond success are known from client code only.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from datetime import timedelta
from typing import Any, ClassVar, Literal
from urllib.parse import quote

from prefect_seedance.errors import InputError, SeedanceError
from prefect_seedance.messages import message
from prefect_seedance.providers import reading
from prefect_seedance.providers.answers import Answer, Balance, Call, Created, JobState, JobView
from prefect_seedance.providers.error_body import means_moderated
from prefect_seedance.providers.jimmy.envelope import API, SUCCESS, error_body_of, unwrapped
from prefect_seedance.providers.jimmy.library import JimmyLibrary
from prefect_seedance.providers.job_ids import job_of_success, names_other_job
from prefect_seedance.providers.outcome import create_error, query_error, wrong_job
from prefect_seedance.providers.result_links import only_link
from prefect_seedance.providers.status_words import read_status
from prefect_seedance.routes import VideoRequest
from prefect_seedance.routes.capabilities import capabilities_of
from prefect_seedance.routes.request import SETTINGS

_CREATE = f"{API}/seedance/videos"
_SETTINGS = capabilities_of("jimmy").fields
# Settings of a request without a field in the create schema.
_WITHOUT_FIELD = tuple(name for name in SETTINGS if name not in _SETTINGS)
_FIELDS = ("prompt", *_SETTINGS, "first_image", "last_image")
_LISTS = ("images", "reference_videos", "reference_audios")
_CODE_IN_TEXT = re.compile(r"\b[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+\b")


class Jimmy(JimmyLibrary):
    """Encodes the calls of Jimmy AI and decodes its answers."""

    name: ClassVar[str] = "jimmy"
    default_base_url: ClassVar[str] = "https://www.jimmyai.cn"
    result_lifetime: ClassVar[timedelta] = timedelta(days=3)
    job_lifetime: ClassVar[timedelta] = timedelta(days=7)  # no document says it
    poll_advice_seconds: ClassVar[float] = 10.0
    refund_on_failure: ClassVar[Literal["documented", "undocumented"]] = "undocumented"
    shows_balance: ClassVar[bool] = True

    def create_call(self, model: str, request: VideoRequest) -> Call:
        """Encode a create.

        Raises:
            InputError: If the request sets something that the create schema has no field for.
        """
        for field in _WITHOUT_FIELD:
            if getattr(request, field) is not None:
                text = message("provider.no_field", field=field, value=getattr(request, field), provider="Jimmy AI")
                raise InputError(text, provider=self.name)
        body: dict[str, Any] = {"model": model}
        body |= {field: value for field in _FIELDS if (value := getattr(request, field)) is not None}
        body |= {field: list(urls) for field in _LISTS if (urls := getattr(request, field))}
        return Call("POST", _CREATE, body)

    def read_created(self, answer: Answer, *, refusal_codes: AbstractSet[str] = frozenset()) -> Created:
        """Decode the answer to a create; see `Dialect.read_created`."""
        body = reading.read_object(answer.body)
        error_body = error_body_of(body)
        if body is not None and error_body is None and 200 <= answer.status < 300 and not body.get("error"):
            data = unwrapped(body)
            coded = reading.scalar(body.get("code")) in SUCCESS
            job = _job_id(data) or job_of_success(body, coded=coded)
            if job is not None:
                status = reading.first(("status",), data) or ""
                trace = reading.request_id(answer, data, body)
                return Created(job, reading.presentable(status, 60), trace, answer.status)
        raise create_error(self.name, answer, error_body, path=_CREATE, refusal_codes=refusal_codes)

    def query_call(self, job_id: str) -> Call:
        """Encode the query of a job."""
        return Call("GET", f"{API}/videos/{quote(job_id, safe='')}")

    def read_job(self, answer: Answer, job_id: str) -> JobView:
        """Decode the answer to a query; see `Dialect.read_job`."""
        body = reading.read_object(answer.body)
        error_body = error_body_of(body)
        data = unwrapped(body or {})
        if (other := names_other_job(job_id, body or {}, data)) is not None:
            raise wrong_job(self.name, answer, job_id, other)
        word = reading.first(("status",), data)
        if body is None or error_body is not None or word is None or not 200 <= answer.status < 300:
            raise query_error(self.name, answer, error_body)
        progress = reading.progress(data.get("progress"))
        link = _video_url(data) or only_link(body)
        status = read_status(word, link=link, progress=progress)
        if status.state is JobState.SUCCEEDED and link is None:
            # Older servers may give an object key instead of a URL; it cannot be fetched.
            raise query_error(self.name, answer, None)
        unclear = status.state is JobState.FAILED or not status.known
        reason = _reason(data, body) if unclear else None
        code = (reading.first(("error_code",), data) or _code_in(reason)) if unclear else None
        return JobView(
            job_id=job_id,
            state=status.state,
            provider_status=reading.presentable(word, 60),
            status_known=status.known,
            progress=progress,
            video_url=link if status.state is JobState.SUCCEEDED else None,
            error_code=reading.presentable(code, 120) if code else None,
            error_message=reading.presentable(reason) if reason else None,
            moderated=status.state is JobState.FAILED and means_moderated(f"{code} {reason}"),
            request_id=reading.request_id(answer, data, body),
            created_at=reading.moment(data.get("created_at")),
            finished_at=reading.moment(data.get("completed_at")),
        )

    def own_form(self, answer: Answer) -> bool:
        """Whether an answer has the envelope with a code; see `Dialect.own_form`."""
        body = reading.read_object(answer.body)
        return reading.plain_answer(answer) and body is not None and reading.scalar(body.get("code")) is not None

    def balance_calls(self) -> tuple[Call, ...]:
        """Encode the queries of the account's balance and of the key's own quota: either can run out."""
        return (Call("GET", f"{API}/user/balance"), Call("GET", f"{API}/key/balance"))

    def read_balance(self, answers: Sequence[Answer]) -> Balance:
        """Decode the answers to `balance_calls`; see `Dialect.read_balance`."""
        raw: dict[str, str] = {}
        problem: SeedanceError | None = None
        for answer in answers:
            body = reading.read_object(answer.body)
            error_body = error_body_of(body)
            shown = _shown(unwrapped(body or {})) if error_body is None and 200 <= answer.status < 300 else {}
            raw |= shown
            if not shown:
                problem = problem or query_error(self.name, answer, error_body, about_job=False)
        if not raw and problem is not None:
            raise problem
        return Balance(raw)


def _job_id(data: Mapping[str, Any]) -> str | None:
    found = (reading.identifier(data.get(name)) for name in ("task_id", "taskId"))
    return next((job for job in found if job is not None), None)


def _reason(data: Mapping[str, Any], body: Mapping[str, Any]) -> str | None:
    names = ("error_message", "error_msg", "reason", "fail_reason")
    nested = reading.child(data, "error")
    return (
        reading.first(names, data, body) or reading.first(("message", "msg"), nested) or reading.first(("error",), data)
    )


def _code_in(reason: str | None) -> str | None:
    found = _CODE_IN_TEXT.search(reason or "")
    return found.group(0) if found else None


def _video_url(data: Mapping[str, Any]) -> str | None:
    """Return the link of the result: `result.video_url` by the query page, `url` or `mediaUrl` by the FAQ."""
    names = ("video_url", "url", "mediaUrl")
    result = reading.child(data, "result")
    found = (reading.result_link(source.get(name)) for source in (result, data) for name in names)
    return next((url for url in found if url is not None), None)


def _shown(data: Mapping[str, Any]) -> dict[str, str]:
    """Return the scalar fields of a balance with their names unchanged, without the fields of the envelope."""
    shown: dict[str, str] = {}
    for name, value in data.items():
        text = str(value).lower() if isinstance(value, bool) else reading.scalar(value)
        if text is not None and name not in {"code", "msg", "message"}:
            shown[reading.presentable(name, 60)] = reading.presentable(text, 120)
    return shown
