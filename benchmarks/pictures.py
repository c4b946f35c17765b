"""Pictures of every form, made here by several encoders: does the look before spending agree with their decoders?

    .venv/bin/python benchmarks/pictures.py            # the tables, in about two minutes
    .venv/bin/python benchmarks/pictures.py --cut 20   # cuts for each whole file

A file is made by Pillow, FFmpeg (PyAV), libheif or by hand. Its size as shown is known from making it, and compared
with what Pillow or libheif, and FFmpeg, say. Each file is then cut at several places, each of which takes at least one
byte of the picture. The last table is the time and memory of hostile files, each in a process of its own.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import subprocess
import sys
import tempfile
import time
from collections import Counter, defaultdict
from contextlib import suppress
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

import av

from prefect_seedance.errors import InputError
from prefect_seedance.media import MediaAccess, Prober
from tests.media.hostile_pictures import hostile_files
from tests.media.picture_files import cut_places, pictures, reference_size


async def look(folder: Path, names: list[str]) -> dict[str, object]:
    found: dict[str, object] = {}
    async with Prober(MediaAccess(folder)) as prober:
        for name in names:
            try:
                found[name] = await prober.probe(name)
            except InputError as error:
                found[name] = error
    return found


def ffmpeg_size(path: Path) -> tuple[int, int] | None:
    """The size before any turn, of a tile where there are several; None where FFmpeg does not read the file."""
    with suppress(Exception), av.open(str(path), metadata_errors="ignore") as file:
        codec = file.streams.video[0].codec_context
        return codec.width, codec.height
    return None


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--cut", type=int, default=8)
    options.add_argument("--hostile")
    chosen = options.parse_args()
    if chosen.hostile:
        return hostile(chosen.hostile)
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        table = {name: (data, kind, size) for name, kind, data, size in pictures()}
        for number, (data, _, _) in enumerate(table.values()):
            (folder / str(number)).write_bytes(data)
        found = asyncio.run(look(folder, [str(number) for number in range(len(table))]))
        count: dict[str, Counter[str]] = defaultdict(Counter)
        for number, (name, (data, kind, size)) in enumerate(table.items()):
            count[kind]["files"] += 1
            probed = found[str(number)]
            if isinstance(probed, InputError):
                count[kind]["refused"] += 1
                print("refused:", name, probed.text)
            elif (probed.facts.width, probed.facts.height) != size or probed.warning:
                count[kind]["other size"] += 1
                print("other:", name, probed, size)
            other = reference_size(data)
            count[kind]["reader agrees"] += other == size
            if other not in (size, None):
                print("reader:", name, other, size)
            other = ffmpeg_size(folder / str(number))
            count[kind]["FFmpeg agrees"] += other in (size, size[::-1])
            cuts(folder, name, data, kind, chosen.cut, count)
        print("class", "files", "wrongly refused", "other size", "reader agrees", "FFmpeg agrees", "cut", "unnoticed")
        for kind, row in sorted(count.items()):
            columns = ("files", "refused", "other size", "reader agrees", "FFmpeg agrees", "cut", "unnoticed")
            print(kind, *(row[column] for column in columns), sep="\t")
    for name in hostile_files():
        subprocess.run([sys.executable, __file__, "--hostile", name], check=True)
    return None


def cuts(folder: Path, name: str, data: bytes, kind: str, times: int, count: dict[str, Counter[str]]) -> None:
    dice = random.Random(name)
    last, end = cut_places(name, data, kind)
    places = {dice.randrange(16, end) for _ in range(times - 2)} | {last, end * 9 // 10}
    for place in places:
        (folder / f"cut{place}").write_bytes(data[:place])
    for cut, probed in asyncio.run(look(folder, [f"cut{place}" for place in sorted(places)])).items():
        count[kind]["cut"] += 1
        if not isinstance(probed, InputError):
            count[kind]["unnoticed"] += 1
            print("unnoticed:", name, cut, "of", len(data), probed)


def hostile(name: str) -> None:
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        sound = hostile_files()["a small whole picture"]()
        (folder / "sound").write_bytes(sound)
        asyncio.run(look(folder, ["sound"]))  # loads all libraries
        data = hostile_files()[name]()
        (folder / "file").write_bytes(data)
        del data
        reset_peak()
        before, start = peak(), time.perf_counter()
        found = asyncio.run(look(folder, ["file"]))["file"]
        seconds = time.perf_counter() - start
        word = found.text.slug if isinstance(found, InputError) else (found.warning.slug if found.warning else "taken")
        size = (folder / "file").stat().st_size
        print(f"{name}\t{size:,} bytes\t{seconds:.2f} s\t+{(peak() - before) / 1e6:.0f} MB\t{word}\t{found}"[:230])


def reset_peak() -> None:
    Path("/proc/self/clear_refs").write_text("5")


def peak() -> int:
    status = Path("/proc/self/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) * 1024


if __name__ == "__main__":
    main()
