"""Nothing that is cut or blanked passes, and little else that is damaged: benchmarks/proof.py counts it on more files.

The judge of a flipped bit is an independent, lenient decoder, as a player would use: it says whether the pictures
and the sound are still the same.
"""

from __future__ import annotations

import hashlib
import io
import os
import random

import av
import pytest

from prefect_seedance.errors import InvalidVideo, UnverifiedVideo
from prefect_seedance.media import VideoFacts, inspect_video
from tests.media.films import boxes, encoded

LAYOUTS = ["", "faststart", "frag_keyframe+empty_moov"]
# Of every so many bits of the structure, one is tried; set to 1 to try all.
STEP = int(os.environ.get("SEEDANCE_FUZZ_STEP", "127"))
# A bit of the tables has no double in the file: this part of them changes what is shown, and nothing reveals it.
SILENT = 0.04


@pytest.fixture
def film(tmp_path):
    path = tmp_path / "film.mp4"

    def passes(data: bytes) -> VideoFacts | None:
        path.write_bytes(data)
        try:
            return inspect_video(path)
        except (InvalidVideo, UnverifiedVideo):
            return None

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
def test_few_flipped_bits_of_the_structure_change_what_is_shown_in_silence(make_video, film, movflags):
    whole = make_video(movflags=movflags, gop=6)
    assert film(whole)
    shown = play(whole)
    outside = [at for kind, start, end in boxes(whole) if kind != b"mdat" for at in range(start, end)]
    bits = [(at, bit) for at in outside for bit in range(8)]
    tried = bits[random.Random(movflags).randrange(STEP) :: STEP]
    silent = []
    for at, bit in tried:
        damaged = bytearray(whole)
        damaged[at] ^= 1 << bit
        facts = film(bytes(damaged))
        if facts is not None and not facts.oddities and play(bytes(damaged)) != shown:
            silent.append((at, bit))
    assert len(silent) <= SILENT * len(tried), silent


@pytest.mark.parametrize("size", [64, 4096])
@pytest.mark.parametrize("name", ["x264 medium", "x265 medium", "svtav1", "mpeg4"])
def test_blanked_blocks_of_any_encoder_never_pass(film, name, size):
    whole = encoded(name, 12)
    luck = random.Random(size)
    for at in luck.sample(payload_of(whole)[:-size], 8):
        assert not film(whole[:at] + bytes(size) + whole[at + size :])


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


def play(data: bytes) -> tuple[list[str], list[str]] | None:
    """Pictures and sound as a player shows them."""
    pictures, sounds = [], []
    try:
        with av.open(io.BytesIO(data), metadata_errors="ignore") as film:
            film.streams.video[0].codec_context.thread_count = 1
            for packet in film.demux(film.streams.video[0], *film.streams.audio[:1]):
                for frame in packet.decode():
                    digest = hashlib.md5(frame.to_ndarray().tobytes()).hexdigest()
                    (pictures if packet.stream.type == "video" else sounds).append(digest)
    except (av.error.FFmpegError, IndexError):
        return None
    return pictures, sounds
