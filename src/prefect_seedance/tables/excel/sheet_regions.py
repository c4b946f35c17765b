"""Places in a sheet: the names of cells, rectangles of them, and the cells under pictures."""

from __future__ import annotations

import re
from dataclasses import dataclass

from prefect_seedance.tables.excel.workbook import Workbook

__all__ = ["Region", "address", "column_number", "pictures", "region"]

_REGION = re.compile(r"\$?([A-Z]{1,3})\$?(\d{1,7})(?::\$?([A-Z]{1,3})\$?(\d{1,7}))?")
_PICTURE = 64
"""Bytes of memory for each picture's place, roughly."""


@dataclass(frozen=True, slots=True)
class Region:
    """A rectangle of cells, counted from 1, ends included."""

    left: int
    top: int
    right: int
    bottom: int

    def __str__(self) -> str:
        return f"{address(self.top, self.left)}:{address(self.bottom, self.right)}"


def address(row: int, column: int) -> str:
    """The name of a cell, such as C7."""
    letters = ""
    while column:
        column, letter = divmod(column - 1, 26)
        letters = chr(ord("A") + letter) + letters
    return f"{letters}{row}"


def column_number(letters: str) -> int:
    """The number of a column, from 1."""
    number = 0
    for letter in letters.upper():
        number = number * 26 + ord(letter) - ord("A") + 1
    return number


def region(reference: str) -> Region:
    """The rectangle that a reference such as B2:C5 names.

    Raises:
        ValueError: It names none.
    """
    found = _REGION.fullmatch(reference)
    if found is None:
        raise ValueError(f"no region of cells: {reference[:40]!r}")
    left, top, right, bottom = found.groups()
    return Region(column_number(left), int(top), column_number(right or left), int(bottom or top))


def pictures(workbook: Workbook, drawing: str) -> list[tuple[int, int]]:
    """The cells, by row and column, under the upper left corners of the pictures of a drawing."""
    found: list[tuple[int, int]] = []
    place = {"row": "", "col": ""}
    corner = reading = ""

    def start(name: str, _: dict[str, str]) -> None:
        nonlocal corner, reading
        if name in {"twoCellAnchor", "oneCellAnchor", "absoluteAnchor"}:
            place.update(row="", col="")
        elif name == "from":
            corner = name
        elif name in place and corner:
            reading = name
        elif name == "pic" and place["row"].strip().isdecimal() and place["col"].strip().isdecimal():
            workbook.hold(_PICTURE)
            found.append((int(place["row"]) + 1, int(place["col"]) + 1))

    def end(name: str) -> None:
        nonlocal corner, reading
        if name == "from":
            corner = ""
        reading = ""

    def text(piece: str) -> None:
        if reading and len(place[reading]) < 10:
            place[reading] += piece

    workbook.parse(drawing, start, end, text)
    return found
