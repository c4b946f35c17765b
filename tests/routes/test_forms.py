"""How each route is reached: tabulated by kind of route, and total over any address."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prefect_seedance.routes import CATALOGUE, Problem, Route, VideoRequest, check, find, form_of

ADDRESSES = {
    "https": "https://example.com/a",
    "asset": "asset://asset-1",
    "data": "data:image/png;base64,AAAA",
    "file": "shots/a",
    "store": "s3://bucket/a",
}
PICTURES, OTHERS = ("images", "first_image", "last_image"), ("reference_videos", "reference_audios")
N = None  # refused
LINK = dict(zip(ADDRESSES, ("as-is", N, "link", "link", "link"), strict=True))
SP = {**LINK, "asset": "as-is"}
FULL = dict(zip(ADDRESSES, (N, "as-is", N, N, N), strict=True))
EXPERIMENTAL = dict(zip(ADDRESSES, ("asset", "as-is", "asset", "asset", "asset"), strict=True))
INLINE = dict(zip(ADDRESSES, ("as-is", "as-is", "as-is", "data", "data"), strict=True))
NOT_INLINE = dict(zip(ADDRESSES, ("as-is", "as-is", "asset", "asset", "asset"), strict=True))
PORTRAIT = {name: "as-is" if name == "asset" else "portrait" for name in ADDRESSES}
NO_REVIEW = dict.fromkeys(ADDRESSES, N)

# Of each library, by the user's wish: pictures, videos, audios.
TABLE = {
    ("", None): (LINK, LINK, LINK),
    ("", "portrait"): (LINK, LINK, LINK),
    ("", "asset"): (NO_REVIEW, NO_REVIEW, NO_REVIEW),
    ("sp", None): (SP, SP, SP),
    ("sp", "portrait"): (PORTRAIT, SP, SP),
    ("sp", "asset"): (EXPERIMENTAL, EXPERIMENTAL, EXPERIMENTAL),
    ("audit", None): (FULL, FULL, FULL),
    ("audit", "portrait"): (FULL, FULL, FULL),
    ("audit", "asset"): (FULL, FULL, FULL),
    ("volc", None): (INLINE, NOT_INLINE, INLINE),
    ("volc", "portrait"): (EXPERIMENTAL, NOT_INLINE, INLINE),
    ("volc", "asset"): (EXPERIMENTAL, EXPERIMENTAL, EXPERIMENTAL),
}


@pytest.mark.parametrize("route", CATALOGUE, ids=lambda route: route.model)
@pytest.mark.parametrize("review", [None, "portrait", "asset"])
def test_the_forms_of_every_route(route, review):
    pictures, videos, audios = TABLE[route.library, review]
    for fields, expected in ((PICTURES, pictures), (("reference_videos",), videos), (("reference_audios",), audios)):
        for field in fields:
            if route.medium(field).verdict == "refused":
                continue
            for name, address in ADDRESSES.items():
                form = form_of(route, field, address, review=review)
                assert (None if isinstance(form, Problem) else form) == expected[name], (field, name)


def test_the_libraries_are_where_the_documents_have_them():
    found = {route.model: route.library for route in CATALOGUE if route.library}
    assert {model for model, library in found.items() if library == "audit"} == {m for m in found if "mx" in m}
    assert {model for model, library in found.items() if library == "sp"} == {
        "seedance2.0-sp", "seedance2.0-fast-sp", "seedance2.0-of-sp", "seedance2.0-of-fast-sp",
    }  # fmt: skip
    assert {model for model, library in found.items() if library == "volc"} == {
        route.model for route in CATALOGUE if route.provider == "anyfast"
    }
    assert set(found.values()) == {"audit", "sp", "volc"}


@pytest.mark.parametrize("route", [route for route in CATALOGUE if route.library == "audit"], ids=lambda r: r.model)
def test_full_submits_only_by_experiment_and_says_so(route):
    for review in (None, "portrait", "asset"):
        for name, address in ADDRESSES.items():
            assert form_of(route, "images", address, review=review, experimental=True) == EXPERIMENTAL[name]
        problem = form_of(route, "images", "a.png", review=review)
        assert isinstance(problem, Problem)
        for part in (route.name, "images 'a.png'", "asset://", "experimental=True", "unconfirmed"):
            assert part in str(problem)
    request = VideoRequest(prompt="x", images=["a.png"])
    assert any(found.is_error for found in check(route, request))
    assert not any(found.is_error for found in check(route, request, experimental=True))


@pytest.mark.parametrize(
    ("model", "address", "text"),
    [
        ("seedance2.0-mini", "http://example.com/a.png?key=SECRET", "plain http"),
        ("seedance2.0-mini", "asset://a", "https:// links, data:<type>;base64,<data>, a file's path"),
        ("seedance2.0-sp", "ftp://me:SECRET@e.com/a.png", "ftp:// is not supported"),
        ("seedance-2.0-mini", "s3://KEY:SECRET@bucket/a.png", "contains a password"),
        ("seedance-2.0-mini", "iVBORw0KGgo" * 99, "data:image/png;base64,"),
        ("sd2_mx_4k", "", "is empty; allowed: asset://<id>"),
        ("seedance2.0-md", "Data:image/png;base64,AAAA", "lower case"),
    ],
)
def test_what_cannot_be_brought_is_told_with_what_can(model, address, text):
    problem = form_of(find(model), "images", address)
    assert isinstance(problem, Problem)
    assert problem.is_error
    assert text in str(problem)
    assert "SECRET" not in str(problem)


def test_a_review_that_a_route_lacks_is_told():
    problem = form_of(find("seedance2.0-std"), "images", "a.png", review="asset")
    assert isinstance(problem, Problem)
    assert problem.slug == "rule.no_review"
    request = VideoRequest(prompt="x", images=["a.png"])
    assert [found.field for found in check(find("seedance2.0-std"), request, review="asset")] == ["images"]
    assert check(find("seedance2.0-std"), request, review="portrait") == []


def test_a_route_of_ones_own_is_reached_as_its_provider_is():
    jimmy = Route(provider="jimmy", model="seedance2.0-933", unit="second")
    assert [form_of(jimmy, "images", ADDRESSES[name]) for name in ADDRESSES] == ["as-is", "as-is", *["link"] * 3]
    anyfast = Route(provider="anyfast", model="seedance-2.0", unit="million_tokens")
    assert anyfast.library == "volc"
    assert form_of(anyfast, "images", "a.png", review="asset") == "asset"


@given(
    st.sampled_from(CATALOGUE),
    st.sampled_from((*PICTURES, *OTHERS)),
    st.one_of(
        st.text(max_size=60), st.sampled_from(["s3:", "file://", "a"]).flatmap(lambda x: st.text().map(x.__add__))
    ),
    st.sampled_from([None, "asset", "portrait"]),
    st.booleans(),
)
def test_every_address_has_a_form_or_a_reason(route, field, address, review, experimental):
    form = form_of(route, field, address, review=review, experimental=experimental)
    if isinstance(form, Problem):
        assert (form.field, form.is_error) == (field, True)
        assert form.source
        assert len(str(form)) < 700
    elif form == "as-is":
        assert address.lower().startswith(("https://", "http://", "asset://", "data:"))
