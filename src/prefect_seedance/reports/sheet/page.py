"""The page itself: template, style and script as package files, the data put between them so that it stays data."""

from __future__ import annotations

import base64
import hashlib
import html
import json
import re
from collections.abc import Sequence
from datetime import datetime
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from prefect_seedance.ledger import CostLine
from prefect_seedance.reports.sheet.card import Card
from prefect_seedance.reports.sheet.data import sheet_data

__all__ = ["EMBEDDED", "contact_sheet"]

EMBEDDED = 3_000_000
"""Posters go into the page as long as all of them together are no larger, in bytes."""

_STYLES = ("base", "top", "tools", "cards", "detail", "print")
_SCRIPTS = ("start", "money", "charts", "view", "card", "grid", "play", "detail", "choice", "tools", "keys", "go")

# What would end the script element, open a comment, or end a line in older scripts; and halves of pairs, which no
# file in UTF-8 can hold.
_UNSAFE = re.compile("[<>&\u2028\u2029\ud800-\udfff]")
_HALVES = re.compile("[\ud800-\udfff]")


def contact_sheet(
    batch: str,
    cards: Sequence[Card],
    *,
    folder: Path | None = None,
    costs: Sequence[CostLine] | None = None,
    title: str | None = None,
    made_at: datetime | None = None,
    warnings: Sequence[str] = (),
) -> str:
    """The contact sheet as one HTML file, which asks nobody for anything: to be written as UTF-8 into `folder`.

    Args:
        batch: The batch.
        cards: Its rows, all takes: see `cards_of`.
        folder: Where the sheet will lie. Given, small posters go into the page itself, so that it can be mailed;
            otherwise, and where they would make it huge, they stay beside it.
        costs: The batch's cost to date. Default: added up from the cards' attempts; given, it may also hold what
            was paid for assets.
        title: The heading; default: the batch's name.
        made_at: When the sheet is made; default: now.
        warnings: What the user should know about the run.
    """
    data = sheet_data(batch, cards, costs=costs, title=title, made_at=made_at, warnings=warnings)
    if folder is not None:
        _embed(data["cards"], folder)
    style, script = _joined(_STYLES, "css"), _joined(_SCRIPTS, "js")
    parts = {
        "title": html.escape(_HALVES.sub("�", f"{title or batch} · contact sheet")),
        "policy": html.escape(_policy(style, script)),
        "style": style,
        "data": _inert(data),
        "script": script,
    }
    # One pass over the template: nothing that was put in is looked at again.
    return re.sub(r"\{\{(\w+)\}\}", lambda found: parts[found[1]], _asset("page.html"))


def _policy(style: str, script: str) -> str:
    """What the browser is to allow the page: its own style and script, pictures and videos beside it, nothing else."""
    return "; ".join(
        (
            "default-src 'none'",
            "img-src 'self' file: data:",
            "media-src 'self' file:",
            f"style-src '{_hash(style)}'",
            f"script-src '{_hash(script)}'",
            "base-uri 'none'",
            "form-action 'none'",
        )
    )


def _hash(text: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"


def _inert(data: dict[str, Any]) -> str:
    """JSON that no HTML parser can take for anything else."""
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"))
    return _UNSAFE.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def _embed(cards: list[dict[str, Any]], folder: Path) -> None:
    posters = {card["poster"]: folder / unquote(card["poster"]) for card in cards if "poster" in card}
    try:
        if sum(path.stat().st_size for path in posters.values()) > EMBEDDED:
            return
        pictures = {link: base64.b64encode(path.read_bytes()).decode() for link, path in posters.items()}
    except OSError:  # a poster that went away: the page copes with one that is missing beside it
        return
    for card in cards:
        if "poster" in card:
            card["poster"] = f"data:image/jpeg;base64,{pictures[card['poster']]}"


@cache
def _joined(names: tuple[str, ...], kind: str) -> str:
    text = "\n".join(_asset(f"{name}.{kind}") for name in names)
    return f'\n(() => {{\n"use strict";\n{text}\n}})();\n' if kind == "js" else f"\n{text}\n"


@cache
def _asset(name: str) -> str:
    return (files(__package__) / "assets" / name).read_text(encoding="utf-8")
