"""What is wrong with a user's table: one problem per cell, and the error that tells them all at once."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Self

from prefect_seedance.errors import UserMistake

_TOLD = 20
_SHOWN = 80
_SECRET_TAIL = re.compile(r"(://[^\s|\"'?#]*)[?#][^\s|\"']*")
_USERINFO = re.compile(r"(?<=://)[^/?#\s]*@")


@dataclass(frozen=True)
class CellProblem:
    """One cell that cannot be used.

    Attributes:
        line: The row as the user sees it, counted from 1: in a CSV file or a spreadsheet the line with the
            headings is line 1; in a DataFrame, a list or a JSON file the first row is 1.
        key: The row key.
        column: The user's own heading.
        value: The cell as text, shortened, without anything behind the `?` of a URL.
        message: What is wrong with it, and what is allowed.
    """

    line: int
    key: str
    column: str
    value: str
    message: str

    def __str__(self) -> str:
        value = f" {self.value!r}" if self.value else ""
        return f"row {self.line} ({self.key}), {self.column}{value}: {self.message}"


class BadTable(UserMistake):
    """A table that cannot be used as it stands.

    Attributes:
        problems: The cells concerned; empty where the table as a whole is wrong.
    """

    problems: tuple[CellProblem, ...] = ()

    @classmethod
    def about(cls, name: str, complaints: Sequence[str]) -> Self:
        """An error about the table as a whole: its file, its headings."""
        told = "\n".join(f"- {line}" for line in complaints) if len(complaints) > 1 else "".join(complaints)
        gap = "\n" if len(complaints) > 1 else " "
        return cls(f"Table {name!r} cannot be used:{gap}{told}{gap}Nothing was spent.")

    @classmethod
    def of_cells(cls, name: str, problems: Iterable[CellProblem]) -> Self:
        """An error about single cells: the first twenty are told, the rest are counted."""
        found = tuple(problems)
        rows = len({problem.line for problem in found})
        lines = [f"Table {name!r} has {_counted(len(found), 'problem')} in {_counted(rows, 'row')}:"]
        lines += [f"- {problem}" for problem in found[:_TOLD]]
        if len(found) > _TOLD:
            lines.append(f"… and {len(found) - _TOLD} more.")
        lines.append("Nothing was spent.")
        error = cls("\n".join(lines))
        error.problems = found
        return error


def shown(value: object) -> str:
    """A cell as text for a person: short, on one line, and without the secrets a URL may carry."""
    text = value if isinstance(value, str) else str(value)
    # Cut first: nobody wants a regular expression over the fifty megabytes that made the cell bad.
    text = _USERINFO.sub("", _SECRET_TAIL.sub(r"\1", text[:2000]))
    text = " ".join(text.split()).encode("utf-8", "replace").decode()
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"


def _counted(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
