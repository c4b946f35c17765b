"""The file server: results behind signed links, with ranges, ETags and faults."""

from __future__ import annotations

import base64
import gzip
import hashlib
import re
from pathlib import Path

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

from prefect_seedance.sandbox.http.calls import account_of, state_of
from prefect_seedance.sandbox.http.cut import CutShort
from prefect_seedance.sandbox.media.video import video_bytes
from prefect_seedance.sandbox.world.faults import ODD_HEADERS, chance
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
    return _other_answer(request, state, job, expires) or await _serve(request, state, job)


def _other_answer(request: Request, state: State, job: Job, expires: str) -> Response | None:
    """What a valid link answers in place of the file; None where it serves it."""
    if state.is_late("late_link", job, job.finished_at):
        return _denied(state.faults.refused_status, "NotReady", "The object is not ready.")
    if "redirected_link" in job.effects and "ticket" not in request.query_params:
        ticket = state.signature(f"ticket {job.id}", int(expires))
        return Response(status_code=302, headers={"Location": f"{request.url}&ticket={ticket}"})
    if "keyed_link" in job.effects:
        account = account_of(request, job.provider)
        if account is None or account.name != job.account:
            return JSONResponse({"error": {"code": "unauthorized", "message": "No API key provided."}}, status_code=401)
    return None


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
    odd = odd_headers(job)
    body, odd_ones = dress(await run_in_threadpool(stored_bytes, job, version, state.settings.results), odd)
    status, piece, headers = slice_body(request, body, with_ranges="no_ranges" not in job.effects)
    headers["Content-Type"] = "video/mp4" if status < 400 else "application/xml"
    if status < 400:
        headers.update(odd_ones)
    if odd == "wrong_length" and status < 400:
        return CutShort(piece + bytes(100), sent=len(piece), status_code=status, headers=headers)
    if "download_cut" in drawn and status < 400:
        part = 0.2 + 0.6 * chance(state.settings.seed, "cut", job.id, nth)
        return CutShort(piece, sent=int(len(piece) * part), status_code=status, headers=headers)
    return Response(piece, status_code=status, headers=headers)


def stored_bytes(job: Job, version: int = 0, results: Path | None = None) -> bytes:
    """Return the file of a job, damaged as its faults say."""
    if (given := given_result(job, results)) is not None:
        return given.read_bytes()
    clip = job.clip
    body = video_bytes(
        job.id, width=clip.width, height=clip.height, seconds=clip.seconds, has_audio=clip.has_audio, version=version
    )
    if "truncated_result" in job.effects:
        body = body[: int(len(body) * (0.3 + 0.6 * chance(0, "truncated", job.id)))]
    if "corrupt_result" in job.effects:
        body = body[:24] + hashlib.sha256(job.id.encode()).digest() * 16 + body[24 + 512 :]
    return body


def given_result(job: Job, results: Path | None) -> Path | None:
    """Return the file that a job's link serves in place of its own video; None for its own."""
    found = next((name for name in job.effects if name.partition("=")[0] == "given_result"), None)
    if found is None or results is None:
        return None
    files = {path.name: path for path in sorted(results.iterdir()) if path.is_file()}
    name = found.partition("=")[2] or list(files)[int(chance(0, "given_result", job.id) * len(files))]
    return files[name]


def odd_headers(job: Job) -> str | None:
    """Return which of `ODD_HEADERS` the job's link has; None for an ordinary one."""
    found = next((name for name in job.effects if name.partition("=")[0] == "odd_headers"), None)
    if found is None:
        return None
    return found.partition("=")[2] or ODD_HEADERS[int(chance(0, "odd_headers", job.id) * len(ODD_HEADERS))]


def dress(body: bytes, odd: str | None) -> tuple[bytes, dict[str, str]]:
    """Return the body as an odd link serves it, and the headers that are special about it."""
    if odd in {"gzip", "gzip_unsaid"}:
        body = gzip.compress(body, mtime=0)
    if odd == "no_ftyp":
        body = body.replace(b"ftyp", b"free", 1)
    wrong = base64.b64encode(hashlib.md5(b"another file", usedforsecurity=False).digest()).decode()
    headers = {
        "text_plain": {"Content-Type": "text/plain; charset=utf-8"},
        "json": {"Content-Type": "application/json"},
        "aws_chunked": {"Content-Encoding": "aws-chunked"},
        "utf8": {"Content-Encoding": "utf-8"},
        "wrong_md5": {"Content-MD5": wrong},
        "gzip": {"Content-Encoding": "gzip"},
        "gzip_unpacked": {"Content-Encoding": "gzip"},
    }
    return body, headers.get(odd or "", {})


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
