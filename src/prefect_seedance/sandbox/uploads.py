"""Files that users uploaded: kept, served again, and looked into."""

from __future__ import annotations

import io
import json
import secrets
from dataclasses import asdict, dataclass
from decimal import Decimal
from pathlib import PurePosixPath
from typing import Literal

import av

from prefect_seedance.sandbox.store import Store

MediaKind = Literal["image", "video", "audio"]

#: File kinds by ending, as the upload page lists them.
KINDS: dict[str, MediaKind] = {
    **dict.fromkeys((".jpg", ".jpeg", ".png", ".gif", ".webp", ".bmp", ".svg"), "image"),
    **dict.fromkeys((".mp4", ".mov", ".avi", ".webm", ".mkv", ".m4v", ".flv"), "video"),
    **dict.fromkeys((".mp3", ".wav", ".aac", ".m4a", ".flac", ".ogg"), "audio"),
}


@dataclass(frozen=True)
class MediaFacts:
    """What is known of an input: kind, size in pixels, length; None where it does not apply or cannot be learned."""

    kind: MediaKind
    width: int | None = None
    height: int | None = None
    seconds: Decimal | None = None


@dataclass(frozen=True)
class Upload:
    """One uploaded file."""

    id: str
    filename: str
    mime_type: str
    size: int


class Uploads:
    """All uploaded files of a sandbox."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def add(self, filename: str, mime_type: str, content: bytes) -> Upload:
        """Keep a file."""
        upload = Upload(secrets.token_hex(8), filename, mime_type, len(content))
        self._store.put("upload", upload.id, json.dumps(asdict(upload)).encode())
        self._store.put("upload-content", upload.id, content)
        return upload

    def get(self, name: str) -> tuple[Upload, bytes] | None:
        """Return a file and its content."""
        head, content = self._store.get("upload", name), self._store.get("upload-content", name)
        if head is None or content is None:
            return None
        return Upload(**json.loads(head)), content

    def facts(self, name: str) -> MediaFacts | None:
        """Look into a file; None when it is unknown or cannot be opened."""
        found = self.get(name)
        return None if found is None else inspect(found[0].filename, found[1])


def inspect(filename: str, content: bytes) -> MediaFacts | None:
    """Look into a media file; None when its ending is not known or it cannot be opened."""
    kind = KINDS.get(PurePosixPath(filename).suffix.lower())
    if kind is None:
        return None
    try:
        with av.open(io.BytesIO(content), "r") as media:
            seconds = Decimal(media.duration) / av.time_base if media.duration and kind != "image" else None
            if not media.streams.video:
                return MediaFacts(kind, seconds=seconds)
            picture = media.streams.video[0]
            return MediaFacts(kind, picture.width, picture.height, seconds)
    except (av.error.FFmpegError, ValueError):
        return None
