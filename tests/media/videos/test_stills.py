from __future__ import annotations

import io

import av
import pytest

from prefect_seedance.media import Stills, inspect_video, previews_of


def picture(jpeg: bytes):
    with av.open(io.BytesIO(jpeg)) as opened:
        return next(opened.decode(video=0)).to_ndarray(format="rgb24")


@pytest.fixture
def film(tmp_path, make_video):
    def make(**settings):
        path = tmp_path / "film.mp4"
        path.write_bytes(make_video(audio=False, **settings))
        return path

    return make


def stills(path):
    found = Stills()
    inspect_video(path, stills=found)
    return found.finish()


def test_black_frames_at_the_start_are_passed_over(film):
    made = stills(film(black_frames=9))
    assert made.poster[:3] == b"\xff\xd8\xff"
    assert picture(made.poster).mean() > 40


def test_a_wholly_black_film_has_pictures_too(film):
    assert picture(stills(film(black_frames=24)).poster).mean() < 10


@pytest.mark.parametrize(
    ("made", "poster", "strip"),
    [
        ((640, 360), (480, 270), (960, 90)),
        ((360, 640), (360, 640), (960, 284)),
        ((64, 48), (64, 48), (960, 120)),
    ],
)
def test_the_sizes_of_the_pictures(film, made, poster, strip):
    found = stills(film(size=made, frames=12))
    assert picture(found.poster).shape == (poster[1], poster[0], 3)
    assert picture(found.strip).shape == (strip[1], strip[0], 3)


def test_the_strip_shows_the_whole_film_in_its_order(film):
    # The film's first half is black: so must be the first three pictures, and none of the others.
    strip = picture(stills(film(size=(320, 180), frames=24, black_frames=12)).strip)
    means = [strip[:, at : at + 160].mean() for at in range(0, 960, 160)]
    assert max(means[:3]) < 20 < min(means[3:])


def test_a_film_of_one_frame(film):
    assert picture(stills(film(frames=1, size=(160, 90))).strip).shape == (90, 960, 3)


def test_a_second_look_shows_the_same_and_no_film_shows_nothing(film, tmp_path):
    path = film(size=(320, 180), frames=25, black_frames=3)
    first, second = stills(path), previews_of(path)
    assert first.poster == second.poster
    one, other = picture(first.strip), picture(second.strip)
    assert all(abs(one[:, at : at + 160].mean() - other[:, at : at + 160].mean()) < 4 for at in range(0, 960, 160))
    (tmp_path / "page.mp4").write_bytes(b"<html>")
    assert previews_of(tmp_path / "page.mp4") is None
    assert previews_of(tmp_path / "none.mp4") is None


def test_a_frame_that_cannot_be_drawn_does_not_hurt_the_proof(film, monkeypatch):
    def broken(frame):
        raise MemoryError

    monkeypatch.setattr("prefect_seedance.media.videos.stills.mean_brightness", broken)
    found = Stills()
    assert inspect_video(film(), stills=found).width == 64
    assert found.finish() is None
