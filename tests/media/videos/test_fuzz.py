"""Nothing that is cut or damaged passes: every truncation point, and the bits of the structure.

The judge of a flipped bit is an independent, lenient decoder, as a player would use: what passes must show it the same
pictures at the same times, with the same sound.
"""

from __future__ import annotations

import hashlib
import io
import os
import random

import av
import pytest

from prefect_seedance.errors import InvalidVideo
from prefect_seedance.media import inspect_video

LAYOUTS = ["", "faststart", "frag_keyframe+empty_moov"]
# Of every so many bits of the structure, one is tried; set to 1 to try all.
STEP = int(os.environ.get("SEEDANCE_FUZZ_STEP", "47"))
# The decoder's set-up records have no double in the file: a bit may change colours and nothing else.
SETUP = (b"avcC", b"esds")


@pytest.fixture
def film(tmp_path):
    path = tmp_path / "film.mp4"

    def passes(data: bytes) -> bool:
        path.write_bytes(data)
        try:
            inspect_video(path)
        except InvalidVideo:
            return False
        return True

    return passes


@pytest.mark.parametrize("movflags", LAYOUTS)
def test_no_truncation_point_passes(make_video, tmp_path, movflags):
    whole = make_video(movflags=movflags, size=(32, 32))
    path = tmp_path / "film.mp4"
    path.write_bytes(whole)
    inspect_video(path)
    for length in reversed(range(len(whole))):
        os.truncate(path, length)
        with pytest.raises(InvalidVideo):
            inspect_video(path)


@pytest.mark.parametrize("movflags", LAYOUTS)
def test_no_flipped_bit_of_the_structure_changes_what_is_shown(make_video, film, movflags):
    whole = make_video(movflags=movflags)
    assert film(whole)
    shown = play(whole)
    payload = payload_of(whole)
    bits = [(at, bit) for at in range(len(whole)) if at not in payload for bit in range(8)]
    tried = bits[random.Random(movflags).randrange(STEP) :: STEP]
    in_setup = {at for name in SETUP for at in setup_bytes(whole, name)}
    wrong, excused = [], 0
    for at, bit in tried:
        damaged = bytearray(whole)
        damaged[at] ^= 1 << bit
        if film(bytes(damaged)) and not same(shown, play(bytes(damaged))):
            if at in in_setup:
                excused += 1
            else:
                wrong.append((at, bit))
    assert not wrong
    assert excused <= 0.01 * len(tried)


def test_blanked_blocks_of_the_compressed_picture_never_pass(make_video, film):
    whole = make_video(size=(320, 180), audio=False)
    luck = random.Random(5)
    for at in luck.sample(payload_of(whole)[:-64], 60):
        assert not film(whole[:at] + bytes(64) + whole[at + 64 :])


@pytest.mark.parametrize(("length", "least"), [(0, 30), (4096, 57)])
def test_most_other_damage_to_the_compressed_picture_is_found(make_video, film, length, least):
    whole = make_video(size=(320, 180), audio=False)
    luck = random.Random(6)
    found = 0
    for at in luck.sample(payload_of(whole)[: -max(length, 1)], 60):
        junk = luck.randbytes(length) if length else bytes([whole[at] ^ 1 << luck.randrange(8)])
        found += not film(whole[:at] + junk + whole[at + len(junk) :])
    assert found >= least


def payload_of(data: bytes) -> range:
    start = data.index(b"mdat") + 4
    return range(start, start - 8 + int.from_bytes(data[start - 8 : start - 4]))


def setup_bytes(data: bytes, name: bytes) -> range:
    start = data.index(name)
    return range(start, start - 4 + int.from_bytes(data[start - 4 : start]))


def play(data: bytes) -> tuple[dict[str, float], float, set[str]] | None:
    """Pictures with their times as a player shows them, and sound as it is stored."""
    pictures: dict[str, float] = {}
    try:
        with av.open(io.BytesIO(data)) as film:
            film.streams.video[0].codec_context.thread_count = 1
            for frame in film.decode(video=0):
                pictures[digest(frame.reformat(format="yuv420p").to_ndarray())] = frame.time or 0.0
            shape = float(film.streams.video[0].sample_aspect_ratio or 1)
        with av.open(io.BytesIO(data), options={"ignore_editlist": "1"}) as film:
            sounds = {digest(frame.to_ndarray()) for frame in film.decode(audio=0)}
    except (av.error.FFmpegError, IndexError):
        return None
    return pictures, shape, sounds


def same(one, other) -> bool:
    if other is None or one[0].keys() != other[0].keys() or one[2] != other[2] or abs(one[1] - other[1]) > 0.06:
        return False
    return all(abs(time - other[0][picture]) <= 0.25 for picture, time in one[0].items())


def digest(array) -> str:
    return hashlib.md5(array.tobytes()).hexdigest()
