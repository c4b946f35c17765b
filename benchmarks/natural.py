"""Films as providers make them, not as tests do: moving textures, grain and sound, at usual sizes and bit rates.

They are made once and kept in the machine's folder for temporary files.
"""

from __future__ import annotations

import os
import tempfile
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

__all__ = ["SIZES", "film"]

SIZES = {"480p": (864, 496, 2_000_000), "720p": (1280, 720, 4_000_000), "1080p": (1920, 1080, 6_000_000)}
"""Width, height and bits a second."""

FPS = 24
RATE = 48_000
KEPT = Path(tempfile.gettempdir()) / "seedance-natural"


def film(size: str, seconds: int = 5) -> Path:
    """The path of a film of this size and length."""
    path = KEPT / f"{size}-{seconds}s" / "film.mp4"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        unfinished = path.with_suffix(f".{os.getpid()}.mp4")
        _encode(unfinished, *SIZES[size], seconds)
        unfinished.replace(path)
    return path


def _encode(path: Path, width: int, height: int, rate: int, seconds: int) -> None:
    chance = np.random.default_rng(1)
    layers = [_texture(chance, width, height) for _ in range(3)]
    with av.open(str(path), "w", format="mp4", options={"movflags": "+faststart"}) as out:
        picture = out.add_stream("libx264", rate=FPS, options={"preset": "veryfast", "profile": "high"})
        picture.width, picture.height, picture.pix_fmt, picture.bit_rate = width, height, "yuv420p", rate
        sound = out.add_stream("aac", rate=RATE, layout="stereo")
        sound.bit_rate = 128_000
        grain = [(chance.standard_normal((height, width)) * 3).astype(np.float32) for _ in range(4)]
        for number in range(FPS * seconds):
            out.mux(picture.encode(_frame(layers, grain[number % 4], number, width, height)))
        out.mux(picture.encode(None))
        for start in range(0, RATE * seconds, 1024):
            out.mux(sound.encode(_sound(chance, start)))
        out.mux(sound.encode(None))


def _texture(chance: np.random.Generator, width: int, height: int) -> np.ndarray:
    """Noise with the spectrum of photographs: the finer, the weaker. Larger than the frame, so that it can move."""
    shape = (height + 256, width + 256)
    rows, columns = np.fft.fftfreq(shape[0])[:, None], np.fft.rfftfreq(shape[1])[None]
    waves = np.fft.rfft2(chance.standard_normal(shape)) / np.maximum(np.hypot(rows, columns), 1 / 512) ** 1.2
    found = np.fft.irfft2(waves, shape)
    return ((found - found.mean()) / found.std() * 40 + 120).astype(np.float32)


def _frame(layers: list[np.ndarray], grain: np.ndarray, number: int, width: int, height: int) -> av.VideoFrame:
    """Three textures that drift at different speeds, each its own colour plane's light, and grain."""
    planes = []
    for place, layer in enumerate(layers):
        x = int(128 + 100 * np.sin(number / (30 + 20 * place)))
        y = int(128 + 100 * np.cos(number / (45 + 10 * place)))
        planes.append(layer[y : y + height, x : x + width])
    light = 0.6 * planes[0] + 0.4 * planes[1] + grain
    frame = av.VideoFrame(width, height, "yuv420p")
    for plane, values in zip(frame.planes, (light, planes[1][::2, ::2], planes[2][::2, ::2]), strict=True):
        lines = np.zeros((plane.height, plane.line_size), np.uint8)
        lines[:, : plane.width] = np.clip(values, 16, 235)
        plane.update(lines.tobytes())
    frame.pts, frame.time_base = number, Fraction(1, FPS)
    return frame


def _sound(chance: np.random.Generator, start: int) -> av.AudioFrame:
    moments = (start + np.arange(1024)) / RATE
    tone = 0.2 * np.sin(2 * np.pi * (220 + 30 * np.sin(moments)) * moments)
    samples = (tone + 0.03 * chance.standard_normal((2, 1024))).astype(np.float32)
    piece = av.AudioFrame.from_ndarray(samples, format="fltp", layout="stereo")
    piece.sample_rate, piece.pts, piece.time_base = RATE, start, Fraction(1, RATE)
    return piece
