"""The times of the samples of a track: clock, durations, edits (ISO/IEC 14496-12, sections 8.4 to 8.6)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from prefect_seedance.errors import InvalidMedia
from prefect_seedance.media.boxes import Box, fields, inner_boxes, maybe, only, table
from prefect_seedance.messages import message

# Allowed difference between two statements of one length: encoders round, pad audio, and count two frames more or less.
SLACK_SECONDS = 0.15
SLACK_SHARE = 0.01
SLACK_FRAMES = 2.5

UNKNOWN_LENGTHS = (0, 0xFFFFFFFF, 0xFFFFFFFFFFFFFFFF)

Rows = list[tuple[int, ...]]


@dataclass(frozen=True)
class Times:
    """The times of a track.

    Attributes:
        scale: Ticks per second of its clock.
        seconds: Length by the media header; None where that says "unknown" (files made of fragments).
        samples: Number of frames (or audio packets) in the tables.
        ticks: Their total length in ticks.
        slack: Allowed difference in seconds between its content and its stated length.
        presented: Length by the edit list, pauses included; None where unknown.
        shown: First and last tick that its edit list shows; None where it has none.
    """

    scale: int
    seconds: float | None
    samples: int
    ticks: int
    slack: float
    presented: float | None
    shown: tuple[float, float] | None


def agree(one: float, other: float, slack: float = SLACK_SECONDS) -> bool:
    """Return whether two lengths in seconds are equal except for rounding and padding."""
    return abs(one - other) <= max(slack, SLACK_SHARE * max(one, other))


def slack_of(seconds: float, samples: int) -> float:
    """Return the allowed difference, in seconds, from the stated length of a track with that number of frames."""
    return max(SLACK_SECONDS, SLACK_FRAMES * seconds / samples) if samples else SLACK_SECONDS


def read_times(data: bytes, trak: list[Box], mdhd: Box, stbl: list[Box], movie_scale: int, track_length: int) -> Times:
    """Read the times of a track and compare them with each other.

    Args:
        data: The bytes that the boxes' offsets refer to.
        trak: The boxes of the track.
        mdhd: Its media header.
        stbl: The boxes of its sample table.
        movie_scale: Ticks per second of the whole movie's clock.
        track_length: Length by the track header, in the movie's ticks.

    Raises:
        InvalidMedia: If a table is missing or damaged, or one length contradicts another.
    """
    scale, length = fields(data, mdhd, ("I2I2I2H", "I2QIQ2H"))[3:5]
    if not scale or not movie_scale:
        raise InvalidMedia(message("video.no_clock"))
    steps = table(data, only(stbl, b"stts", "stbl"), ("II",))
    ctts = maybe(stbl, b"ctts", "stbl")
    delays = [] if ctts is None else table(data, ctts, ("II", "Ii"))
    samples = sum(row[0] for row in steps)
    ticks = sum(count * step for count, step in steps)
    if delays and sum(row[0] for row in delays) != samples:
        raise InvalidMedia(message("video.display_times"))
    slack = slack_of(ticks / scale, samples)
    edits = _edits(data, trak)
    seconds = presented = shown = None
    if length not in UNKNOWN_LENGTHS:
        seconds = length / scale
        if samples and not agree(ticks / scale, seconds, slack):
            raise InvalidMedia(message("video.lengths", found=ticks / scale, expected=seconds))
        presented = sum(edit[0] for edit in edits) / movie_scale if edits else seconds
        if track_length not in UNKNOWN_LENGTHS and not agree(presented, track_length / movie_scale, slack):
            raise InvalidMedia(message("video.lengths", found=presented, expected=track_length / movie_scale))
        shown = _shown(edits, scale, movie_scale, _end(steps, delays), slack)
    return Times(scale, seconds, samples, ticks, slack, presented, shown)


def _edits(data: bytes, trak: list[Box]) -> Rows:
    edts = maybe(trak, b"edts", "trak")
    if edts is None:
        return []
    return table(data, only(inner_boxes(data, edts.start, edts.end, "edts"), b"elst", "edts"), ("Ii2h", "Qq2h"))


def _shown(edits: Rows, scale: int, movie_scale: int, end: int, slack: float) -> tuple[float, float] | None:
    played = [edit for edit in edits if edit[1] != -1]
    if any(edit[2:] != (1, 0) or edit[1] < 0 for edit in played):
        raise InvalidMedia(message("video.edit"))
    if not played:
        return None
    # The part omitted at the start plus the part shown must be the whole track.
    start = played[0][1]
    last = start + sum(edit[0] for edit in played) * scale / movie_scale
    if not agree(last / scale, end / scale, slack):
        raise InvalidMedia(message("video.edit"))
    return start, last


def _end(steps: Rows, delays: Rows) -> int:
    """Return the tick at which the last shown sample ends."""
    latest = begin = 0
    for count, step, delay in _runs(steps, delays):
        begin += count * step
        latest = max(latest, begin + delay)
    return latest


def _runs(steps: Rows, delays: Rows) -> Iterator[tuple[int, int, int]]:
    """Iterate over both run-length tables together: samples, step, delay."""
    waiting = iter(delays)
    left, delay = 0, 0
    for total, step in steps:
        rest = total
        while rest:
            if not left:
                left, delay = next(waiting, (rest, 0))
            count = min(rest, left) or rest
            yield count, step, delay
            rest -= count
            left = max(0, left - count)
