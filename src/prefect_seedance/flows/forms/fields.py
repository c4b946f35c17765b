"""What a person sees of a parameter: its title, and the menus.

Prefect's form takes the help text of a parameter from the docstring's `Args:`, and its title from nowhere: it shows the
parameter's name. What stands in `json_schema_extra` of a default made with `Field` goes into the form as it is, so a
title can be given there. Empty text stands for "not set", since `str | None` would become two tabs.
"""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from prefect_seedance.jobs.choosing import Choose

__all__ = [
    "AS_ROUTE",
    "CHOOSING",
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

Model = Literal[
    "as the route says",
    "seedance2.0-mini",
    "seedance2.0-mini-video",
    "seedance2.0-mini-sp",
    "seedance2.0-sp",
    "seedance2.0-fast-sp",
    "seedance2.0-of-sp",
    "seedance2.0-of-fast-sp",
    "seedance2.0-md",
    "seedance2.0-fast-md",
    "seedance2.0-fast-i2v",
    "seedance2.0-std",
    "sd2_mx_720p",
    "sd2_mx_1080p",
    "sd2_mx_2k",
    "sd2_mx_4k",
    "sd2_mx_fast_720p",
    "sd2_mx_fast_1080p",
    "sd2_mx_video_720p",
    "sd2_mx_video_1080p",
    "sd2_mx_video_2k",
    "sd2_mx_video_4k",
    "sd2_mx_video_fast_720p",
    "sd2_mx_video_fast_1080p",
    "seedance-2.0-mini",
]
"""Every model of the catalogue; a test holds them against it."""

Resolution = Literal["as the route says", "480p", "720p", "1080p", "2k", "4k"]

Ratio = Literal["as the route says", "16:9", "9:16", "1:1", "4:3", "3:4", "21:9", "adaptive"]

Sound = Literal["as the route says", "with sound", "without sound"]

BadRow = Literal["stop before anything is spent", "leave it out"]
"""What becomes of a run in whose table a row breaks a rule."""

Choosing = Literal["the first", "in order", "the cheapest"]
"""Which route makes a row that names none; see `jobs.choosing`."""

CHOOSING: dict[Choosing, Choose] = {"the first": "first", "in order": "in_order", "the cheapest": "cheapest"}

Moderation = Literal["stays refused", "goes on to its next route"]
"""What becomes of a row with several routes that one of them refused for what it shows."""

AgainState = Literal["failed", "refused", "expired"]


def titled(title: str, default: Any = ..., **more: Any) -> Any:
    """A parameter's default with the title that the form shows.

    Args:
        title: What stands above the field.
        default: The value that the form starts with; without one, the field must be filled.
        more: Further words of JSON Schema that the form understands.
    """
    return Field(default=default, json_schema_extra={"title": title, **more})
