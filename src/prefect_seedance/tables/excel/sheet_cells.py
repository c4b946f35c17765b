"""The cells of one sheet, in one pass over its XML: values by their types, hidden rows, merged regions, pictures."""

from __future__ import annotations

import datetime as dt
import math
import re
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator, Sequence
from decimal import Decimal, InvalidOperation
from typing import Any

from prefect_seedance.messages import message
from prefect_seedance.tables.cells import filled
from prefect_seedance.tables.excel.number_formats import NumberFormat, moment
from prefect_seedance.tables.excel.sheet_regions import Region, address, column_number, pictures, region
from prefect_seedance.tables.excel.workbook import SheetPart, Workbook, unescaped
from prefect_seedance.tables.unreadable import UnreadableCell

__all__ = ["SheetCells"]

_LAST_ROW, _LAST_COLUMN = 1_048_576, 16_384
_INTEGER = re.compile(r"[+-]?\d{1,300}")
_DIGITS = "0123456789"
_EXACT = 10**15
_PICTURE_FUNCTION = "=DISPIMG("
"""What WPS Office stores as the text of a cell that shows a picture."""
_PLAIN = NumberFormat()
_CELL = 64
"""Bytes of memory for each cell and region, roughly."""


class SheetCells:
    """The cells of a sheet as a person sees them.

    Attributes:
        rows: The filled cells of each row that has some, by the numbers of row and column, from 1.
        hidden: The numbers of the hidden rows.
        merged: The merged regions.
        formats: For each column with numbers that are shown with more zeros or text than they have: the row of the
            first one, what is shown, and the number.
    """

    def __init__(self, workbook: Workbook, sheet: SheetPart) -> None:
        self._workbook = workbook
        self._texts, self._formats = workbook.texts, workbook.formats
        self.rows: dict[int, dict[int, Any]] = {}
        self.hidden: set[int] = set()
        self.merged: list[Region] = []
        self.formats: dict[int, tuple[int, str, int]] = {}
        self._empty_arrays: list[tuple[Region, UnreadableCell]] = []
        self._drawing = ""
        self._columns: dict[str, int] = {}
        self._line = self._place = 0
        self._cells: dict[int, Any] = {}
        self._pieces: list[str] = []
        self._reading = self._phonetic = self._formula = self._has_value = False
        self._array = ""
        self._cell: dict[str, str] = {}
        self._outside = {"sheetData": self._data, "mergeCell": self._merge, "drawing": self._drawn}
        self._inside = {
            "row": self._row, "c": self._start_cell, "v": self._start_value, "t": self._start_text,
            "f": self._start_formula, "rPh": self._start_phonetic,
        }  # fmt: skip
        self._starts: dict[str, Any] = self._outside
        self._typed: dict[str, Callable[[str], Any]] = {
            "n": self._number, "s": lambda text: self._shared(int(text)), "str": self._seen, "inlineStr": self._seen,
            "b": lambda text: text.strip() in {"1", "true"}, "d": dt.datetime.fromisoformat,
        }  # fmt: skip
        workbook.parse(sheet.part, self._start, self._end, self._text)
        self._drop_covered()
        self._cover()
        if self._drawing:
            self._pictures(sheet.part)

    def used_columns(self) -> list[int]:
        """The numbers of the columns that have cells."""
        return sorted({column for cells in self.rows.values() for column in cells})

    # --- the XML ---

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        start = self._starts.get(name)
        if start is not None:
            start(attributes)

    def _text(self, piece: str) -> None:
        if self._reading:
            self._workbook.hold(len(piece))
            self._pieces.append(piece)

    def _end(self, name: str) -> None:
        if name in {"v", "t"}:
            self._reading = False
        elif name == "c":
            if self._pieces or self._formula:
                self._end_cell()
        elif name == "rPh":
            self._phonetic = False
        elif name == "sheetData":
            self._starts = self._outside

    def _data(self, _: dict[str, str]) -> None:
        self._starts = self._inside

    def _row(self, attributes: dict[str, str]) -> None:
        self._line = int(attributes.get("r") or self._line + 1)
        if not 1 <= self._line <= _LAST_ROW:
            raise ValueError(f"no row {self._line}")
        self._place = 0
        self._cells = self.rows.get(self._line, {})
        if attributes.get("hidden") in {"1", "true"} or attributes.get("ht") in {"0", "0.0"}:
            self.hidden.add(self._line)

    def _start_cell(self, attributes: dict[str, str]) -> None:
        self._cell = attributes
        reference = attributes.get("r")
        if reference:
            letters = reference.rstrip(_DIGITS)
            place = self._columns.get(letters)
            if place is None:
                place = self._columns[letters] = column_number(letters)
            self._place = place
        else:
            self._place += 1
        if not 1 <= self._place <= _LAST_COLUMN:
            raise ValueError(f"no column {self._place}")
        self._pieces = []
        self._reading = self._formula = self._has_value = False

    def _start_value(self, _: dict[str, str]) -> None:
        self._reading = self._has_value = True

    def _start_text(self, _: dict[str, str]) -> None:
        self._reading = not self._phonetic

    def _start_phonetic(self, _: dict[str, str]) -> None:
        self._phonetic = True

    def _start_formula(self, attributes: dict[str, str]) -> None:
        self._formula = True
        self._array = attributes.get("ref", "") if attributes.get("t") == "array" else ""

    def _merge(self, attributes: dict[str, str]) -> None:
        self._workbook.hold(4 * _CELL)
        self.merged.append(region(attributes.get("ref", "")))

    def _drawn(self, attributes: dict[str, str]) -> None:
        self._drawing = next((value for label, value in attributes.items() if label.rpartition(":")[2] == "id"), "")

    # --- values ---

    def _end_cell(self) -> None:
        value = self._value("".join(self._pieces))
        if value is None:
            return
        if self._place in self._cells:
            raise ValueError(f"the cell {self._address()} stands there twice")
        self._workbook.hold(_CELL)
        if not self._cells:
            self._workbook.hold(4 * _CELL)
            self.rows[self._line] = self._cells
        self._cells[self._place] = value

    def _value(self, text: str) -> Any:
        kind = self._cell.get("t", "n")
        if self._formula and not self._is_stored(kind, text):
            unstored = UnreadableCell("", message("cell.formula_without_value", cell=self._address()))
            if self._array:
                self._empty_arrays.append((region(self._array), unstored))
            return unstored
        return self._typed.get(kind, self._error)(text) if text else None

    def _error(self, text: str) -> UnreadableCell:
        cell = self._address()
        # Pictures in cells and linked data are stored as an error with a reference to the value.
        rich = "vm" in self._cell
        return UnreadableCell(
            text, message("cell.rich_value", cell=cell) if rich else message("cell.error_value", cell=cell)
        )

    def _is_stored(self, kind: str, text: str) -> bool:
        """Whether the file has the value of the cell's formula."""
        if not text:
            return kind == "str" and self._has_value  # a formula whose result is empty text
        # XlsxWriter stores 0 for each formula, and lets the spreadsheet program compute all when it opens the file.
        return not (self._workbook.recalculated and kind == "n" and text == "0")

    def _seen(self, text: str) -> Any:
        text = unescaped(text)
        if text.startswith(_PICTURE_FUNCTION):
            return UnreadableCell("", message("cell.rich_value", cell=self._address()))
        return text or None

    def _shared(self, number: int) -> Any:
        text = self._texts[number]
        return self._seen(text) if text.startswith(_PICTURE_FUNCTION) else text or None

    def _number(self, text: str) -> Any:
        style = int(self._cell.get("s", "0"))
        shape = self._formats[style] if style < len(self._formats) else _PLAIN
        number = _number(text)
        if number is None:
            return UnreadableCell(text, message("cell.error_value", cell=self._address()))
        if shape is _PLAIN:
            return number
        if shape.date or shape.elapsed:
            found = moment(float(number), elapsed=shape.elapsed, from_1904=self._workbook.from_1904)
            return UnreadableCell(text, message("cell.no_date", cell=self._address())) if found is None else found
        if shape.hides:
            return UnreadableCell(str(number), message("cell.hidden_by_format", cell=self._address()))
        if shape.hides_zero and number == 0:
            return None
        if isinstance(number, int) and shape.digits and self._place not in self.formats:
            shown = shape.shown(number)
            if shown is not None and shown != str(number):
                self.formats[self._place] = (self._line, shown, number)
        return number

    def _address(self) -> str:
        return address(self._line, self._place)

    # --- what lies over cells ---

    def _drop_covered(self) -> None:
        """Take out what stands below merged regions, where nobody sees it."""
        for row, column, number in self._each(self.merged):
            merged = self.merged[number]
            if (row, column) != (merged.top, merged.left):
                self.rows[row].pop(column, None)
        self.rows = {row: cells for row, cells in self.rows.items() if cells}

    def _cover(self) -> None:
        """Mark the cells that show the value of a merged region, or of an array, which begins in a row above."""
        marks = list(self._empty_arrays)
        for merged in self.merged:
            value = self.rows.get(merged.top, {}).get(merged.left)
            if merged.bottom > merged.top and filled(value):
                problem = message("cell.merged", first=address(merged.top, merged.left), region=str(merged))
                below = Region(merged.left, merged.top + 1, merged.right, merged.bottom)
                marks.append((below, UnreadableCell(str(value), problem)))
        for row, column, number in self._each([place for place, _ in marks]):
            self.rows[row].setdefault(column, marks[number][1])

    def _each(self, regions: Sequence[Region]) -> Iterator[tuple[int, int, int]]:
        """The places of regions in rows and columns that have cells, each with the number of its region."""
        if not regions:
            return
        rows, columns = sorted(self.rows), self.used_columns()
        for number, place in enumerate(regions):
            inside = columns[bisect_left(columns, place.left) : bisect_right(columns, place.right)]
            for row in rows[bisect_left(rows, place.top) : bisect_right(rows, place.bottom)]:
                self._workbook.hold(_CELL * len(inside))
                for column in inside:
                    yield row, column, number

    def _pictures(self, part: str) -> None:
        """Mark the empty cells of rows that a picture lies on: a person takes it for the cell's content."""
        drawing = self._workbook.related(part, "/drawing").get(self._drawing)
        if drawing is None:
            return
        columns = set(self.used_columns())
        for row, column in pictures(self._workbook, drawing):
            if row in self.rows and column in columns:
                picture = UnreadableCell("", message("cell.picture", cell=address(row, column)))
                self.rows[row].setdefault(column, picture)


def _number(text: str) -> int | float | None:
    """A number as it is stored; a whole one is an int. None for what is none."""
    text = text.strip()
    if _INTEGER.fullmatch(text):
        return int(text)
    try:
        number, exact = float(text), Decimal(text)
    except (ValueError, InvalidOperation):
        return None
    if not math.isfinite(number):
        return None
    if abs(number) < _EXACT:
        # A spreadsheet shows at most fifteen digits: 4.9999999999999991 is 5 to a person.
        shown = float(f"{number:.15g}")
        return int(shown) if shown.is_integer() else number
    return int(exact) if number < 1e21 and exact == exact.to_integral_value() else number
