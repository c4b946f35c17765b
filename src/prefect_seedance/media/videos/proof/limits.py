"""What a proof may take of the machine: derived from the largest frame and the longest video that a route sells."""

from __future__ import annotations

import math
from dataclasses import dataclass

from prefect_seedance.media.videos.bounds import Bounds

__all__ = ["ProofLimits", "limits_of"]

_BASE_MEMORY = 256 << 20
_BYTES_PER_PIXEL = 64
"""A decoder holds some 20 frames, each of 1.5 to 3 bytes a pixel."""

_BASE_SECONDS = 10
_FPS = 60
_PIXELS_PER_SECOND = 100_000_000
"""A slow core decodes four times as many."""

_LONGEST_WAIT = 3600.0


@dataclass(frozen=True)
class ProofLimits:
    """The limits of a child process during one proof.

    Attributes:
        memory: Bytes beyond those that it uses when it has started.
        cpu_seconds: Seconds of processor time.
        wall_seconds: Seconds until it counts as hanging.
    """

    memory: int
    cpu_seconds: int
    wall_seconds: float


def limits_of(bounds: Bounds) -> ProofLimits:
    """The limits for a video within these bounds: generous, since a paid video must never fail for a slow machine."""
    cpu = math.ceil(_BASE_SECONDS + bounds.frame_pixels * bounds.seconds * _FPS / _PIXELS_PER_SECOND)
    # Children have a low priority: on a busy machine they get a tenth of a core.
    wall = min(60 + 10.0 * cpu, _LONGEST_WAIT)
    return ProofLimits(_BASE_MEMORY + bounds.frame_pixels * _BYTES_PER_PIXEL, cpu, wall)
