"""The problem: what is wrong with one setting of a request on a route."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from prefect_seedance.messages import Message, message
from prefect_seedance.routes.address import shown
from prefect_seedance.routes.route import Route

Severity = Literal["error", "warning"]


@dataclass(frozen=True, slots=True)
class Problem:
    """One setting that a route cannot honour, or perhaps cannot.

    Attributes:
        route: The route, as messages name it.
        field: The field of the request, such as `resolution`.
        value: The value as it may be shown: shortened, links without their query.
        reason: What is wrong with it, and what is allowed.
        severity: `error` where a hard rule forbids it; `warning` where the documents contradict each other or say
            nothing.
        source: The document of the rule.
    """

    route: str
    field: str
    value: str
    reason: Message
    severity: Severity
    source: str

    @property
    def is_error(self) -> bool:
        """True where the request must not be sent."""
        return self.severity == "error"

    @property
    def slug(self) -> str:
        """The stable slug of the reason."""
        return self.reason.slug

    @property
    def message(self) -> Message:
        """The reason with its route, field and value."""
        return message("rule.problem", route=self.route, field=self.field, value=self.value, reason=self.reason)

    def __str__(self) -> str:
        return str(self.message)


def problem(
    route: Route, field: str, value: object, reason: Message, *, severity: Severity = "error", source: str = ""
) -> Problem:
    """Make a problem about the value of a field. Without a source, it names the sources of the route."""
    return Problem(
        route=route.name,
        field=field,
        value=shown(value),
        reason=reason,
        severity=severity,
        source=source or "; ".join(route.sources),
    )
