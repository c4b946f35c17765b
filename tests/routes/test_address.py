import pytest

from prefect_seedance.routes import is_loopback, shown
from prefect_seedance.routes.address import format_of, scheme_of


@pytest.mark.parametrize(
    ("address", "scheme", "kind"),
    [
        ("https://e.com/a.JPG?x=.png", "https", "jpeg"),
        ("https://e.com/a", "https", None),
        ("https://e.com/archive.tar.gz", "https", None),
        ("http://localhost:1/a.mp4", "https", "mp4"),
        ("http://[::1]/a.mp4", "https", "mp4"),
        ("http://localhost.evil.com/a.mp4", None, "mp4"),
        ("http://127.0.0.1@evil.com/a.mp4", None, "mp4"),
        ("https:///a.png", None, "png"),
        ("https://e.com:99999/a.png", None, None),
        ("https://e.com/a\nb.png", None, None),
        ("asset://asset-20260101-x", "asset", None),
        ("asset:// x", None, None),
        ("data:audio/mpeg;base64,AAAA", "data", "mp3"),
        ("data:image/x-unknown;base64,AAAA", "data", "x-unknown"),
        ("data:image/png;base64,", None, None),
        ("data:image/png,AAAA", None, None),
        ("/home/me/a.png", None, None),
        ("file:///home/me/a.png", None, None),
    ],
)
def test_an_address_tells_its_scheme_and_its_format(address, scheme, kind):
    assert (scheme_of(address), format_of(address)) == (scheme, kind)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("https://e.com/a.png?sig=KEY#KEY", "'https://e.com/a.png'"),
        ("https://me:KEY@e.com/a.png", "'https://…@e.com/a.png'"),
        ("data:image/png;base64,KEYKEY", "'data:image/png;base64,…' (28 characters)"),
        ("x" * 5001, f"'{'x' * 60}…' (5,001 characters)"),
        ("Is it a cat?", "'Is it a cat?'"),
        (None, "not set"),
        (True, "true"),
        (5, "5"),
    ],
)
def test_what_is_shown_is_short_and_gives_no_access(value, text):
    assert shown(value) == text


def test_loopback():
    assert all(map(is_loopback, ("localhost", "127.0.0.1", "127.9.9.9", "::1")))
    assert not any(map(is_loopback, ("", "example.com", "10.0.0.1", "0.0.0.0", "localhost.example.com")))
