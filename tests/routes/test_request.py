import pickle

import pytest
from pydantic import ValidationError

from prefect_seedance.routes import VideoRequest, find, resolve


def test_lists_become_tuples_and_the_request_stays_as_it_is():
    request = VideoRequest(prompt="x", images=["a", "b"])
    assert request.images == ("a", "b")
    assert request == VideoRequest.model_validate_json('{"prompt": "x", "images": ["a", "b"]}')
    assert pickle.loads(pickle.dumps(request)) == request
    assert hash(request) == hash(VideoRequest(prompt="x", images=("a", "b")))
    with pytest.raises(ValidationError, match="frozen"):
        request.prompt = "y"


@pytest.mark.parametrize(
    "wrong",
    [{"duration": "5"}, {"duration": 5.0}, {"duration": True}, {"watermark": "yes"}, {"images": "a"}, {"duraton": 5}],
)
def test_the_request_is_strict(wrong):
    with pytest.raises(ValidationError):
        VideoRequest(**wrong)


MINI = find("seedance2.0-mini")


@pytest.mark.parametrize(
    ("row", "defaults", "result"),
    [
        ({"duration": 9}, {"duration": 5, "resolution": "480p"}, {"duration": 9, "resolution": "480p"}),
        ({"orientation": "portrait"}, {"ratio": "16:9"}, {"orientation": "portrait", "duration": 5}),
        ({"ratio": "1:1"}, {"orientation": "portrait"}, {"ratio": "1:1", "duration": 5}),
        (
            {"first_image": "f"},
            {"images": ["i"], "last_image": "l"},
            {"first_image": "f", "last_image": "l", "duration": 5},
        ),
        ({"images": ["i"]}, {"first_image": "f", "last_image": "l"}, {"images": ("i",), "duration": 5}),
        ({"images": ["i"]}, {"images": ["d"]}, {"images": ("i",), "duration": 5}),
        ({}, {"watermark": False, "prompt": "x"}, {"watermark": False, "prompt": "x", "duration": 5}),
        ({"watermark": False}, {"watermark": True}, {"watermark": False, "duration": 5}),
    ],
)
def test_the_rows_own_settings_win(row, defaults, result):
    resolved = resolve(MINI, VideoRequest(**row), VideoRequest(**defaults))
    assert resolved.model_dump(exclude_defaults=True) == result


def test_without_defaults_only_the_duration_is_filled():
    assert resolve(MINI, VideoRequest(prompt="x")).model_dump(exclude_defaults=True) == {"prompt": "x", "duration": 5}
