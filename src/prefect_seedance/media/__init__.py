"""Files: what goes in is found and looked at; what the providers made is fetched, proven, and put in its place.

Everything here but `Downloader`, `Prober` and `fetch_content` blocks: call it in a thread.
"""

from __future__ import annotations

from .buckets import STORES
from .content import Content, fetch_content
from .download import Downloader, Fetched, Progress
from .folders import ensure_folder, place
from .links import UnsafeLink, Zone, zone_of
from .names import clashes, slug
from .part import discard
from .places import MediaPlaces
from .probe import Probed, Prober
from .shelf import Shelf, Stamp
from .shelves import open_shelf
from .stills import Previews, Stills, previews_of
from .video import VideoFacts, inspect_video

__all__ = [
    "STORES",
    "Content",
    "Downloader",
    "Fetched",
    "MediaPlaces",
    "Previews",
    "Probed",
    "Prober",
    "Progress",
    "Shelf",
    "Stamp",
    "Stills",
    "UnsafeLink",
    "VideoFacts",
    "Zone",
    "clashes",
    "discard",
    "ensure_folder",
    "fetch_content",
    "inspect_video",
    "open_shelf",
    "place",
    "previews_of",
    "slug",
    "zone_of",
]
