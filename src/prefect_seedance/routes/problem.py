"""The problem: one thing that a route makes of a request's setting, told to the person who set it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from prefect_seedance.routes.address import shown
from prefect_seedance.routes.route import Route

Severity = Literal["error", "warning"]


@dataclass(frozen=True, slots=True)
class Problem:
    """One setting that a route cannot honour, or may not.

    Attributes:
        field: The field of the request, such as `resolution`.
        value: The value as it may be shown: shortened, links without their query.
        message: A sentence that names route, field, value, and what is allowed.
        severity: `error` where a hard rule forbids it; `warning` where the documents contradict each other or are
            silent, so that only the provider can tell.
        source: The document that the rule comes from.
    """

    field: str
    value: str
    message: str
    severity: Severity
    source: str

    @property
    def is_error(self) -> bool:
        """True where the request must not be sent."""
        return self.severity == "error"

    def __str__(self) -> str:
        return self.message


def problem(
    route: Route, field: str, value: object, says: str, *, severity: Severity = "error", source: str = ""
) -> Problem:
    """Put a problem into a sentence that names route, field and value; `says` ends it with what is allowed."""
    text = shown(value)
    return Problem(
        field=field,
        value=text,
        message=f"{route.name}: {field} {text}: {says}",
        severity=severity,
        source=source or "; ".join(route.sources),
    )


def listing(names: Iterable[str]) -> str:
    """Write names as a list in a sentence."""
    return ", ".join(names) or "none"
