"""What an MP4 file says about one track, and whether it agrees with itself (ISO/IEC 14496-12, section 8)."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import accumulate, pairwise

from .boxes import Box, Flaw, fields, inner_boxes, maybe, only, table

# How far two statements about one length may lie apart: encoders round, and sound is padded to whole frames.
SLACK_SECONDS = 0.15
SLACK_SHARE = 0.01

_ONE = 0x10000  # 1.0 in 16.16 fixed point
_TURNS = {(_ONE, 0, 0, _ONE), (0, _ONE, -_ONE, 0), (-_ONE, 0, 0, -_ONE), (0, -_ONE, _ONE, 0)}
_UNKNOWN_LENGTHS = (0, 0xFFFFFFFF, 0xFFFFFFFFFFFFFFFF)
_MEDIA_HEADS = {b"vmhd": "vide", b"smhd": "soun"}


@dataclass(frozen=True)
class Track:
    """One track as its tables describe it.

    Attributes:
        kind: `vide`, `soun`, or another handler's four letters.
        track_id: Its number in the file.
        scale: Units per second of its clock.
        seconds: Length by the media header; None where that says "unknown" (files made of fragments).
        samples: How many frames (or sound packets) the tables list.
        shown: First and last tick of its own clock that its edit list shows; None where nothing is left out.
        size: Width and height in pixels as the sample entry tells; (0, 0) for sound.
        sound: Channels and samples per second as the sample entry tells; (0, 0) for pictures.
        sync_samples: Numbers, from 1, of the frames that decoding can start at; None where all are.
        chunks: Byte ranges `(start, end)` in the file.
        slack: How far in seconds its content may be off its told length.
    """

    kind: str
    track_id: int
    scale: int
    seconds: float | None
    samples: int
    shown: tuple[float, float] | None
    size: tuple[int, int]
    sound: tuple[int, int]
    sync_samples: tuple[int, ...] | None
    chunks: tuple[tuple[int, int], ...]
    slack: float = SLACK_SECONDS


def read_track(data: bytes, trak: Box, movie_scale: int) -> Track:
    """Read one track box and hold its tables against each other.

    Args:
        data: The bytes that the box's offsets refer to.
        trak: The track's box.
        movie_scale: Units per second of the whole movie's clock.

    Raises:
        Flaw: If a table is missing, damaged, or contradicts another.
    """
    parts = inner_boxes(data, trak.start, trak.end, "trak")
    mdia = _children(data, parts, b"mdia", "trak")
    minf = _children(data, mdia, b"minf", "mdia")
    stbl = _children(data, minf, b"stbl", "minf")
    kind = _handler(data, mdia, minf)
    head = fields(data, only(parts, b"tkhd", "trak"), ("I2I2I I2I4H 9i2I", "I2Q2I Q2I4H 9i2I"))
    scale, length = fields(data, only(mdia, b"mdhd", "mdia"), ("I2I2I2H", "I2QIQ2H"))[3:5]
    if not scale or not movie_scale:
        raise Flaw("a clock has no unit")
    seconds = None if length in _UNKNOWN_LENGTHS else length / scale
    size, sound = _sample_entries(data, only(stbl, b"stsd", "stbl"), kind)
    if kind == "vide":
        _check_display(head, size, _pixel_shape(data, only(stbl, b"stsd", "stbl")))
    if kind in ("vide", "soun") and not head[0] & 1:
        raise Flaw(f"the {kind!r} track is switched off")
    _check_reference(data, _children(data, minf, b"dinf", "minf"))
    samples = _check_times(data, stbl, scale, seconds)
    shown = _check_edits(data, parts, head[5], movie_scale, seconds, scale)
    return Track(
        kind=kind,
        track_id=head[3],
        scale=scale,
        seconds=seconds,
        samples=samples,
        shown=shown,
        size=size,
        sound=sound,
        sync_samples=_sync_samples(data, stbl, samples),
        chunks=_chunks(data, stbl, samples),
    )


def agree(one: float, other: float, slack: float = SLACK_SECONDS) -> bool:
    """Tell whether two lengths in seconds are the same but for rounding and padding."""
    return abs(one - other) <= max(slack, SLACK_SHARE * max(one, other))


def check_matrix(matrix: tuple[int, ...]) -> None:
    """Allow a picture to be turned by quarters, and nothing else.

    Raises:
        Flaw: If it would be stretched, sheared or projected.
    """
    a, b, u, c, d, v, _x, _y, w = matrix
    if (a, b, c, d) not in _TURNS or (u, v, w) != (0, 0, 1 << 30):
        raise Flaw("the picture's matrix would distort it")


def _children(data: bytes, boxes: list[Box], kind: bytes, where: str) -> list[Box]:
    box = only(boxes, kind, where)
    return inner_boxes(data, box.start, box.end, kind.decode())


def _handler(data: bytes, mdia: list[Box], minf: list[Box]) -> str:
    box = only(mdia, b"hdlr", "mdia")
    kind = data[box.start + 8 : box.start + 12].decode("latin-1")
    for head, expected in _MEDIA_HEADS.items():
        if maybe(minf, head, "minf") is not None and kind != expected:
            raise Flaw(f"a track with a {head.decode()!r} box calls itself {kind!r}")
    if kind in _MEDIA_HEADS.values() and not any(box.kind in _MEDIA_HEADS for box in minf):
        raise Flaw(f"the {kind!r} track has no media header")
    return kind


def _sample_entries(data: bytes, stsd: Box, kind: str) -> tuple[tuple[int, int], tuple[int, int]]:
    entries = inner_boxes(data, stsd.start + 8, stsd.end, "stsd")
    if not entries or len(entries) != int.from_bytes(data[stsd.start + 4 : stsd.start + 8]):
        raise Flaw("the sample descriptions do not match their count")
    size = sound = (0, 0)
    for entry in entries:
        if int.from_bytes(data[entry.start + 6 : entry.start + 8]) != 1:
            raise Flaw("a sample description points to other data")
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
        raise Flaw("pixels without a shape")
    return across / down


def _check_display(head: tuple[int, ...], size: tuple[int, int], pixel_shape: float) -> None:
    check_matrix(head[12:21])
    width, height = head[21:23]
    if not all(size):
        raise Flaw("the picture has no size")
    if not width or not height:
        return  # "as the samples are"
    if abs(width / height / (size[0] * pixel_shape / size[1]) - 1) > 0.05:
        raise Flaw("the picture would be shown in another shape than it was made")


def _check_reference(data: bytes, dinf: list[Box]) -> None:
    dref = only(dinf, b"dref", "dinf")
    entries = inner_boxes(data, dref.start + 8, dref.end, "dref")
    if len(entries) != int.from_bytes(data[dref.start + 4 : dref.start + 8]) or not entries:
        raise Flaw("the data references do not match their count")
    if any(not data[entry.start + 3] & 1 for entry in entries):
        raise Flaw("its pictures or sound lie in another file")


def _check_times(data: bytes, stbl: list[Box], scale: int, seconds: float | None) -> int:
    steps = table(data, only(stbl, b"stts", "stbl"), ("II",))
    samples = sum(count for count, _ in steps)
    ticks = sum(count * step for count, step in steps)
    if seconds is not None and samples and not agree(ticks / scale, seconds):
        raise Flaw(f"its frames last {ticks / scale:.2f} s, its header says {seconds:.2f} s")
    ctts = maybe(stbl, b"ctts", "stbl")
    if ctts is not None and sum(row[0] for row in table(data, ctts, ("II", "Ii"))) != samples:
        raise Flaw("the display times do not match the number of samples")
    return samples


def _check_edits(
    data: bytes, trak: list[Box], shown: int, movie_scale: int, seconds: float | None, scale: int
) -> tuple[float, float] | None:
    edits: list[tuple[int, ...]] = []
    edts = maybe(trak, b"edts", "trak")
    if edts is not None:
        edits = table(data, only(inner_boxes(data, edts.start, edts.end, "edts"), b"elst", "edts"), ("Ii2h", "Qq2h"))
    if seconds is None:
        return None
    total = sum(edit[0] for edit in edits) / movie_scale if edits else seconds
    if shown not in _UNKNOWN_LENGTHS and not agree(total, shown / movie_scale):
        raise Flaw(f"the track is shown for {shown / movie_scale:.2f} s, its content lasts {total:.2f} s")
    played = [edit for edit in edits if edit[1] != -1]
    if any(edit[2:] != (1, 0) or edit[1] < 0 for edit in played):
        raise Flaw("an edit changes the speed")
    # What is left out at the start, and what is played, must together be the whole: nothing hidden, nothing beyond.
    if played and not agree(played[0][1] / scale + sum(edit[0] for edit in played) / movie_scale, seconds):
        raise Flaw("an edit hides a part of the track or reaches beyond it")
    start, length = (played[0][1], sum(edit[0] for edit in played)) if played else (0, 0)
    return (start, start + length * scale / movie_scale) if played else None


def _sync_samples(data: bytes, stbl: list[Box], samples: int) -> tuple[int, ...] | None:
    stss = maybe(stbl, b"stss", "stbl")
    if stss is None:
        return None
    numbers = tuple(row[0] for row in table(data, stss, ("I",)))
    if any(one >= other for one, other in pairwise(numbers)) or (numbers and numbers[-1] > samples):
        raise Flaw("the list of key frames is out of order")
    if samples and (not numbers or numbers[0] != 1):
        raise Flaw("the first frame is not a key frame")
    return numbers


def _chunks(data: bytes, stbl: list[Box], samples: int) -> tuple[tuple[int, int], ...]:
    kind = b"co64" if maybe(stbl, b"co64", "stbl") is not None else b"stco"
    offsets = [row[0] for row in table(data, only(stbl, kind, "stbl"), ("Q" if kind == b"co64" else "I",))]
    counts = _samples_per_chunk(data, stbl, len(offsets))
    if sum(counts) != samples:
        raise Flaw(f"its chunks hold {sum(counts)} samples, its times are for {samples}")
    ends = list(accumulate(counts))
    sizes = _sizes(data, stbl, samples)
    if isinstance(sizes, int):
        lengths = [count * sizes for count in counts]
    else:
        places = [0, *accumulate(sizes)]
        lengths = [places[end] - places[end - count] for count, end in zip(counts, ends, strict=True)]
    return tuple((offset, offset + length) for offset, length in zip(offsets, lengths, strict=True))


def _samples_per_chunk(data: bytes, stbl: list[Box], chunks: int) -> list[int]:
    runs = table(data, only(stbl, b"stsc", "stbl"), ("III",))
    firsts = [run[0] for run in runs] + [chunks + 1]
    if any(one >= other for one, other in pairwise(firsts)) or firsts[0] != 1 or any(run[2] != 1 for run in runs):
        raise Flaw("the list of chunks is out of order")
    counts: list[int] = []
    for run, following in zip(runs, firsts[1:], strict=True):
        counts += [run[1]] * (following - run[0])
    return counts


def _sizes(data: bytes, stbl: list[Box], samples: int) -> int | list[int]:
    box = maybe(stbl, b"stsz", "stbl")
    if box is None:
        raise Flaw("the sizes of its samples are missing")
    if box.end - box.start < 12:
        raise Flaw("the list of sample sizes is too small")
    each, count = (
        int.from_bytes(data[box.start + 4 : box.start + 8]),
        int.from_bytes(data[box.start + 8 : box.start + 12]),
    )
    body = data[box.start + 12 : box.end]
    if count != samples or len(body) != (0 if each else 4 * count):
        raise Flaw(f"{count} sample sizes for {samples} samples")
    return each or [int.from_bytes(body[place : place + 4]) for place in range(0, len(body), 4)]


def _u16(data: bytes, place: int) -> int:
    return int.from_bytes(data[place : place + 2])
