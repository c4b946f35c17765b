"""The HTML page: template, styles and scripts are package files; the data is embedded as inert JSON."""

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
"""Posters are embedded in the page if their total size, in bytes, is no larger."""

_STYLES = ("base", "top", "tools", "cards", "detail", "print")
_SCRIPTS = ("start", "money", "charts", "view", "card", "grid", "play", "detail", "choice", "tools", "keys", "go")

# Characters that would end the script element, open a comment, or end a line in older scripts; and lone surrogates,
# which UTF-8 cannot encode.
_UNSAFE = re.compile("[<>&\u2028\u2029\ud800-\udfff]")
_SURROGATES = re.compile("[\ud800-\udfff]")


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
    """The contact sheet as one HTML file, to be written as UTF-8 into `folder`. It loads nothing from the network.

    Args:
        batch: The batch.
        cards: Its rows, all takes: see `cards_of`.
        folder: The folder of the sheet. If given, small posters are embedded in the page, so that it can be mailed;
            otherwise, and where they would make it huge, the page links to them.
        costs: The batch's cost to date, including assets. Default: added up from the cards' attempts, without assets.
        title: The heading; default: the batch's name.
        made_at: When the sheet is made; default: now.
        warnings: What the user should know about the run.
    """
    data = sheet_data(batch, cards, costs=costs, title=title, made_at=made_at, warnings=warnings)
    if folder is not None:
        _embed(data["cards"], folder)
    style, script = _joined(_STYLES, "css"), _joined(_SCRIPTS, "js")
    parts = {
        "title": html.escape(_SURROGATES.sub("�", f"{title or batch} · contact sheet")),
        "policy": html.escape(_policy(style, script)),
        "style": style,
        "data": _inert(data),
        "script": script,
    }
    # One pass over the template: inserted text is not searched for fields again.
    return re.sub(r"\{\{(\w+)\}\}", lambda found: parts[found[1]], _asset("page.html"))


def _policy(style: str, script: str) -> str:
    """The content security policy: the page's own style and script, pictures and videos next to it, nothing else."""
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
    """JSON that no HTML parser can read as markup."""
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"))
    return _UNSAFE.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def _embed(cards: list[dict[str, Any]], folder: Path) -> None:
    posters = {card["poster"]: folder / unquote(card["poster"]) for card in cards if "poster" in card}
    try:
        if sum(path.stat().st_size for path in posters.values()) > EMBEDDED:
            return
        pictures = {link: base64.b64encode(path.read_bytes()).decode() for link, path in posters.items()}
    except OSError:  # a poster was removed: the page can show a card without one
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
