from __future__ import annotations

import hashlib
import struct
from decimal import Decimal
from itertools import islice

import av
import pytest

from prefect_seedance.errors import InputError, InvalidVideo, UnverifiedVideo
from prefect_seedance.media import VideoFacts, inspect_video
from prefect_seedance.media.videos.bounds import Bounds
from tests.media.films import boxes, encoded, find, remuxed, variants, with_edit
from tests.media.samples import stream

SMALL = Bounds(frame_pixels=64 * 48, seconds=60)


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


def test_sound_alone_is_no_video(inspect):
    with pytest.raises(InvalidVideo, match="no video track"):
        inspect(stream("mp4", None, "aac"))


@pytest.mark.parametrize("name", ["x264 medium", "x265 ultrafast", "mpeg4 B-frames", "svtav1"])
def test_what_a_player_plays_is_a_video(inspect, name):
    """Layouts, brands, tags, tracks and times of every kind; benchmarks/proof.py tries them with all encoders."""
    whole = encoded(name, 12)
    plain = inspect(whole)
    for kind, variant in variants(whole):
        facts = inspect(variant, announced=len(variant))
        assert facts.has_audio, kind
        assert {facts.width, facts.height} == {plain.width, plain.height}, kind
        if kind != "edit lists":
            assert abs(facts.seconds - plain.seconds) <= Decimal("0.04"), (
                kind
            )  # the last frame of a fragment is a guess


@pytest.mark.parametrize(
    ("kind", "slug"),
    [
        ("cover art", "video.cover"),
        ("several videos", "video.several_tracks"),
        ("rotation", "video.rotated"),
        ("bytes behind the end", "video.surplus"),
    ],
)
def test_what_is_odd_is_remarked(mp4, inspect, kind, slug):
    found = [inspect(variant) for name, variant in variants(mp4) if name == kind]
    assert found
    assert all(slug in [each.slug for each in facts.oddities] for facts in found)


def test_a_turned_video_has_the_size_that_is_shown(make_video, inspect):
    turned = remuxed(make_video(size=(64, 48)), prepare=lambda stream: stream.set_display_rotation(90))
    assert (inspect(turned).width, inspect(turned).height) == (48, 64)


def test_an_edit_list_decides_how_long_a_video_is(mp4, inspect):
    facts = inspect(with_edit(mp4, 500, 0.5))
    assert facts.seconds == Decimal("0.500")
    assert [str(each) for each in facts.oddities] == ["it contains 2.00 s, of which an edit list shows 0.50 s"]
    with pytest.raises(InvalidVideo, match="hides all"):
        inspect(with_edit(mp4, 500, 100))


def test_a_track_that_is_lost_leaves_its_bytes_behind(mp4, inspect):
    end = find(mp4, b"moov", b"trak")[1]  # where the second one starts, the sound
    facts = inspect(mp4[: end + 4] + b"free" + mp4[end + 8 :])
    assert not facts.has_audio
    assert [each.slug for each in facts.oddities] == ["video.unread"]


def test_fragments_may_start_late(make_video, inspect):
    late = bytearray(make_video(movflags="frag_keyframe+empty_moov", gop=6))
    for at in (at for at in range(len(late)) if late[at : at + 4] == b"tfdt"):
        struct.pack_into(">Q", late, at + 8, struct.unpack_from(">Q", late, at + 8)[0] + 12288 * 5)
    assert inspect(bytes(late)).seconds == Decimal("2.000")


@pytest.mark.parametrize("name", [b"dav1", b"zzzz"])
def test_a_picture_without_a_decoder_could_not_be_verified(mp4, inspect, name):
    with pytest.raises(UnverifiedVideo, match=f"no decoder.*{name.decode()}, mp4a"):
        inspect(mp4.replace(b"avc1", name).replace(b"avcC", b"dvvX"))


def test_a_sound_without_a_decoder_could_not_be_verified(mp4, inspect):
    with pytest.raises(UnverifiedVideo, match=r"no decoder.*avc1, ac-4"):
        inspect(mp4.replace(b"mp4a", b"ac-4").replace(b"esds", b"dac4"))


def test_what_nobody_foresaw_is_about_this_video_only(mp4, inspect, monkeypatch):
    def unforeseen(*_, **__):
        raise AttributeError("'NoneType' object has no attribute 'options'")

    monkeypatch.setattr(av, "open", unforeseen)
    with pytest.raises(UnverifiedVideo, match=r"does not understand it .'NoneType' object"):
        inspect(mp4)


def test_a_frame_above_the_bounds_is_not_decoded(make_video, inspect):
    large = make_video(size=(640, 360), frames=4, audio=False)
    assert inspect(large, bounds=Bounds(640 * 360, 60)).width == 640
    with pytest.raises(UnverifiedVideo, match="more than 3,072 pixels"):
        inspect(large, bounds=SMALL)
    # The description says a small size, and the frames have another.
    entry = find(large, b"moov", b"trak", b"mdia", b"minf", b"stbl", b"stsd")[0] + 16
    lying = large[: entry + 32] + struct.pack(">HH", 64, 48) + large[entry + 36 :]
    with pytest.raises(UnverifiedVideo, match="more than 3,072 pixels"):
        inspect(lying, bounds=SMALL)


def test_a_video_longer_than_the_bounds_is_not_decoded(mp4, inspect):
    with pytest.raises(UnverifiedVideo, match=r"lasts 2\.0 s, and at most 1\.5 s"):
        inspect(mp4, bounds=Bounds(10**6, 1.5))


def test_a_wrong_length_is_told(mp4, inspect):
    with pytest.raises(InvalidVideo, match="truncated"):
        inspect(mp4, announced=len(mp4) + 1)


def test_a_video_that_ends_within_a_box_is_said_to_be_truncated(mp4, inspect):
    with pytest.raises(InvalidVideo, match="truncated: box"):
        inspect(mp4[:-10])


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


def test_the_stated_length_proves_the_end_of_fragments(make_video, inspect):
    whole = make_video(movflags="frag_keyframe+empty_moov+default_base_moof", gop=6)
    stated = with_stated_length(whole[: whole.rindex(b"mfra") - 4], 2000)
    assert inspect(stated).seconds == Decimal("2.000")
    with pytest.raises(InvalidVideo, match="last fragment"):
        inspect(stated[: stated.rindex(b"moof") - 4])


def with_stated_length(data: bytes, length: int) -> bytes:
    """The extended header of a fragmented file says how long all fragments last together."""
    at = find(data, b"moov", b"mvex")[0]
    out = bytearray(data[: at + 8] + struct.pack(">I4sII", 16, b"mehd", 0, length) + data[at + 8 :])
    for start in (find(data, b"moov")[0], at):
        struct.pack_into(">I", out, start, struct.unpack_from(">I", data, start)[0] + 16)
    return bytes(out)


@pytest.mark.parametrize("first", range(3))
def test_a_lost_frame_of_a_fragment_is_found(make_video, inspect, first):
    whole = make_video(movflags="frag_keyframe+empty_moov", gop=6)
    start = next(islice((at for kind, at, _ in boxes(whole) if kind == b"moof"), first, None))
    run = whole.index(b"trun", start)
    fewer = whole[: run + 8] + struct.pack(">I", struct.unpack_from(">I", whole, run + 8)[0] - 1) + whole[run + 12 :]
    with pytest.raises(InvalidVideo, match="belong to no frame"):
        inspect(fewer)


def test_an_unreadable_file_is_no_broken_video(tmp_path):
    with pytest.raises(InputError, match="cannot be read"):
        inspect_video(tmp_path / "none.mp4")
