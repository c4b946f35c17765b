"""Parser of multipart/form-data bodies, so that uploads need no further dependency."""

from __future__ import annotations

from dataclasses import dataclass
from email.message import Message


@dataclass(frozen=True)
class Part:
    """One part of a form; `filename` is None for a plain field."""

    name: str
    filename: str | None
    content_type: str
    content: bytes


def read_form(content_type: str, body: bytes) -> list[Part]:
    """Split a form body into its parts.

    Raises:
        ValueError: The body is not a form of that boundary.
    """
    head = Message()
    head["Content-Type"] = content_type
    boundary = head.get_param("boundary")
    if head.get_content_type() != "multipart/form-data" or not isinstance(boundary, str):
        raise ValueError("not a multipart/form-data body")
    # The delimiter of a part is a line break and the boundary; the first one may lack the line break.
    pieces = (b"\r\n" + body).split(b"\r\n--" + boundary.encode())
    if len(pieces) < 3 or not pieces[-1].startswith(b"--"):
        raise ValueError("the form does not end with its boundary")
    return [_part(piece) for piece in pieces[1:-1]]


def _part(piece: bytes) -> Part:
    headers, gap, content = piece.removeprefix(b"\r\n").partition(b"\r\n\r\n")
    if not gap:
        raise ValueError("a part of the form has no headers")
    head = Message()
    for line in headers.decode("utf-8", "replace").split("\r\n"):
        name, _, value = line.partition(":")
        head[name.strip()] = value.strip()
    field = head.get_param("name", header="content-disposition")
    if not isinstance(field, str):
        raise ValueError("a part of the form has no name")  # noqa: TRY004 - the form is invalid, not a type
    return Part(field, head.get_filename(), head.get("content-type", "application/octet-stream"), content)
