"""Texts about the rules of routes."""

from __future__ import annotations

RULES: dict[str, str] = {
    "rows.invalid": (
        "{invalid:row|rows} of {table} cannot be sent; {valid:,} can:{shown:bullets}"
        "Nothing was spent. Correct the rows, or leave them out with {@on_invalid:skip}."
    ),
    "rows.more_invalid": (
        "{invalid:row|rows} of {table} cannot be sent; {valid:,} can:{shown:bullets}… and {more:row|rows} more.\n"
        "Nothing was spent. Correct the rows, or leave them out with {@on_invalid:skip}."
    ),
    "rows.reason": "row {line} (id {key}): {reason}",
}
