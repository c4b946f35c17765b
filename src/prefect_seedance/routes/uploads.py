"""What Jimmy AI's file upload accepts. The user's own files reach its routes through this upload."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from prefect_seedance.routes.facts import MediaKind
from prefect_seedance.routes.limit import megabytes

UPLOAD_PAGE = "Jimmy AI: file upload page"
UPLOAD_LIMIT = megabytes(100, UPLOAD_PAGE)
UPLOAD_FORMATS: Mapping[MediaKind, tuple[str, ...]] = MappingProxyType(
    {
        "image": ("jpeg", "png", "gif", "webp", "bmp", "svg"),
        "video": ("mp4", "mov", "avi", "webm", "mkv", "m4v", "flv"),
        "audio": ("mp3", "wav", "aac", "m4a", "flac", "ogg"),
    }
)
"""The formats that may be uploaded. A route may read fewer of them."""
