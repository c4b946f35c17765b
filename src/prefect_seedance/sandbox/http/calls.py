"""The course of a create and of a query, the same at both providers."""

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
from prefect_seedance.sandbox.world.replies import Voice, bad_gateway, broken_off
from prefect_seedance.sandbox.world.state import Account, State


def state_of(request: Request) -> State:
    """Return the sandbox that a request came to."""
    state: State = request.app.state.sandbox
    return state


def account_of(request: Request, provider: str) -> Account | None:
    """Return whose key a request carries; None for no key or a wrong one."""
    scheme, _, key = request.headers.get("authorization", "").partition(" ")
    return state_of(request).account(key.strip(), provider) if scheme.lower() == "bearer" else None


async def json_body(request: Request) -> dict[str, Any]:
    """Read a JSON object.

    Raises:
        Refusal: The body is something else.
    """
    raw = await request.body()
    try:
        body = json.loads(raw)
        if b"\\u" in raw:  # only an escape can hide half a character, which no answer could repeat
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


async def create(request: Request, voice: Voice) -> Response:
    """Take one create call from its key to its answer, with whatever goes wrong on the way."""
    state = state_of(request)
    state.count(f"{voice.provider}.create")
    account = account_of(request, voice.provider)
    if account is None:
        state.count(f"{voice.provider}.create.bad_key")
        return voice.bad_key()
    try:
        body = await json_body(request)
    except Refusal as refusal:
        return _refuse(voice, refusal)
    sha256 = request_sha256(body)
    nth = state.nth("create", f"{account.name} {sha256}")
    effects = state.faults.draw("create", state.settings.seed, voice.provider, sha256, nth)
    if effects:
        state.count(f"{voice.provider}.create.faulty")
    turned_away = _trouble_before(voice, effects)
    if turned_away is not None:
        return turned_away
    try:
        draft = voice.read(body, References(state, account, request.url.netloc))
    except Refusal as refusal:
        return _refuse(voice, refusal)
    return await _admit(voice, account, draft, sha256=sha256, nth=nth, effects=effects)


def _trouble_before(voice: Voice, effects: frozenset[str]) -> Response | None:
    if "cut_before" in effects:
        return Cut()
    if "rate_limited" in effects:
        return voice.too_many()
    return voice.trouble() if "error_before" in effects else None


def _refuse(voice: Voice, refusal: Refusal) -> Response:
    voice.state.count(f"{voice.provider}.create.refused")
    return voice.refused(refusal)


async def _admit(
    voice: Voice, account: Account, draft: Draft, *, sha256: str, nth: int, effects: frozenset[str]
) -> Response:
    state = voice.state
    fate = _fate(state, draft.prompt, effects)
    answer = voice.moderated() if fate == "moderated" else None
    if answer is not None:
        state.count(f"{voice.provider}.create.moderated")
        return answer
    funds = state.settings.funds
    if funds is not None and state.spent(account.name) + draft.charge.amount > funds:
        return voice.out_of_funds()
    if fate is not None:
        draft = replace(draft, failure=voice.failure(fate))
    job = state.admit(
        account,
        draft,
        sha256=sha256,
        nth=nth,
        effects=effects,
        new_id=voice.new_id,
        link_seconds=voice.link_seconds,
    )
    if job is None:
        state.count(f"{voice.provider}.create.over_limit")
        return voice.too_many()
    return await _answer(voice, job, effects)


def _fate(state: State, prompt: str, effects: frozenset[str]) -> str | None:
    if "moderated" in effects or any(word in prompt.lower() for word in state.settings.trademarks):
        return "moderated"
    if "[review]" in prompt:
        return "review"
    return "failed" if "failed" in effects or "[fail]" in prompt else None


async def _answer(voice: Voice, job: Job, effects: frozenset[str]) -> Response:
    if "cut_after" in effects:
        return Cut()
    if "error_after" in effects:
        return bad_gateway()
    if "slow_create" in effects:
        await wait(voice.state, voice.state.faults.slow_create_seconds)
    answer = voice.created(job)
    return broken_off(answer) if "broken_after" in effects else answer


async def wait(state: State, seconds: float) -> None:
    """Wait, but not beyond the sandbox's own end."""
    loop = asyncio.get_running_loop()
    end = loop.time() + seconds
    while loop.time() < end and not state.closing:  # noqa: ASYNC110 - the flag is set from another thread
        await asyncio.sleep(min(0.05, max(0.0, end - loop.time())))


async def handed_in(
    request: Request, voice: Voice, call: str, body: dict[str, Any], make: Callable[[str], Response]
) -> Response:
    """Take the handing in of an asset, a portrait or a group to its answer, with whatever goes wrong on the way.

    Args:
        request: The request.
        voice: The provider's.
        call: The name of the call.
        body: The request's body.
        make: Makes the thing from the body's hash, and answers.
    """
    state = state_of(request)
    sha256 = request_sha256(body)
    nth = state.nth(f"asset {call}", sha256)
    drawn = state.faults.draw("asset", state.settings.seed, voice.provider, call, sha256, nth)
    if "asset_cut_before" in drawn:
        return Cut()
    if "asset_limited" in drawn:
        return voice.too_many()
    answer = make(sha256)
    if "asset_cut_after" in drawn:
        return Cut()
    return bad_gateway() if "asset_error_after" in drawn else answer


async def query(request: Request, voice: Voice) -> Response:
    """Answer one query of a job."""
    state = state_of(request)
    name = request.path_params["job_id"]
    state.count(f"{voice.provider}.query")
    account = account_of(request, voice.provider)
    if account is None:
        return voice.bad_key()
    job = state.job(name, account.name)
    origin = name if job is None else job.request_sha256
    drawn = state.faults.draw("query", state.settings.seed, origin, state.nth("query", name))
    if "query_cut" in drawn:
        return Cut()
    if "query_error" in drawn:
        return bad_gateway()
    if "query_limited" in drawn:
        return voice.too_many()
    if job is None:
        return voice.unknown_job(name)
    now = state.now()  # one moment for the whole answer, or a job could end in the midst of it
    link = result_link(request, state, job) if job.phase(now) == "succeeded" else None
    answer = voice.viewed(job, now, link)
    broken = "query_broken" in drawn
    if not broken and job.phase(now) in {"succeeded", "failed"}:
        state.told.setdefault(job.id, now)
    return broken_off(answer) if broken else answer
