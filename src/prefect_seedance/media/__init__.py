"""Input media and finished videos. Input: addresses and result links. Output: facts, file contents and stored videos.

All functions and methods block, except those of `Downloader`, `Prober` and `ProofPool` and `fetch_content`: call them
in a thread. A name is loaded on first use, so that the children that decode videos load no more than they need.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
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
    from prefect_seedance.media.videos.bounds import WIDEST, Bounds
    from prefect_seedance.media.videos.download import Downloader, Fetched, Progress
    from prefect_seedance.media.videos.inspection import VideoFacts, inspect_video
    from prefect_seedance.media.videos.proof.pool import ProofPool, Proven, proof_pool
    from prefect_seedance.media.videos.stills import Previews, Stills, previews_of

_HOMES = {
    "STORES": "media.inputs.buckets",
    "WIDEST": "media.videos.bounds",
    "Bounds": "media.videos.bounds",
    "Content": "media.inputs.content",
    "Downloader": "media.videos.download",
    "Fetched": "media.videos.download",
    "MediaAccess": "media.inputs.access",
    "Previews": "media.videos.stills",
    "Probed": "media.inputs.probe",
    "Prober": "media.inputs.probe",
    "Progress": "media.videos.download",
    "ProofPool": "media.videos.proof.pool",
    "Proven": "media.videos.proof.pool",
    "Stamp": "media.storage.base",
    "Stills": "media.videos.stills",
    "Storage": "media.storage.base",
    "UnsafeLink": "errors",
    "VideoFacts": "media.videos.inspection",
    "Zone": "media.links",
    "clashes": "media.storage.names",
    "discard": "media.storage.part",
    "ensure_folder": "media.storage.folders",
    "fetch_content": "media.inputs.content",
    "inspect_video": "media.videos.inspection",
    "open_storage": "media.storage.opening",
    "place": "media.storage.folders",
    "previews_of": "media.videos.stills",
    "proof_pool": "media.videos.proof.pool",
    "slug": "media.storage.names",
    "zone_of": "media.links",
}

__all__ = [
    "STORES",
    "WIDEST",
    "Bounds",
    "Content",
    "Downloader",
    "Fetched",
    "MediaAccess",
    "Previews",
    "Probed",
    "Prober",
    "Progress",
    "ProofPool",
    "Proven",
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
    "proof_pool",
    "slug",
    "zone_of",
]


def __getattr__(name: str) -> Any:
    """Load a name on first use."""
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    found = globals()[name] = getattr(importlib.import_module(f"prefect_seedance.{home}"), name)
    return found
