"""The file server: results behind signed links, with ranges, ETags and faults."""

from __future__ import annotations

import hashlib
import re

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from prefect_seedance.sandbox.http.calls import state_of
from prefect_seedance.sandbox.http.cut import CutShort
from prefect_seedance.sandbox.media.video import video_bytes
from prefect_seedance.sandbox.world.faults import chance
from prefect_seedance.sandbox.world.job import Job
from prefect_seedance.sandbox.world.state import State

_DENIED = '<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>{code}</Code><Message>{message}</Message></Error>'


def _denied(status: int, code: str, message: str) -> Response:
    return Response(_DENIED.format(code=code, message=message), status_code=status, media_type="application/xml")


async def result(request: Request) -> Response:
    """Serve a job's video for a valid link."""
    state = state_of(request)
    state.count("files")
    if "authorization" in request.headers:
        state.count("files.with_authorization")
    job = state.job(request.path_params["name"].removesuffix(".mp4"))
    if job is None or job.phase(state.now()) != "succeeded":
        return _denied(404, "NoSuchKey", "The specified key does not exist.")
    expires = request.query_params.get("expires", "")
    if not expires.isdecimal() or request.query_params.get("sig") != state.signature(job.id, int(expires)):
        return _denied(403, "SignatureDoesNotMatch", "The signature does not match.")
    if state.now() > int(expires):
        return _denied(403, "AccessDenied", "Request has expired.")
    if state.is_late("late_link", job, job.finished_at):
        return _denied(state.faults.refused_status, "NotReady", "The object is not ready.")
    return await _serve(request, state, job)


async def _serve(request: Request, state: State, job: Job) -> Response:
    nth = state.nth("download", job.id)
    drawn = state.faults.draw("download", state.settings.seed, job.request_sha256, nth)
    if "download_error" in drawn:
        return _denied(503, "ServiceUnavailable", "Please reduce your request rate.")
    if "download_refused" in drawn:
        return _denied(state.faults.refused_status, "AccessDenied", "Access to this object is not allowed now.")
    if "html_result" in job.effects:
        return HTMLResponse("<html><body><h1>The file is being prepared</h1></body></html>")
    version = nth if "changing_etag" in job.effects else 0
    body = await run_in_threadpool(stored_bytes, job, version)
    status, piece, headers = slice_body(request, body, with_ranges="no_ranges" not in job.effects)
    headers["Content-Type"] = "video/mp4" if status < 400 else "application/xml"
    if "download_cut" in drawn and status < 400:
        part = 0.2 + 0.6 * chance(state.settings.seed, "cut", job.id, nth)
        return CutShort(piece, sent=int(len(piece) * part), status_code=status, headers=headers)
    return Response(piece, status_code=status, headers=headers)


def stored_bytes(job: Job, version: int = 0) -> bytes:
    """Return the file of a job, damaged as its faults say."""
    clip = job.clip
    body = video_bytes(
        job.id, width=clip.width, height=clip.height, seconds=clip.seconds, has_audio=clip.has_audio, version=version
    )
    if "truncated_result" in job.effects:
        body = body[: int(len(body) * (0.3 + 0.6 * chance(0, "truncated", job.id)))]
    if "corrupt_result" in job.effects:
        body = body[:24] + hashlib.sha256(job.id.encode()).digest() * 16 + body[24 + 512 :]
    return body


def slice_body(request: Request, body: bytes, *, with_ranges: bool = True) -> tuple[int, bytes, dict[str, str]]:
    """Answer a Range and If-Range header.

    Returns:
        Status (200, 206 or 416), the bytes to send, and the headers.
    """
    etag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
    headers = {"ETag": etag, "Accept-Ranges": "bytes" if with_ranges else "none"}
    wanted = re.fullmatch(r"bytes=(\d*)-(\d*)", request.headers.get("range", "").strip())
    if not with_ranges or wanted is None or wanted[0] == "bytes=-":
        return 200, body, headers
    if request.headers.get("if-range", etag) != etag:
        return 200, body, headers
    first, last = _bounds(wanted[1], wanted[2], len(body))
    if first > last:
        return 416, b"", {**headers, "Content-Range": f"bytes */{len(body)}"}
    return 206, body[first : last + 1], {**headers, "Content-Range": f"bytes {first}-{last}/{len(body)}"}


def _bounds(first: str, last: str, length: int) -> tuple[int, int]:
    if not first:
        return max(0, length - int(last)), length - 1 if int(last) else -1
    return int(first), min(int(last), length - 1) if last else length - 1


ROUTES = [Route("/_files/{name}", result, methods=["GET"])]
