"""Anyfast's replies: query answers, errors, and the model list."""

from __future__ import annotations

import json
import secrets
import string
import time
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from prefect_seedance.sandbox.anyfast.rules import read_request
from prefect_seedance.sandbox.http import calls
from prefect_seedance.sandbox.models.anyfast import RULES
from prefect_seedance.sandbox.world.draft import Draft, Refusal
from prefect_seedance.sandbox.world.faults import Progress
from prefect_seedance.sandbox.world.job import Job
from prefect_seedance.sandbox.world.reference import References
from prefect_seedance.sandbox.world.replies import ODD_WORDS, retry_headers
from prefect_seedance.sandbox.world.state import State

STATUS = {"waiting": "QUEUED", "running": "IN_PROGRESS", "succeeded": "SUCCESS", "failed": "FAILURE"}
UPSTREAM = {"waiting": "queued", "running": "running", "succeeded": "succeeded", "failed": "failed"}
FLAT = {"waiting": "queued", "running": "processing", "succeeded": "completed", "failed": "failed"}


def error(status: int, code: str, message: str, kind: str, headers: dict[str, str] | None = None) -> Response:
    """Return an error in the gateway's own form."""
    body = {"error": {"code": code, "message": message, "type": kind}}
    return JSONResponse(body, status_code=status, headers=headers)


def nested(code: str, message: str) -> str:
    """Return an upstream error as the JSON text in which the gateway relays it."""
    inner = {"code": code, "message": message, "param": "", "type": "BadRequest"}
    return json.dumps({"error": inner}, ensure_ascii=False)


def _progress(job: Job, now: float, mode: Progress) -> str:
    """Return the progress as text; it starts at 50 %, and is 100 % after a failure too (query guide)."""
    if job.phase(now) in {"succeeded", "failed"}:
        return "100%"
    return "0%" if job.phase(now) == "waiting" else f"{50 + int(49 * job.reported_progress(now, mode))}%"


def _upstream(job: Job, now: float, link: str | None) -> dict[str, Any]:
    """Return the raw task of the upstream provider, as the gateway relays it."""
    clip = job.clip
    task: dict[str, Any] = {
        "id": "cgt-" + job.request_sha256[:16],
        "model": RULES[job.model].upstream,
        "status": UPSTREAM[job.phase(now)],
        "created_at": int(job.created_at),
        "updated_at": int(min(now, job.finished_at or now)),
        "draft": False,
        "duration": clip.seconds,
        "framespersecond": 24,
        "generate_audio": clip.has_audio,
        "ratio": clip.ratio,
        "resolution": clip.resolution,
        "seed": int(job.request_sha256[:4], 16),
        "service_tier": "default",
    }
    if link is not None:
        task["content"] = {"video_url": link}
        tokens = 0 if "zero_tokens" in job.effects else job.tokens
        task["usage"] = {"completion_tokens": tokens, "total_tokens": tokens}
    return task


def _oddly(job: Job, phase: str, data: dict[str, Any]) -> dict[str, Any]:
    """Return the record with words and fields that no document has, as the faults of the job say."""
    upstream = data["data"] or {}
    if "odd_word" in job.effects and phase in ODD_WORDS:
        words = {"status": ODD_WORDS[phase], "fail_reason": "the oven is warm"}
        data |= {**words, "progress": "100%" if phase == "succeeded" else "40%", "data": {**upstream, **words}}
    if "odd_link" in job.effects and "result_url" in data:
        data |= {
            "fail_reason": "",
            "metadata": {"url": data.pop("result_url")},
            "data": {**(data["data"] or {}), "content": {}},
        }
    return data


def _flat(job: Job, now: float, link: str | None, *, upper: bool) -> dict[str, Any]:
    """Return the flat body of the older query page."""
    phase = job.phase(now)
    status = STATUS[phase] if upper else FLAT[phase]
    body: dict[str, Any] = {
        "id": job.id,
        "model": RULES[job.model].upstream,
        "status": status,
        "created_at": int(job.created_at),
    }
    if link is not None:
        body["video_url"] = link
    return {**body, "fail_reason": job.failure} if phase == "failed" else body


@dataclass(frozen=True)
class AnyfastReplies:
    """The replies of Anyfast."""

    state: State
    provider: str = "anyfast"
    link_seconds: float = 86_400.0

    def new_id(self, now: float) -> str:
        """Make a job id."""
        tail = "".join(secrets.choice(string.ascii_lowercase + string.digits) for _ in range(5))
        return time.strftime("cgt-%Y%m%d%H%M%S-", time.gmtime(now)) + tail

    def read(self, body: dict[str, Any], references: References) -> Draft:
        """Check and price a create request."""
        return read_request(body, references)

    def created(self, job: Job) -> Response:
        """Answer a create, in the OpenAI-like form without an envelope."""
        names = {"id": job.id, "task_id": job.id, "object": "video", "model": job.model}
        return JSONResponse({**names, "status": "", "progress": 0, "created_at": int(job.created_at)})

    def created_oddly(self, job: Job) -> Response:
        """Answer a create with a list of one record, which contains that of the upstream."""
        record = {"id": job.id, "data": {"id": "cgt-" + job.request_sha256[:16]}}
        return JSONResponse({"code": "success", "message": "", "data": [record]})

    def job_missing(self) -> Response:
        """Answer a create as the gateway's own query of an unknown job."""
        return JSONResponse({"code": "task_not_exist", "message": "task_not_exist", "data": None}, status_code=400)

    def job_named(self, job: Job) -> Response:
        """Answer a create with an error that names the job."""
        text = f"the record of task_id: {job.id} could not be read"
        return JSONResponse({"code": "invalid_request", "message": text, "data": None}, status_code=400)

    def viewed(self, job: Job, now: float, link: str | None) -> Response:
        """Answer a query in the selected dialect."""
        dialect, phase = self.state.faults.anyfast_dialect, job.phase(now)
        if dialect in {"flat", "upper"}:
            return JSONResponse(_flat(job, now, link, upper=dialect == "upper"))
        ended = int(job.finished_at or 0) if phase in {"succeeded", "failed"} else 0
        started = int(job.created_at) + 1
        data: dict[str, Any] = {
            "task_id": job.id,
            "action": job.action,
            "status": UPSTREAM[phase] if dialect == "lower" else STATUS[phase],
            "fail_reason": "",
            "submit_time": int(job.created_at),
            "start_time": 0 if phase == "waiting" else min(started, ended or started),
            "finish_time": ended,
            "request_id": f"sandbox-{job.id}",
            "data": None if phase == "waiting" else _upstream(job, now, link),
        }
        if self.state.faults.progress != "none":
            data["progress"] = _progress(job, now, self.state.faults.progress)
        if link is not None:
            # For old clients, the link may be repeated in `fail_reason` (query guide).
            data |= {"result_url": link, "fail_reason": link if dialect == "lower" else ""}
        if phase == "failed":
            data["fail_reason"] = job.failure
        return JSONResponse({"code": "success", "message": "", "data": _oddly(job, phase, data)})

    def refused(self, refusal: Refusal) -> Response:
        """Answer 400 in the gateway's form."""
        code = "model_not_found" if refusal.field == "model" and "channel" in refusal.message else "invalid_request"
        return error(400, code, str(refusal), "invalid_request_error")

    def moderated(self) -> Response | None:
        """Relay the error of the upstream review: JSON inside the message of another error."""
        text = "The request failed because the input text may contain sensitive information."
        message = nested("InputTextSensitiveContentDetected", text)
        return JSONResponse({"code": "fail_to_fetch_task", "message": message, "data": None}, status_code=400)

    def failure(self, kind: str) -> str:
        """Return `fail_reason` of a failed job: plain text, or a nested upstream error."""
        if kind == "failed":
            return "task failed: internal service error"
        return nested("OutputVideoSensitiveContentDetected", "The output video may contain sensitive information.")

    def bad_key(self) -> Response:
        """Answer 401."""
        return error(401, "invalid_api_key", "invalid API key", "authentication_error")

    def out_of_funds(self) -> Response:
        """Answer 401 as well; only the text distinguishes a spent quota from a wrong key."""
        return error(401, "insufficient_quota", "the token's remaining quota is not enough", "quota_error")

    def too_many(self) -> Response:
        """Answer 429."""
        return error(429, "rate_limit_exceeded", "too many requests", "rate_limit_error", retry_headers(self.state))

    def server_error(self) -> Response:
        """Answer 500."""
        return error(500, "do_request_failed", "upstream error", "server_error")

    def unknown_job(self, name: str) -> Response:
        """Answer 404."""
        return error(404, "task_not_exist", f"task {name} does not exist", "invalid_request_error")


async def create(request: Request) -> Response:
    """POST /v1/video/generations."""
    return await calls.create(request, AnyfastReplies(calls.state_of(request)))


async def query(request: Request) -> Response:
    """GET /v1/video/generations/{id}."""
    return await calls.query(request, AnyfastReplies(calls.state_of(request)))


async def models(request: Request) -> Response:
    """GET /v1/models: it is free, so a key can be tested with it."""
    state = calls.state_of(request)
    state.count("anyfast.models")
    if calls.account_of(request, "anyfast") is None:
        return AnyfastReplies(state).bad_key()
    return JSONResponse({"object": "list", "data": [{"id": name, "object": "model"} for name in RULES]})


ROUTES = [
    Route("/v1/video/generations", create, methods=["POST"]),
    Route("/v1/video/generations/{job_id}", query, methods=["GET"]),
    Route("/v1/models", models, methods=["GET"]),
]
