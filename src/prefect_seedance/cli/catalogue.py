"""The catalogue in the terminal."""

from __future__ import annotations

from rich import box
from rich.markup import escape
from rich.table import Table

from prefect_seedance.cli.console import out
from prefect_seedance.messages import message
from prefect_seedance.routes import CATALOGUE, Route

__all__ = ["show_routes"]

_UNITS = {"second": "per second", "job": "per job", "million_tokens": "per million tokens"}
_MEDIA = (("images", "images"), ("frames", "frames"), ("reference_videos", "videos"), ("reference_audios", "audios"))


def show_routes() -> None:
    """Print every route: what it accepts, and the billing model that it is billed by."""
    table = Table(
        header_style="dim",
        title=str(message("cli.routes", routes=len(CATALOGUE))),
        title_justify="left",
        title_style="bold",
    )
    table.box, table.show_edge, table.pad_edge, table.collapse_padding = box.SIMPLE_HEAD, False, False, True
    for name in ("provider", "model", "seconds", "resolution", "takes", "billing model", "billed"):
        # Users copy the name of a model, so it is never broken.
        table.add_column(name, overflow="fold", no_wrap=name in {"provider", "model", "seconds"})
    for route in CATALOGUE:
        table.add_row(
            route.provider,
            escape(route.model),
            f"{route.duration.minimum}–{route.duration.maximum or '?'}",
            ", ".join(route.resolution.allowed) or "–",
            ", ".join(word for part, word in _MEDIA if _takes(route, part)) or "text",
            ("the same" if route.billing_model == route.model else escape(route.billing_model))
            + ("" if route.billing_documented else " *"),
            _UNITS[route.unit],
        )
    out.print(table)
    out.print(str(message("cli.own_name")))


def _takes(route: Route, part: str) -> bool:
    return bool(getattr(route, part).verdict != "refused")
