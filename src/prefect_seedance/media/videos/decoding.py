"""Decodes a whole video strictly. FFmpeg decides what is damaged; here it is counted whether anything is missing."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from errno import ERANGE
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

from prefect_seedance.errors import InvalidMedia, UnverifiedVideo
from prefect_seedance.media.videos.bounds import Bounds
from prefect_seedance.media.videos.structure import Structure
from prefect_seedance.media.videos.tracks import Look, Sound, Track, Video, length_of
from prefect_seedance.messages import Message, message

if TYPE_CHECKING:
    from av.container import InputContainer

__all__ = ["Picture", "decode"]

_STRICT = {"err_detect": "crccheck+bitstream+buffer+explode", "threads": "1"}
# Lengths in seconds agree where they differ by less: encoders round, and pad the sound.
_SLACK = Fraction(1, 4)
_SOUND_SLACK = Fraction(1, 2)
# Writers may leave gaps between the frames of a file without fragments: up to this part is no oddity.
_GAPS = Fraction(1, 1000)


@dataclass(frozen=True)
class Picture:
    """The decoded video as it is shown: size in pixels, length in seconds, frames per second, sound, oddities."""

    width: int
    height: int
    seconds: Fraction
    fps: Fraction
    has_audio: bool
    oddities: tuple[Message, ...]


def decode(
    path: Path,
    structure: Structure,
    bounds: Bounds,
    begin: Callable[[float], None] | None = None,
    look: Look | None = None,
) -> Picture:
    """Read every packet of a file and decode it, pictures and sound.

    Args:
        path: The file.
        structure: What its outer boxes say.
        bounds: The largest frame and the longest video to decode.
        begin: Called with the length in seconds before the first frame.
        look: Called with each decoded frame and its time in seconds, so that previews need no second decoding. Neither
            of the two may raise.

    Raises:
        InvalidMedia: If a frame is damaged or missing, or there is no video.
        UnverifiedVideo: If it exceeds the bounds, or if FFmpeg cannot decode this kind of video.
    """
    options = {**_STRICT, "max_pixels": str(bounds.frame_pixels)}
    tracks: dict[int, Track] = {}
    with _ffmpeg_errors(bounds):
        with _opened(path, options) as container:
            shown = _shown(container)
        # Every frame is decoded, whether an edit list shows it or not.
        with _opened(path, {**options, "ignore_editlist": "1"}) as container:
            pictures, sounds, oddities = _decodable(container, structure)
            tracks |= {each.index: Video(each, options, bounds) for each in pictures}
            tracks |= {each.index: Sound(each, options, bounds) for each in sounds}
            main = tracks[max(pictures, key=lambda each: each.frames).index]
            assert isinstance(main, Video)  # noqa: S101 - for the type checker
            if begin is not None:
                begin(float(main.stated))
            main.look = look
            read = 0
            for packet in container.demux():
                read += packet.size
                if packet.stream_index in tracks:
                    tracks[packet.stream_index].feed(packet)
            for track in tracks.values():
                track.finish()
            oddities += _unread(structure, read)
            _check_end(structure, main, max(track.span for track in tracks.values()))
            lengths = [tracks[each.index].span for each in sounds]
            if main.stream.index not in shown:
                raise InvalidMedia(message("video.nothing_shown"))
            # FFmpeg does not apply edit lists to fragments.
            seconds = main.span if structure.fragmented else shown[main.stream.index]
            return _picture(main, lengths, seconds, oddities)


def _opened(path: Path, options: dict[str, str]) -> InputContainer:
    import av  # noqa: PLC0415 - loading the codecs takes time, and most callers never decode

    # Its outer boxes were read already, so its kind is known, whatever its name or first box may be.
    return av.open(str(path), "r", format="mov", options=options, metadata_errors="ignore")


@contextmanager
def _ffmpeg_errors(bounds: Bounds) -> Iterator[None]:
    import av  # noqa: PLC0415 - as above

    # Some old decoders report damage as "not permitted", which is the number -1.
    damage = (av.error.InvalidDataError, av.error.EOFError, av.error.ArgumentError, av.error.PermissionError)
    try:
        yield
    except (InvalidMedia, UnverifiedVideo):
        raise
    except Exception as error:  # a hostile file may make FFmpeg and PyAV raise anything
        if getattr(error, "errno", None) == ERANGE:  # the AV1 decoder's word for a frame above `max_pixels`
            raise UnverifiedVideo(message("video.frame_too_large", pixels=bounds.frame_pixels)) from error
        reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
        if isinstance(error, damage):
            raise InvalidMedia(message("video.not_decoded", reason=reason)) from error
        raise UnverifiedVideo(message("video.not_understood", reason=reason)) from error


def _decodable(container: InputContainer, structure: Structure) -> tuple[list[Any], list[Any], tuple[Message, ...]]:
    """The streams to decode. Where FFmpeg can decode one of several, the others are no reason to refuse a video."""
    from av.stream import Disposition  # noqa: PLC0415 - as above

    # PyAV's types do not say that a stream without a decoder has no codec context.
    moving: list[Any] = [each for each in container.streams.video if not each.disposition & Disposition.attached_pic]
    if not moving:
        raise InvalidMedia(message("video.no_track"))
    audible: list[Any] = list(container.streams.audio)
    pictures = [each for each in moving if each.codec_context is not None]
    sounds = [each for each in audible if each.codec_context is not None]
    codecs = ", ".join(structure.codecs)
    if not pictures or (audible and not sounds):
        raise UnverifiedVideo(message("video.no_decoder", codecs=codecs))
    oddities: list[Message] = []
    if len(moving) < len(container.streams.video):
        oddities.append(message("video.cover"))
    if len(pictures) > 1:
        oddities.append(message("video.several_tracks", count=len(pictures)))
    if len(pictures) + len(sounds) < len(moving) + len(audible):
        oddities.append(message("video.no_decoder_for_all", codecs=codecs))
    return pictures, sounds, tuple(oddities)


def _shown(container: InputContainer) -> dict[int, Fraction]:
    """The length in seconds that the edit lists show of each track; tracks of pictures that they hide are not there."""
    hidden = {stream.index for stream in container.streams.video}
    for packet in container.demux():
        if packet.size and not packet.is_discard:
            hidden.discard(packet.stream_index)
        if not hidden:
            break
    return {stream.index: length_of(stream) for stream in container.streams if stream.index not in hidden}


def _unread(structure: Structure, read: int) -> tuple[Message, ...]:
    """What was not read of the media data. In fragments, it belonged to a frame that was lost."""
    text = message("video.unread", bytes=structure.media_bytes - read)
    if structure.fragmented and read < structure.media_bytes:
        raise InvalidMedia(text)
    return (text,) if read < structure.media_bytes * (1 - _GAPS) else ()


def _check_end(structure: Structure, main: Video, longest: Fraction) -> None:
    """Refuse a fragmented file that lacks a fragment."""
    if structure.stated is not None and longest + main.step / 2 < structure.stated:
        raise InvalidMedia(message("video.fragment_end"))
    if structure.lacks_numbers and main.has_gap:
        raise InvalidMedia(message("video.fragment_missing"))


def _picture(main: Video, sounds: list[Fraction], shown: Fraction, oddities: tuple[Message, ...]) -> Picture:
    width, height = next(iter(main.sizes))
    if len(main.sizes) > 1:
        oddities += (message("video.other_sizes", count=len(main.sizes)),)
    if main.rotation:
        oddities += (message("video.rotated", degrees=main.rotation),)
        width, height = (height, width) if main.rotation % 180 else (width, height)
    if main.out_of_order:
        oddities += (message("video.frame_order"),)
    seconds = main.span
    if shown and abs(shown - seconds) > _SLACK:
        oddities += (message("video.edit", found=float(seconds), expected=float(shown)),)
        seconds = shown
    oddities += tuple(
        message("video.uneven", sound=float(sound), picture=float(main.span))
        for sound in sounds
        if abs(sound - main.span) > _SOUND_SLACK
    )
    return Picture(width, height, seconds, main.rate, bool(sounds), oddities)
