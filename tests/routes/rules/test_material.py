"""What media are, against what every route allows: boundaries, both readings of unclear rules, and any facts at all."""

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prefect_seedance.routes import (
    CATALOGUE,
    MediaFacts,
    Prices,
    Route,
    VideoRequest,
    check_material,
    find,
    quote,
    reference_seconds,
)
from prefect_seedance.routes.pricing.quote import FALLBACK, MINIMUM

MIB, MB = 2**20, 10**6
ANY, MD = "seedance-2.0-mini", "seedance2.0-md"
KINDS = {
    "images": "image", "first_image": "image", "last_image": "image",
    "reference_videos": "video", "reference_audios": "audio",
}  # fmt: skip
FORMATS = {"image": "png", "video": "mp4", "audio": "mp3"}


def facts_of(field, **known):
    return MediaFacts(**{"kind": KINDS[field], "format": FORMATS[KINDS[field]], **known})


def found(model, field, *media, base="https://e.com/", **options):
    route = model if isinstance(model, Route) else find(model)
    names = tuple(f"{base}{n}" for n in range(len(media)))
    request = VideoRequest(prompt="x", **{field: names[0] if field.endswith("_image") else names})
    problems = check_material(route, request, dict(zip(names, media, strict=True)), **options)
    for problem in problems:
        assert str(problem).startswith(f"{route.name}: {problem.field} {problem.value}: ")
        assert "allowed" in str(problem)
        assert problem.source
    return [problem.severity for problem in problems]


E, W, OK = ["error"], ["warning"], []
VIDEO_SIDE = {"width": 1280, "height": 720}
CASES = [
    # Anyfast: images in every field.
    *((ANY, field, [{"bytes": 30 * MB}], OK) for field in ("images", "first_image")),
    *((ANY, field, [{"bytes": 30 * MB + 1}], W) for field in ("images", "first_image")),
    *((ANY, field, [{"bytes": 30 * MIB}], W) for field in ("images", "first_image")),
    *((ANY, field, [{"bytes": 30 * MIB + 1}], E) for field in ("images", "first_image")),
    (ANY, "images", [{"width": 300, "height": 750}], OK),
    (ANY, "images", [{"width": 300, "height": 751}], E),
    (ANY, "images", [{"width": 750, "height": 300}], OK),
    (ANY, "images", [{"width": 751, "height": 300}], E),
    (ANY, "images", [{"width": 299, "height": 299}], E),
    (ANY, "images", [{"width": 6000, "height": 6000}], OK),
    (ANY, "images", [{"width": 6001, "height": 6001}], E),
    (ANY, "images", [{"width": 100, "height": 6001}], E + E),
    (ANY, "images", [{"width": 100}], OK),
    (ANY, "images", [{"format": "heic"}], W),
    (ANY, "images", [{"format": "svg"}], E),
    # Anyfast: videos and audios.
    (ANY, "reference_videos", [{"bytes": 50 * MIB + 1}], E),
    (ANY, "reference_audios", [{"bytes": 15 * MIB + 1}], E),
    (ANY, "reference_videos", [{"seconds": "2"}], OK),
    (ANY, "reference_videos", [{"seconds": "1.999"}], W),
    (ANY, "reference_videos", [{"seconds": "15"}], OK),
    (ANY, "reference_videos", [{"seconds": "15.501"}], E + W),
    (ANY, "reference_audios", [{"seconds": "1.4"}], E),
    (ANY, "reference_videos", [{"seconds": "7.5"}, {"seconds": "7.5"}], OK),
    (ANY, "reference_videos", [{"seconds": "7.5"}, {"seconds": "7.6"}], W),
    (ANY, "reference_videos", [{"seconds": "9"}, {}, {"seconds": "9"}], W),
    (ANY, "reference_audios", [{"seconds": "8"}, {"seconds": "8"}], W),
    (ANY, "reference_videos", [{"fps": "24"}], OK),
    (ANY, "reference_videos", [{"fps": "60"}], OK),
    (ANY, "reference_videos", [{"fps": "23.976"}], W),
    (ANY, "reference_videos", [{"fps": "61"}], E),
    (ANY, "reference_videos", [{"width": 8000, "height": 10}], OK),
    (ANY, "reference_videos", [{"format": "webm"}], E),
    (ANY, "reference_videos", [{"kind": "audio", "format": "m4a"}], E),
    (ANY, "reference_audios", [{"format": "m4a"}], E),
    # MD.
    *((model, "images", [{"format": "gif"}], E) for model in (MD, "seedance2.0-fast-md")),
    (MD, "first_image", [{"format": "gif"}], W),
    (MD, "reference_videos", [{"width": 720, "height": 2160}], OK),
    (MD, "reference_videos", [{"width": 1280, "height": 719}], W),
    (MD, "reference_videos", [{"width": 2161, "height": 720}], W),
    (MD, "reference_videos", [{"width": 500, "height": 719}], E),
    (MD, "reference_videos", [{"width": 500, "height": 2161}], E),
    (MD, "reference_videos", [{"seconds": "15"}], OK),
    (MD, "reference_videos", [{"seconds": "15.51"}], E),
    (MD, "reference_videos", [{"seconds": "5", "bytes": 1}, {"seconds": "5"}, {"seconds": "5.6"}], E),
    (MD, "reference_videos", [{"bytes": 100 * MB}, {"bytes": 100 * MB}], OK),
    (MD, "reference_videos", [{"bytes": 100 * MB}, {"bytes": 100 * MB + 1}], W),
    (MD, "reference_videos", [{"bytes": 100 * MIB}, {"bytes": 100 * MIB + 1}], E),
    # Routes that say little.
    ("seedance2.0-std", "reference_videos", [{"seconds": "99", "bytes": 10**12}], OK),
    ("seedance2.0-std", "reference_videos", [{"kind": "image", "format": "png"}], E),
    ("seedance2.0-std", "reference_videos", [{"format": "mpeg2"}], E),
    ("seedance2.0-mini", "images", [{"kind": "video", "format": "mp4"}], E),
    ("seedance2.0-mini", "images", [{"format": "tiff", "bytes": 10**12}], OK),
    ("seedance2.0-mini", "reference_videos", [{"kind": "image", "format": "png"}], OK),  # refused by `check` already
]


@pytest.mark.parametrize(("model", "field", "media", "expected"), CASES)
def test_what_each_document_says(model, field, media, expected):
    known = [
        facts_of(field, **{k: Decimal(v) if k in {"seconds", "fps"} else v for k, v in one.items()}) for one in media
    ]
    assert found(model, field, *known) == expected


@pytest.mark.parametrize("route", CATALOGUE, ids=lambda route: route.model)
def test_on_every_route_a_field_holds_its_own_kind(route):
    for field, kind in KINDS.items():
        refused = route.medium(field).verdict == "refused"
        for other, usual in FORMATS.items():
            severities = found(route, field, MediaFacts(kind=other, format=usual))
            assert severities == ([] if refused or other == kind else E), (field, other)


@pytest.mark.parametrize("route", [one for one in CATALOGUE if one.provider == "jimmy"], ids=lambda route: route.model)
def test_what_is_uploaded_keeps_to_the_upload_page(route):
    by_upload = route.library != "audit"
    for base, uploaded in (("shots/", by_upload), ("s3://b/", by_upload), ("https://e.com/", False)):
        for size, severity in ((100 * MB, OK), (100 * MIB, W), (100 * MIB + 1, E)):
            expected = severity if uploaded else OK
            assert found(route, "images", facts_of("images", bytes=size), base=base) == expected
        tiff = facts_of("images", format="tiff")
        assert found(route, "images", tiff, base=base) == (E if uploaded else OK)
        assert found(route, "images", tiff, base=base, review="portrait") == (E if uploaded else OK)


def test_a_full_file_is_uploaded_by_experiment_only():
    large = facts_of("images", bytes=101 * MIB)
    assert found("sd2_mx_2k", "images", large, base="a/") == OK
    assert found("sd2_mx_2k", "images", large, base="a/", experimental=True) == E


def test_a_request_full_of_base64_is_warned_about():
    assert found(ANY, "images", *[facts_of("images", bytes=16 * MB - 1)] * 3, base="a/") == OK
    assert found(ANY, "images", *[facts_of("images", bytes=16 * MB)] * 3, base="a/") == W
    assert found(ANY, "images", *[facts_of("images", bytes=17 * MB)] * 3, base="https://e.com/") == OK
    assert found(ANY, "images", *[facts_of("images", bytes=17 * MB)] * 3, base="a/", review="asset") == OK
    assert found(ANY, "images", *[facts_of("images")] * 3, base="data:image/png;base64,AA") == OK


def test_all_problems_come_at_once_and_in_words():
    clip = "https://e.com/a.mp4?sig=SECRET"
    request = VideoRequest(images=["big.png"], reference_videos=[clip], reference_audios=["https://e.com/gone.mp3"])
    facts = {
        "big.png": MediaFacts("image", "gif", bytes=32 * MIB, width=200, height=400),
        clip: MediaFacts("video", "mp4", seconds=Decimal(16), fps=Decimal("29.97")),
    }
    route = find(ANY)
    assert [str(problem) for problem in check_material(route, request, facts)] == [
        "anyfast/seedance-2.0-mini: images 'big.png': has 33,554,432 bytes; allowed: up to 30 MB (30,000,000 bytes)",
        "anyfast/seedance-2.0-mini: images 'big.png': has 200 x 400 px; allowed: each side 300 to 6000 px",
        "anyfast/seedance-2.0-mini: reference_videos 'https://e.com/a.mp4': lasts 16 s; allowed: 2 to 15 s",
        (
            "anyfast/seedance-2.0-mini: reference_videos 'https://e.com/a.mp4': all together last 16 s and may be "
            "refused: the limit of 15 seconds for all together is known from upstream and from integrators, not from "
            "Anyfast; allowed for certain: up to 15 s together"
        ),
    ]
    disguised = {clip: MediaFacts("audio", "m4a"), "big.png": MediaFacts("video", "mp4")}
    assert [str(problem) for problem in check_material(route, request, disguised)] == [
        "anyfast/seedance-2.0-mini: images 'big.png': is video (mp4) by its content; allowed: image",
        (
            "anyfast/seedance-2.0-mini: reference_videos 'https://e.com/a.mp4': is audio (m4a) by its content; "
            "allowed: video"
        ),
    ]
    assert check_material(route, request, {}) == ()


LIMITS = [
    (route, field, limit)
    for route in CATALOGUE
    for field in KINDS
    for limit in route.medium(field).limits
    if limit.measure in {"bytes", "seconds", "fps", "total_bytes", "total_seconds"}
]
KEYS = {"total_bytes": "bytes", "total_seconds": "seconds"}


@given(st.sampled_from(LIMITS), st.integers(1, 10**6))
def test_every_limit_passes_and_a_little_more_fails(case, little):
    route, field, limit = case
    key = KEYS.get(limit.measure, limit.measure)
    epsilon = little if key == "bytes" else Decimal(little) / 10**7
    for low, high, severity in (
        (limit.minimum, limit.maximum, "error"),
        (limit.sure_minimum, limit.sure_maximum, "warning"),
    ):
        for bound, step in ((low, -epsilon), (high, epsilon)):
            if bound is None:
                continue
            at, beyond = (int(bound) if key == "bytes" else bound), bound + step
            here = found(route, field, facts_of(field, **{key: at}))
            there = found(route, field, facts_of(field, **{key: int(beyond) if key == "bytes" else beyond}))
            assert "error" not in here
            assert severity in there or (severity == "warning" and "error" in there)


NUMBERS = st.one_of(st.none(), st.integers(), st.sampled_from([0, -1, 10**5000]))
DECIMALS = st.one_of(
    st.none(),
    st.decimals(),
    st.sampled_from([Decimal(text) for text in ("NaN", "sNaN", "Infinity", "-1", "1E+999999", "1E-999999", "-0")]),
)
FACTS = st.builds(
    MediaFacts,
    kind=st.sampled_from(["image", "video", "audio"]),
    format=st.one_of(st.sampled_from(["png", "gif", "mp4", "mp3", ""]), st.text(max_size=300)),
    bytes=NUMBERS,
    width=NUMBERS,
    height=NUMBERS,
    seconds=DECIMALS,
    fps=DECIMALS,
    has_audio=st.one_of(st.none(), st.booleans()),
)
PLACES = st.sampled_from(
    ["https://e.com/a", "https://e.com/b", "a.png", "asset://a", "s3://b/a", "data:a", "ftp://x", ""]
)


@given(
    st.sampled_from(CATALOGUE),
    st.builds(
        VideoRequest,
        prompt=st.just("x"),
        images=st.lists(PLACES, max_size=3).map(tuple),
        first_image=st.one_of(st.none(), PLACES),
        reference_videos=st.lists(PLACES, max_size=3).map(tuple),
        reference_audios=st.lists(PLACES, max_size=3).map(tuple),
    ),
    st.dictionaries(PLACES, FACTS),
    st.sampled_from([None, "asset", "portrait"]),
)
def test_any_facts_are_judged_and_quoted(route, request, facts, review):
    problems = check_material(route, request, facts, review=review)
    assert len(set(problems)) == len(problems)
    for problem in problems:
        assert len(str(problem)) < 700
    seconds = reference_seconds(route, request, facts)
    assert seconds is None or (route.input_seconds in {"first", "all"} and seconds >= 0)
    answer = quote(route, request, None, reference_seconds=seconds)
    assert answer.units_high is None or answer.units_low <= answer.units_high


CLIPS = ("https://e.com/a.mp4", "https://e.com/b.mp4")


def clips(*lengths):
    return {
        clip: MediaFacts("video", "mp4", seconds=None if length is None else Decimal(length))
        for clip, length in zip(CLIPS, lengths, strict=False)
    }


@pytest.mark.parametrize("route", CATALOGUE, ids=lambda route: route.model)
def test_the_seconds_that_a_route_bills(route):
    request = VideoRequest(prompt="x", reference_videos=CLIPS)
    expected = {"seedance2.0-mini-video": Decimal("3.25"), ANY: Decimal("5.75")}.get(route.model)
    assert reference_seconds(route, request, clips("3.25", "2.5")) == expected
    assert reference_seconds(route, request, clips("3.25")) == (expected if route.model != ANY else None)
    assert reference_seconds(route, request, clips(None, "3")) is None
    assert reference_seconds(route, request, clips("NaN", "3")) is None
    assert reference_seconds(route, VideoRequest(prompt="x"), clips("3", "3")) is None


def test_a_known_length_closes_the_quote_of_mini_video_and_raises_that_of_anyfast():
    request = VideoRequest(prompt="x", duration=8, reference_videos=CLIPS, ratio="16:9", resolution="720p")
    route = find("seedance2.0-mini-video")
    prices = Prices.parse("CNY", {"seedance2.0-mini-720p-video": "0.05", ANY: "23"})
    answer = quote(route, request, prices, reference_seconds=reference_seconds(route, request, clips("2.5", "9")))
    assert (answer.low, answer.high, answer.notes) == (Decimal("0.50"), Decimal("0.55"), (FALLBACK,))
    route = find(ANY)
    answer = quote(route, request, prices, reference_seconds=reference_seconds(route, request, clips("2.5", "3.5")))
    tokens = Fraction((24 * (8 + 6) + 1) * 1280 * 720, 1024)
    assert (Fraction(answer.low), answer.high, answer.notes) == (tokens * 23 / MB, None, (MINIMUM,))
