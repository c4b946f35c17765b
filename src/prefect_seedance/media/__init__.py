"""Files: what the providers made is fetched, proven to be a whole video, and put in its place.

Everything here but `Downloader` blocks: call it in a thread.
"""

from __future__ import annotations

from .download import Downloader, Fetched, Progress
from .folders import ensure_folder, place
from .links import UnsafeLink
from .names import clashes, slug
from .part import discard
from .poster import poster
from .video import VideoFacts, inspect_video

__all__ = [
    "Downloader",
    "Fetched",
    "Progress",
    "UnsafeLink",
    "VideoFacts",
    "clashes",
    "discard",
    "ensure_folder",
    "inspect_video",
    "place",
    "poster",
    "slug",
]
