"""Prefect flows: check, generate, quote, sweep, resolve. They start runs and publish results; rules are elsewhere."""

from prefect_seedance.errors import NothingStored
from prefect_seedance.flows.check import check_routes
from prefect_seedance.flows.generate import agenerate_videos, generate_video, generate_videos
from prefect_seedance.flows.quote import QuoteResult, quote_videos
from prefect_seedance.flows.resolve import resolve_video, resolve_videos
from prefect_seedance.flows.sweep import sweep_videos

__all__ = [
    "NothingStored",
    "QuoteResult",
    "agenerate_videos",
    "check_routes",
    "generate_video",
    "generate_videos",
    "quote_videos",
    "resolve_video",
    "resolve_videos",
    "sweep_videos",
]
