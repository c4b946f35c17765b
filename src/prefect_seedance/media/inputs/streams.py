"""The facts about a video or audio file: length, pixel size, frame rate, audio; read from its tables by FFmpeg.

FFmpeg gets the bytes and their format, never a name: so playlists and similar formats, which refer to other files and
hosts, are excluded.
"""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from time import monotonic
from typing import TYPE_CHECKING

from prefect_seedance.errors import InvalidMedia, ProbeTimeout
from prefect_seedance.media.inputs.formats import kind_of
from prefect_seedance.media.inputs.sources import ByteSource, SourceReader
from prefect_seedance.media.inputs.whole import check_whole
from prefect_seedance.messages import message
from prefect_seedance.routes.facts import MediaKind

if TYPE_CHECKING:
    from av.audio.stream import AudioStream
    from av.container import InputContainer
    from av.video.stream import VideoStream

_DEMUXERS = {
    **dict.fromkeys(("mp4", "mov", "m4v", "m4a", "3gp"), "mov"),
    **dict.fromkeys(("webm", "mkv"), "matroska"),
}
# No route accepts pictures above 8K; a frame of 80 megapixels is 120 MB.
_MOST_PIXELS = 80_000_000
_LONGEST = 10**6
_MICROSECOND = Fraction(1, 10**6)
_OPTIONS = {"max_pixels": str(_MOST_PIXELS), "threads": "1"}
# Without an optional length tag, FFmpeg estimates the length of these from the first seconds.
_GUESSED = ("mp3", "aac")
# The length in the tag of an MP3 file does not include the silence that the encoder added around the audio.
_PADDING = Fraction(1, 10)


@dataclass(frozen=True)
class StreamFacts:
    """The facts; None where the file does not say.

    Attributes:
        kind: `video` or `audio`.
        format: The format, now that it is known whether there is a picture.
        width: Width in pixels, as shown (rotation applied).
        height: Height in pixels, as shown.
        seconds: Length in seconds, to the millisecond.
        fps: Frames per second on average, to three places.
        has_audio: True if there is audio.
    """

    kind: MediaKind
    format: str
    width: int | None = None
    height: int | None = None
    seconds: Decimal | None = None
    fps: Decimal | None = None
    has_audio: bool | None = None


def stream_facts(source: ByteSource, format_name: str, deadline: float) -> StreamFacts:
    """Read the facts about a video or audio file. Blocks.

    Args:
        source: The source of its bytes.
        format_name: Its format (`format_from`).
        deadline: When to stop, by `time.monotonic`.

    Raises:
        InvalidMedia: If it is damaged or truncated.
        BeyondPrefix: If its tables are beyond the bytes that may be read.
        ProbeTimeout: If it takes too long.
        OSError: If it cannot be read.
    """
    import av  # noqa: PLC0415 - loading the codecs takes time, and many tables hold no media

    fragments = source.whole and check_whole(source, format_name)
    reading = SourceReader(source, deadline)
    left = max(0.1, deadline - monotonic())
    try:
        with av.open(
            reading,
            format=_DEMUXERS.get(format_name, format_name),
            options=_OPTIONS,
            mode="r",
            metadata_errors="ignore",
            timeout=(left, left),
        ) as container:
            reading.check()  # unread bytes may contain further fragments
            facts = _facts(container, format_name, whole=source.whole, fragments=fragments)
            if source.whole:
                reading.check()
            return facts
    except (InvalidMedia, ProbeTimeout):
        reading.check()
        raise
    except Exception as error:  # a hostile file may make FFmpeg and PyAV raise anything
        reading.check()
        raise InvalidMedia(message("media.not_decoded", reason=_reason(error))) from error


def _facts(container: InputContainer, format_name: str, *, whole: bool, fragments: bool) -> StreamFacts:
    video = _video(container) if kind_of(format_name) == "video" or format_name == "ogg" else None
    sound = container.streams.audio[0] if container.streams.audio else None
    main = video or sound
    if main is None:
        raise InvalidMedia(message("media.no_streams"))
    size, rotated = _size(video), False
    if video is not None and size is not None:
        with contextlib.suppress(Exception):  # without a decodable frame, no rotation is assumed
            rotated = _is_rotated(container, video)
    seconds = _stated_length(container, main)
    if whole and (seconds is None or fragments or format_name in _GUESSED):
        seconds = _corrected_length(seconds, _counted_length(container, main), format_name)
    width, height = (size[::-1] if rotated else size) if size is not None else (None, None)
    kind: MediaKind = "audio" if video is None else "video"
    return StreamFacts(
        kind=kind,
        format="m4a" if kind == "audio" and format_name in ("mp4", "3gp") else format_name,
        width=width,
        height=height,
        seconds=_thousandths(seconds),
        fps=_thousandths(_rate(video)) if video is not None else None,
        has_audio=sound is not None,
    )


def _video(container: InputContainer) -> VideoStream | None:
    from av.stream import Disposition  # noqa: PLC0415

    moving = (stream for stream in container.streams.video if not stream.disposition & Disposition.attached_pic)
    return next(moving, None)


def _size(video: VideoStream | None) -> tuple[int, int] | None:
    codec = video.codec_context if video is not None else None
    return (codec.width, codec.height) if codec is not None and codec.width > 0 and codec.height > 0 else None


def _is_rotated(container: InputContainer, video: VideoStream) -> bool:
    # The first frame shows the rotation of the tables. The options limit its size, independent of the tables.
    video.codec_context.options = dict(_OPTIONS)
    for tries, packet in enumerate(container.demux(video)):
        for frame in packet.decode():
            return frame.rotation % 180 != 0
        if tries > 30:
            break
    return False


def _stated_length(container: InputContainer, main: VideoStream | AudioStream) -> Fraction | None:
    if main.duration and main.time_base:
        return main.duration * main.time_base
    return container.duration * _MICROSECOND if container.duration else None


def _counted_length(container: InputContainer, main: VideoStream | AudioStream) -> Fraction | None:
    """Return the length by all packets, without decoding."""
    container.seek(0)
    first, last, total, timed = None, Fraction(0), 0, True
    for packet in container.demux(main):
        if packet.size == 0:
            continue
        total += packet.duration or 0
        if packet.pts is None:
            timed = False
            continue
        first = packet.pts if first is None else min(first, packet.pts)
        last = max(last, Fraction(packet.pts + (packet.duration or 0)))
    if main.time_base is None or (first is None and not total):
        return None
    return (last - first if timed and first is not None else Fraction(total)) * main.time_base


def _corrected_length(stated: Fraction | None, counted: Fraction | None, format_name: str) -> Fraction | None:
    if stated is None or counted is None:
        return counted or stated
    return stated if format_name == "mp3" and 0 <= counted - stated < _PADDING else counted


def _rate(video: VideoStream) -> Fraction | None:
    return video.average_rate or video.base_rate


def _thousandths(value: Fraction | None) -> Decimal | None:
    if value is None or not 0 < value < _LONGEST:
        return None
    return (Decimal(value.numerator) / Decimal(value.denominator)).quantize(Decimal("0.001"))


def _reason(error: Exception) -> str:
    return (getattr(error, "strerror", None) or str(error) or type(error).__name__)[:80]
