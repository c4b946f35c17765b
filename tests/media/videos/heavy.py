"""A valid video that takes seconds to decode, made in a moment: the same second of noise again and again."""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np

FPS = 24


def heavy_video(path: Path, seconds: int = 20, size: tuple[int, int] = (1280, 720)) -> Path:
    """Encode one second, and write its packets `seconds` times."""
    width, height = size
    rng = np.random.default_rng(7)
    with av.open(str(path), "w", format="mp4") as out:
        stream = out.add_stream(
            "libx264", rate=FPS, options={"crf": "32", "preset": "superfast", "tune": "zerolatency"}
        )
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        packets = []
        for _ in range(FPS):
            noise = rng.integers(0, 256, (height, width, 3), np.uint8)
            packets += stream.encode(av.VideoFrame.from_ndarray(noise, format="rgb24"))
        packets += stream.encode(None)
        second = packets[1].pts - packets[0].pts
        for turn in range(seconds):
            for number, packet in enumerate(packets):
                again = av.Packet(bytes(packet))
                again.stream, again.time_base, again.is_keyframe = stream, packet.time_base, number == 0
                again.pts = again.dts = (turn * FPS + number) * second
                again.duration = second
                out.mux(again)
    return path
