from __future__ import annotations

import av
import pytest

from prefect_seedance.errors import BrokenVideo, UserMistake
from prefect_seedance.media import poster


def brightness(path) -> float:
    with av.open(str(path)) as picture:
        return float(next(picture.decode(video=0)).to_ndarray(format="gray").mean())


def size(path) -> tuple[int, int]:
    with av.open(str(path)) as picture:
        return picture.streams.video[0].width, picture.streams.video[0].height


@pytest.fixture
def film(tmp_path, make_video):
    def make(**settings):
        path = tmp_path / "film.mp4"
        path.write_bytes(make_video(audio=False, **settings))
        return path

    return make


def test_black_frames_at_the_start_are_passed_over(film, tmp_path):
    poster(film(black_frames=9), tmp_path / "p.jpg")
    assert (tmp_path / "p.jpg").read_bytes()[:3] == b"\xff\xd8\xff"
    assert brightness(tmp_path / "p.jpg") > 40
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith("p.")] == ["p.jpg"]


def test_a_wholly_black_film_has_a_poster_too(film, tmp_path):
    poster(film(black_frames=24), tmp_path / "p.jpg")
    assert brightness(tmp_path / "p.jpg") < 10


@pytest.mark.parametrize(
    ("made", "width", "expected"),
    [((640, 360), 480, (480, 270)), ((360, 640), 480, (360, 640)), ((64, 48), 480, (64, 48))],
)
def test_a_poster_is_made_smaller_and_never_larger(film, tmp_path, made, width, expected):
    poster(film(size=made, frames=3), tmp_path / "p.jpg", width)
    assert size(tmp_path / "p.jpg") == expected


def test_no_video_and_no_folder_are_told(film, tmp_path):
    (tmp_path / "page.mp4").write_bytes(b"<html>")
    with pytest.raises(BrokenVideo):
        poster(tmp_path / "page.mp4", tmp_path / "p.jpg")
    with pytest.raises(UserMistake):
        poster(film(frames=3), tmp_path / "none" / "p.jpg")
