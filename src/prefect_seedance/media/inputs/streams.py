"""What a film or a sound is like: length, pixel size, frame rate, sound, read from its tables by FFmpeg.

FFmpeg gets bytes and the one format that they are in, never a name: play lists and the like, which lead to further
files and hosts, stay out.
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
# No route takes larger pictures than 8K; a frame of 80 megapixels is 120 MB.
_MOST_PIXELS = 80_000_000
_LONGEST = 10**6
_MICROSECOND = Fraction(1, 10**6)
_OPTIONS = {"max_pixels": str(_MOST_PIXELS), "threads": "1"}
# Without their optional length tag these have a length that FFmpeg guesses from the first seconds.
_GUESSED = ("mp3", "aac")
# An MP3 file that tells its length leaves out the silence that the encoder has put around the sound.
_PADDING = Fraction(1, 10)


@dataclass(frozen=True)
class StreamFacts:
    """What was found; None where the file does not tell.

    Attributes:
        kind: `video` or `audio`.
        format: The format, now that it is known whether there is a picture.
        width: Width in pixels, as shown (turned films are turned).
        height: Height in pixels, as shown.
        seconds: Length in seconds, to the millisecond.
        fps: Frames per second on average, to three places.
        has_audio: True if there is sound.
    """

    kind: MediaKind
    format: str
    width: int | None = None
    height: int | None = None
    seconds: Decimal | None = None
    fps: Decimal | None = None
    has_audio: bool | None = None


def stream_facts(source: ByteSource, format_name: str, deadline: float) -> StreamFacts:
    """Look into a film or a sound. Blocks.

    Args:
        source: Where its bytes are.
        format_name: Its format (`format_from`).
        deadline: When to stop, on the clock of `time.monotonic`.

    Raises:
        InvalidMedia: If it is damaged or cut short.
        BeyondPrefix: If its tables lie beyond what may be read.
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
            reading.check()  # what was not read may hold further fragments
            facts = _facts(container, format_name, whole=source.whole, fragments=fragments)
            if source.whole:
                reading.check()
            return facts
    except (InvalidMedia, ProbeTimeout):
        reading.check()
        raise
    except Exception as error:  # whatever a hostile file brings FFmpeg and PyAV to
        reading.check()
        raise InvalidMedia(message("media.not_decoded", reason=_reason(error))) from error


def _facts(container: InputContainer, format_name: str, *, whole: bool, fragments: bool) -> StreamFacts:
    video = _video(container) if kind_of(format_name) == "video" or format_name == "ogg" else None
    sound = container.streams.audio[0] if container.streams.audio else None
    main = video or sound
    if main is None:
        raise InvalidMedia(message("media.no_streams"))
    size, turned = _size(video), False
    if video is not None and size is not None:
        with contextlib.suppress(Exception):  # what cannot be decoded here is shown upright
            turned = _is_turned(container, video)
    seconds = _told(container, main)
    if whole and (seconds is None or fragments or format_name in _GUESSED):
        seconds = _corrected(seconds, _counted(container, main), format_name)
    width, height = (size[::-1] if turned else size) if size is not None else (None, None)
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


def _is_turned(container: InputContainer, video: VideoStream) -> bool:
    # The tables' turn comes out with the first frame. Its size is held down, whatever the tables say of it.
    video.codec_context.options = dict(_OPTIONS)
    for tries, packet in enumerate(container.demux(video)):
        for frame in packet.decode():
            return frame.rotation % 180 != 0
        if tries > 30:
            break
    return False


def _told(container: InputContainer, main: VideoStream | AudioStream) -> Fraction | None:
    if main.duration and main.time_base:
        return main.duration * main.time_base
    return container.duration * _MICROSECOND if container.duration else None


def _counted(container: InputContainer, main: VideoStream | AudioStream) -> Fraction | None:
    """Read all packets, without decoding, and say where the last one ends."""
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


def _corrected(text: Fraction | None, counted: Fraction | None, format_name: str) -> Fraction | None:
    if text is None or counted is None:
        return counted or text
    return text if format_name == "mp3" and 0 <= counted - text < _PADDING else counted


def _rate(video: VideoStream) -> Fraction | None:
    return video.average_rate or video.base_rate


def _thousandths(value: Fraction | None) -> Decimal | None:
    if value is None or not 0 < value < _LONGEST:
        return None
    return (Decimal(value.numerator) / Decimal(value.denominator)).quantize(Decimal("0.001"))


def _reason(error: Exception) -> str:
    return (getattr(error, "strerror", None) or str(error) or type(error).__name__)[:80]
