"""Whatever a careless person writes: every route answers, and nothing secret is said."""

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from prefect_seedance.routes import CATALOGUE, Prices, VideoRequest, check, quote, resolve, settle_units, units
from prefect_seedance.routes.rules.check import check_words

ADDRESSES = st.one_of(
    st.sampled_from(
        [
            "https://example.com/a.png",
            "https://example.com/a.gif?sig=SECRET",
            "https://me:SECRET@example.com/a.mp4",
            "ftp://me:SECRET@example.com/a.mp4",
            "https://example.com/a b.png?sig=SECRET",
            "http://127.0.0.1:8765/a.png",
            "http://[",
            "asset://asset-1",
            "asset://",
            "data:image/png;base64,SECRET",
            "data:video/mp4;base64,SECRET",
            "photos/a.png",
            "s3://bucket/a.mp4",
            "s3://me:SECRET@bucket/a.mp4?sig=SECRET",
            "file:///data/a.wav",
            "",
        ]
    ),
    st.text(max_size=40),
)
RATIOS = st.sampled_from(["16:9", "9:16", "1:1", "4:3", "3:4", "21:9", "adaptive", "Adaptive", "5:4", ""])
SIZES = st.sampled_from(["480p", "720p", "1080p", "2k", "4k", "{resolution}"])
MEDIA = st.lists(ADDRESSES, max_size=12).map(tuple)


def or_none(strategy):
    return st.one_of(st.none(), strategy)


REQUESTS = st.builds(
    VideoRequest,
    prompt=or_none(st.one_of(st.text(max_size=60), st.just("猫" * 501), st.just("cat " * 1500))),
    duration=or_none(st.integers(-3, 40)),
    # A name in a price list has no spaces around it, and a resolution is a part of such names.
    resolution=or_none(st.one_of(SIZES, st.text(max_size=5).map(str.strip))),
    ratio=or_none(st.one_of(RATIOS, st.text(max_size=5))),
    orientation=or_none(st.sampled_from(["landscape", "portrait"])),
    images=MEDIA,
    first_image=or_none(ADDRESSES),
    last_image=or_none(ADDRESSES),
    reference_videos=MEDIA,
    reference_audios=MEDIA,
    generate_audio=or_none(st.booleans()),
    watermark=or_none(st.booleans()),
    web_search=or_none(st.booleans()),
)
ROUTES = st.sampled_from(CATALOGUE)


@given(ROUTES, REQUESTS)
def test_every_problem_names_route_field_value_and_document(route, request):
    for problem in check(route, request):
        assert str(problem).startswith(f"{route.name}: {problem.field} {problem.value}: ")
        assert problem.field in VideoRequest.model_fields
        assert problem.source
        assert problem.is_error == (problem.severity == "error")
        assert len(str(problem)) < 700
        assert "SECRET" not in str(problem)


@given(ROUTES, REQUESTS)
def test_a_request_without_errors_keeps_the_hard_rules(route, request):
    """The hard rules once more, in other words than the rules' own."""
    if any(problem.is_error for problem in check(route, request)):
        return
    if route.provider == "jimmy":
        assert request.prompt
        assert request.prompt.strip()
        assert request.generate_audio is request.watermark is request.web_search is None
    else:
        assert request.orientation is None
    assert request.duration is None or 1 <= request.duration <= 15
    assert not (request.images and (request.first_image is not None or request.last_image is not None))
    if "mx" in route.model:
        assert all(image.startswith("asset://") for image in (*request.images, *request.frames))
    assert not any("ftp://" in address or address == "" for _, address in request.media)
    if request.reference_videos:
        assert "-i2v" not in route.model
        assert route.model not in {"seedance2.0-mini", "sd2_mx_720p"}


@given(ROUTES, REQUESTS, or_none(REQUESTS))
def test_resolving_is_settled_at_once(route, request, defaults):
    resolved = resolve(route, request, defaults)
    assert resolved.duration is not None
    assert resolve(route, resolved, None) is resolved
    for field in VideoRequest.model_fields:
        own = getattr(request, field)
        if own not in (None, ()):
            assert getattr(resolved, field) == own
    assert VideoRequest.model_validate(resolved.model_dump()) == resolved


@given(ROUTES, REQUESTS, or_none(st.decimals(0, 60, places=3)), or_none(st.integers(0, 10**7)))
def test_every_request_has_its_units_and_its_quote(route, request, seconds, tokens):
    if request.duration is not None and request.duration < 0:
        return
    count = units(route, request, reference_seconds=seconds)
    assert count.low >= 0
    assert count.high is None or count.low <= count.high
    answer = quote(route, request, None, reference_seconds=seconds)
    assert answer.kind == "unknown price"
    priced = quote(
        route, request, Prices.parse("CNY", {answer.billing_model or "x": "0.07"}), reference_seconds=seconds
    )
    assert priced.low == count.low * Decimal("0.07")
    assert (priced.high is None) == (count.high is None)
    settled = settle_units(route, request, tokens=tokens, reference_seconds=seconds)
    if settled is not None and route.unit != "million_tokens":
        assert count.low <= settled
        assert count.high is None or settled <= count.high


@given(ROUTES, REQUESTS, st.text(min_size=1, max_size=60))
def test_only_the_rules_of_the_words_read_the_words(route, request, prompt):
    """A large table is checked by its kinds of rows: what is said of one prompt holds for all that break no rule."""
    other = request.model_copy(update={"prompt": prompt})
    if not check_words(route, request) and not check_words(route, other):
        assert check(route, request) == check(route, other)
    assert quote(route, request, None) == quote(route, other, None)
