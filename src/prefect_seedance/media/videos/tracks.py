"""The tables of one track of an MP4 file, and whether they are consistent (ISO/IEC 14496-12, section 8)."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import accumulate, pairwise

from prefect_seedance.errors import InvalidMedia
from prefect_seedance.media.boxes import Box, fields, inner_boxes, maybe, only, table
from prefect_seedance.media.videos.times import Times, read_times
from prefect_seedance.messages import message

_ONE = 0x10000  # 1.0 in 16.16 fixed point
_ROTATIONS = {(_ONE, 0, 0, _ONE), (0, _ONE, -_ONE, 0), (-_ONE, 0, 0, -_ONE), (0, -_ONE, _ONE, 0)}
_MEDIA_HEADS = {b"vmhd": "vide", b"smhd": "soun"}


@dataclass(frozen=True)
class Track:
    """One track as its tables describe it.

    Attributes:
        kind: `vide`, `soun`, or another handler's four letters.
        track_id: Its number in the file.
        times: Its length and number of samples.
        size: Width and height in pixels by the sample entry; (0, 0) for audio.
        sound: Channels and samples per second by the sample entry; (0, 0) for video.
        sync_samples: Numbers, from 1, of the frames at which decoding can start; None: all frames.
        chunks: Byte ranges `(start, end)` in the file.
    """

    kind: str
    track_id: int
    times: Times
    size: tuple[int, int]
    sound: tuple[int, int]
    sync_samples: tuple[int, ...] | None
    chunks: tuple[tuple[int, int], ...]


def read_track(data: bytes, trak: Box, movie_scale: int) -> Track:
    """Read one track box and compare its tables with each other.

    Args:
        data: The bytes that the box's offsets refer to.
        trak: The track's box.
        movie_scale: Units per second of the whole movie's clock.

    Raises:
        InvalidMedia: If a table is missing, damaged, or contradicts another.
    """
    parts = inner_boxes(data, trak.start, trak.end, "trak")
    mdia = _children(data, parts, b"mdia", "trak")
    minf = _children(data, mdia, b"minf", "mdia")
    stbl = _children(data, minf, b"stbl", "minf")
    kind = _handler(data, mdia, minf)
    head = fields(data, only(parts, b"tkhd", "trak"), ("I2I2I I2I4H 9i2I", "I2Q2I Q2I4H 9i2I"))
    size, sound = _sample_entries(data, only(stbl, b"stsd", "stbl"), kind)
    if kind == "vide":
        _check_display(head, size, _pixel_shape(data, only(stbl, b"stsd", "stbl")))
    if kind in ("vide", "soun") and not head[0] & 1:
        raise InvalidMedia(message("video.track_off", track=kind))
    _check_reference(data, _children(data, minf, b"dinf", "minf"))
    times = read_times(data, parts, only(mdia, b"mdhd", "mdia"), stbl, movie_scale, head[5])
    return Track(
        kind=kind,
        track_id=head[3],
        times=times,
        size=size,
        sound=sound,
        sync_samples=_sync_samples(data, stbl, times.samples),
        chunks=_chunks(data, stbl, times.samples),
    )


def check_matrix(matrix: tuple[int, ...]) -> None:
    """Allow rotation by multiples of 90 degrees, and nothing else.

    Raises:
        InvalidMedia: If the matrix stretches, shears or projects the picture.
    """
    a, b, u, c, d, v, _x, _y, w = matrix
    if (a, b, c, d) not in _ROTATIONS or (u, v, w) != (0, 0, 1 << 30):
        raise InvalidMedia(message("video.matrix"))


def _children(data: bytes, boxes: list[Box], kind: bytes, where: str) -> list[Box]:
    box = only(boxes, kind, where)
    return inner_boxes(data, box.start, box.end, kind.decode())


def _handler(data: bytes, mdia: list[Box], minf: list[Box]) -> str:
    box = only(mdia, b"hdlr", "mdia")
    kind = data[box.start + 8 : box.start + 12].decode("latin-1")
    for head, expected in _MEDIA_HEADS.items():
        if maybe(minf, head, "minf") is not None and kind != expected:
            raise InvalidMedia(message("video.track_kind", box=head.decode(), track=kind))
    if kind in _MEDIA_HEADS.values() and not any(box.kind in _MEDIA_HEADS for box in minf):
        raise InvalidMedia(message("video.track_no_header", track=kind))
    return kind


def _sample_entries(data: bytes, stsd: Box, kind: str) -> tuple[tuple[int, int], tuple[int, int]]:
    entries = inner_boxes(data, stsd.start + 8, stsd.end, "stsd")
    if not entries or len(entries) != int.from_bytes(data[stsd.start + 4 : stsd.start + 8]):
        raise InvalidMedia(message("video.descriptions"))
    size = sound = (0, 0)
    for entry in entries:
        if int.from_bytes(data[entry.start + 6 : entry.start + 8]) != 1:
            raise InvalidMedia(message("video.descriptions"))
        if kind == "vide":
            size = (_u16(data, entry.start + 24), _u16(data, entry.start + 26))
            inner_boxes(data, entry.start + 78, entry.end, entry.name)
        elif kind == "soun" and _u16(data, entry.start + 8) == 0:
            sound = (_u16(data, entry.start + 16), _u16(data, entry.start + 24))
            inner_boxes(data, entry.start + 28, entry.end, entry.name)
    return size, sound


def _pixel_shape(data: bytes, stsd: Box) -> float:
    entry = inner_boxes(data, stsd.start + 8, stsd.end, "stsd")[0]
    pasp = maybe(inner_boxes(data, entry.start + 78, entry.end, entry.name), b"pasp", entry.name)
    if pasp is None or pasp.end - pasp.start != 8:
        return 1.0
    across, down = int.from_bytes(data[pasp.start : pasp.start + 4]), int.from_bytes(data[pasp.start + 4 : pasp.end])
    if not across or not down:
        raise InvalidMedia(message("video.shape"))
    return across / down


def _check_display(head: tuple[int, ...], size: tuple[int, int], pixel_shape: float) -> None:
    check_matrix(head[12:21])
    width, height = head[21:23]
    if not all(size):
        raise InvalidMedia(message("video.no_size"))
    if not width or not height:
        return  # "as the samples are"
    if abs(width / height / (size[0] * pixel_shape / size[1]) - 1) > 0.05:
        raise InvalidMedia(message("video.shape"))


def _check_reference(data: bytes, dinf: list[Box]) -> None:
    dref = only(dinf, b"dref", "dinf")
    entries = inner_boxes(data, dref.start + 8, dref.end, "dref")
    if len(entries) != int.from_bytes(data[dref.start + 4 : dref.start + 8]) or not entries:
        raise InvalidMedia(message("video.references"))
    if any(not data[entry.start + 3] & 1 for entry in entries):
        raise InvalidMedia(message("video.other_file"))


def _sync_samples(data: bytes, stbl: list[Box], samples: int) -> tuple[int, ...] | None:
    stss = maybe(stbl, b"stss", "stbl")
    if stss is None:
        return None
    numbers = tuple(row[0] for row in table(data, stss, ("I",)))
    if any(one >= other for one, other in pairwise(numbers)) or (numbers and numbers[-1] > samples):
        raise InvalidMedia(message("video.key_frames"))
    if samples and (not numbers or numbers[0] != 1):
        raise InvalidMedia(message("video.key_frames"))
    return numbers


def _chunks(data: bytes, stbl: list[Box], samples: int) -> tuple[tuple[int, int], ...]:
    kind = b"co64" if maybe(stbl, b"co64", "stbl") is not None else b"stco"
    offsets = [row[0] for row in table(data, only(stbl, kind, "stbl"), ("Q" if kind == b"co64" else "I",))]
    counts = _samples_per_chunk(data, stbl, len(offsets))
    if sum(counts) != samples:
        raise InvalidMedia(message("video.samples", found=sum(counts), expected=samples))
    ends = list(accumulate(counts))
    sizes = _sizes(data, stbl, samples)
    if isinstance(sizes, int):
        lengths = [count * sizes for count in counts]
    else:
        offsets_of_samples = [0, *accumulate(sizes)]
        lengths = [
            offsets_of_samples[end] - offsets_of_samples[end - count] for count, end in zip(counts, ends, strict=True)
        ]
    return tuple((offset, offset + length) for offset, length in zip(offsets, lengths, strict=True))


def _samples_per_chunk(data: bytes, stbl: list[Box], chunks: int) -> list[int]:
    runs = table(data, only(stbl, b"stsc", "stbl"), ("III",))
    firsts = [run[0] for run in runs] + [chunks + 1]
    if any(one >= other for one, other in pairwise(firsts)) or firsts[0] != 1 or any(run[2] != 1 for run in runs):
        raise InvalidMedia(message("video.chunks"))
    counts: list[int] = []
    for run, following in zip(runs, firsts[1:], strict=True):
        counts += [run[1]] * (following - run[0])
    return counts


def _sizes(data: bytes, stbl: list[Box], samples: int) -> int | list[int]:
    box = maybe(stbl, b"stsz", "stbl")
    if box is None:
        raise InvalidMedia(message("video.no_sample_sizes"))
    if box.end - box.start < 12:
        raise InvalidMedia(message("video.box_length", box=box.name))
    each, count = (
        int.from_bytes(data[box.start + 4 : box.start + 8]),
        int.from_bytes(data[box.start + 8 : box.start + 12]),
    )
    body = data[box.start + 12 : box.end]
    if count != samples or len(body) != (0 if each else 4 * count):
        raise InvalidMedia(message("video.samples", found=count, expected=samples))
    return each or [int.from_bytes(body[offset : offset + 4]) for offset in range(0, len(body), 4)]


def _u16(data: bytes, offset: int) -> int:
    return int.from_bytes(data[offset : offset + 2])
