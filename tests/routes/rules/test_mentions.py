import pytest
from hypothesis import given
from hypothesis import strategies as st

from prefect_seedance.routes import CATALOGUE, VideoRequest, check, find

ROUTE = find("seedance-2.0-mini")
CLIP, PICTURE, SOUND = "https://e.com/a.mp4", "https://e.com/a.png", "https://e.com/a.mp3"


def said(prompt, route=ROUTE, **media):
    problems = check(route, VideoRequest(prompt=prompt, **media))
    return [(problem.severity, str(problem)) for problem in problems if problem.field == "prompt"]


@pytest.mark.parametrize(
    "prompt",
    [
        "@image1 dances like @video1 to @audio1, @Image2.",
        "让@图片1跟着@视频1跳舞，@音频1",
        "(@IMAGE1)@image2,@image 1",
        "＠图片１ and @image01",
        "mail user@image9.com or me.you+x@image9",
        "@imagine @images9 @image9x @image9_x @image @image9.com @video_9 @@ @",
        "@image9@example.com",
        "@image99999999999999999999",
    ],
)
def test_what_is_there_and_what_is_no_mention_passes_in_silence(prompt):
    assert said(prompt, images=[PICTURE] * 2, reference_videos=[CLIP], reference_audios=[SOUND]) == []


@pytest.mark.parametrize(
    ("prompt", "names", "text"),
    [
        ("@image3 jumps", "@image3", "has 2 images; allowed: @image1 to @image2"),
        ("@image0 jumps", "@image0", "has 2 images"),
        ("a@image1.com, then @image3.", "@image3", "has 2 images"),
        ("让@图片12跳舞", "@图片12", "has 2 images"),
        ("like @video2", "@video2", "has 1 reference video; allowed: @video1"),
        (
            "to @音频1 and @audio2, @audio1",
            "@音频1, @audio2, @audio1",
            "has 0 reference audios; allowed: no @audio without reference_audios",
        ),
        ("".join(f"@image{n} " for n in range(3, 99)), "@image3, @image4, @image5, @image6, @image7 and 91 more", "2"),
    ],
)
def test_a_name_without_its_reference_is_an_error_that_counts(prompt, names, text):
    [(severity, message)] = said(prompt, images=[PICTURE] * 2, reference_videos=[CLIP])
    assert severity == "error"
    assert f"mentions {names}, and the row " in message
    assert text in message


def test_what_may_be_meant_otherwise_is_a_warning():
    [(severity, message)] = said("@image1 smiles at @image2", first_image=PICTURE, last_image=PICTURE)
    assert severity == "warning"
    assert "@image1, @image2" in message
    assert "first_image" in message
    [(severity, _)] = said("@image2 smiles", first_image=PICTURE)
    assert severity == "error"
    [(severity, message)] = said("we thank @image 3 times")
    assert severity == "warning"
    assert "@image 3" in message


@pytest.mark.parametrize("route", CATALOGUE, ids=lambda route: route.model)
def test_on_every_route(route):
    assert [severity for severity, _ in said("see @video1", route)] == ["error"]
    assert said("see @image2", route, images=["asset://1", "asset://2"]) == []


@given(st.integers(0, 12), st.integers(0, 9), st.sampled_from(["@image", "@Image", "@图片"]))
def test_numbers_run_from_one_to_the_count(number, count, name):
    problems = said(f"see {name}{number}, please", images=[PICTURE] * count)
    assert bool(problems) == (not 1 <= number <= count)


@given(st.text(alphabet="@＠imagevdo 图片视频音9１._-%+x\u3000", max_size=40))
def test_any_text_is_read(prompt):
    for _, message in said(f"x{prompt}", images=[PICTURE]):
        assert len(message) < 700
