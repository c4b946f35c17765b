"""File names of videos from the user's template, such as `{batch}/{id}-{model}.mp4`."""

from __future__ import annotations

import string
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from prefect_seedance.errors import InputError
from prefect_seedance.media import slug
from prefect_seedance.media.storage.names import joined, segment
from prefect_seedance.messages import message
from prefect_seedance.planning.plan import BatchPlan
from prefect_seedance.planning.planned_row import PlannedRow
from prefect_seedance.tables.cells import plain
from prefect_seedance.tables.reader import Table

__all__ = ["FIELDS", "default_name", "file_names"]

FIELDS = ("batch", "id", "take", "model", "provider", "duration", "resolution", "ratio", "date")
"""What a template can name besides the table's own columns. `date` is the day when the row is planned."""

EMPTY = "none"
"""Replaces an empty cell or setting."""

SUFFIX = ".mp4"

DEEPEST = 5
"""Most folders below the batch's folder."""


def default_name(key: str, take: str) -> str:
    """The name of a row's file where no template is given, without its suffix."""
    return slug(key) if take == "1" else f"{slug(key)}.take-{slug(take)}"


def file_names(
    template: str | None, table: Table, plan: BatchPlan, *, batch: str, take: str
) -> Mapping[str, str] | None:
    """The name of each row's file below the batch's folder, by row key and without `.mp4`; None without a template.

    Two rows may get the same name here. The ledger makes names unique when it plans the rows, and keeps them.

    Args:
        template: Text with fields in braces; a slash makes a folder. Fields are `FIELDS` and the table's headings.
        table: The user's table.
        plan: The rows to name.
        batch: The batch.
        take: The take. From the second take on it is appended if the template does not name it.

    Raises:
        InputError: The template names an unknown field, or is not a path below the batch's folder.
    """
    if template is None:
        return None
    headings: dict[str, int] = {}
    for place, heading in enumerate(table.frame.columns):
        headings.setdefault(str(heading), place)
    pieces = _parsed(template, headings)
    if take != "1" and not any(field == "take" for _, field, _ in pieces):
        pieces.append((".take-", "take", ""))
    own = {field for _, field, _ in pieces if field and field not in FIELDS}
    columns = {field: table.frame.iloc[:, headings[field]].tolist() for field in own}
    now = datetime.now().astimezone()

    def name(row: PlannedRow) -> str:
        values: dict[str, Any] = {
            "batch": batch,
            "id": row.key,
            "take": take,
            "model": row.settings.route.model,
            "provider": row.settings.account.provider,
            "duration": row.request.duration,
            "resolution": row.request.resolution,
            "ratio": row.request.ratio,
            **{field: plain(cells[row.position]) for field, cells in columns.items()},
        }
        text = "".join(
            literal + (_value(now if field == "date" else values[field], spec) if field else "")
            for literal, field, spec in pieces
        )
        return joined(text.split("/"))

    return {row.key: name(row) for row in plan.rows}


def _parsed(template: str, headings: Mapping[str, int]) -> list[tuple[str, str, str]]:
    """The template in pieces: the text before each field, the field, and the format of a date."""
    try:
        pieces = [
            (literal, field or "", spec or "", change)
            for literal, field, spec, change in string.Formatter().parse(template)
        ]
    except ValueError as error:
        raise InputError(message("file_name.syntax", template=template, reason=str(error))) from None
    for _, field, spec, change in pieces:
        if change or (spec and field != "date"):
            raise InputError(message("file_name.format", template=template, field=field))
        if field and field not in FIELDS and field not in headings:
            known = tuple(dict.fromkeys([*FIELDS, *headings]))
            raise InputError(message("file_name.unknown_field", template=template, field=field, known=known))
    if not any(field for _, field, _, _ in pieces):
        raise InputError(message("file_name.no_field", template=template))
    _refuse_paths(template, "".join(literal + ("x" if field else "") for literal, field, _, _ in pieces))
    last = len(pieces) - 1
    return [
        (_without_suffix(literal) if place == last and not field else literal, field, spec)
        for place, (literal, field, spec, _) in enumerate(pieces)
    ]


def _without_suffix(literal: str) -> str:
    return literal[: -len(SUFFIX)] if literal.lower().endswith(SUFFIX) else literal


def _refuse_paths(template: str, example: str) -> None:
    """Refuse a template whose literal text leads out of the batch's folder."""
    segments = example.split("/")
    if "\\" in example or ":" in example or any(part.strip() in {"", ".", "..", "~"} for part in segments):
        raise InputError(message("file_name.path", template=template))
    folders = len(segments) - 1
    if folders > DEEPEST:
        raise InputError(message("file_name.too_deep", template=template, folders=folders, most=DEEPEST))


def _value(value: Any, spec: str) -> str:
    if isinstance(value, datetime):
        value = value.strftime(spec or "%Y-%m-%d")
    if isinstance(value, float) and value.is_integer():
        value = int(value)  # pandas reads whole numbers with a missing value as floats
    text = "" if value is None else str(value).strip()
    return segment(text) if text else EMPTY
