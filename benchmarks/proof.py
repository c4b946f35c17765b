"""What the verification of a file costs, by size and length: decoding every frame, hashing, and the preview pictures.

    .venv/bin/python benchmarks/proof.py

The videos are made here, of moving noise in blocks at a typical bit rate of providers; one process, one thread. It is
what saturates a machine first: see docs/guides/production.md.
"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

import av
import numpy as np

from prefect_seedance.media import Stills, inspect_video

SIZES = (
    (864, 496, 5, 2_000_000),
    (1280, 720, 5, 4_000_000),
    (1920, 1080, 5, 8_000_000),
    (1920, 1080, 15, 8_000_000),
)
"""Width, height, seconds, bits a second."""

FPS = 24
TIMES = 3


def film(path: Path, width: int, height: int, seconds: int, rate: int) -> None:
    chance = np.random.default_rng(1)
    coarse = (chance.random((height // 8 + 40, width // 8 + 40, 3)) * 255).astype(np.uint8)
    wall = coarse.repeat(8, 0).repeat(8, 1)
    with av.open(str(path), "w") as file:
        stream = file.add_stream("h264", rate=FPS)
        stream.width, stream.height, stream.pix_fmt, stream.bit_rate = width, height, "yuv420p", rate
        for number in range(FPS * seconds):
            at = number % 240
            picture = np.ascontiguousarray(wall[at : at + height, at : at + width])
            file.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        file.mux(stream.encode(None))


def proven(path: Path) -> float:
    """Return the seconds of processor time."""
    begun = time.process_time()
    stills = Stills()
    inspect_video(path, stills=stills)
    stills.finish()
    return time.process_time() - begun


def main() -> None:
    print("| film | MB | CPU s | films a core and day |\n| --- | ---: | ---: | ---: |")
    with tempfile.TemporaryDirectory(prefix="seedance-bench-") as folder:
        for width, height, seconds, rate in SIZES:
            path = Path(folder) / "film.mp4"
            film(path, width, height, seconds, rate)
            took = min(proven(path) for _ in range(TIMES))
            size = path.stat().st_size / 1e6
            print(f"| {width}×{height}, {seconds} s | {size:.1f} | {took:.2f} | {86_400 / took:,.0f} |", flush=True)


if __name__ == "__main__":
    main()
