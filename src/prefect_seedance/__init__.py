"""Turns a table of prompts into paid-for, verified video files, on Prefect 3."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from prefect_seedance._former import read_former_pickles

if TYPE_CHECKING:
    from prefect_seedance.blocks import AnyfastCredentials, JimmyCredentials, PriceBook, RouteDefaults
    from prefect_seedance.core.events import watching
    from prefect_seedance.errors import SeedanceError
    from prefect_seedance.flows import (
        NothingStored,
        QuoteResult,
        agenerate_videos,
        check_routes,
        generate_video,
        generate_videos,
        quote_videos,
        resolve_video,
        resolve_videos,
        sweep_videos,
    )
    from prefect_seedance.reports import GenerateResult
    from prefect_seedance.routes import CATALOGUE, Route, VideoRequest
    from prefect_seedance.tasks import JobTicket, VideoJob, create_video, download_video, poll_video

read_former_pickles()

_HOMES = {
    "AnyfastCredentials": "blocks",
    "CATALOGUE": "routes",
    "GenerateResult": "reports",
    "JimmyCredentials": "blocks",
    "JobTicket": "tasks",
    "NothingStored": "flows",
    "PriceBook": "blocks",
    "QuoteResult": "flows",
    "Route": "routes",
    "RouteDefaults": "blocks",
    "SeedanceError": "errors",
    "VideoJob": "tasks.video_job",
    "VideoRequest": "routes",
    "agenerate_videos": "flows",
    "check_routes": "flows",
    "create_video": "tasks",
    "download_video": "tasks",
    "generate_video": "flows",
    "generate_videos": "flows",
    "poll_video": "tasks",
    "quote_videos": "flows",
    "resolve_video": "flows",
    "resolve_videos": "flows",
    "sweep_videos": "flows",
    "watching": "core.events",
}

__all__ = [
    "CATALOGUE",
    "AnyfastCredentials",
    "GenerateResult",
    "JimmyCredentials",
    "JobTicket",
    "NothingStored",
    "PriceBook",
    "QuoteResult",
    "Route",
    "RouteDefaults",
    "SeedanceError",
    "VideoJob",
    "VideoRequest",
    "agenerate_videos",
    "check_routes",
    "create_video",
    "download_video",
    "generate_video",
    "generate_videos",
    "poll_video",
    "quote_videos",
    "resolve_video",
    "resolve_videos",
    "sweep_videos",
    "watching",
]


def __getattr__(name: str) -> Any:
    """Load a public name on first use, so that importing this package is fast."""
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{home}"), name)


def __dir__() -> list[str]:
    """List the public names too: `prefect block register` looks for blocks among them, and notebooks complete them."""
    return sorted({*globals(), *__all__})
