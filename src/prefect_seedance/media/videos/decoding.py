"""Decodes a video strictly: every frame must be complete, and at the time that the tables say."""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

from prefect_seedance.errors import InvalidMedia
from prefect_seedance.media.videos.nals import check_nals, nal_length_size
from prefect_seedance.media.videos.structure import Structure
from prefect_seedance.media.videos.times import agree
from prefect_seedance.media.videos.tracks import Track
from prefect_seedance.messages import message

if TYPE_CHECKING:
    import av
    from av.audio.frame import AudioFrame
    from av.video.frame import VideoFrame

# Above the largest result of any route (15 s of 4K at 24 fps is 3.0e9 pixels); longer videos are decoded in part.
MOST_PIXELS = 4_000_000_000

_STRICT = {"err_detect": "crccheck+bitstream+buffer+explode"}
# Some encoders write the size before cropping.
_SIZE_SLACK = 16
# Longest step between frames, in mean frame lengths, of a video that hides its beginning.
_CUT_GAP = 1.75
# FFmpeg's numbers of the picture types I and SI.
_INTRA = (1, 5)


@dataclass(frozen=True)
class Picture:
    """The decoded video: width and height in pixels, length in seconds, frames per second."""

    width: int
    height: int
    seconds: Fraction
    fps: Fraction


def decode(path: Path, structure: Structure, look: Callable[[VideoFrame, float], None] | None = None) -> Picture:
    """Read every packet of a file and decode it, video and audio.

    Videos of more than `MOST_PIXELS` are decoded in part: the first and the last group of pictures, and evenly chosen
    ones between. Their packets are all read, and all audio is decoded.

    Args:
        path: The file.
        structure: What its tables say.
        look: Called with each decoded frame and its time in seconds, so that previews need no second decoding. It must
            not raise.

    Raises:
        InvalidMedia: If a frame is damaged or missing, or its time differs from the tables.
    """
    import av  # noqa: PLC0415 - loading the codecs takes time, and most callers never decode

    try:
        # Edit lists are checked separately; here every frame counts, shown or not.
        # The boxes were read already, so its kind is known, whatever its name or first box may be.
        with av.open(str(path), format="mov", options={"ignore_editlist": "1"}, metadata_errors="ignore") as container:
            if len(container.streams.video) != 1 or len(container.streams.audio) != len(structure.sounds):
                raise InvalidMedia(message("video.not_opened"))
            for stream in (*container.streams.video, *container.streams.audio):
                stream.codec_context.options = dict(_STRICT)
                stream.codec_context.thread_count = 1
            video = _VideoChecker(container.streams.video[0], structure.video, look)
            sounds = {
                stream.index: _AudioChecker(stream, track)
                for stream, track in zip(container.streams.audio, structure.sounds, strict=True)
            }
            for packet in container.demux(*container.streams.video, *container.streams.audio):
                if packet.is_corrupt:
                    raise InvalidMedia(message("video.frame_beyond_end"))
                if packet.size:
                    sounds.get(packet.stream_index, video).feed(packet)
            for sound in sounds.values():
                sound.finish()
            return video.finish()
    except (av.error.FFmpegError, ValueError, OverflowError) as error:
        reason = str(getattr(error, "strerror", None) or error)
        raise InvalidMedia(message("video.not_decoded", reason=reason)) from error


class _VideoChecker:
    """Decodes the video, and compares the number of decoded frames with the number of packets."""

    def __init__(
        self, stream: av.VideoStream, track: Track, look: Callable[[VideoFrame, float], None] | None = None
    ) -> None:
        self._stream = stream
        self._look = look
        self._track = track
        self._nal_length = nal_length_size(stream.codec_context.name, stream.codec_context.extradata)
        self._groups = _chosen_groups(self._track)
        self._group: int | None = None
        self._fed = self._seen = 0
        self._keys: set[int] = set()
        self._times: list[int] = []
        self._end = 0
        self._shown: int | None = None
        self._size: tuple[int, int] | None = None

    def feed(self, packet: Any) -> None:
        """Read the next packet; decode it if its group of pictures is chosen."""
        if packet.pts is None:
            raise InvalidMedia(message("video.frame_no_time"))
        check_nals(bytes(packet), self._nal_length)
        self._times.append(packet.pts)
        self._end = max(self._end, packet.pts + (packet.duration or 0))
        if packet.is_keyframe:
            self._keys.add(packet.pts)
        group = self._groups.of(len(self._times))
        if group != self._group:
            self._drain()
            self._group = group
        if group is not None:
            self._fed += 1
            for frame in self._stream.codec_context.decode(packet):
                self._take(frame)

    def finish(self) -> Picture:
        """Drain the decoder and compare with the tables."""
        self._drain()
        if not self._times or self._size is None:
            raise InvalidMedia(message("video.no_picture"))
        if len(self._times) != self._track.times.samples:
            expected = self._track.times.samples
            raise InvalidMedia(message("video.frames_unreadable", found=len(self._times), expected=expected))
        span = (self._end - min(self._times)) * (self._stream.time_base or Fraction(0))
        seconds = self._track.times.seconds or 0
        if span <= 0 or not agree(float(span), seconds, self._track.times.slack):
            raise InvalidMedia(message("video.lengths", found=float(span), expected=seconds))
        self._check_shown()
        return Picture(*self._size, seconds=span, fps=len(self._times) / span)

    def _check_shown(self) -> None:
        if self._track.times.shown is None:
            return
        start, end = self._track.times.shown
        first, last = min(self._times), max(self._times)
        frame = (self._end - first) / len(self._times)
        if end <= last:
            raise InvalidMedia(message("video.edit"))
        # A video may be trimmed at its start without re-encoding. Then at least half a frame is hidden, the end is
        # exact, and there is no gap between frames.
        if start > first:
            steps = pairwise(sorted(self._times))
            if (
                start - first < frame / 2
                or abs(end - self._end) > frame / 4
                or any(other - one > _CUT_GAP * frame for one, other in steps)
            ):
                raise InvalidMedia(message("video.edit"))

    def _drain(self) -> None:
        if self._group is None:
            return
        for frame in self._stream.codec_context.decode(None):
            self._take(frame)
        if self._fed != self._seen:
            raise InvalidMedia(message("video.frames_not_decoded", found=self._seen, expected=self._fed))
        self._stream.codec_context.flush_buffers()
        self._group = None

    def _take(self, frame: VideoFrame) -> None:
        self._seen += 1
        size = (frame.width, frame.height)
        if frame.is_corrupt or self._size not in (None, size):
            raise InvalidMedia(message("video.frame_damaged"))
        if any(abs(one - other) > _SIZE_SLACK for one, other in zip(size, self._track.size, strict=True)):
            raise InvalidMedia(message("video.frame_size"))
        # The decoder reads the order of the frames from the frames themselves.
        if frame.pts is None or (self._shown is not None and frame.pts <= self._shown):
            raise InvalidMedia(message("video.frame_order"))
        if frame.pts in self._keys and int(frame.pict_type) not in _INTRA:
            raise InvalidMedia(message("video.frame_no_key"))
        self._size, self._shown = size, frame.pts
        if self._look is not None:
            # FFmpeg does not set the time base of the last frames.
            self._look(frame, float(frame.pts * (self._stream.time_base or 0)))


@dataclass(frozen=True)
class _Groups:
    """Which groups of pictures to decode: runs of frames that start with a key frame."""

    starts: tuple[int, ...]
    every: int

    def of(self, number: int) -> int | None:
        """Return the group of frame `number` (from 1), or None if it is not to be decoded."""
        if self.every == 1:
            return 0
        group = bisect_right(self.starts, number) - 1
        return group if group % self.every == 0 or group == len(self.starts) - 1 else None


def _chosen_groups(track: Track) -> _Groups:
    pixels = track.times.samples * track.size[0] * track.size[1]
    starts = track.sync_samples or (1,)
    return _Groups(starts, max(1, -(-pixels // MOST_PIXELS)) if len(starts) > 1 else 1)


class _AudioChecker:
    """Decodes an audio track, and compares its length with the tables."""

    def __init__(self, stream: av.AudioStream, track: Track) -> None:
        self._stream = stream
        self._track = track
        self._samples: Counter[int] = Counter()

    def feed(self, packet: Any) -> None:
        """Decode the next packet."""
        self._decode(packet)

    def finish(self) -> None:
        """Drain the decoder and compare with the tables."""
        self._decode(None)
        expected = self._track.times.seconds or 0
        found = sum(samples / rate for rate, samples in self._samples.items())
        if not agree(found, expected, self._track.times.slack):
            raise InvalidMedia(message("video.lengths", found=found, expected=expected))

    def _decode(self, packet: Any) -> None:
        for frame in self._stream.codec_context.decode(packet):
            if frame.is_corrupt or not frame.sample_rate:
                raise InvalidMedia(message("video.sound_damaged"))
            self._check_form(frame)
            self._samples[frame.sample_rate] += frame.samples

    def _check_form(self, frame: AudioFrame) -> None:
        channels, rate = self._track.sound
        # Some writers state 2 channels for mono; a decoder with spectral band replication doubles the rate.
        if rate and frame.sample_rate not in (rate, 2 * rate, rate / 2):
            raise InvalidMedia(message("video.sound_form"))
        if channels and frame.layout.nb_channels not in (channels, 1, 2):
            raise InvalidMedia(message("video.sound_form"))
