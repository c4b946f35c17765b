"""Finds rows that a quotation mark swallowed: a cell over several lines that are rows of the table themselves.

Prompts over several lines are common, and their commas are followed by a space. Rows are seen by what they have in
common with the other lines of the file: the number of separators, and the form of a number, an id or a URL.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

_SAMPLE = 500
_MOST = 0.8
_LETTERS = re.compile(r"[^\W\d_]+")
_DIGITS = re.compile(r"\d+")


def holds_rows(text: str, start: int, end: int, separator: str, width: int) -> bool:
    """Whether the record between two places, which has line breaks in its cells, seems to consist of several rows.

    Args:
        text: The whole text.
        start: Where the record starts.
        end: Where it ends.
        separator: What divides cells.
        width: The number of headings.
    """
    if width < 2:
        return False
    spaced = f"{separator} " in text[: max(text.find("\n"), 0)]
    # In prose a space follows a comma.
    divide = re.compile(re.escape(separator) + ("" if spaced or separator == "\t" else r"(?!\s)"))
    lines = [divide.split(line) for line in text[start:end].split("\n")]
    whole = [len(cells) == width for cells in lines]
    # Where the first cell has several lines, its last line always has all the other cells behind it.
    ends_row = text.startswith('"', start) and not whole[0]
    later = [cells for cells in (lines[1:-1] if ends_row else lines[1:]) if len(cells) == width]
    if separator == "\t":
        return bool(later)
    if forms := _common_forms(text, divide, width):
        return any(_alike(cells, forms) for cells in later)
    return all(whole)


def _common_forms(text: str, divide: re.Pattern[str], width: int) -> dict[int, str]:
    """The form that nearly all lines of the file have in common in a column, such as `9` or `a-9`, by its place."""
    lines = (line for line in text[:200_000].split("\n")[1:] if line and '"' not in line)
    rows = [cells for cells in map(divide.split, lines) if len(cells) == width][:_SAMPLE]
    forms = {}
    for place in range(width):
        (form, count), *_ = Counter(_form(cells[place]) for cells in rows).most_common(1) or [("", 0)]
        if "9" in form and count >= _MOST * len(rows):
            forms[place] = form
    return forms


def _alike(cells: Sequence[str], forms: dict[int, str]) -> bool:
    return all(_form(cells[place]) == form for place, form in forms.items())


def _form(cell: str) -> str:
    text = cell.strip(' "')[:100]
    return "9:url" if "://" in text else _DIGITS.sub("9", _LETTERS.sub("a", text))
