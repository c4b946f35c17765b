"""Problems of a user's table: one per cell, and the error that reports them all at once."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from prefect_seedance.core.redaction import bare
from prefect_seedance.errors import TableError
from prefect_seedance.messages import Message, message

_LISTED = 20
_SHOWN_LENGTH = 80


@dataclass(frozen=True)
class CellProblem:
    """One cell that cannot be used.

    Attributes:
        line: The row's number as the user sees it, from 1: in a CSV file or a spreadsheet the line with the
            headings is line 1; in a DataFrame, a list or a JSON file the first row is 1.
        key: The row key.
        column: The user's heading.
        value: The cell as text, shortened, without the query of a URL.
        message: What is wrong with it, and what is allowed.
    """

    line: int
    key: str
    column: str
    value: str
    message: Message

    def __str__(self) -> str:
        cell = f"{self.column} {self.value!r}" if self.value else self.column
        return str(message("cell.problem", line=self.line, key=self.key, cell=cell, problem=self.message))


def table_error(name: str, problems: Sequence[Message]) -> TableError:
    """An error about the table as a whole: its file, its headings."""
    return TableError(message("table.unusable", table=name, problems=list(problems)))


def cells_error(name: str, problems: Iterable[CellProblem]) -> TableError:
    """An error about single cells: the first twenty are shown, the rest are counted."""
    found = tuple(problems)
    rows, first, more = len({problem.line for problem in found}), list(found[:_LISTED]), len(found) - _LISTED
    if more > 0:
        text = message("table.more_cells", table=name, problems=len(found), rows=rows, shown=first, more=more)
    else:
        text = message("table.cells", table=name, problems=len(found), rows=rows, shown=first)
    return TableError(text, problems=found)


def shown(value: object) -> str:
    """A cell as text to show: short, on one line, without the secrets of a URL."""
    text = value if isinstance(value, str) else str(value)
    # Cut first: the cell may be bad because it has fifty megabytes.
    text = " ".join(bare(text[:2000]).split()).encode("utf-8", "replace").decode()
    return text if len(text) <= _SHOWN_LENGTH else f"{text[:_SHOWN_LENGTH]}…"
