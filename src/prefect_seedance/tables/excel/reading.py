"""Excel workbooks: the first visible sheet, read as a person sees it.

What a cell shows and does not store as its value, such as an error, a formula that nobody computed, a merged region
or a picture, is an `UnreadableCell`. Rows that are hidden, by hand or by a filter, are left out.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from itertools import islice
from typing import Any

from prefect_seedance.messages import Message, message
from prefect_seedance.tables.cells import filled
from prefect_seedance.tables.errors import shown, table_error
from prefect_seedance.tables.excel.sheet_cells import SheetCells
from prefect_seedance.tables.excel.sheet_regions import address
from prefect_seedance.tables.excel.workbook import SheetPart, Workbook
from prefect_seedance.tables.grid import GridRow, Read, headed
from prefect_seedance.tables.headings import field_of
from prefect_seedance.tables.source import TableSource
from prefect_seedance.tables.unreadable import UnreadableCell

__all__ = ["read_excel"]

_LISTED = 10
_EVERY_COLUMN = 26
"""Columns that are kept although they are empty, so that the others keep their numbers."""
_MAX_CELLS = 50_000_000
_HEAD = 25
"""Rows among which the headings are: more than `headed` looks through."""


def read_excel(source: TableSource, chosen: Collection[str] = ()) -> Read:
    """Read the first visible sheet of a workbook.

    Args:
        source: The file.
        chosen: Headings that the user named as those of fields.

    Raises:
        TableError: It is no workbook, is empty, has no headings, or is larger than a table may be.
    """
    workbook = Workbook(source.data, source.name)
    sheet, warnings = _visible_sheet(workbook)
    cells = SheetCells(workbook, sheet)
    seen = [row for row in sorted(cells.rows) if row not in cells.hidden and any(map(filled, cells.rows[row].values()))]
    if not seen:
        raise table_error(source.name, [message("table.empty_sheet", sheet=shown(sheet.name))])
    frame, lines, more = headed(_grid(cells, seen, workbook), source.name, chosen=chosen)
    line = next((row for row in reversed(seen[:_HEAD]) if not lines or row < lines[0]), seen[0])
    headings = cells.rows[line]
    _require_headings(headings, source.name)
    warnings += [
        *more,
        *_hidden_rows(cells, line),
        *_merged_columns(cells, headings, lines),
        *_formats(cells, headings),
    ]
    return frame, lines, tuple(warnings)


def _visible_sheet(workbook: Workbook) -> tuple[SheetPart, list[Message]]:
    visible = [sheet for sheet in workbook.sheets if not sheet.hidden]
    if not visible:
        raise table_error(workbook.name, [message("table.no_visible_sheet")])
    first = visible[0]
    before = [repr(shown(sheet.name)) for sheet in workbook.sheets[: workbook.sheets.index(first)]]
    if before:
        return first, [message("table.hidden_sheets", sheet=shown(first.name), hidden=before)]
    if len(workbook.sheets) > 1:
        return first, [message("table.first_sheet", sheet=shown(first.name), sheets=len(workbook.sheets))]
    return first, []


def _grid(cells: SheetCells, rows: Sequence[int], workbook: Workbook) -> Iterator[GridRow]:
    used = cells.used_columns()
    columns = [column for column in range(1, used[-1] + 1) if column <= _EVERY_COLUMN]
    columns += [column for column in used if column > _EVERY_COLUMN]
    if len(rows) * len(columns) > _MAX_CELLS:
        raise workbook.too_large()
    for row in rows:
        found = cells.rows[row]
        yield row, [found.get(column) for column in columns]


def _require_headings(headings: dict[int, Any], name: str) -> None:
    """Refuse a heading that is not what a person sees, such as an error. That of a merged region is."""
    problems = [
        message("table.unreadable_heading", problem=cell.problem)
        for cell in headings.values()
        if isinstance(cell, UnreadableCell) and cell.problem.slug not in {"cell.merged", "cell.picture"}
    ]
    if problems:
        raise table_error(name, problems)


def _hidden_rows(cells: SheetCells, heading: int) -> Iterator[Message]:
    hidden = [
        row
        for row in sorted(cells.hidden & cells.rows.keys())
        if row > heading and any(filled(cell) and cell is not False for cell in cells.rows[row].values())
    ]
    if hidden:
        yield message("table.hidden_rows", count=len(hidden), lines=_some(hidden))


def _merged_columns(cells: SheetCells, headings: dict[int, Any], lines: Sequence[int]) -> Iterator[Message]:
    rows = set(lines)
    wide = [
        str(region)
        for region in cells.merged
        if region.top in rows
        and filled(cells.rows[region.top].get(region.left))
        and any(region.left < column <= region.right for column in headings)
    ]
    if wide:
        yield message("table.merged_columns", regions=_some(wide))


def _formats(cells: SheetCells, headings: dict[int, Any]) -> Iterator[Message]:
    """Warn of numbers that are shown with zeros before them, or of ids with text around them."""
    for column, (row, seen, number) in sorted(cells.formats.items()):
        heading = str(headings.get(column, ""))
        field = field_of(heading)
        if field == "id" or (field is None and seen.startswith("0") and len(seen) > 1):
            name = shown(heading) or address(row, column)
            yield message("table.shown_otherwise", column=name, cell=address(row, column), shown=seen, read=number)


def _some(items: Sequence[Any]) -> Sequence[Any] | Message:
    more = len(items) - _LISTED
    return message("table.more_lines", lines=list(islice(items, _LISTED)), more=more) if more > 0 else items
