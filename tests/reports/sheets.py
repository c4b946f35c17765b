"""Ledger records for contact sheets, with real videos and posters below a folder where they are wanted."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from prefect_seedance.ledger import AttemptRecord, Outcome, RowRecord, Settlement, State
from prefect_seedance.media import previews_of
from prefect_seedance.sandbox.media.video import video_bytes

START = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
SHAPES = ((640, 360), (360, 640), (480, 480))
ROUTES = ("seedance2.0-mini", "seedance2.0-sp", "seedance2.0-md-1080p-fast")
PROMPTS = (
    "A paper lantern drifts over a still lake at dusk, mist rising, slow dolly in, warm rim light, 35 mm film grain.",
    "清晨的茶园，薄雾缭绕，采茶姑娘转身微笑，镜头从竹篮缓缓上移至远山，柔和自然光，电影质感。",
    "Macro shot of an espresso pouring into a glass cup, crema swirling, backlit steam, 120 fps slow motion.",
    "A fox in a yellow raincoat walks through a neon alley after rain; reflections ripple as a tram passes behind it.",
)


def _record(kind: type, values: dict[str, Any]) -> Any:
    """A record with None in every field that is not told, so that new fields of the ledger break nothing here."""
    return kind(**({each.name: None for each in dataclasses.fields(kind)} | values))


def an_attempt(row: int, number: int = 1, **changes: Any) -> AttemptRecord:
    values: dict[str, Any] = {
        "id": row * 10 + number,
        "row_id": row,
        "number": number,
        "run_id": "run",
        "provider": "jimmy",
        "account": "default",
        "model": ROUTES[0],
        "fingerprint": "1:x",
        "sent_at": START + timedelta(seconds=row),
        "outcome": Outcome.CREATED,
        "http_status": 200,
        "job_id": f"job-{row}-{number}",
        "billing_model": "seedance2.0-mini-720p",
        "unit": "second",
        "unit_price": Decimal("0.05"),
        "currency": "CNY",
        "quote_low": Decimal("0.25"),
        "quote_high": Decimal("0.25"),
        "settlement": Settlement.CHARGED,
        "units": Decimal(5),
        "charge": Decimal("0.25"),
    }
    return _record(AttemptRecord, values | changes)


def a_row(row: int, key: str, attempts: Sequence[AttemptRecord] = (), **changes: Any) -> RowRecord:
    stored = changes.get("state", State.STORED) is State.STORED
    values: dict[str, Any] = {
        "id": row,
        "batch": "spring",
        "take": "1",
        "key": key,
        "fingerprint": "1:x",
        "request": {"prompt": PROMPTS[row % len(PROMPTS)], "duration": 5, "resolution": "720p", "ratio": "16:9"},
        "provider": "jimmy",
        "account": "default",
        "model": attempts[-1].model if attempts else ROUTES[0],
        "state": State.STORED,
        "file_name": key,
        "planned_at": START,
        "attempt": attempts[-1] if attempts else None,
    }
    if stored:
        values |= {
            "finished_at": START + timedelta(seconds=row + 40 + (row * 7919) % 90),
            "stored_at": START + timedelta(seconds=row + 140),
            "sha256": "ab" * 32,
            "bytes": 1_234_567,
            "width": 1280,
            "height": 720,
            "seconds": Decimal("5.042"),
        }
    return _record(RowRecord, values | changes)


def a_batch(size: int, folder: Path) -> tuple[list[RowRecord], list[AttemptRecord]]:
    """A batch with every state: unknown, failed, refused, running and many stored ones, on routes in two currencies."""
    rows, tried = [], []
    for number in range(1, size + 1):
        key = f"spring-{number:04}"
        route = number % 3
        price = Decimal(("0.05", "0.2", "0.13")[route])
        bill: dict[str, Any] = {
            "model": ROUTES[route],
            "billing_model": f"{ROUTES[route]}-720p",
            "unit_price": price,
            "quote_high": price * 5,
            "charge": price * 5,
            "currency": "USD" if route == 2 else "CNY",
        }
        state, error, settled = _fate(number)
        if settled is not Settlement.CHARGED:
            bill |= {"charge": None, "units": None, "settlement": settled}
        if settled is Settlement.UNKNOWN:
            bill |= {"outcome": Outcome.UNKNOWN, "job_id": None, "request_id": f"req-{number:x}9c1"}
        attempt = an_attempt(number, **bill)
        changes: dict[str, Any] = {"state": state}
        if state is State.STORED:
            width, height = SHAPES[0] if number % 5 else SHAPES[number // 5 % 3]
            changes |= {"path": str(folder / f"{key}.mp4"), "width": width, "height": height}
            if number % 19 == 2:
                changes["remarks"] = ("Asked for 8 s, got 5.042 s",)
        elif error:
            changes |= {"error_kind": "moderation", "error_code": error[0], "error_message": error[1]}
        tried.append(attempt)
        rows.append(a_row(number, key, [attempt], **changes))
    return rows, tried


def _fate(number: int) -> tuple[State, tuple[str, str] | None, Settlement]:
    match number % 23:
        case 3:
            text = ("unknown_outcome", "The connection broke after the request had left; the provider never answered.")
            return State.UNKNOWN, text, Settlement.UNKNOWN
        case 7:
            text = ("OUTPUT_MODERATION", "The video was stopped by the provider's content check. 内容审核未通过。")
            return State.FAILED, text, Settlement.UNDOCUMENTED
        case 11:
            text = ("TRADEMARK", "The prompt names a protected figure; other words are needed.")
            return State.REFUSED, text, Settlement.NOTHING
        case 16:
            return State.CREATED, None, Settlement.OPEN
        case _:
            return State.STORED, None, Settlement.CHARGED


def columns_of(rows: Sequence[RowRecord]) -> dict[str, dict[str, str]]:
    """A user's own columns."""
    return {
        row.key: {
            "campaign": ("Lantern", "茶园", "Espresso")[place % 3],
            "channel": ("TikTok", "Reels")[place % 2],
            "note": f"shot {place}, approved by Mei" if place % 4 else "",
        }
        for place, row in enumerate(rows)
    }


def film(rows: Sequence[RowRecord], folder: Path, *, videos: int = 24, strips: bool = True) -> None:
    """Put real videos, posters and strips where the records say they are; a few clips stand for all of them."""
    previews = folder / ".previews"
    previews.mkdir(parents=True, exist_ok=True)
    made: dict[tuple[int, int, int], tuple[bytes, bytes, bytes]] = {}
    stored = [row for row in rows if row.state is State.STORED and row.path]
    for place, row in enumerate(stored):
        kind = (row.width or 0, row.height or 0, place % 5)
        if kind not in made:
            made[kind] = _clip(folder, *kind)
        video, still, strip = made[kind]
        if place < videos:
            Path(row.path or "").write_bytes(video)
        (previews / f"{row.file_name}.jpg").write_bytes(still)
        if strips:
            (previews / f"{row.file_name}.strip.jpg").write_bytes(strip)


def _clip(folder: Path, width: int, height: int, kind: int) -> tuple[bytes, bytes, bytes]:
    path = folder / "clip.mp4"
    path.write_bytes(video_bytes(f"clip {kind}", width=width, height=height, seconds=2, has_audio=True))
    previews = previews_of(path)
    assert previews is not None
    try:
        return path.read_bytes(), previews.poster, previews.strip
    finally:
        path.unlink()
