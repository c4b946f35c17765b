"""What files that were made to exhaust a machine take of it: in this process, and in a child with limits.

    .venv/bin/python benchmarks/hostile.py

The bounds are those of a route that sells 1080p and 15 seconds. Each proof runs in a program of its own; CPU and memory
are those of that program and its child.
"""

from __future__ import annotations

import asyncio
import json
import resource
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

FILES = {
    "a frame of 16,000 x 16,000": ((16000, 16000), 3, ""),
    "1080p for 10 minutes, of one picture": ((1920, 1080), 14_400, ""),
    "a fragment for each of 60,000 frames": ((64, 48), 60_000, "frag_keyframe+empty_moov"),
}
"""Frame, number of frames, FFmpeg's flags for the file."""


def pictures(size: tuple[int, int], number: int) -> Iterator[av.VideoFrame]:
    frame = av.VideoFrame.from_ndarray(np.full((size[1] * 3 // 2, size[0]), 128, np.uint8), format="yuv420p")
    for at in range(number):
        frame.pts, frame.time_base = at, Fraction(1, 24)
        yield frame


def make(path: Path, size: tuple[int, int], number: int, flags: str) -> None:
    """Encode a grey picture again and again."""
    with av.open(str(path), "w", format="mp4", options={"movflags": flags} if flags else {}) as out:
        options = {"preset": "ultrafast", "tune": "zerolatency", "g": "1" if flags else "100000"}
        stream = out.add_stream("libx264", rate=24, options=options)
        stream.width, stream.height, stream.pix_fmt = *size, "yuv420p"
        for frame in pictures(size, number):
            out.mux(stream.encode(frame))
        out.mux(stream.encode(None))


def prove(path: Path, *, child: bool) -> str:
    from prefect_seedance.errors import SeedanceError  # noqa: PLC0415
    from prefect_seedance.media import inspect_video  # noqa: PLC0415

    try:
        if child:
            from prefect_seedance.media import Bounds, proof_pool  # noqa: PLC0415

            try:
                asyncio.run(proof_pool().verify(path, bounds=Bounds(frame_pixels=4096 * 2304, seconds=30)))
            finally:
                proof_pool().close()
        else:
            inspect_video(path)
    except SeedanceError as error:
        return error.message
    return "verified"


def measured(path: Path, *, child: bool) -> dict:
    command = [sys.executable, __file__, str(path), "child" if child else "here"]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    return json.loads(done.stdout)


def one(path: Path, way: str) -> None:
    said = prove(path, child=way == "child")
    own, child = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
    seconds = sum(each.ru_utime + each.ru_stime for each in (own, child))
    print(json.dumps({"said": said, "cpu": seconds, "mb": max(own.ru_maxrss, child.ru_maxrss) / 1024}))


def main() -> None:
    print("| file | KB | way | CPU s | MB | said |\n| --- | ---: | --- | ---: | ---: | --- |")
    with tempfile.TemporaryDirectory(prefix="seedance-hostile-") as folder:
        for name, (size, number, flags) in FILES.items():
            path = Path(folder) / "film.mp4"
            # In a program of its own: the peak of this one's memory is handed down to those that it starts.
            subprocess.run([sys.executable, __file__, str(path), json.dumps([size, number, flags])], check=True)
            for child in (False, True):
                found = measured(path, child=child)
                way, kilobytes = "child" if child else "here", path.stat().st_size / 1000
                print(
                    f"| {name} | {kilobytes:.0f} | {way} | {found['cpu']:.1f} | {found['mb']:.0f} | {found['said']} |",
                    flush=True,
                )


if __name__ == "__main__":
    match sys.argv[1:]:
        case [path, ("child" | "here") as way]:
            one(Path(path), way)
        case [path, given]:
            make(Path(path), *json.loads(given))
        case _:
            main()
