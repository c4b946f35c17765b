"""The files next to a batch's videos: `results.csv`, `results.parquet` with pyarrow, and the contact sheet."""

from __future__ import annotations

import hashlib
import importlib.util
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

from prefect_seedance.errors import InputError, SeedanceError
from prefect_seedance.media import Storage, open_storage, slug
from prefect_seedance.messages import message
from prefect_seedance.reports.results.result import INVALID, LEFT_OUT, GenerateResult
from prefect_seedance.reports.results.sources import digest, note, up_to_date
from prefect_seedance.reports.results.tables import missing, write_tables
from prefect_seedance.reports.sheet import cards_of, contact_sheet, pictures_in
from prefect_seedance.reports.sheet.history import SHOWN, first_shown
from prefect_seedance.tables.secret_addresses import frame_without_secrets

__all__ = ["SHEET", "sheet_is_current", "write_files", "write_results", "write_sheet"]

SHEET = "contact-sheet.html"
SHEET_NOTE = ".contact-sheet.note"

SHEET_ROWS = SHOWN
"""Rows that one contact sheet shows."""


def write_files(result: GenerateResult) -> None:
    """Write the result files into the batch's folder, each atomically, and enter them in `result.files`.

    Raises:
        InputError: The folder cannot be written. The videos and the ledger are unaffected.
    """
    write_results(result)
    write_sheet(result)


def write_results(result: GenerateResult) -> None:
    """Write the tables of the results, unless the existing ones are current; see `write_files`."""
    storage = open_storage(result.folder)
    suffix = "" if result.take == "1" else f".take-{slug(result.take)}"
    names = [f"results{suffix}.csv"]
    if importlib.util.find_spec("pyarrow") is not None:
        names.append(f"results{suffix}.parquet")
    note_name, result.made_of = f".results{suffix}.note", digest(result)
    if not up_to_date(storage, note_name, result.made_of, names):
        _write(partial(_write_tables, result, storage, names))
        _write(partial(note, storage, note_name, result.made_of, names))
    for name in names:
        _enter(result, storage, name.rpartition(".")[2], name)


def sheet_is_current(result: GenerateResult) -> bool:
    """Whether the existing contact sheet is current; if so, enter it in `result.files`."""
    storage = open_storage(result.folder)
    current = up_to_date(storage, SHEET_NOTE, _sheet_made_of(result), [SHEET])
    if current:
        _enter(result, storage, "sheet", SHEET)
    return current


def write_sheet(result: GenerateResult) -> None:
    """Write one page for all takes of the batch, next to the videos, with the rows of the result's history."""
    storage = open_storage(result.folder)
    page = _page(result)
    _write(lambda: storage.write(SHEET, page.encode()))
    _write(partial(note, storage, SHEET_NOTE, _sheet_made_of(result), [SHEET]))
    _enter(result, storage, "sheet", SHEET)


def _sheet_made_of(result: GenerateResult) -> str | None:
    """A digest of all that the sheet is made of: the data of the tables, and the rest of the page."""
    if result.made_of is None:
        return None
    pictures = sorted(pictures_in(result.folder)) if isinstance(result.folder, Path) else None
    others = (result.take, result.warnings, result.known, SHEET_ROWS, pictures)
    costs = [replace(line, row_ids=set()) for line in result.costs_to_date]
    return hashlib.sha256(repr((result.made_of, others, costs)).encode()).hexdigest()


def _write_tables(result: GenerateResult, storage: Storage, names: list[str]) -> None:
    """Write the results as CSV and, where there is a second name, as Parquet. Both are written in one pass."""
    csv, *others = names
    if not others:
        storage.stream(csv, partial(write_tables, result))
        return
    storage.stream(csv, lambda file: storage.stream(others[0], lambda other: write_tables(result, file, other)))


def _page(result: GenerateResult) -> str:
    shown = _shown_keys(result)
    keys = result.rows.keys
    positions = [position for position, key in enumerate(keys) if key in shown]
    own = frame_without_secrets(result.frame.iloc[positions]).itertuples(index=False, name=None)
    headings = [str(name) for name in result.frame.columns]
    columns = {
        keys[position]: {name: str(cell) for name, cell in zip(headings, cells, strict=True) if not missing(cell)}
        for position, cells in zip(positions, own, strict=True)
    }
    records = [record for record in result.history if record.key in shown]
    ids = {record.id for record in records}
    invalid = {row.row: row.error_message or "" for row in result.rows.of({INVALID}) if row.row in shown}
    cards = cards_of(
        records,
        [attempt for attempt in result.attempts if attempt.row_id in ids],
        folder=result.folder,
        columns=columns,
        invalid=invalid,
        take=result.take,
    )
    folder = result.folder if isinstance(result.folder, Path) else None
    warnings = [*result.warnings, *_left_off(result, len(shown))]
    return contact_sheet(result.batch, cards, folder=folder, costs=result.costs_to_date, warnings=warnings)


def _shown_keys(result: GenerateResult) -> set[str]:
    """The keys of the rows on the sheet: all, or of very many rows first those that a person has to look at."""
    states = {record.key: record.state.value for record in result.history}
    for key, status in zip(result.rows.keys, result.rows.statuses, strict=True):
        # Of a very large batch the history has only the rows to be shown.
        if status == INVALID or (key in states and status != LEFT_OUT):
            states[key] = status
    return first_shown(states, SHEET_ROWS)


def _left_off(result: GenerateResult, shown: int) -> list[str]:
    known = max(result.known, len({record.key for record in result.history}.union(result.chosen.keys)))
    if known == shown:
        return []
    return [str(message("sheet.partial", shown=shown, rows=known))]


def _write(write: Callable[[], object]) -> None:
    try:
        write()
    except SeedanceError as error:
        raise InputError(message("report.not_written", reason=error.text)) from None


def _enter(result: GenerateResult, storage: Storage, kind: str, name: str) -> None:
    result.files[kind] = result.folder / name if isinstance(result.folder, Path) else storage.address(name)
