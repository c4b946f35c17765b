import pytest
from pydantic import ValidationError

from prefect_seedance.errors import InputError
from prefect_seedance.routes import CATALOGUE, Route, VideoRequest, billing_model, check, find

S, J, T = "second", "job", "million_tokens"
ALL_SIZES, LOW_SIZES = ("480p", "720p", "1080p"), ("480p", "720p")
STRICT_3 = ("16:9", "9:16", "1:1")
# model: unit, price line at its default, documented, durations, sure durations, resolutions, default, ratios if closed
TABLE = {
    **{
        f"sd2_mx_{kind}{size}": (S, f"sd2_mx_{kind}{size}", False, (4, 15), (4, 12), (size,), size, None)
        for kind, sizes in {
            "": ("720p", "1080p", "2k", "4k"),
            "fast_": ("720p", "1080p"),
            "video_": ("720p", "1080p", "2k", "4k"),
            "video_fast_": ("720p", "1080p"),
        }.items()
        for size in sizes
    },
    **{
        model: (S, f"{model}-720p", False, (4, 15), (4, 15), ALL_SIZES, "720p", None)
        for model in ("seedance2.0-sp", "seedance2.0-fast-sp", "seedance2.0-of-sp", "seedance2.0-of-fast-sp")
    },
    "seedance2.0-mini": (S, "seedance2.0-mini-720p", True, (4, 15), (4, 15), ALL_SIZES, "720p", None),
    "seedance2.0-mini-video": (S, "seedance2.0-mini-720p-video", True, (4, 15), (4, 15), ALL_SIZES, "720p", None),
    "seedance2.0-mini-sp": (J, "seedance2.0-mini-sp-720p", True, (4, 15), (4, 15), LOW_SIZES, "720p", None),
    "seedance2.0-md": (J, "seedance2.0-md", False, (1, 15), (4, 15), ("720p",), "720p", STRICT_3),
    "seedance2.0-fast-md": (J, "seedance2.0-fast-md", False, (1, 15), (4, 15), ("720p",), "720p", STRICT_3),
    "seedance2.0-fast-i2v": (J, "seedance2.0-fast-i2v", True, (1, 15), (1, 15), ("720p",), "720p", STRICT_3),
    "seedance2.0-std": (
        J, "seedance2.0-std", False, (4, 15), (4, 15), ("720p",), "720p", (*STRICT_3, "4:3", "3:4", "21:9"),
    ),
    "seedance-2.0-mini": (
        T, "seedance-2.0-mini", False, (4, 15), (4, 15), LOW_SIZES, "720p",
        ("16:9", "4:3", "1:1", "3:4", "9:16", "21:9", "adaptive"),
    ),
}  # fmt: skip

# model: images, frames, videos, audios (a maximum, True: no maximum stated, None: refused), schemes of images
MEDIA = {
    **{model: (True, True, True if "video" in model else None, True, {"asset"}) for model in TABLE if "mx" in model},
    **{model: (True, True, True, True, {"https", "asset"}) for model in TABLE if model.endswith("-sp")},
    "seedance2.0-mini": (True, True, None, True, {"https"}),
    "seedance2.0-mini-video": (True, True, True, True, {"https"}),
    "seedance2.0-mini-sp": (True, True, True, True, {"https"}),
    "seedance2.0-md": (4, True, 3, None, {"https"}),
    "seedance2.0-fast-md": (4, True, 3, None, {"https"}),
    "seedance2.0-fast-i2v": (9, True, None, None, {"https"}),
    "seedance2.0-std": (9, True, True, 3, {"https"}),
    "seedance-2.0-mini": (9, True, 3, 3, {"https", "asset", "data"}),
}


def severities(route, field, **settings):
    problems = check(route, VideoRequest(**{"prompt": "a cat", **settings}))
    return {problem.severity for problem in problems if problem.field == field}


def test_catalogue_is_the_table():
    assert len(CATALOGUE) == len(TABLE)
    assert {route.model for route in CATALOGUE} == set(TABLE) == set(MEDIA)


@pytest.mark.parametrize("model", TABLE)
def test_settings_of_each_route(model):
    unit, line, documented, (low, high), (sure_low, sure_high), sizes, default, ratios = TABLE[model]
    route = find(model)
    assert (route.unit, route.billing_documented, route.resolution.default) == (unit, documented, default)
    assert billing_model(route, VideoRequest(prompt="a cat")) == line
    for seconds in range(-1, 20):
        sure, possible = sure_low <= seconds <= sure_high, low <= seconds <= high
        expected = set() if sure else {"warning"} if possible else {"error"}
        assert severities(route, "duration", duration=seconds) == expected, seconds
    for size in ("480p", "720p", "1080p", "2k", "4k", "8k"):
        assert ("error" in severities(route, "resolution", resolution=size)) == (size not in sizes), size
    for ratio in ("16:9", "9:16", "1:1", "4:3", "3:4", "21:9", "adaptive", "Adaptive", "5:4"):
        found = severities(route, "ratio", ratio=ratio)
        if ratios is not None:
            assert found == (set() if ratio in ratios else {"error"}), ratio
        else:
            assert "error" not in found
            assert bool(found) == (ratio in {"adaptive", "5:4"} or ("mx" not in model and ratio not in STRICT_3)), ratio
    jimmy = route.provider == "jimmy"
    for switch in ("generate_audio", "watermark", "web_search"):
        for value in (True, False):
            assert severities(route, switch, **{switch: value}) == ({"error"} if jimmy else set())
    assert severities(route, "orientation", orientation="portrait") == (set() if jimmy else {"error"})
    assert severities(route, "prompt", prompt=" ") == {"error"}
    too_long = severities(route, "prompt", prompt="x" * 5001)
    assert too_long == ({"error"} if model.endswith(("-md", "-i2v")) else set())


SAMPLES = {
    "https": "https://example.com/a",
    "asset": "asset://asset-1",
    "data": "data:image/png;base64,AAAA",
    "http": "http://example.com/a",
    "file": "a.png",
    "store": "s3://bucket/a.png",
    "ftp": "ftp://example.com/a.png",
}


@pytest.mark.parametrize("model", TABLE)
def test_media_of_each_route(model):
    *limits, schemes = MEDIA[model]
    route = find(model)
    good = SAMPLES[max(schemes)]
    fields = ("images", "first_image", "reference_videos", "reference_audios")
    for field, limit in zip(fields, limits, strict=True):
        if field == "first_image":
            found = severities(route, field, first_image=good, last_image=good)
            assert found == set()
            continue
        beside = {"images": (good,)} if field == "reference_audios" else {}
        assert ("error" in severities(route, field, **beside, **{field: (good,)})) == (limit is None)
        over = 30 if limit is True else (limit or 0) + 1
        expected = limit is not True
        assert ("error" in severities(route, field, **{**beside, field: (good,) * over})) == expected
    # What the provider does not fetch itself is brought there, except to where assets alone are taken.
    brought = {"https", "data", "file", "store"} if schemes != {"asset"} else set()
    for scheme, sample in SAMPLES.items():
        assert ("error" in severities(route, "images", images=(sample,))) == (scheme not in schemes | brought), scheme
    if route.provider == "jimmy":
        assert "error" in severities(route, "images", images=(good,), first_image=good, last_image=good)


def test_every_rule_names_its_document():
    for route in CATALOGUE:
        assert route.sources
        rules = [route.prompt, route.duration, route.resolution, route.ratio, route.images, route.frames]
        rules += [route.reference_videos, route.reference_audios, *route.exclusions]
        rules += [limit for rule in rules for limit in getattr(rule, "limits", ())]
        assert all(rule.source for rule in rules), route.model
        for rule in (route.duration, route.resolution, route.reference_videos, route.reference_audios):
            soft = getattr(rule, "doubtful", ()) or getattr(rule, "verdict", "") == "doubtful"
            assert not soft or rule.doubt, route.model


def test_routes_travel_as_json():
    for route in CATALOGUE:
        assert Route.model_validate_json(route.model_dump_json()) == route
        assert Route.model_validate(route.model_dump(mode="json")) == route


def test_a_route_of_ones_own_needs_three_fields():
    route = Route(provider="jimmy", model="seedance2.0-933", unit="second")
    assert (route.title, route.billing_model) == ("seedance2.0-933", "seedance2.0-933")
    assert find("seedance2.0-933", extra=[route]) is route
    odd = VideoRequest(
        prompt="猫" * 9000, duration=99, resolution="3k", ratio="7:5", generate_audio=True, images=["asset://1"]
    )
    assert check(route, odd) == []


@pytest.mark.parametrize(
    "wrong",
    [
        {"billing_model": "x-{colour}"},
        {"billing_model": "x-{resolution}"},
        {"duration": {"minimum": 6}},
        {"durations": {"minimum": 6}},
        {"unit": "hour"},
    ],
)
def test_a_senseless_route_is_refused(wrong):
    with pytest.raises(ValidationError):
        Route(**{"provider": "jimmy", "model": "x", "unit": "second", **wrong})


def test_find_prefers_the_users_own_and_asks_where_two_sell_it():
    own = find("seedance2.0-mini").model_copy(update={"billing_model": "mine"})
    assert find("seedance2.0-mini", extra=[own]).billing_model == "mine"
    other = Route(provider="anyfast", model="seedance2.0-mini", unit="job")
    with pytest.raises(InputError, match="sold by jimmy, anyfast"):
        find("seedance2.0-mini", extra=[other])
    assert find("seedance2.0-mini", "anyfast", extra=[other]) is other


@pytest.mark.parametrize(
    ("model", "provider", "hint"),
    [
        ("Seedance2.0-Mini ", None, "did you mean seedance2.0-mini"),
        ("seedance2.0-mni", "jimmy", "did you mean seedance2.0-mini"),
        ("sd2-mx-4k", None, "sd2_mx_4k"),
        ("seedance2.0-mini", "anyfast", "sold by jimmy"),
        ("zzz", None, f"known: {CATALOGUE[0].model}"),
        ("seedance2.0-mini", "Jimmy", "known: jimmy, anyfast"),
    ],
)
def test_find_helps_where_it_does_not_find(model, provider, hint):
    with pytest.raises(InputError, match=hint):
        find(model, provider)
