"""Rows that a person types or pastes into a form."""

from __future__ import annotations

import contextlib
import difflib
import re
from collections.abc import Iterator
from pathlib import Path

from prefect_seedance.errors import TableError
from prefect_seedance.media.storage.folders import temporary_folder
from prefect_seedance.routes import VideoRequest
from prefect_seedance.tables.headings import match_headings
from prefect_seedance.tables.reader import TableLike

__all__ = ["typed_table"]

_FIELDS = ("id", *VideoRequest.model_fields, "model", "provider")
_PROMPT_HEADINGS = ("text", "prompts", "提示词", "文案", "描述", "内容")
"""Further headings that people give their prompts."""


@contextlib.contextmanager
def typed_table(text: str) -> Iterator[TableLike]:
    """The rows of a text: a prompt on each line, or a table with headings, as CSV or copied from a spreadsheet."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    if not lines or not _has_headings(lines[0]):
        yield [{"prompt": line} for line in lines]
        return
    with temporary_folder("seedance-typed-") as folder:
        path = Path(folder) / "typed rows.csv"
        path.write_text(text, encoding="utf-8")
        yield path


def _has_headings(line: str) -> bool:
    """Whether a line holds headings. In doubt it does: a bad heading is an error, one read as a prompt costs money."""
    cells = [cell.strip().strip('"') for cell in re.split(r"[,;\t]", line)]
    if "\t" in line or any(cell.casefold() in (*_FIELDS, *_PROMPT_HEADINGS) for cell in cells):
        return True
    with contextlib.suppress(TableError):
        match_headings(list(cells), None, "typed rows")
        return True
    alike = [cell for cell in cells if difflib.get_close_matches(cell.casefold(), _FIELDS, n=1, cutoff=0.8)]
    return len(alike) * 2 >= len(cells)
