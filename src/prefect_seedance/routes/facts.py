"""The facts: what a medium really is, once somebody looked into it."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

MediaKind = Literal["image", "video", "audio"]


@dataclass(frozen=True, slots=True)
class MediaFacts:
    """What is known of a medium by its own bytes, whatever its name says. None: not known.

    Attributes:
        kind: Image, video or audio.
        format: One word as `format_of` has them: jpeg png webp bmp tiff gif heic svg, mp4 mov avi webm mkv m4v flv,
            mp3 wav aac m4a flac ogg.
        bytes: Size of the file.
        width: Pixels, as shown (rotation applied).
        height: Pixels, as shown.
        seconds: Length.
        fps: Frames in a second, on average.
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
