"""Jimmy AI's replies: envelopes, status words, error codes, balance."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from prefect_seedance.sandbox.http import calls
from prefect_seedance.sandbox.jimmy.rules import read_request
from prefect_seedance.sandbox.world.draft import Draft, Refusal
from prefect_seedance.sandbox.world.job import Job
from prefect_seedance.sandbox.world.reference import References
from prefect_seedance.sandbox.world.replies import ODD_WORDS, retry_headers
from prefect_seedance.sandbox.world.state import State

ROOT = "/api/open-api/v1"
STATUS = {"waiting": "queued", "running": "processing", "succeeded": "completed", "failed": "failed"}
#: The success code on each kind of documentation page.
DOCUMENTED_CODES: dict[str, int | str] = {
    "create": 0,
    "query": "20000",
    "upload": 20000,
    "asset": 0,
    "balance": "20000",
}
SPELLINGS: dict[str, int | str] = {"0": 0, "20000": "20000", "int20000": 20000}
BAD_KEY, BAD_REQUEST, SERVER_ERROR = 20001, 20002, -1


def success(state: State, page: str, data: dict[str, Any]) -> Response:
    """Wrap an answer in the envelope of the selected dialect."""
    dialect = state.faults.jimmy_envelope
    if dialect == "bare":
        return JSONResponse(data)
    return JSONResponse({"code": SPELLINGS.get(dialect, DOCUMENTED_CODES[page]), "msg": "ok", "data": data})


def error(state: State, code: int, message: str, status: int | None = None) -> Response:
    """Return an error. The documents name no HTTP status, so it is a setting of the sandbox."""
    chosen = (
        status if status is not None and state.faults.jimmy_error_status != 200 else state.faults.jimmy_error_status
    )
    return JSONResponse({"code": code, "msg": message, "data": None}, status_code=chosen)


@dataclass(frozen=True)
class JimmyReplies:
    """The replies of Jimmy AI."""

    state: State
    provider: str = "jimmy"
    link_seconds: float = 3 * 86_400.0

    def new_id(self, now: float) -> str:  # noqa: ARG002 - only Anyfast's ids contain the time
        """Make a job id."""
        return "vid_" + secrets.token_hex(6)

    def read(self, body: dict[str, Any], references: References) -> Draft:
        """Check and price a create request."""
        return read_request(body, references)

    def created(self, job: Job) -> Response:
        """Answer a create."""
        name = "taskId" if self.state.faults.jimmy_envelope == "faq" else "task_id"
        data = {name: job.id, "status": "queued", "model": job.model, "created_at": int(job.created_at)}
        return success(self.state, "create", data)

    def created_oddly(self, job: Job) -> Response:
        """Answer a create with the bare id in place of the record."""
        return JSONResponse({"code": 0, "msg": "ok", "data": job.id})

    def job_missing(self) -> Response:
        """Answer a create as the query of an unknown job; no code is published for it."""
        return error(self.state, BAD_REQUEST, "任务不存在 (task not found)")

    def job_named(self, job: Job) -> Response:
        """Answer a create with an error that names the job."""
        return error(self.state, BAD_REQUEST, f"任务已提交，状态未知 (task {job.id} was submitted)")

    def viewed(self, job: Job, now: float, link: str | None) -> Response:
        """Answer a query; the `faq` dialect uses the field names of the FAQ page."""
        faq = self.state.faults.jimmy_envelope == "faq"
        phase = job.phase(now)
        data: dict[str, Any] = {
            "taskId" if faq else "task_id": job.id,
            "status": "success" if faq and phase == "succeeded" else STATUS[phase],
            "model": job.model,
            "created_at": int(job.created_at),
        }
        if self.state.faults.progress != "none":
            running = min(99, max(1, round(100 * job.reported_progress(now, self.state.faults.progress))))
            data["progress"] = {"running": running, "succeeded": 100}.get(phase, 0)
        if phase in {"succeeded", "failed"}:
            data["completed_at"] = int(job.finished_at or now)
        if link is not None:
            data |= {"mediaUrl": link} if faq else {"result": {"video_url": link}}
        if "odd_word" in job.effects and phase in ODD_WORDS:
            data |= {"status": ODD_WORDS[phase], "reason": "the oven is warm"}
            data["progress"] = 100 if phase == "succeeded" else 40
        if link is not None and "odd_link" in job.effects:
            data |= {"mediaUrl": None, "result": {"videos": [{"url": link}]}}
        if phase == "failed":
            data["error_msg" if faq else "error_message"] = job.failure
        return success(self.state, "query", data)

    def refused(self, refusal: Refusal) -> Response:
        """Answer code 20002."""
        return error(self.state, BAD_REQUEST, str(refusal))

    def moderated(self) -> Response | None:
        """Return None: the review is reported as a failed job."""
        return None

    def failure(self, kind: str) -> str:
        """Return `error_message` of a failed job."""
        return {
            "moderated": "PROVIDER_MODERATION_ERROR: TRADEMARK",
            "review": "PROVIDER_MODERATION_ERROR",
        }.get(kind, "video generation failed")

    def bad_key(self) -> Response:
        """Answer code 20001."""
        return error(self.state, BAD_KEY, "认证失败 (authentication failed)", 401)

    def out_of_funds(self) -> Response:
        """Answer with insufficient balance: documented as a cause of failure, without a code of its own."""
        return error(self.state, BAD_REQUEST, "余额不足 (insufficient balance)")

    def too_many(self) -> Response:
        """Answer 429."""
        body = {"code": 429, "msg": "请求过于频繁 (too many requests)", "data": None}
        return JSONResponse(body, status_code=429, headers=retry_headers(self.state))

    def server_error(self) -> Response:
        """Answer code -1: a server or upstream error."""
        return error(self.state, SERVER_ERROR, "系统繁忙 (system busy)", 500)

    def unknown_job(self, name: str) -> Response:
        """Answer a query of an unknown job; no code is published for it."""
        return error(self.state, BAD_REQUEST, f"任务不存在 (task not found): {name}", 404)


async def create(request: Request) -> Response:
    """POST seedance/videos."""
    return await calls.create(request, JimmyReplies(calls.state_of(request)))


async def query(request: Request) -> Response:
    """GET videos/{task id}."""
    return await calls.query(request, JimmyReplies(calls.state_of(request)))


async def user_balance(request: Request) -> Response:
    """GET user/balance."""
    return _balance(request, of_key=False)


async def key_balance(request: Request) -> Response:
    """GET key/balance."""
    return _balance(request, of_key=True)


def _balance(request: Request, *, of_key: bool) -> Response:
    state = calls.state_of(request)
    state.count("jimmy.balance")
    account = calls.account_of(request, "jimmy")
    if account is None:
        return JimmyReplies(state).bad_key()
    funds, spent = state.settings.funds, state.spent(account.name)
    if of_key:
        quota = 0 if funds is None else float(funds)
        free = 0 if funds is None else float(funds - spent)
        name = f"sandbox …{account.key_tail}"
        data: dict[str, Any] = {"name": name, "total_quota": quota, "used_quota": float(spent)}
        return success(state, "balance", {**data, "available_quota": free, "unlimited": funds is None})
    balance = 10_000 + spent if funds is None else funds
    data = {"balance": float(balance), "used_coin": float(spent), "available": float(balance - spent)}
    return success(state, "balance", data)


ROUTES = [
    Route(f"{ROOT}/seedance/videos", create, methods=["POST"]),
    Route(f"{ROOT}/videos/{{job_id}}", query, methods=["GET"]),
    Route(f"{ROOT}/user/balance", user_balance, methods=["GET"]),
    Route(f"{ROOT}/key/balance", key_balance, methods=["GET"]),
]
