"""Jimmy AI's file upload, and the server of the uploaded files."""

from __future__ import annotations

import hashlib
from pathlib import PurePosixPath
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from prefect_seedance.sandbox.http.calls import account_of, state_of
from prefect_seedance.sandbox.http.cut import Cut
from prefect_seedance.sandbox.http.files import slice_body
from prefect_seedance.sandbox.http.links import base_url
from prefect_seedance.sandbox.http.multipart import Part, read_form
from prefect_seedance.sandbox.jimmy import api
from prefect_seedance.sandbox.world.draft import Refusal
from prefect_seedance.sandbox.world.replies import bad_gateway
from prefect_seedance.sandbox.world.uploads import KINDS

MAX_BYTES = 100 * 2**20
#: The extensions that may be uploaded; the sandbox itself knows a few more.
ENDINGS = tuple(ending for ending in KINDS if ending not in {".tif", ".tiff"})


async def upload(request: Request) -> Response:
    """POST files/upload: one part named `file`, at most 100 MB, of a listed kind (upload page)."""
    state = state_of(request)
    state.count("jimmy.upload")
    if account_of(request, "jimmy") is None:
        return api.JimmyReplies(state).bad_key()
    try:
        part = _only_file(read_form(request.headers.get("content-type", ""), await request.body()))
    except ValueError as error:
        return api.JimmyReplies(state).refused(Refusal("body", str(error)))
    except Refusal as refusal:
        return api.JimmyReplies(state).refused(refusal)
    sha256 = hashlib.sha256(part.content).hexdigest()
    drawn = state.faults.draw("upload", state.settings.seed, part.filename, sha256, state.nth("upload", sha256))
    if drawn:
        state.count("jimmy.upload.faulty")
        if "upload_cut" in drawn:
            return Cut()
        return api.JimmyReplies(state).too_many() if "upload_limited" in drawn else bad_gateway()
    state.count("jimmy.upload.bytes", len(part.content))
    kept = state.uploads.add(part.filename or "file", part.content_type, part.content)
    url = f"{base_url(request, state)}/_uploads/{kept.id}/{quote(kept.filename)}"
    data = {"url": url, "filename": kept.filename, "size": kept.size, "mime_type": kept.mime_type}
    return api.success(state, "upload", data)


def _only_file(parts: list[Part]) -> Part:
    if len(parts) != 1 or parts[0].name != "file" or not parts[0].filename:
        raise Refusal("file", "must be the only part of the form, and a file")
    part = parts[0]
    if len(part.content) > MAX_BYTES:
        raise Refusal("file", "must be at most 100 MB")
    if PurePosixPath(part.filename or "").suffix.lower() not in ENDINGS:
        raise Refusal("file", f"must end in one of {', '.join(ENDINGS)}")
    return part


async def uploaded(request: Request) -> Response:
    """GET an uploaded file."""
    state = state_of(request)
    state.count("uploads")
    found = state.uploads.get(request.path_params["upload_id"])
    if found is None:
        return PlainTextResponse("no such file", status_code=404)
    if state.uploads.is_lost(request.path_params["upload_id"]):
        return PlainTextResponse("AccessDenied: Request has expired.", status_code=403)
    status, piece, headers = slice_body(request, found[1])
    return Response(piece, status_code=status, headers={**headers, "Content-Type": found[0].mime_type})


ROUTES = [
    Route(f"{api.ROOT}/files/upload", upload, methods=["POST"]),
    Route("/_uploads/{upload_id}/{filename}", uploaded, methods=["GET"]),
]
