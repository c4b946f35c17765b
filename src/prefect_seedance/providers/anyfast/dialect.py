"""Anyfast's dialect: a content list for a create, three forms of a job's body, three forms of an error.

Sources: the provider's OpenAPI page of `seedance-2.0-mini`, its guide and API page `seedance-task-query` (the newer
and the older copy), its introduction. Relayed errors (a JSON text within a message) are known from client code; the
codes inside them from the error lists of Volcengine Ark and BytePlus ModelArk.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from datetime import datetime, timedelta
from typing import Any, ClassVar, Literal
from urllib.parse import quote

from prefect_seedance.errors import InputError
from prefect_seedance.messages import message
from prefect_seedance.providers import reading
from prefect_seedance.providers.answers import Answer, Balance, Call, Created, JobState, JobView
from prefect_seedance.providers.anyfast.errors import is_error, read_error_body, read_reason
from prefect_seedance.providers.anyfast.library import AnyfastLibrary
from prefect_seedance.providers.error_body import means_moderated
from prefect_seedance.providers.job_ids import job_of_success, names_other_job
from prefect_seedance.providers.outcome import create_error, query_error, wrong_job
from prefect_seedance.providers.result_links import only_link
from prefect_seedance.providers.status_words import read_status
from prefect_seedance.routes import VideoRequest
from prefect_seedance.routes.capabilities import capabilities_of

_JOBS = "/v1/video/generations"
# A web search is not a field but a tool.
_SETTINGS = tuple(name for name in capabilities_of("anyfast").fields if name != "web_search")


class Anyfast(AnyfastLibrary):
    """Encodes the calls of Anyfast and decodes its answers."""

    name: ClassVar[str] = "anyfast"
    default_base_url: ClassVar[str] = "https://www.anyfast.ai"
    result_lifetime: ClassVar[timedelta] = timedelta(hours=24)
    job_lifetime: ClassVar[timedelta] = timedelta(days=7)  # observed, and its upstream's documents
    poll_advice_seconds: ClassVar[float] = 15.0
    refund_on_failure: ClassVar[Literal["documented", "undocumented"]] = "documented"
    shows_balance: ClassVar[bool] = False

    def create_call(self, model: str, request: VideoRequest) -> Call:
        """Encode a create. The content has the required order: text, images, videos, audios.

        Raises:
            InputError: If the request sets `orientation`, which Anyfast has no field for.
        """
        if request.orientation is not None:
            text = message("provider.no_orientation", value=request.orientation, provider="Anyfast")
            raise InputError(text, provider=self.name)
        body: dict[str, Any] = {"model": model, "content": _content(request)}
        body |= {field: value for field in _SETTINGS if (value := getattr(request, field)) is not None}
        if request.web_search:
            body["tools"] = [{"type": "web_search"}]
        return Call("POST", _JOBS, body)

    def read_created(self, answer: Answer, *, refusal_codes: AbstractSet[str] = frozenset()) -> Created:
        """Decode the answer to a create; see `Dialect.read_created`."""
        body = reading.read_object(answer.body)
        error_body = read_error_body(body)
        if body is not None and error_body is None and 200 <= answer.status < 300 and not is_error(body):
            data = reading.child(body, "data")
            job = job_of_success(body, coded=body.get("code") is not None)
            if job is not None:
                status = reading.first(("status",), body, data) or ""
                trace = reading.request_id(answer, body, data)
                return Created(job, reading.presentable(status, 60), trace, answer.status)
        raise create_error(self.name, answer, error_body, path=_JOBS, refusal_codes=refusal_codes)

    def query_call(self, job_id: str) -> Call:
        """Encode the query of a job."""
        return Call("GET", f"{_JOBS}/{quote(job_id, safe='')}")

    def read_job(self, answer: Answer, job_id: str) -> JobView:
        """Decode the answer to a query; see `Dialect.read_job`."""
        body = reading.read_object(answer.body)
        task = reading.child(body or {}, "data")
        upstream = reading.child(task, "data")
        layers = (task, body or {}, upstream)
        if (other := names_other_job(job_id, body or {}, task)) is not None:
            raise wrong_job(self.name, answer, job_id, other)
        # A failed job is a valid answer, even where its `error` looks like an error body.
        job = _is_job(task) or (body is not None and _is_job(body) and "code" not in body)
        error_body = None if job else read_error_body(body)
        if body is None or not job or not 200 <= answer.status < 300:
            raise query_error(self.name, answer, error_body)
        progress = reading.progress(reading.first(("progress",), *layers))
        link = _video_url(*layers) or only_link(body)
        status = read_status(*(reading.scalar(layer.get("status")) for layer in layers), link=link, progress=progress)
        if status.state is JobState.SUCCEEDED and link is None:
            raise query_error(self.name, answer, None)
        failed = status.state is JobState.FAILED
        reason = read_reason(task, body, upstream) if failed or not status.known else None
        return JobView(
            job_id=job_id,
            state=status.state,
            provider_status=reading.presentable(status.word, 60),
            status_known=status.known,
            progress=progress,
            video_url=link if status.state is JobState.SUCCEEDED else None,
            error_code=reading.presentable(reason.code, 120) if reason and reason.code else None,
            error_message=reading.presentable(reason.text) if reason and reason.text else None,
            moderated=failed and reason is not None and means_moderated(" ".join((*reason.codes, reason.text))),
            tokens=_tokens(*layers),
            request_id=reading.request_id(answer, task, body),
            created_at=reading.moment(reading.first(("submit_time", "created_at"), *layers)),
            finished_at=_finished(status.state, task, upstream),
            ratio=_reported(("ratio",), upstream, task, body),
            resolution=_reported(("super_resolution", "resolution"), upstream, task, body),
            seconds=reading.length(reading.first(("duration",), upstream, task, body)),
        )

    def own_form(self, answer: Answer) -> bool:
        """Whether an answer is an error with words, a job, or a list of models; see `Dialect.own_form`.

        The gateway says "Invalid URL" in its own form of paths that it does not have: that is another installation.
        """
        body = reading.read_object(answer.body)
        if body is None or not reading.plain_answer(answer):
            return False
        error = reading.child(body, "error")
        coded = reading.scalar(body.get("code")) is not None and isinstance(body.get("message"), str)
        known = bool(error.get("message")) or coded or _is_job(body) or isinstance(body.get("data"), list)
        words = f"{error.get('message')} {body.get('message')}".lower()
        return known and "invalid url" not in words

    def balance_calls(self) -> tuple[Call, ...]:
        """Encode the list of models: no document names a balance call, but this call checks the key."""
        return (Call("GET", "/v1/models"),)

    def read_balance(self, answers: Sequence[Answer]) -> Balance:
        """Decode the answer to `balance_calls`: a valid key gives an empty balance, which means unknown, not zero."""
        for answer in answers:
            body = reading.read_object(answer.body)
            error_body = read_error_body(body)
            if body is None or error_body is not None or not 200 <= answer.status < 300:
                raise query_error(self.name, answer, error_body, about_job=False)
        return Balance({})


def _content(request: VideoRequest) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = []
    if request.prompt is not None:
        items.append({"type": "text", "text": request.prompt})
    frames = ((request.first_image, "first_frame"), (request.last_image, "last_frame"))
    items += [_medium("image_url", url, role) for url, role in frames if url is not None]
    items += [_medium("image_url", url, "reference_image") for url in request.images]
    items += [_medium("video_url", url, "reference_video") for url in request.reference_videos]
    items += [_medium("audio_url", url, "reference_audio") for url in request.reference_audios]
    return items


def _medium(kind: str, url: str, role: str) -> dict[str, Any]:
    return {"type": kind, kind: {"url": url}, "role": role}


def _is_job(record: Mapping[str, Any]) -> bool:
    """Whether a record is that of a job: it has an id, and a status (empty at first) or no error."""
    named = any(reading.identifier(record.get(name)) for name in ("task_id", "id"))
    return named and ("status" in record or not record.get("error"))


def _video_url(task: Mapping[str, Any], body: Mapping[str, Any], upstream: Mapping[str, Any]) -> str | None:
    """Return the link of the result: the platform's, else the upstream's, else that of the older flat body."""
    candidates = (
        task.get("result_url"),
        reading.child(upstream, "content").get("video_url"),
        body.get("video_url"),
        task.get("video_url"),
        reading.child(task, "content").get("video_url"),
        reading.child(body, "content").get("video_url"),
    )
    return next((url for value in candidates if (url := reading.result_link(value)) is not None), None)


def _tokens(task: Mapping[str, Any], body: Mapping[str, Any], upstream: Mapping[str, Any]) -> int | None:
    """Return the first positive figure of usage. A relay that does not know it writes 0, which means unknown."""
    usages = [reading.child(layer, "usage") for layer in (upstream, task, body)]
    figures = (reading.count(usage.get(name)) for name in ("completion_tokens", "total_tokens") for usage in usages)
    return next((figure for figure in figures if figure), None)


def _reported(names: tuple[str, ...], *layers: Mapping[str, Any]) -> str | None:
    text = reading.first(names, *layers)
    return reading.presentable(text, 40) if text else None


def _finished(state: JobState, task: Mapping[str, Any], upstream: Mapping[str, Any]) -> datetime | None:
    if not state.final:
        return None
    return reading.moment(task.get("finish_time")) or reading.moment(upstream.get("updated_at"))
