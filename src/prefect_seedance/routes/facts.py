"""The facts about a medium, read from its bytes."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

MediaKind = Literal["image", "video", "audio"]
"""What a medium is."""


@dataclass(frozen=True, slots=True)
class MediaFacts:
    """What the bytes of a medium say, independent of its name. None: not known.

    Attributes:
        kind: Image, video or audio.
        format: One word, as `format_of` returns it: jpeg png webp bmp tiff gif heic avif svg, mp4 mov avi webm mkv m4v
            flv, mp3 wav aac m4a flac ogg.
        bytes: Size of the file in bytes.
        width: Width in pixels, as shown (rotation applied).
        height: Height in pixels, as shown.
        seconds: Length in seconds.
        fps: Frames per second, on average.
        has_audio: Whether a video has sound.
    """

    kind: MediaKind
    format: str
    bytes: int | None = None
    width: int | None = None
    height: int | None = None
    seconds: Decimal | None = None
    fps: Decimal | None = None
    has_audio: bool | None = None
