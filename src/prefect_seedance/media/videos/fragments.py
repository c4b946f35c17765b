"""Fragmented files: each fragment has its own tables (ISO/IEC 14496-12, section 8.8)."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import pairwise

from prefect_seedance.errors import InvalidMedia
from prefect_seedance.media.boxes import Box, fields, inner_boxes, maybe, only, version_of
from prefect_seedance.media.videos.times import SLACK_SECONDS, Times, agree, slack_of
from prefect_seedance.media.videos.tracks import Track
from prefect_seedance.messages import message

# Flags of tfhd and trun: which optional fields follow, in this order.
_TFHD = ((0x1, "Q"), (0x2, "I"), (0x8, "I"), (0x10, "I"), (0x20, "I"))
_TRUN_HEAD = ((0x1, "i"), (0x4, "I"))
# Writers estimate the length of the last audio sample of a fragment, since they do not know the next one yet.
_SLACK_SECONDS = 0.25
_TRUN_ROW = ((0x100, "I"), (0x200, "I"), (0x400, "I"), (0x800, "i"))


@dataclass(frozen=True)
class Defaults:
    """The values for samples of a track where their fragment does not state others."""

    duration: int
    size: int


@dataclass(frozen=True)
class Piece:
    """A fragment: its box, its content, and the length in bytes of the data that follows it."""

    box: Box
    content: bytes
    data_bytes: int


@dataclass
class _Sum:
    scale: int
    samples: int
    ticks: int

    def times(self, head: Times) -> Times:
        """Return the times of the whole track; `head` has those of its first fragment."""
        seconds = self.ticks / self.scale
        return replace(
            head,
            seconds=seconds,
            samples=self.samples,
            ticks=self.ticks,
            slack=slack_of(seconds, self.samples),
            presented=seconds,
            shown=None,
        )


def read_defaults(data: bytes, mvex: list[Box], tracks: list[Track]) -> dict[int, Defaults]:
    """Read the defaults of each track.

    Raises:
        InvalidMedia: If they do not match the tracks of the file exactly.
    """
    rows = [fields(data, box, ("6I",)) for box in mvex if box.kind == b"trex"]
    found = {row[1]: Defaults(duration=row[3], size=row[4]) for row in rows}
    if len(found) != len(rows) or set(found) != {track.track_id for track in tracks}:
        raise InvalidMedia(message("video.fragment_track"))
    if any(row[2] != 1 for row in rows):
        raise InvalidMedia(message("video.fragment_track"))
    return found


def read_fragments(pieces: list[Piece], defaults: Mapping[int, Defaults], tracks: list[Track]) -> list[Track]:
    """Check that the fragments follow each other without a gap, and add them up.

    Args:
        pieces: The fragments in the order of the file.
        defaults: From `read_defaults`.
        tracks: The tracks of the file's head, without samples.

    Returns:
        The tracks with the lengths and numbers of samples of all fragments.

    Raises:
        InvalidMedia: If one is missing, damaged, or does not fit its data.
    """
    # The samples of the first fragment may be in the head, as in a file without fragments.
    sums = {track.track_id: _Sum(track.times.scale, track.times.samples, track.times.ticks) for track in tracks}
    numbers = [_read_fragment(piece, defaults, sums) for piece in pieces]
    if any(other != one + 1 for one, other in pairwise(numbers)):
        raise InvalidMedia(message("video.fragment_missing"))
    whole = [replace(track, times=sums[track.track_id].times(track.times)) for track in tracks]
    lengths = [track.times.seconds for track in whole if track.kind in ("vide", "soun") and track.times.seconds]
    if lengths and not agree(min(lengths), max(lengths), _SLACK_SECONDS):
        raise InvalidMedia(message("video.uneven"))
    return whole


def _read_fragment(piece: Piece, defaults: Mapping[int, Defaults], sums: dict[int, _Sum]) -> int:
    data = piece.content
    parts = inner_boxes(data, 0, len(data), "moof")
    total = 0
    for traf in (part for part in parts if part.kind == b"traf"):
        boxes = inner_boxes(data, traf.start, traf.end, "traf")
        track_id, own = _head(data, only(boxes, b"tfhd", "traf"), defaults)
        start = maybe(boxes, b"tfdt", "traf")
        if start is not None:
            _follow(sums[track_id], fields(data, start, ("II", "IQ"))[1])
        for run in (box for box in boxes if box.kind == b"trun"):
            total += _add_run(data, run, own, sums[track_id])
    if total != piece.data_bytes:
        raise InvalidMedia(message("video.fragment_data", found=total, expected=piece.data_bytes))
    return fields(data, only(parts, b"mfhd", "moof"), ("II",))[1]


def _follow(total: _Sum, start: int) -> None:
    # The length of the last frame of a fragment is an estimate of the writer; the next fragment corrects it.
    if abs(start - total.ticks) > SLACK_SECONDS * total.scale:
        raise InvalidMedia(message("video.fragment_missing"))
    total.ticks = start


def _head(data: bytes, tfhd: Box, defaults: Mapping[int, Defaults]) -> tuple[int, Defaults]:
    flags = _flags(data, tfhd)
    present = [flag for flag, _ in _TFHD if flags & flag]
    layout = ">I" + "".join(kind for flag, kind in _TFHD if flags & flag)
    if struct.calcsize(layout) != tfhd.end - tfhd.start - 4:
        raise InvalidMedia(message("video.box_length", box=tfhd.name))
    track_id, *values = struct.unpack(layout, data[tfhd.start + 4 : tfhd.end])
    if track_id not in defaults or flags & 0x10000:
        raise InvalidMedia(message("video.fragment_track"))
    optional = dict(zip(present, values, strict=True))
    if optional.get(0x2, 1) != 1:
        raise InvalidMedia(message("video.fragment_track"))
    usual = defaults[track_id]
    return track_id, Defaults(optional.get(0x8, usual.duration), optional.get(0x10, usual.size))


def _add_run(data: bytes, trun: Box, own: Defaults, total: _Sum) -> int:
    flags = _flags(data, trun)
    head = 8 + sum(4 for flag, _ in _TRUN_HEAD if flags & flag)
    row = struct.Struct(">" + "".join(kind for flag, kind in _TRUN_ROW if flags & flag))
    count = int.from_bytes(data[trun.start + 4 : trun.start + 8])
    body = data[trun.start + head : trun.end]
    if len(body) != count * row.size or (not row.size and count > 1_000_000):
        raise InvalidMedia(message("video.box_length", box=trun.name))
    rows = list(row.iter_unpack(body)) if row.size else [()] * count
    at_size = 1 if flags & 0x100 else 0
    durations = [one[0] for one in rows] if flags & 0x100 else [own.duration] * count
    if not all(durations[:-1]):  # the writer may not know the last one yet
        raise InvalidMedia(message("video.fragment_frame"))
    total.samples += count
    total.ticks += sum(durations)
    return sum(one[at_size] for one in rows) if flags & 0x200 else own.size * count


def _flags(data: bytes, box: Box) -> int:
    version_of(data, box, 2)
    return int.from_bytes(data[box.start + 1 : box.start + 4])
