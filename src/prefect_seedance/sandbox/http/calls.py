"""Handling of creates and queries, which is the same at both providers."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from prefect_seedance.sandbox.http.cut import Cut
from prefect_seedance.sandbox.http.links import result_link
from prefect_seedance.sandbox.world.draft import Draft, Refusal
from prefect_seedance.sandbox.world.job import Job
from prefect_seedance.sandbox.world.reference import References
from prefect_seedance.sandbox.world.replies import Replies, bad_gateway, broken_off, gave_up_waiting
from prefect_seedance.sandbox.world.state import Account, State


def state_of(request: Request) -> State:
    """Return the sandbox that received a request."""
    state: State = request.app.state.sandbox
    return state


def account_of(request: Request, provider: str) -> Account | None:
    """Return the account of a request's key; None for no key or a wrong one."""
    scheme, _, key = request.headers.get("authorization", "").partition(" ")
    return state_of(request).account(key.strip(), provider) if scheme.lower() == "bearer" else None


async def json_body(request: Request) -> dict[str, Any]:
    """Read a JSON object.

    Raises:
        Refusal: The body is not a JSON object.
    """
    raw = await request.body()
    try:
        body = json.loads(raw)
        if b"\\u" in raw:  # an escape may be half a surrogate pair, which cannot be encoded in an answer
            json.dumps(body, ensure_ascii=False).encode()
    except (ValueError, RecursionError):
        raise Refusal("body", "is not JSON") from None
    if not isinstance(body, dict):
        raise Refusal("body", "is not a JSON object")
    return body


def request_sha256(body: dict[str, Any]) -> str:
    """Return the hash of a body in canonical JSON."""
    text = json.dumps(body, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


async def create(request: Request, replies: Replies) -> Response:
    """Handle one create call, with its faults."""
    state = state_of(request)
    state.count(f"{replies.provider}.create")
    account = account_of(request, replies.provider)
    if account is None:
        state.count(f"{replies.provider}.create.bad_key")
        return replies.bad_key()
    try:
        body = await json_body(request)
    except Refusal as refusal:
        return _refuse(replies, refusal)
    sha256 = request_sha256(body)
    nth = state.nth("create", f"{account.name} {sha256}")
    effects = state.faults.draw("create", state.settings.seed, replies.provider, sha256, nth)
    if effects:
        state.count(f"{replies.provider}.create.faulty")
    early_answer = _fault_before(replies, effects)
    if early_answer is not None:
        return early_answer
    try:
        draft = replies.read(body, References(state, account, request.url.netloc))
    except Refusal as refusal:
        return _refuse(replies, refusal)
    return await _admit(replies, account, draft, sha256=sha256, nth=nth, effects=effects)


def _fault_before(replies: Replies, effects: frozenset[str]) -> Response | None:
    if "cut_before" in effects:
        return Cut()
    if "rate_limited" in effects:
        return replies.too_many()
    return replies.server_error() if "error_before" in effects else None


def _refuse(replies: Replies, refusal: Refusal) -> Response:
    replies.state.count(f"{replies.provider}.create.refused")
    return replies.refused(refusal)


async def _admit(
    replies: Replies, account: Account, draft: Draft, *, sha256: str, nth: int, effects: frozenset[str]
) -> Response:
    state = replies.state
    kind = _failure_kind(state, draft.prompt, effects)
    answer = replies.moderated() if kind == "moderated" else None
    if answer is not None:
        state.count(f"{replies.provider}.create.moderated")
        return answer
    funds = state.settings.funds
    if funds is not None and state.spent(account.name) + draft.charge.amount > funds:
        return replies.out_of_funds()
    if kind is not None:
        draft = replace(draft, failure=replies.failure(kind))
    job = state.admit(
        account,
        draft,
        sha256=sha256,
        nth=nth,
        effects=effects,
        new_id=replies.new_id,
        link_seconds=replies.link_seconds,
    )
    if job is None:
        state.count(f"{replies.provider}.create.over_limit")
        return replies.too_many()
    return await _answer(replies, job, effects)


def _failure_kind(state: State, prompt: str, effects: frozenset[str]) -> str | None:
    if "moderated" in effects or any(word in prompt.lower() for word in state.settings.trademarks):
        return "moderated"
    if "[review]" in prompt:
        return "review"
    return "failed" if "failed" in effects or "[fail]" in prompt else None


async def _answer(replies: Replies, job: Job, effects: frozenset[str]) -> Response:
    instead: dict[str, Callable[[], Response]] = {
        "cut_after": Cut,
        "error_after": bad_gateway,
        "missing_after": replies.job_missing,
        "named_after": lambda: replies.job_named(job),
        "odd_shape": lambda: replies.created_oddly(job),
        "create_storm": gave_up_waiting,
    }
    for fault, answer_to in instead.items():
        if fault in effects:
            return answer_to()
    if "slow_create" in effects:
        await wait(replies.state, replies.state.faults.slow_create_seconds)
    answer = replies.created(job)
    return broken_off(answer) if "broken_after" in effects else answer


async def wait(state: State, seconds: float) -> None:
    """Wait, but not beyond the shutdown of the sandbox."""
    loop = asyncio.get_running_loop()
    end = loop.time() + seconds
    while loop.time() < end and not state.closing:  # noqa: ASYNC110 - the flag is set from another thread
        await asyncio.sleep(min(0.05, max(0.0, end - loop.time())))


async def submit(
    request: Request, replies: Replies, call: str, body: dict[str, Any], make: Callable[[str], Response]
) -> Response:
    """Handle one create of an asset, a portrait or a group, with its faults.

    Args:
        request: The request.
        replies: The provider's replies.
        call: The name of the call.
        body: The request's body.
        make: Makes the asset from the body's hash, and returns the answer.
    """
    state = state_of(request)
    sha256 = request_sha256(body)
    nth = state.nth(f"asset {call}", sha256)
    drawn = state.faults.draw("asset", state.settings.seed, replies.provider, call, sha256, nth)
    if "asset_cut_before" in drawn:
        return Cut()
    if "asset_limited" in drawn:
        return replies.too_many()
    answer = make(sha256)
    if "asset_cut_after" in drawn:
        return Cut()
    return bad_gateway() if "asset_error_after" in drawn else answer


async def query(request: Request, replies: Replies) -> Response:
    """Answer one query of a job."""
    state = state_of(request)
    name = request.path_params["job_id"]
    state.count(f"{replies.provider}.query")
    account = account_of(request, replies.provider)
    if account is None:
        return replies.bad_key()
    job = state.job(name, account.name)
    origin = name if job is None else job.request_sha256
    drawn = state.faults.draw("query", state.settings.seed, origin, state.nth("query", name))
    if "query_cut" in drawn:
        return Cut()
    if "query_error" in drawn:
        return bad_gateway()
    if "query_limited" in drawn:
        return replies.too_many()
    if job is None or "query_unknown" in drawn or state.is_late("late_job", job, job.created_at):
        return replies.unknown_job(name)
    now = state.now()  # one time for the whole answer: the job may end in between
    link = result_link(request, state, job) if job.phase(now) == "succeeded" else None
    answer = replies.viewed(job, now, link)
    broken = "query_broken" in drawn
    if not broken and job.phase(now) in {"succeeded", "failed"}:
        state.end_reported_at.setdefault(job.id, now)
    return broken_off(answer) if broken else answer
