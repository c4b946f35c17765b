"""The titles of form fields, and the menus.

Prefect's form takes the help text of a parameter from the docstring's `Args:`, and its title from nowhere: it shows the
parameter's name. The `json_schema_extra` of a default made with `Field` goes into the form unchanged, so it can give a
title. The menus of models, resolutions and ratios come from the catalogue. Empty text means "not set", since
`str | None` would become two tabs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from pydantic import Field

from prefect_seedance.planning.route_policy import Choose
from prefect_seedance.routes import CATALOGUE

__all__ = [
    "AS_ROUTE",
    "CHOOSING",
    "LONGEST",
    "AgainState",
    "BadRow",
    "Choosing",
    "Model",
    "Moderation",
    "Ratio",
    "Resolution",
    "Sound",
    "titled",
]

AS_ROUTE = "as the route says"
"""The menu entry that leaves a setting to the route block."""

_MODELS = tuple(dict.fromkeys(route.model for route in CATALOGUE))
_RESOLUTIONS = tuple(dict.fromkeys(size for route in CATALOGUE for size in route.resolution.allowed))
_RATIOS = tuple(dict.fromkeys(ratio.lower() for route in CATALOGUE for ratio in route.ratio.listed))

if TYPE_CHECKING:
    Model: TypeAlias = str
    Resolution: TypeAlias = str
    Ratio: TypeAlias = str
else:
    Model = Literal[(AS_ROUTE, *_MODELS)]
    Resolution = Literal[(AS_ROUTE, *_RESOLUTIONS)]
    Ratio = Literal[(AS_ROUTE, *_RATIOS)]

LONGEST = max(route.duration.maximum or 0 for route in CATALOGUE)
"""Seconds of the longest video that a model of the catalogue makes."""

Sound = Literal["as the route says", "with sound", "without sound"]

BadRow = Literal["stop before anything is spent", "leave it out"]
"""What happens to a table with a row that breaks a rule."""

Choosing = Literal["the first", "in order", "the cheapest"]
"""Which route makes a row that names none; see `planning.route_policy`."""

CHOOSING: dict[Choosing, Choose] = {"the first": "first", "in order": "in_order", "the cheapest": "cheapest"}

Moderation = Literal["stays refused", "goes on to its next route"]
"""What happens to a row with several routes when moderation at one of them refuses it."""

AgainState = Literal["failed", "refused", "expired"]


def titled(title: str, default: Any = ..., **more: Any) -> Any:
    """A parameter's default with the title that the form shows.

    Args:
        title: The title of the field.
        default: The value that the form starts with; without one, the field must be filled.
        **more: Further JSON Schema keywords that the form understands.
    """
    return Field(default=default, json_schema_extra={"title": title, **more})
