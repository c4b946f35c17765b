"""Prefect flows: generate and quote. They fan out, and they hold no rules of their own."""

from prefect_seedance.flows.generate import agenerate_videos, generate_video, generate_videos
from prefect_seedance.flows.outcomes import NothingStored
from prefect_seedance.flows.quote import QuoteResult, quote_videos

__all__ = [
    "NothingStored",
    "QuoteResult",
    "agenerate_videos",
    "generate_video",
    "generate_videos",
    "quote_videos",
]
