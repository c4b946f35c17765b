from __future__ import annotations

import hashlib
from decimal import Decimal

import av
import pytest

from prefect_seedance.errors import InputError, InvalidVideo
from prefect_seedance.media import VideoFacts, inspect_video
from prefect_seedance.media.videos import decoding


@pytest.fixture
def inspect(tmp_path):
    def run(data: bytes, **settings) -> VideoFacts:
        path = tmp_path / "film.mp4"
        path.write_bytes(data)
        return inspect_video(path, **settings)

    return run


def test_the_facts_of_a_whole_video(mp4, inspect):
    assert inspect(mp4) == VideoFacts(
        width=64,
        height=48,
        seconds=Decimal("2.000"),
        fps=Decimal("12.000"),
        has_audio=True,
        bytes=len(mp4),
        sha256=hashlib.sha256(mp4).hexdigest(),
    )


@pytest.mark.parametrize("movflags", ["", "faststart", "frag_keyframe+empty_moov", "frag_keyframe"])
@pytest.mark.parametrize("audio", [True, False])
@pytest.mark.parametrize("gop", [250, 6])
def test_every_way_to_lay_out_a_file_passes(make_video, inspect, movflags, audio, gop):
    facts = inspect(make_video(movflags=movflags, audio=audio, gop=gop))
    assert (facts.has_audio, facts.seconds) == (audio, Decimal("2.000"))


@pytest.mark.parametrize(("codec", "size"), [("libx264", (720, 1280)), ("libx265", (128, 96)), ("mpeg4", (64, 48))])
def test_other_codecs_and_sizes_pass(make_video, inspect, codec, size):
    facts = inspect(make_video(codec=codec, size=size, frames=6, fps=24))
    assert (facts.width, facts.height, facts.fps) == (*size, Decimal("24.000"))


@pytest.mark.parametrize("begin", [0.0, 0.7, 1.5])
def test_a_film_whose_beginning_was_cut_off_without_encoding_it_anew_passes(make_video, inspect, tmp_path, begin):
    """Frames from the last key frame before the cut stay in the file, hidden by an edit list."""
    (tmp_path / "long.mp4").write_bytes(make_video(frames=48, gop=12))
    with av.open(str(tmp_path / "long.mp4")) as film, av.open(str(tmp_path / "cut.mp4"), "w") as cut:
        targets = {stream.index: cut.add_stream_from_template(stream) for stream in film.streams}
        film.seek(int(begin * av.time_base))
        for packet in film.demux():
            if packet.dts is not None:
                offset = int(begin / packet.time_base)
                packet.pts, packet.dts, packet.stream = (
                    packet.pts - offset,
                    packet.dts - offset,
                    targets[packet.stream_index],
                )
                cut.mux(packet)
    assert inspect((tmp_path / "cut.mp4").read_bytes()).has_audio


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "empty"),
        (b"<!DOCTYPE html><html>gone</html>", "web page"),
        (b"\xef\xbb\xbf \n<html>", "web page"),
        (b'<?xml version="1.0"?><Error><Code>AccessDenied</Code></Error>', "XML"),
        (b'{"code": 20002}', "JSON"),
        (b"\x00" * 4096, "not an MP4"),
        (b"\x1aE\xdf\xa3" + b"webm" * 100, "not an MP4"),
        (b"\x00\x00\x00\x18ftypmp42\x00\x00\x00\x00mp42isom", "moov"),
    ],
)
def test_what_is_no_video_is_named(inspect, data, says):
    with pytest.raises(InvalidVideo, match=says):
        inspect(data)


@pytest.mark.parametrize("movflags", ["", "faststart", "frag_keyframe+empty_moov"])
@pytest.mark.parametrize("first", [b"free", b"wide", b"skip", b"uuid", b"styp", b"xyzw"])
def test_a_video_may_begin_with_any_box(make_video, inspect, movflags, first):
    whole = make_video(movflags=movflags)
    facts = inspect(whole.replace(b"ftyp", first, 1))
    assert [each.slug for each in facts.oddities] == ["video.odd_opening"]
    assert (facts.seconds, facts.has_audio) == (Decimal("2.000"), True)


def test_a_video_may_begin_with_its_description(make_video, inspect):
    fragments = make_video(movflags="frag_keyframe+empty_moov+default_base_moof")
    length = int.from_bytes(fragments[:4])  # of the first box; offsets count from each fragment
    facts = inspect(fragments[length:])
    assert str(facts.oddities[0]) == "the file begins with a box 'moov' instead of 'ftyp'"


@pytest.mark.parametrize("brand", [b"junk", bytes(4)])
def test_a_brand_that_nobody_knows_is_an_oddity(mp4, inspect, brand):
    length = int.from_bytes(mp4[:4])
    facts = inspect(mp4[:8] + brand * ((length - 8) // 4) + mp4[length:])
    assert [each.slug for each in facts.oddities] == ["video.odd_brand"]


def test_sound_alone_is_no_video(make_video, inspect, mp4):
    # The same file, with its picture declared to be a kind of track that nobody knows.
    with pytest.raises(InvalidVideo):
        inspect(mp4.replace(b"\0\0\0\0vide\0", b"\0\0\0\0text\0", 1))


def test_a_wrong_length_is_told(mp4, inspect):
    with pytest.raises(InvalidVideo, match="truncated"):
        inspect(mp4, announced=len(mp4) + 1)


def test_a_video_that_ends_within_a_box_is_said_to_be_truncated(mp4, inspect):
    with pytest.raises(InvalidVideo, match="truncated: box"):
        inspect(mp4[:-10])


def test_bytes_behind_the_end_are_not_passed_over(mp4, inspect):
    with pytest.raises(InvalidVideo):
        inspect(mp4 + b"<html>error</html>")


def test_a_fragmented_file_needs_a_proof_of_its_end(make_video, inspect):
    whole = make_video(movflags="frag_keyframe+empty_moov", gop=6)
    endless = whole[: whole.rindex(b"mfra") - 4]
    cut = endless[: endless.rindex(b"moof") - 4]
    for data in (endless, cut):
        with pytest.raises(InvalidVideo, match="last fragment"):
            inspect(data)
    assert inspect(endless, announced=len(endless)).seconds == Decimal("2.000")


def test_a_missing_fragment_in_the_middle_is_found(make_video, inspect):
    whole = make_video(movflags="frag_keyframe+empty_moov", gop=6, audio=False)
    starts = [at - 4 for at in range(len(whole)) if whole[at : at + 4] == b"moof"]
    with pytest.raises(InvalidVideo):
        inspect(whole[: starts[1]] + whole[starts[2] :])


def test_a_long_film_is_decoded_in_part_and_its_ends_always(make_video, inspect, monkeypatch):
    data = make_video(gop=2, audio=False, noise=250)
    decoded: list[int] = []
    take = decoding._VideoChecker._take
    monkeypatch.setattr(
        decoding._VideoChecker, "_take", lambda self, frame: (decoded.append(frame.pts), take(self, frame))
    )
    everything = inspect(data)
    assert len(decoded) == 24
    monkeypatch.setattr(decoding, "MOST_PIXELS", 64 * 48 * 6)
    whole, decoded[:] = list(decoded), []
    assert inspect(data) == everything
    assert 6 <= len(decoded) <= 10
    assert (decoded[0], decoded[-1]) == (whole[0], whole[-1])


def test_an_unreadable_file_is_no_broken_video(tmp_path):
    with pytest.raises(InputError, match="cannot be read"):
        inspect_video(tmp_path / "none.mp4")
