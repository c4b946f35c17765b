"""The sandbox's own endpoints: its records, its faults, and a start page."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal
from html import escape
from typing import Any

from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

from prefect_seedance.sandbox.http.calls import json_body, state_of
from prefect_seedance.sandbox.http.links import base_url
from prefect_seedance.sandbox.world.draft import Refusal
from prefect_seedance.sandbox.world.state import State

PAGE = """<!doctype html><html lang="en"><meta charset="utf-8"><title>Seedance sandbox</title>
<style>
body {{ font: 16px/1.5 system-ui, sans-serif; max-width: 46rem; margin: 3rem auto; padding: 0 1rem }}
code {{ background: #8883; padding: .1em .3em }}
table {{ border-collapse: collapse }}
td, th {{ padding: .2em .8em; border: 1px solid #8888; text-align: left }}
@media (prefers-color-scheme: dark) {{ body {{ background: #181818; color: #eee }} a {{ color: #8bf }} }}
</style>
<h1>Seedance sandbox</h1>
<p>It emulates Jimmy AI and Anyfast. Nothing here costs money.</p>
<p>Base URL for both: <code>{url}</code>. Keys: {keys}.</p>
<table><tr><th>account</th><th>jobs</th><th>cost</th></tr>{rows}</table>
<p>Records: <a href="_sandbox/bill">bill</a>, <a href="_sandbox/jobs">jobs</a>, <a href="_sandbox/calls">calls</a>,
<a href="_sandbox/faults">faults</a> (POST JSON to change), POST <code>_sandbox/reset</code>.</p></html>"""


async def page(request: Request) -> Response:
    """GET the start page."""
    state = state_of(request)
    jobs: Counter[str] = Counter()
    costs: dict[str, Decimal] = {}
    for line in state.bill():
        jobs[line.account] += line.unit != "request"
        costs[line.account] = costs.get(line.account, Decimal(0)) + line.cost
    currency = escape(state.settings.currency)
    rows = "".join(
        f"<tr><td>{escape(name)}</td><td>{jobs[name]}</td><td>{cost.normalize():f} {currency}</td></tr>"
        for name, cost in costs.items()
    )
    keys = ", ".join(f"<code>{escape(key)}</code> ({escape(name)})" for key, name in state.settings.keys.items())
    return HTMLResponse(PAGE.format(url=escape(base_url(request, state)), keys=keys, rows=rows))


async def bill(request: Request) -> Response:
    """GET the bill, line by line."""
    return JSONResponse([line.to_json() for line in state_of(request).bill()])


async def calls(request: Request) -> Response:
    """GET how often each endpoint was called."""
    return JSONResponse(dict(sorted(state_of(request).calls.items())))


async def jobs(request: Request) -> Response:
    """GET all jobs and their states."""
    state = state_of(request)
    now = state.now()
    shown = [
        {
            "job_id": job.id,
            "account": job.account,
            "model": job.model,
            "state": job.phase(now),
            "progress": round(job.part_done(now), 3),
            "failure": job.failure,
            "effects": job.effects,
            "request": job.request,
            "created_at": job.created_at,
            "finished_at": job.finished_at,
            "told_at": state.end_reported_at.get(job.id),
        }
        for job in state.jobs()
    ]
    return JSONResponse(shown)


async def faults(request: Request) -> Response:
    """GET the faults, or POST changes: fields by name, and `queue`: {point: [fault, …]}."""
    state = state_of(request)
    if request.method == "POST":
        try:
            _change_faults(state, await json_body(request))
        except (Refusal, ValueError, TypeError) as error:
            return JSONResponse({"error": str(error)}, status_code=400)
    return JSONResponse(state.faults.to_json())


def _change_faults(state: State, changes: dict[str, Any]) -> None:
    queues = changes.pop("queue", None) or {}
    if not isinstance(queues, dict) or not all(isinstance(kinds, list) for kinds in queues.values()):
        raise ValueError("queue: expected {point: [fault, …]}")
    state.faults.update(**changes)
    for point, kinds in queues.items():
        state.faults.queue(point, *kinds)


async def reset(request: Request) -> Response:
    """POST: clear everything."""
    state_of(request).reset()
    return JSONResponse({"ok": True})


ROUTES = [
    Route("/", page, methods=["GET"]),
    Route("/_sandbox/bill", bill, methods=["GET"]),
    Route("/_sandbox/calls", calls, methods=["GET"]),
    Route("/_sandbox/jobs", jobs, methods=["GET"]),
    Route("/_sandbox/faults", faults, methods=["GET", "POST"]),
    Route("/_sandbox/reset", reset, methods=["POST"]),
]
