"""Input media and finished videos. Input: addresses and result links. Output: facts, file contents and stored videos.

All functions and methods block, except those of `Downloader` and `Prober` and `fetch_content`: call them in a thread.
"""

from __future__ import annotations

from prefect_seedance.errors import UnsafeLink
from prefect_seedance.media.inputs.access import MediaAccess
from prefect_seedance.media.inputs.buckets import STORES
from prefect_seedance.media.inputs.content import Content, fetch_content
from prefect_seedance.media.inputs.probe import Probed, Prober
from prefect_seedance.media.links import Zone, zone_of
from prefect_seedance.media.storage.base import Stamp, Storage
from prefect_seedance.media.storage.folders import ensure_folder, place
from prefect_seedance.media.storage.names import clashes, slug
from prefect_seedance.media.storage.opening import open_storage
from prefect_seedance.media.storage.part import discard
from prefect_seedance.media.videos.download import Downloader, Fetched, Progress
from prefect_seedance.media.videos.inspection import VideoFacts, inspect_video
from prefect_seedance.media.videos.stills import Previews, Stills, previews_of

__all__ = [
    "STORES",
    "Content",
    "Downloader",
    "Fetched",
    "MediaAccess",
    "Previews",
    "Probed",
    "Prober",
    "Progress",
    "Stamp",
    "Stills",
    "Storage",
    "UnsafeLink",
    "VideoFacts",
    "Zone",
    "clashes",
    "discard",
    "ensure_folder",
    "fetch_content",
    "inspect_video",
    "open_storage",
    "place",
    "previews_of",
    "slug",
    "zone_of",
]
