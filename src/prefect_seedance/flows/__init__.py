"""Prefect flows: generate, quote, sweep and resolve. They start runs and publish results; the rules are elsewhere."""

from prefect_seedance.errors import NothingStored
from prefect_seedance.flows.generate import agenerate_videos, generate_video, generate_videos
from prefect_seedance.flows.quote import QuoteResult, quote_videos
from prefect_seedance.flows.resolve import resolve_video
from prefect_seedance.flows.sweep import sweep_videos

__all__ = [
    "NothingStored",
    "QuoteResult",
    "agenerate_videos",
    "generate_video",
    "generate_videos",
    "quote_videos",
    "resolve_video",
    "sweep_videos",
]
