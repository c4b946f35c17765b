"""The verdict on each answer to a create, where a page says `<!-- create answers: section -->`.

The list of answers is written here, and each verdict comes from the program's own reading of the answer. An answer that
stands in the wrong section ends the build.
"""

from __future__ import annotations

import json
import re
from typing import Any, NamedTuple

from prefect_seedance.errors import (
    AuthenticationError,
    ContentRejected,
    InsufficientFunds,
    RateLimited,
    Refused,
    RouteUnavailable,
    UnknownOutcome,
)
from prefect_seedance.providers import Answer, dialect_of

MARK = re.compile(r"<!-- create answers: (?P<section>\w+) -->")
PROVIDERS = {"jimmy": "Jimmy AI", "anyfast": "Anyfast"}
PATHS = {"jimmy": "/api/open-api/v1/seedance/videos", "anyfast": "/v1/video/generations"}
REFUSALS = {
    AuthenticationError: "the key",
    ContentRejected: "the content",
    InsufficientFunds: "the funds",
    RateLimited: "the rate",
    RouteUnavailable: "the route",
    Refused: "the request",
}


class Row(NamedTuple):
    """An answer: what it is, its HTTP statuses, and its body at each provider; `{path}` is the path of the call."""

    what: str
    statuses: tuple[int, ...]
    jimmy: Any
    anyfast: Any
    location: str | None = None


def both(what: str, statuses: tuple[int, ...], body: Any, location: str | None = None) -> Row:
    """An answer that is the same at both providers."""
    return Row(what, statuses, body, body, location)


def jimmy(code: object, msg: str = "", data: Any = None) -> dict[str, Any]:
    """An answer of Jimmy AI."""
    return {"code": code, "msg": msg, "data": data}


def error(code: object, words: str = "") -> dict[str, Any]:
    """An error of Anyfast."""
    return {"error": {"code": code, "message": words}}


def relayed(code: str, words: str, kind: str) -> dict[str, Any]:
    """An error of Anyfast's upstream, as Anyfast passes it on."""
    return {"code": "fail_to_fetch_task", "message": json.dumps(error(code, words) | {"type": kind}), "data": None}


def done(data: Any) -> tuple[Any, Any]:
    """A success whose `data` is this, at both providers."""
    return jimmy(0, "ok", data), {"code": "success", "message": "", "data": data}


HTML = "<html>…</html>"
SECTIONS: dict[str, list[Row]] = {
    "accepted": [
        Row("the documented answer", (200, 201), jimmy(0, "ok", {"task_id": "vid_1234567"}), {"id": "cgt-1234567"}),
        Row("the id under another name", (200,), *done({"id": "vid_1234567"})),
        Row("the bare id", (200,), *done("vid_1234567")),
        Row("a record in the record", (200,), *done({"data": {"task_id": "vid_1234567"}})),
        Row("a list of one", (200,), *done([{"id": "vid_1234567"}])),
        Row("the upstream's id inside", (200,), *done({"task_id": "vid_1234567", "data": {"id": "cgt-7654321"}})),
    ],
    "refused": [
        both("too many, from whatever answers", (429,), HTML),
        both("no valid key, from whatever answers", (401,), ""),
        both("not done as asked, from whatever answers", (405, 411, 413, 414, 415, 431), HTML),
        both("a page that is not the provider's", (404,), HTML),
        both("an empty answer", (404,), ""),
        Row(
            "its own words about a path or a model",
            (404,),
            jimmy(30005, "模型不存在"),
            error("", "Invalid URL (POST /v1/video/generations)"),
        ),
        both("the same call at another scheme, host or path prefix", (301, 307, 308), "", "https://other/x{path}"),
        Row("its own words about the request", (200, 400, 422), jimmy(20002, "bad ratio"), error("x", "bad ratio")),
        Row("its own words about the key", (200, 403), jimmy(20001, "bad key"), error("invalid_api_key", "no")),
        Row("its own words about funds", (200, 402, 403), jimmy(30002, "余额不足"), error("insufficient_quota", "")),
        Row("its own words about the content", (200, 400), jimmy(30001, "敏感内容"), error("x", "content policy")),
        Row(
            "its upstream's refusal",
            (400,),
            jimmy(20002, "PROVIDER_MODERATION_ERROR"),
            relayed("InputTextSensitiveContentDetected", "…", "BadRequest"),
        ),
    ],
    "gateway": [
        Row("no upstream was called: new-api's distributor", (400, 403, 503), None, error("model_not_found", "…")),
    ],
    "unknown": [
        Row("a word of a missing job", (200, 400, 404), jimmy(20002, "任务不存在"), error("task_not_exist", "…")),
        Row("a word that something is missing", (400, 404), jimmy(30001, "record not found"), error("x", "not found")),
        Row("a code without words", (200, 400), jimmy(1), error(1)),
        Row("words that say nothing", (200, 400), jimmy(30001, "操作失败"), error("error", "failed")),
        Row("trouble on the way", (200, 400), jimmy(20002, "Read timed out"), error("x", "bad gateway")),
        Row("a word to try again", (200, 400), jimmy(30001, "请稍后重试"), error("x", "please try again")),
        Row("the provider's own trouble", (200, 400, 500), jimmy(-1, "error"), error("get_channel_failed", "…")),
        Row("its upstream's trouble", (400,), jimmy(500, "…"), relayed("InternalServiceError", "…", "…")),
        Row("a refusal that names a job", (400, 429), jimmy(20002, "vid_1234567: no"), error("x", "cgt-1234567: no")),
        both("a header or `Location` that names a job", (201, 303, 307), "", "{path}/vid_1234567"),
        Row("a success without an id, or with several", (200,), *done(["vid_1234567", "vid_7654321"])),
        Row("a refusal with a status of trouble", (408, 409, 425, 499, 500), jimmy(20002, "bad"), error("x", "bad")),
        both("a page of something on the way", (200, 400, 403, 410, 500, 502, 503, 504, 524), HTML),
        both("an empty answer", (200, 204, 400, 403, 500, 504), ""),
        both("any other redirect", (301, 302, 303, 307, 308), "", "https://other/login"),
    ],
}  # fmt: skip
"""`gateway` holds what proves something at a gateway of the software new-api only."""


def on_page_markdown(markdown: str, **_: Any) -> str:
    """Replace each marker by its table."""
    return MARK.sub(lambda found: table(found["section"]), markdown)


def table(section: str) -> str:
    """Return the answers of a section with their verdicts as a table.

    Raises:
        ValueError: The program judges one of them otherwise.
    """
    rows = ["| answer | HTTP | Jimmy AI | Anyfast |", "| --- | --- | --- | --- |"]
    for row in SECTIONS[section]:
        cells = [_cell(section, row, provider) for provider in PROVIDERS]
        rows.append(f"| {row.what} | {', '.join(map(str, row.statuses))} | {' | '.join(cells)} |")
    return "\n".join(rows)


def _cell(section: str, row: Row, provider: str) -> str:
    body = getattr(row, provider)
    if body is None:
        return "–"
    verdicts = list(dict.fromkeys(verdict(row, provider, status) for status in row.statuses))
    expected = {"accepted": "created", "unknown": "unknown"}.get(section, "refused")
    if any(not words.startswith(expected) for words in verdicts):
        raise ValueError(f"{row.what!r} at {provider}: {verdicts}, not {expected}")
    said = body if isinstance(body, str) else json.dumps(body, ensure_ascii=False)
    if row.location is not None:
        said = f"Location: {row.location.format(path='…')}"
    shown = f"`{said}`<br>".replace("|", "\\|") if said else ""
    return f"{shown}{'; '.join(verdicts)}"


def verdict(row: Row, provider: str, status: int) -> str:
    """Return what the program makes of an answer."""
    body = getattr(row, provider)
    raw = body.encode() if isinstance(body, str) else json.dumps(body, ensure_ascii=False).encode()
    headers = {} if row.location is None else {"Location": row.location.format(path=PATHS[provider])}
    try:
        made = dialect_of(provider).read_created(Answer(status, headers, raw))
    except Refused as refusal:
        return f"refused: {REFUSALS[type(refusal)]}"
    except UnknownOutcome as unknown:
        return "unknown" if unknown.named_job is None else f"unknown; names job `{unknown.named_job}`"
    return f"created: job `{made.job_id}`"
