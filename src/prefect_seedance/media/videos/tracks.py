"""Decodes the packets of one track, and notes what its frames say."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Callable
from fractions import Fraction
from itertools import pairwise
from statistics import median
from typing import TYPE_CHECKING, Any

from prefect_seedance.errors import InvalidMedia, UnverifiedVideo
from prefect_seedance.media.videos.bounds import Bounds
from prefect_seedance.media.videos.nals import check_nals, nal_length_size
from prefect_seedance.messages import message

if TYPE_CHECKING:
    from av.video.frame import VideoFrame

__all__ = ["Look", "Sound", "Track", "Video", "length_of"]

Look = Callable[["VideoFrame", float], None]

# A step between two frames, in usual steps, that shows a gap.
_GAP = 1.75
# Where nothing in the file says how long its only frame is shown.
_USUAL_RATE = 24


def length_of(stream: Any) -> Fraction:
    """The length of a track in seconds by the tables; 0 where they do not say."""
    ticks = stream.duration or 0
    if not stream.frames:  # in fragments, FFmpeg counts from zero and not from the first frame
        ticks = max(0, ticks - (stream.start_time or 0))
    return Fraction(ticks * (stream.time_base or 0))


class Track(ABC):
    """One track: every packet is counted, timed and decoded.

    Attributes:
        stream: FFmpeg's stream.
        stated: Its length in seconds by the tables; 0 where they do not say.
        span: Seconds from its first packet to the end of its last one.
    """

    def __init__(self, stream: Any, options: dict[str, str], bounds: Bounds) -> None:
        """Set the decoder up.

        Raises:
            UnverifiedVideo: If the track exceeds the bounds by its tables.
        """
        self.stream = stream
        self.span = Fraction(0)
        self._bounds = bounds
        self._base: Fraction = stream.time_base or Fraction(0)
        self._first: int | None = None
        self._packets = 0
        self.stated = length_of(stream)
        self._check_length(self.stated)
        stream.codec_context.options = dict(options)
        stream.codec_context.thread_count = 1

    def feed(self, packet: Any) -> None:
        """Decode the next packet."""
        moment = packet.dts if packet.pts is None else packet.pts
        if moment is None and not packet.size:
            return  # the end of the track
        if packet.is_corrupt:
            raise InvalidMedia(message("video.frame_beyond_end"))
        self._packets += 1
        if moment is not None:
            self._first = moment if self._first is None else min(self._first, moment)
            self.span = max(self.span, (moment + (packet.duration or 0) - self._first) * self._base)
            self._check_length(self.span)
        if packet.size:  # an empty packet repeats the frame before it
            self._decode(packet)

    def finish(self) -> None:
        """Drain the decoder, and compare what was read with the number that the tables list."""
        self._decode(None)
        if self._counted() < self.stream.frames:
            found, expected = self._counted(), self.stream.frames
            raise InvalidMedia(message("video.frames_unreadable", found=found, expected=expected))

    def _counted(self) -> int:
        return self._packets

    @abstractmethod
    def _decode(self, packet: Any) -> None:
        """Decode a packet and count its frames; None drains the decoder."""

    def _check_length(self, seconds: Fraction) -> None:
        if seconds > self._bounds.seconds:
            text = message("video.too_long", found=float(seconds), most=float(self._bounds.seconds))
            raise UnverifiedVideo(text)


class Video(Track):
    """A track of pictures.

    Attributes:
        sizes: The sizes of its frames in pixels, in the order in which they first occur.
        rotation: The degrees by which its frames are turned before they are shown.
        out_of_order: Whether its frames are not timed in the order in which they are decoded.
        look: Called with each frame and its time in seconds.
    """

    def __init__(self, stream: Any, options: dict[str, str], bounds: Bounds) -> None:
        """Set the decoder up.

        Raises:
            UnverifiedVideo: If the track exceeds the bounds by its tables.
        """
        super().__init__(stream, options, bounds)
        self.sizes: dict[tuple[int, int], None] = {}
        self.rotation = 0
        self.out_of_order = False
        self.look: Look | None = None
        self._fed = self._seen = 0
        self._times: list[int] = []
        self._shown: int | None = None
        self._check_size(stream.codec_context.width, stream.codec_context.height)
        self._sized = stream.codec_context.width > 0
        self._codec: str = stream.codec_context.name
        self._nal_length = nal_length_size(self._codec, stream.codec_context.extradata)

    @property
    def step(self) -> Fraction:
        """The usual seconds from one frame to the next."""
        times = sorted(self._times)
        steps = [other - one for one, other in pairwise(times) if other > one]
        return Fraction(median(steps)) * self._base if steps else self.span

    @property
    def has_gap(self) -> bool:
        """Whether somewhere no frame is there for longer than usual."""
        usual = self.step
        return any((other - one) * self._base > _GAP * usual for one, other in pairwise(sorted(self._times)))

    def finish(self) -> None:
        """Drain the decoder, and compare the numbers of frames with what the tables list."""
        super().finish()
        if self._seen < self._fed:
            raise InvalidMedia(message("video.frames_not_decoded", found=self._seen, expected=self._fed))
        if not self.sizes:
            raise InvalidMedia(message("video.no_picture"))
        if not self.span:
            self.span = Fraction(self._packets) / (self.stream.guessed_rate or _USUAL_RATE)

    @property
    def rate(self) -> Fraction:
        """Frames per second on average."""
        return self._packets / self.span

    def _decode(self, packet: Any) -> None:
        if packet is not None:
            self._fed += 1
            if packet.pts is not None:
                self._times.append(packet.pts)
            if packet.has_sidedata("new_extradata"):
                self._nal_length = nal_length_size(self._codec, bytes(packet.get_sidedata("new_extradata")))
            check_nals(bytes(packet), self._codec, self._nal_length)
        try:
            frames = self.stream.codec_context.decode(packet)
        except Exception as error:
            # FFmpeg forgets the size of a frame that it refuses for its size.
            if self._sized and not self.stream.codec_context.width:
                raise self._too_large() from error
            raise
        for frame in frames:
            self._take(frame)

    def _take(self, frame: VideoFrame) -> None:
        self._seen += 1
        if frame.is_corrupt:
            raise InvalidMedia(message("video.frame_damaged"))
        self._check_size(frame.width, frame.height)
        if not self.sizes:
            self.rotation = round(frame.rotation) % 360
        self.sizes[frame.width, frame.height] = None
        if frame.pts is not None:
            self.out_of_order |= self._shown is not None and frame.pts <= self._shown
            self._shown = frame.pts
        if self.look is not None:
            # FFmpeg does not set the time base of the last frames.
            self.look(frame, float((self._shown or 0) * self._base))

    def _check_size(self, width: int, height: int) -> None:
        if width * height > self._bounds.frame_pixels:
            raise self._too_large()

    def _too_large(self) -> UnverifiedVideo:
        return UnverifiedVideo(message("video.frame_too_large", pixels=self._bounds.frame_pixels))


class Sound(Track):
    """A track of sound.

    Attributes:
        span: Seconds from its first packet to the end of its last one.
    """

    def __init__(self, stream: Any, options: dict[str, str], bounds: Bounds) -> None:
        """Set the decoder up.

        Raises:
            UnverifiedVideo: If the track exceeds the bounds by its tables.
        """
        super().__init__(stream, options, bounds)
        self._samples: Counter[int] = Counter()

    def _counted(self) -> int:
        # The tables count single samples where these are not compressed.
        plain = self.stream.codec_context.name.startswith(("pcm_", "adpcm_"))
        return self._samples.total() if plain else self._packets

    def _decode(self, packet: Any) -> None:
        for frame in self.stream.codec_context.decode(packet):
            if frame.is_corrupt or not frame.sample_rate:
                raise InvalidMedia(message("video.sound_damaged"))
            self._samples[frame.sample_rate] += frame.samples
