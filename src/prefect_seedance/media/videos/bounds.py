"""How large a video may be before its proof is given up: what a route sells, and a margin."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["WIDEST", "Bounds"]


@dataclass(frozen=True)
class Bounds:
    """The limits of one proof.

    Attributes:
        frame_pixels: Pixels of one frame.
        seconds: Length of the video in seconds.
    """

    frame_pixels: int
    seconds: float


WIDEST = Bounds(frame_pixels=2 * 3840 * 2160, seconds=120)
"""For a file whose route is not known: twice 4K, and two minutes."""
