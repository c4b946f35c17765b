"""Uploaded files: stored, served, and probed."""

from __future__ import annotations

import io
import json
import secrets
from dataclasses import asdict, dataclass
from decimal import Decimal
from pathlib import PurePosixPath
from typing import Literal

import av

from prefect_seedance.sandbox.settings import SandboxSettings
from prefect_seedance.sandbox.world.store import Store

MediaKind = Literal["image", "video", "audio"]

#: Media kind by file extension, as the upload page lists them.
KINDS: dict[str, MediaKind] = {
    **dict.fromkeys((".jpg", ".jpeg", ".png", ".gif", ".webp", ".bmp", ".svg", ".tif", ".tiff"), "image"),
    **dict.fromkeys((".mp4", ".mov", ".avi", ".webm", ".mkv", ".m4v", ".flv"), "video"),
    **dict.fromkeys((".mp3", ".wav", ".aac", ".m4a", ".flac", ".ogg"), "audio"),
}


@dataclass(frozen=True)
class MediaFacts:
    """What is known of an input; None where it does not apply or is unknown.

    Attributes:
        kind: `image`, `video` or `audio`.
        width: In pixels.
        height: In pixels.
        seconds: Its length; None for images.
        format: `png`, `jpeg`, `mp4` …; from the content of images, from the extension of others; empty if unknown.
        size: In bytes.
    """

    kind: MediaKind
    width: int | None = None
    height: int | None = None
    seconds: Decimal | None = None
    format: str = ""
    size: int | None = None


@dataclass(frozen=True)
class Upload:
    """One uploaded file; it is served until `expires_at` (Unix seconds), or without an end if None."""

    id: str
    filename: str
    mime_type: str
    size: int
    expires_at: float | None = None


class Uploads:
    """All uploaded files of a sandbox."""

    def __init__(self, store: Store, settings: SandboxSettings) -> None:
        self._store = store
        self._settings = settings
        self._facts: dict[str, MediaFacts | None] = {}

    def add(self, filename: str, mime_type: str, content: bytes, *, permanent: bool = False) -> Upload:
        """Store a file, for `upload_seconds` or permanently."""
        expires = None if permanent else self._settings.clock() + self._settings.upload_seconds
        upload = Upload(secrets.token_hex(8), filename, mime_type, len(content), expires)
        self._store.put("upload", upload.id, json.dumps(asdict(upload)).encode())
        self._store.put("upload-content", upload.id, content)
        return upload

    def is_lost(self, name: str) -> bool:
        """Return whether a file has expired."""
        head = self._store.get("upload", name)
        expires = None if head is None else Upload(**json.loads(head)).expires_at
        return expires is not None and self._settings.clock() > expires

    def forget(self) -> None:
        """Clear what is known of files, after the store was cleared."""
        self._facts.clear()

    def get(self, name: str) -> tuple[Upload, bytes] | None:
        """Return a file and its content."""
        head, content = self._store.get("upload", name), self._store.get("upload-content", name)
        if head is None or content is None:
            return None
        return Upload(**json.loads(head)), content

    def facts(self, name: str) -> MediaFacts | None:
        """Probe a file; None when it is unknown or cannot be opened."""
        if name not in self._facts:
            found = self.get(name)
            if found is None:
                return None
            self._facts[name] = inspect(found[0].filename, found[1])
        return self._facts[name]


def inspect(filename: str, content: bytes) -> MediaFacts | None:
    """Probe a media file; None when its extension is unknown or it cannot be opened."""
    suffix = PurePosixPath(filename).suffix.lower()
    kind, ending = KINDS.get(suffix), suffix.removeprefix(".")
    if kind is None:
        return None
    try:
        with av.open(io.BytesIO(content), "r", metadata_errors="ignore") as media:
            seconds = Decimal(media.duration) / av.time_base if media.duration and kind != "image" else None
            if not media.streams.video:
                return MediaFacts(kind, seconds=seconds, format=ending, size=len(content))
            picture = media.streams.video[0]
            codec = picture.codec_context.name
            shown = {"mjpeg": "jpeg"}.get(codec, codec) if kind == "image" else ending
            return MediaFacts(kind, picture.width, picture.height, seconds, shown, len(content))
    except (av.error.FFmpegError, ValueError, AttributeError):  # PyAV has no codec context where no decoder is known
        return None
