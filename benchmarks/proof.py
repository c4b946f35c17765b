"""What the verification of a file finds, and what it costs.

    .venv/bin/python benchmarks/proof.py               # what it costs
    .venv/bin/python benchmarks/proof.py --found 12    # what it finds; the number scales that of the damaged files

**Found**: whole files of many kinds by six encoders (`tests/media/films.py`), and damaged ones. A whole file is
judged by a plain decoding as in a player, and by `ffmpeg -xerror` where that is installed. A damaged file that passes
is harmless if a player shows the same pictures and plays the same sound as before.

**Costs**: decoding every frame, hashing, and the preview pictures, by size and length. The videos are made here, of
moving noise in blocks at a typical bit rate of providers; one process, one thread. It is what saturates a machine
first: see docs/guides/production.md.
"""

from __future__ import annotations

import argparse
import io
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from hashlib import md5
from pathlib import Path

import av
import numpy as np

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "src")]

from prefect_seedance.errors import InvalidVideo, UnverifiedVideo  # noqa: E402 - the path comes first
from prefect_seedance.media import Stills, inspect_video  # noqa: E402
from tests.media.films import boxes, clips, remuxed, variants  # noqa: E402

SIZES = (
    (864, 496, 5, 2_000_000),
    (1280, 720, 5, 4_000_000),
    (1920, 1080, 5, 8_000_000),
    (1920, 1080, 15, 8_000_000),
)
"""Width, height, seconds, bits a second."""

FPS = 24
TIMES = 3
FFMPEG = shutil.which("ffmpeg")
DAMAGED = ("x264 medium", "x264 slow", "x264 zerolatency, silent", "x265 medium", "mpeg4", "svtav1")
DAMAGED_LAYOUTS = ("", "faststart", "frag_keyframe+empty_moov")


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


def costs() -> None:
    print("| film | MB | CPU s | films a core and day |\n| --- | ---: | ---: | ---: |")
    with tempfile.TemporaryDirectory(prefix="seedance-bench-") as folder:
        for width, height, seconds, rate in SIZES:
            path = Path(folder) / "film.mp4"
            film(path, width, height, seconds, rate)
            took = min(proven(path) for _ in range(TIMES))
            size = path.stat().st_size / 1e6
            print(f"| {width}×{height}, {seconds} s | {size:.1f} | {took:.2f} | {86_400 / took:,.0f} |", flush=True)


def passes(path: Path, announced: int | None = None) -> bool:
    try:
        inspect_video(path, announced=announced)
    except (InvalidVideo, UnverifiedVideo):
        return False
    return True


def shown(path: Path) -> tuple[list[bytes], list[bytes]] | None:
    """What a player shows and plays, without a strict word; None if nothing."""
    pictures, sounds = [], []
    try:
        with av.open(str(path), metadata_errors="ignore") as file:
            video = max(file.streams.video, key=lambda each: each.frames)
            video.codec_context.thread_count = 1
            for packet in file.demux(video, *file.streams.audio[:1]):
                for frame in packet.decode():
                    array = frame.to_ndarray()
                    (pictures if packet.stream_index == video.index else sounds).append(md5(array).digest())
    except Exception:  # noqa: BLE001 - whatever it is, a player stops here
        return None
    return (pictures, sounds) if pictures else None


def agrees(path: Path) -> bool:
    if FFMPEG is None:
        return shown(path) is not None
    command = [FFMPEG, "-v", "error", "-xerror", "-i", str(path), "-f", "null", "-"]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


def found(each: int) -> None:
    whole: Counter[tuple[str, str]] = Counter()
    harm: Counter[tuple[str, str]] = Counter()
    luck = random.Random(14)
    with tempfile.TemporaryDirectory(prefix="seedance-bench-") as folder:
        path = Path(folder) / "film.mp4"
        for name, data in clips(Path(folder)).items():
            for kind, variant in variants(data):
                path.write_bytes(variant)
                whole[kind, "tried"] += 1
                whole[kind, "player"] += shown(path) is not None
                whole[kind, "ffmpeg"] += agrees(path)
                if not passes(path) and passes(path, len(variant)) is False:
                    whole[kind, "refused"] += 1
                    print("refused:", name, kind, flush=True)
            if name in DAMAGED:
                for flags in DAMAGED_LAYOUTS:
                    count_damage(path, data if not flags else remuxed(data, movflags=flags), luck, each, harm)
    table("whole files", whole, ("tried", "player", "ffmpeg", "refused"))
    table("damaged files", harm, ("tried", "refused", "harmless", "missed"))


def count_damage(path: Path, data: bytes, luck: random.Random, each: int, harm: Counter[tuple[str, str]]) -> None:
    path.write_bytes(data)
    before = shown(path)
    for kind, broken in damaged(data, luck, each):
        path.write_bytes(broken)
        harm[kind, "tried"] += 1
        # A cut file is never harmless.
        verdict = "refused" if not passes(path) else "missed" if "cut" in kind or shown(path) != before else "harmless"
        harm[kind, verdict] += 1
        if "cut" in kind:
            harm[f"{kind}, announced", "tried"] += 1
            harm[f"{kind}, announced", "missed" if passes(path, len(data)) else "refused"] += 1


def damaged(data: bytes, luck: random.Random, each: int) -> Iterator[tuple[str, bytes]]:
    """Class and bytes of damaged files; of what is cut, no length was announced."""
    for _ in range(each * 2):
        yield "cut anywhere", data[: luck.randrange(len(data))]
    ends = [end for _kind, _start, end in boxes(data)][:-1]
    for end in luck.sample(ends, min(len(ends), each)):
        yield "cut between two boxes", data[:end]
    for name, spots in media_bytes(data):
        for size in (64, 4096):
            for at in chosen(luck, spots, each, len(data) - size):
                yield f"{size} zero bytes in the {name}", data[:at] + bytes(size) + data[at + size :]
        for size in (64, 512, 4096):
            for at in chosen(luck, spots, each, len(data) - size):
                yield f"{size} bytes of noise in the {name}", data[:at] + luck.randbytes(size) + data[at + size :]
        for at in chosen(luck, spots, each * 2, len(data)):
            yield f"one bit in the {name}", flipped(data, at, luck)
    inside = [at for kind, start, end in boxes(data) if kind in (b"moov", b"moof") for at in range(start, end)]
    for at in luck.sample(inside, each * 4):
        yield "one bit of the tables", flipped(data, at, luck)


def media_bytes(data: bytes) -> Iterator[tuple[str, list[int]]]:
    """Offsets in the packets of the picture and of the sound."""
    with av.open(io.BytesIO(data), format="mov", options={"ignore_editlist": "1"}) as file:
        names = {stream.index: {"video": "picture", "audio": "sound"}.get(stream.type) for stream in file.streams}
        packets = [(names[one.stream_index], one.pos, one.size) for one in file.demux() if one.size and one.pos]
    for name in ("picture", "sound"):
        spots = [at for kind, start, size in packets if kind == name for at in range(start, start + size, 7)]
        if spots:
            yield name, spots


def chosen(luck: random.Random, spots: list[int], count: int, most: int) -> Iterator[int]:
    return (min(at, most) for at in luck.sample(spots, min(count, len(spots))))


def flipped(data: bytes, at: int, luck: random.Random) -> bytes:
    return data[:at] + bytes([data[at] ^ 1 << luck.randrange(8)]) + data[at + 1 :]


def table(title: str, counts: Counter[tuple[str, str]], columns: tuple[str, ...]) -> None:
    print(f"\n| {title} | {' | '.join(columns)} |\n| --- |{' ---: |' * len(columns)}")
    kinds = list(dict.fromkeys(kind for kind, _ in counts))
    for kind in kinds:
        print(f"| {kind} | {' | '.join(str(counts[kind, column]) for column in columns)} |")
    print(f"| all | {' | '.join(str(sum(counts[kind, column] for kind in kinds)) for column in columns)} |")


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--found", type=int, metavar="NUMBER", help="count what the verification finds")
    each = arguments.parse_args().found
    found(each) if each else costs()


if __name__ == "__main__":
    main()
