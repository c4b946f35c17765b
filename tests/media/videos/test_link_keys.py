"""Which links get the provider's key."""

from __future__ import annotations

import contextlib
import logging

import pytest
from pydantic import SecretStr

from prefect_seedance.errors import NotFound, Unreachable
from prefect_seedance.media import discard

KEY = SecretStr("sk-very-secret")


async def test_a_link_of_the_provider_gets_the_key_where_it_wants_it(server, fetch, mp4, caplog):
    caplog.set_level(logging.DEBUG)
    server.key = KEY.get_secret_value()
    server.cut_at = [5, 1000]  # of the refusal, of the file
    with pytest.raises(Unreachable):
        await fetch(api_key=KEY)
    await fetch(api_key=KEY)
    assert fetch.part.read_bytes() == mp4
    sent = [("authorization" in headers, headers.get("range")) for _, headers in server.requests]
    assert sent == [(False, None), (True, None), (False, "bytes=1000-"), (True, "bytes=1000-")]
    assert "very-secret" not in caplog.text
    assert "very-secret" not in fetch.part.with_name("film.part.json").read_text()


async def test_a_wrong_key_is_a_refusal_like_any_other(server, fetch):
    server.key, server.refusal = "another", b'{"message": "no such key: sk-very-secret"}'
    with pytest.raises(NotFound, match=r"HTTP 401.*no such key: \*\*\*$") as caught:
        await fetch(api_key=KEY)
    assert caught.value.http_status == 401
    assert len(server.requests) == 2


@pytest.mark.parametrize("status", [None, 400, 404, 410, 425, 429, 500])
async def test_the_key_is_sent_only_where_it_is_asked_for(server, fetch, status):
    server.status = status
    with contextlib.suppress(NotFound, Unreachable):
        await fetch(api_key=KEY)
    assert ["authorization" in headers for _, headers in server.requests] == [False]


@pytest.mark.parametrize("status", [401, 403])
async def test_no_other_origin_gets_the_key(server, other, fetch, status):
    other.status = status
    for link in (other.url, f"http://localhost:{other.port}/film.mp4"):
        with pytest.raises(NotFound):
            await fetch(link, api_key=KEY)
    server.key = KEY.get_secret_value()
    with pytest.raises(NotFound):
        await fetch(f"http://localhost:{server.port}/film.mp4", api_key=KEY)
    assert len(other.requests) == 2
    assert not any("authorization" in headers for _, headers in (*other.requests, *server.requests))


async def test_a_link_elsewhere_that_leads_to_the_provider_gets_no_key(server, other, fetch):
    server.key = KEY.get_secret_value()
    other.redirects = {"/film.mp4": server.url}
    with pytest.raises(NotFound):
        await fetch(other.url, api_key=KEY)
    assert not any("authorization" in headers for _, headers in (*other.requests, *server.requests))


async def test_a_redirect_takes_the_key_along_within_its_origin_and_nowhere_else(server, other, fetch, mp4):
    server.key = KEY.get_secret_value()
    here, there = f"http://127.0.0.1:{server.port}", f"http://127.0.0.1:{other.port}"
    server.redirects = {"/content": "/moved", "/moved": f"{there}/film.mp4"}
    await fetch(f"{here}/content", api_key=KEY)
    assert fetch.part.read_bytes() == mp4
    sent = [(path, "authorization" in headers) for path, headers in server.requests]
    assert sent == [("/content", False), ("/content", True), ("/moved", True)]
    assert ["authorization" in headers for _, headers in other.requests] == [False]

    discard(fetch.part)
    server.requests.clear()
    other.redirects = {"/film.mp4": f"{here}/back"}
    with pytest.raises(NotFound):
        await fetch(f"{here}/content", api_key=KEY)
    assert server.requests[-1][0] == "/back"
    assert "authorization" not in server.requests[-1][1]
