"""Cells that a reader of a format cannot read as the user sees them."""

from __future__ import annotations

from dataclasses import dataclass

from prefect_seedance.messages import Message

__all__ = ["UnreadableCell"]


@dataclass(frozen=True, slots=True)
class UnreadableCell:
    """Stands in a sheet in the place of a cell whose content is not what the user sees.

    In a known column it is a problem of its row; in a column of the user's own it is only its text.

    Attributes:
        text: What the user sees, such as `#REF!`.
        problem: Why it cannot be used, and what to do.
    """

    text: str
    problem: Message

    def __str__(self) -> str:
        return self.text
