import pytest

from prefect_seedance.routes import is_loopback, shown
from prefect_seedance.routes.address import address_problem, format_of, scheme_of


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
        ("http:/e.com/a.png", None, "png"),
        ("logo.png", "file", "png"),
        ("media/分镜 1.PNG", "file", "png"),
        ("/data/shot: 1?.mov", "file", "mov"),
        ("C:\\shots\\a.mp4", "file", "mp4"),
        ("portrait", "file", None),
        ("file:///home/me/a b.png", "file", "png"),
        ("file://localhost/a.png", "file", "png"),
        ("file://server/a.png", None, "png"),
        ("file:a.png", None, "png"),
        ("//server/share/a.png", None, "png"),
        ("\\\\server\\share\\a.png", None, "png"),
        ("//example.com/a.png", None, "png"),
        ("s3://bucket/分镜 1.png", "store", "png"),
        ("gs://bucket/a.mp4?generation=1", "store", "mp4"),
        ("memory://a.wav", "store", "wav"),
        ("abfs://box@account.dfs.core.windows.net/a.jpg", "store", "jpeg"),
        ("s3://KEY:SECRET@bucket/a.png", None, "png"),
        ("S3://bucket/a.png", None, "png"),
        ("s3://", None, None),
        ("s3:///a.png", None, "png"),
        ("ftp://e.com/a.png", None, "png"),
        ("sftp://e.com/a.png", None, "png"),
        ("local:///etc/passwd", None, None),
        ("zip://a.png::file:///etc/a.zip", None, None),
        ("s3::http://10.0.0.1/a.png", None, "png"),
        ("gs://b/a::s3://c/a.png", None, "png"),
        ("Asset://asset-1", None, None),
        ("DATA:image/png;base64,AAAA", None, None),
        ("", None, None),
        ("  ", None, None),
        ("a\nb.png", None, "png"),
        ("iVBORw0KGgo" * 100, None, None),
        ("x" * 4097 + ".png", None, "png"),
    ],
)
def test_an_address_tells_its_scheme_and_its_format(address, scheme, kind):
    assert (scheme_of(address), format_of(address)) == (scheme, kind)
    assert (address_problem(address) is None) == (scheme is not None)


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
