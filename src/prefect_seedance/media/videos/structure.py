"""The structure of an MP4 file: whether it is complete, by its tables, without decoding."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import BinaryIO

from prefect_seedance.errors import InvalidMedia
from prefect_seedance.media.boxes import Box, fields, inner_boxes, is_known, maybe, only, top_boxes
from prefect_seedance.media.documents import text_format
from prefect_seedance.media.videos.fragments import Piece, read_defaults, read_fragments
from prefect_seedance.media.videos.times import UNKNOWN_LENGTHS, agree
from prefect_seedance.media.videos.tracks import Track, check_matrix, read_track
from prefect_seedance.media.videos.unpacking import compression_of
from prefect_seedance.messages import Message, message

# The description of a video of several hours takes a few MiB.
_MOST_DESCRIPTION = 64 << 20
# The first box of an MP4 file names its brands: the specifications that it conforms to.
_BRANDS = (b"iso", b"mp4", b"avc", b"M4V", b"qt  ", b"dash", b"cmf", b"msd", b"3gp", b"f4v", b"hvc", b"av01")


@dataclass(frozen=True)
class Structure:
    """What the tables of a whole file say.

    Attributes:
        video: The one video track.
        sounds: The audio tracks.
        oddities: What is unusual about the file and takes nothing from the video.
    """

    video: Track
    sounds: tuple[Track, ...]
    oddities: tuple[Message, ...] = ()


def read_structure(path: Path, announced: int | None = None) -> Structure:
    """Read and check the structure of a video file.

    Args:
        path: The file.
        announced: Its length in bytes as the server stated it, where known. It proves that a fragmented file without an
            end mark is complete.

    Raises:
        InvalidMedia: If the file is not an MP4 file, is truncated, or contradicts itself.
    """
    size = path.stat().st_size
    if announced is not None and size != announced:
        raise InvalidMedia(message("video.truncated", size=size, announced=announced))
    with path.open("rb") as file:
        head = file.read(512)
        _refuse_other_kinds(head)
        try:
            boxes = top_boxes(file, size)
        except InvalidMedia:
            if is_known(head[4:8]):
                raise
            raise InvalidMedia(message("video.not_mp4")) from None
        oddities = _oddities(file, boxes)
        movie = only(boxes, b"moov", "the file")
        data = _content(file, movie)
        parts = inner_boxes(data, 0, len(data), "moov")
        scale, length = _movie_head(data, parts)
        tracks = [read_track(data, box, scale) for box in parts if box.kind == b"trak"]
        mvex = maybe(parts, b"mvex", "moov")
        if mvex is not None:
            extra = inner_boxes(data, mvex.start, mvex.end, "mvex")
            tracks = read_fragments(_pieces(file, boxes), read_defaults(data, extra, tracks), tracks)
            length = _stated_length(data, extra, scale)
            if length is None and announced is None and not _has_end_mark(file, boxes[-1], size):
                raise InvalidMedia(message("video.fragment_end"))
        if length is not None and not any(
            agree(track.times.presented or 0, length, track.times.slack) for track in tracks
        ):
            raise InvalidMedia(message("video.no_track_as_long", expected=length))
    _check_ranges(tracks, [box for box in boxes if box.kind == b"mdat"])
    videos = [track for track in tracks if track.kind == "vide"]
    if len(videos) != 1:
        raise InvalidMedia(message("video.tracks", count=len(videos)))
    if not videos[0].times.samples:
        raise InvalidMedia(message("video.empty_track"))
    sounds = tuple(track for track in tracks if track.kind == "soun")
    return Structure(videos[0], sounds, oddities)


def _refuse_other_kinds(head: bytes) -> None:
    if not head:
        raise InvalidMedia(message("media.empty"))
    kind = text_format(head) or compression_of(head)
    if kind is not None:
        raise InvalidMedia(message("media.other_format", format=kind))


def _oddities(file: BinaryIO, boxes: list[Box]) -> tuple[Message, ...]:
    """What the opening says in an unusual way. Players do not need it, and damage elsewhere is found elsewhere."""
    if boxes[0].kind != b"ftyp":
        return (message("video.odd_opening", box=boxes[0].name),)
    data = _content(file, boxes[0])
    brands = [data[:4], *(data[offset : offset + 4] for offset in range(8, len(data), 4))]
    if len(data) < 8 or not any(brand.startswith(_BRANDS) for brand in brands):
        return (message("video.odd_brand"),)
    return ()


def _content(file: BinaryIO, box: Box) -> bytes:
    if box.end - box.start > _MOST_DESCRIPTION:
        raise InvalidMedia(message("video.box_too_large", box=box.name))
    file.seek(box.start)
    return file.read(box.end - box.start)


def _movie_head(data: bytes, parts: list[Box]) -> tuple[int, float | None]:
    head = fields(data, only(parts, b"mvhd", "moov"), ("I2I2I iH 10x 9i 24x I", "I2QIQ iH 10x 9i 24x I"))
    scale, length = head[3:5]
    if not scale:
        raise InvalidMedia(message("video.no_clock"))
    if head[5] != 0x10000:
        raise InvalidMedia(message("video.speed"))
    check_matrix(head[7:16])
    unknown = length in UNKNOWN_LENGTHS
    return scale, None if unknown else length / scale


def _check_ranges(tracks: list[Track], stores: list[Box]) -> None:
    if len({track.track_id for track in tracks}) != len(tracks):
        raise InvalidMedia(message("video.tracks_same_number"))
    ranges = sorted(chunk for track in tracks for chunk in track.chunks if chunk[1] > chunk[0])
    for start, end in ranges:
        if not any(store.start <= start and end <= store.end for store in stores):
            raise InvalidMedia(message("video.outside_data"))
    if any(one[1] > other[0] for one, other in pairwise(ranges)):
        raise InvalidMedia(message("video.tracks_overlap"))


def _stated_length(data: bytes, mvex: list[Box], scale: int) -> float | None:
    mehd = maybe(mvex, b"mehd", "mvex")
    return None if mehd is None else fields(data, mehd, ("II", "IQ"))[1] / scale


def _pieces(file: BinaryIO, boxes: list[Box]) -> list[Piece]:
    pieces: list[Piece] = []
    for box, following in pairwise([*boxes, Box(b"    ", 0, 0)]):
        if box.kind == b"moof":
            if following.kind != b"mdat":
                raise InvalidMedia(message("video.fragment_no_data"))
            pieces.append(Piece(box, _content(file, box), following.end - following.start))
    return pieces


def _has_end_mark(file: BinaryIO, last: Box, size: int) -> bool:
    # A fragmented file may end with an index; its last four bytes are the size of the index.
    if last.kind != b"mfra" or last.end - last.start < 16:
        return False
    file.seek(size - 16)
    length, kind, _version, whole = struct.unpack(">I4sII", file.read(16))
    return bool(length == 16 and kind == b"mfro" and whole == last.end - last.start + 8)
