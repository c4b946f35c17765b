"""Pictures of a video for a contact sheet, selected while the video is decoded for verification."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from prefect_seedance.media.videos.picture import SMOOTH, jpeg, mean_brightness, scaled

if TYPE_CHECKING:
    from av.video.frame import VideoFrame
    from av.video.reformatter import VideoReformatter

__all__ = ["Previews", "Stills", "previews_of"]

log = logging.getLogger(__name__)

POSTER_WIDTH = 480
STRIP_FRAMES = 6
STRIP_WIDTH = 160
"""Width of each frame in the strip, in pixels."""

FADE_SECONDS = 3
BLACK = 24
"""Videos often fade in: the poster is searched for so long. Below this mean brightness (of 255) a frame is black."""


@dataclass(frozen=True, slots=True)
class Previews:
    """Two JPEG pictures: the first frame that is not black, and a strip of six frames."""

    poster: bytes
    strip: bytes


class Stills:
    """Receives each decoded frame of one video, and keeps those for the previews.

    It never raises: a missing preview says nothing about the video.
    """

    def __init__(self) -> None:
        self._wanted: list[float] = []
        self._start: float | None = None
        self._poster: VideoFrame | None = None
        self._brightest = -1.0
        self._strip: list[VideoFrame] = []
        self._last: VideoFrame | None = None
        self._thumbs: VideoReformatter | None = None
        self._failed = False

    def begin(self, seconds: float) -> None:
        """Set the length of the video, over which the frames of the strip are distributed."""
        self._wanted = [seconds * (number + 0.5) / STRIP_FRAMES for number in range(STRIP_FRAMES)]

    def look(self, frame: VideoFrame, moment: float) -> None:
        """Receive the next frame and its time in seconds, in display order."""
        if self._failed:
            return
        try:
            self._look(frame, moment)
        except Exception:  # noqa: BLE001 - a preview must not fail a video
            self._fail()

    def finish(self) -> Previews | None:
        """Return the previews; None if there are none. Takes some milliseconds."""
        if self._failed or self._poster is None:
            return None
        try:
            return Previews(jpeg(self._poster, POSTER_WIDTH), self._side_by_side())
        except Exception:  # noqa: BLE001 - as above
            self._fail()
            return None

    def _look(self, frame: VideoFrame, moment: float) -> None:
        self._start = moment if self._start is None else self._start
        moment -= self._start
        if self._brightest < BLACK and (moment <= FADE_SECONDS or self._poster is None):
            brightness = mean_brightness(frame)
            if brightness > self._brightest:
                self._poster, self._brightest = frame, brightness
        if len(self._strip) < len(self._wanted) and moment >= self._wanted[len(self._strip)]:
            self._strip.append(self._thumb(frame))
        self._last = frame

    def _thumb(self, frame: VideoFrame) -> VideoFrame:
        from av.video.reformatter import VideoReformatter  # noqa: PLC0415 - loading the codecs takes time

        # One for all frames of a video: its set-up takes ten times as long as the scaling.
        self._thumbs = self._thumbs or VideoReformatter()
        height = max(2, round(frame.height * STRIP_WIDTH / frame.width / 2) * 2)
        return scaled(frame, STRIP_WIDTH, height, "yuvj420p", SMOOTH, self._thumbs)

    def _side_by_side(self) -> bytes:
        import av  # noqa: PLC0415 - as above
        import numpy as np  # noqa: PLC0415

        frames = self._strip or [self._thumb(frame) for frame in (self._last,) if frame is not None]
        # A short video may have fewer frames than the strip.
        frames += frames[-1:] * (STRIP_FRAMES - len(frames))
        width, height = STRIP_WIDTH * STRIP_FRAMES, frames[0].height
        # Planes next to each other: brightness in full size, and both colours at half the width and height.
        flat = [frame.to_ndarray() for frame in frames]
        planes = [np.hstack([one[:height] for one in flat]).ravel()]
        quarter = STRIP_WIDTH // 2 * (height // 2)
        for colour in range(2):
            cut = slice(colour * quarter, (colour + 1) * quarter)
            halves = [one[height:].ravel()[cut].reshape(height // 2, STRIP_WIDTH // 2) for one in flat]
            planes.append(np.hstack(halves).ravel())
        joined = np.concatenate(planes).reshape(-1, width)
        return jpeg(av.VideoFrame.from_ndarray(joined, format="yuvj420p"), width)

    def _fail(self) -> None:
        self._failed = True
        log.debug("No preview can be made", exc_info=True)  # noqa: LOG014 - called by handlers only


def previews_of(path: Path) -> Previews | None:
    """Return the previews of a file that was verified earlier; None if there are none. Decodes it: blocks."""
    import av  # noqa: PLC0415

    stills = Stills()
    try:
        with av.open(str(path), format="mov", metadata_errors="ignore") as container:
            stills.begin((container.duration or 0) / av.time_base)
            for frame in container.decode(video=0):
                stills.look(frame, frame.time or 0.0)
    except (av.error.FFmpegError, OSError, ValueError, IndexError):
        log.debug("No preview of %s can be made", path.name, exc_info=True)
    return stills.finish()
