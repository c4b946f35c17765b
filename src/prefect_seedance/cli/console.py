"""The terminal: its two consoles, and how errors are printed."""

from __future__ import annotations

from rich.console import Console
from rich.markup import escape

from prefect_seedance.errors import SeedanceError

__all__ = ["err", "out", "print_error"]

out = Console(highlight=False)
err = Console(stderr=True, highlight=False)


def print_error(error: SeedanceError) -> None:
    """Print what is wrong, without a traceback."""
    err.print(f"[bold red]{escape(_title(error))}[/] {escape(str(error))}")


def _title(error: SeedanceError) -> str:
    words = "".join(f" {letter.lower()}" if letter.isupper() else letter for letter in type(error).__name__).strip()
    return f"{words.capitalize()}:"
