from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import socket

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from prefect_seedance.errors import Unreachable, UnsafeLink
from prefect_seedance.media import Downloader, links
from prefect_seedance.media.links import Zone, allowed_zones, endpoints, shown, zone_of
from tests.certificates import certified

PUBLIC = frozenset({Zone.PUBLIC})


@pytest.fixture(autouse=True)
def _no_proxies(monkeypatch):
    monkeypatch.setattr(links, "getproxies", dict)


@pytest.fixture
def names(monkeypatch):
    """A name service of our own: real look-ups of addresses, and these names."""
    table: dict[str, list[str]] = {}
    real = socket.getaddrinfo

    def look_up(host, port, *args, **more):
        if host in table:
            return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in table[host]]
        return real(host, port, *args, **more)

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    return table


@pytest.mark.parametrize(
    ("address", "zone"),
    [
        ("1.1.1.1", Zone.PUBLIC),
        ("2606:4700::1111", Zone.PUBLIC),
        ("127.0.0.1", Zone.LOOPBACK),
        ("127.9.9.9", Zone.LOOPBACK),
        ("::1", Zone.LOOPBACK),
        ("::ffff:127.0.0.1", Zone.LOOPBACK),
        ("64:ff9b::7f00:1", Zone.LOOPBACK),
        ("2002:7f00:1::", Zone.LOOPBACK),
        ("64:ff9b::101:101", Zone.PUBLIC),
        ("0.0.0.0", Zone.PRIVATE),
        ("10.1.2.3", Zone.PRIVATE),
        ("172.16.0.1", Zone.PRIVATE),
        ("192.168.1.1", Zone.PRIVATE),
        ("169.254.169.254", Zone.PRIVATE),
        ("100.64.0.1", Zone.PRIVATE),
        ("198.18.0.1", Zone.PRIVATE),
        ("224.0.0.1", Zone.PRIVATE),
        ("fe80::1", Zone.PRIVATE),
        ("fd00::1", Zone.PRIVATE),
        ("::ffff:10.0.0.1", Zone.PRIVATE),
        ("::ffff:8.8.8.8", Zone.PUBLIC),
        ("::127.0.0.1", Zone.LOOPBACK),
        ("::10.0.0.1", Zone.PRIVATE),
        ("::", Zone.PRIVATE),
        ("::2", Zone.PRIVATE),
        ("::ffff:0:127.0.0.1", Zone.LOOPBACK),
        ("::ffff:0:10.0.0.1", Zone.PRIVATE),
        ("64:ff9b::10.0.0.1", Zone.PRIVATE),
        ("64:ff9b:1::10.0.0.1", Zone.PRIVATE),
        ("64:ff9b:1::1.1.1.1", Zone.PRIVATE),
        ("64:ff9b:1:ffff:ffff:ffff:ffff:ffff", Zone.PRIVATE),
        ("64:ff9b:2::1", Zone.PRIVATE),
        ("2002:a00:1::", Zone.PRIVATE),
        ("2001:0:a00:1::", Zone.PRIVATE),
        ("2001:0:4136:e378:8000:63bf:3fff:fdd2", Zone.PRIVATE),
        ("2001:20::1", Zone.PRIVATE),
        ("2001:db8::1", Zone.PRIVATE),
        ("2001:4860:4860::8888", Zone.PUBLIC),
        ("3fff::1", Zone.PRIVATE),
        ("4000::1", Zone.PRIVATE),
        ("5f00::1", Zone.PRIVATE),
        ("100::1", Zone.PRIVATE),
        ("fec0::1", Zone.PRIVATE),
        ("fe80::1%eth0", Zone.PRIVATE),
        ("2606:4700::1111%eth0", Zone.PRIVATE),
        ("ff02::1", Zone.PRIVATE),
        ("ff0e::1", Zone.PRIVATE),
        ("0.1.2.3", Zone.PRIVATE),
        ("192.0.0.1", Zone.PRIVATE),
        ("192.0.0.9", Zone.PRIVATE),
        ("192.0.0.170", Zone.PRIVATE),
        ("192.0.2.1", Zone.PRIVATE),
        ("192.88.98.255", Zone.PUBLIC),
        ("192.88.99.1", Zone.PRIVATE),
        ("192.88.99.255", Zone.PRIVATE),
        ("192.88.100.0", Zone.PUBLIC),
        ("198.51.100.1", Zone.PRIVATE),
        ("203.0.113.1", Zone.PRIVATE),
        ("240.0.0.1", Zone.PRIVATE),
        ("255.255.255.255", Zone.PRIVATE),
    ],
)
def test_where_addresses_lie(address, zone):
    assert zone_of(address) is zone


# Each form that leads to an IPv4 address, as a number to add it to and the bits to shift it.
FORMS = [("::", 0), ("::ffff:0:0", 0), ("::ffff:0:0:0", 0), ("64:ff9b::", 0), ("2002::", 80), ("2002::7:8", 80)]


@given(st.ip_addresses(v=4), st.sampled_from(FORMS))
def test_an_address_in_another_one_is_where_the_inner_one_is(inner, form):
    base, shift = form
    whole = ipaddress.IPv6Address(int(ipaddress.IPv6Address(base)) + (int(inner) << shift))
    if whole in (ipaddress.IPv6Address("::"), ipaddress.IPv6Address("::1")):
        return
    assert zone_of(str(whole)) is zone_of(str(inner))
    assert zone_of(whole.exploded) is zone_of(str(inner))


@given(st.ip_addresses())
def test_what_python_calls_private_is_never_public(ip):
    zone = zone_of(str(ip))
    if ip.is_private or ip.is_multicast or ip.is_link_local or ip.is_unspecified or getattr(ip, "is_site_local", False):
        mapped = getattr(ip, "ipv4_mapped", None)
        assert zone is not Zone.PUBLIC or (mapped is not None and zone_of(str(mapped)) is Zone.PUBLIC)
    if zone is Zone.PUBLIC and ip.version == 6 and int(ip) >> 125 != 1:
        assert any(str(ip).startswith(start) for start in ("::", "64:ff9b::"))


@pytest.mark.parametrize(
    "url",
    [
        "http://example.com/a.mp4",
        "ftp://1.1.1.1/a.mp4",
        "file:///etc/passwd",
        "seedance/mini-sp/video/xxx.mp4",
        "https:///a.mp4",
        "https://me:pa55@1.1.1.1/a.mp4",
        "https://127.0.0.1/a.mp4",
        "https://localhost/a.mp4",
        "http://localhost/a.mp4",
        "https://127.1/a.mp4",
        "https://2130706433/a.mp4",
        "https://0x7f000001/a.mp4",
        "https://[::1]/a.mp4",
        "https://[::ffff:169.254.169.254]/latest",
        "http://169.254.169.254/latest/meta-data",
        "https://192.168.0.1/a.mp4",
        "https://inside.test/a.mp4",
        "https://localhost./a.mp4",
        "https://any.localhost/a.mp4",
        "https://127。0。0。1/a.mp4",
        "https://0x7f.1/a.mp4",
        "https://[::127.0.0.1]/a.mp4",
        "https://[::10.0.0.1]/a.mp4",
        "https://[0:0:0:0:0:ffff:7f00:1]/a.mp4",
        "https://[64:ff9b:1::a00:1]/a.mp4",
        "https://[2001::7f00:1]/a.mp4",
        "https://[2606:4700::1111%25eth0]/a.mp4",
        "https://192.88.99.1/a.mp4",
        "https://six.test/a.mp4",
    ],
)
async def test_no_way_into_the_inside(url, names, tmp_path):
    names["example.com"] = ["93.184.216.34"]
    names["inside.test"] = ["10.0.0.7"]
    names["six.test"] = ["::10.0.0.1", "64:ff9b:1::1", "fe80::1%eth0"]
    names["any.localhost"] = names["localhost."] = ["127.0.0.1"]
    async with Downloader() as loader:
        for provider in (None, "https://example.com"):
            with pytest.raises(UnsafeLink) as caught:
                await loader.fetch(url + "?sig=secret", tmp_path / "x.part", provider_url=provider)
            assert "secret" not in str(caught.value)
            assert "pa55" not in str(caught.value)


@pytest.mark.parametrize(
    "garbage", ["", "https://", "https://[::1", "https://a b/", "\x00", "https://ex\x00ample/", "//x/y"]
)
async def test_garbage_is_no_link(garbage, tmp_path):
    async with Downloader() as loader:
        with pytest.raises((UnsafeLink, Unreachable)):
            await loader.fetch(garbage, tmp_path / "x.part")


async def test_a_link_is_connected_to_the_address_that_was_judged(names):
    names["both.test"] = ["10.0.0.7", "93.184.216.34", "93.184.216.34"]
    (door,) = await endpoints(httpx.URL("https://both.test:8443/a.mp4?sig=1%2F2"), PUBLIC)
    assert str(door.url) == "https://93.184.216.34:8443/a.mp4?sig=1%2F2"
    assert (door.host, door.name, door.proxy) == ("both.test:8443", "both.test", None)


@pytest.mark.parametrize(
    "addresses", [["127.0.0.1", "93.184.216.34"], ["93.184.216.34", "127.0.0.1"], ["::1", "10.0.0.7"]]
)
async def test_a_name_is_on_loopback_only_if_all_its_addresses_are(server, names, tmp_path, addresses):
    """Over plain http anybody on the way could read the link and change the video."""
    names["mixed.test"] = addresses
    url = f"http://mixed.test:{server.port}/film.mp4"
    for zones in (frozenset(Zone), frozenset({Zone.PUBLIC, Zone.LOOPBACK})):
        with pytest.raises(UnsafeLink, match="not encrypted"):
            await endpoints(httpx.URL(url), zones)
    async with Downloader(allow_private=True) as loader:
        with pytest.raises(UnsafeLink):
            await loader.fetch(url, tmp_path / "x.part", provider_url=url, api_key=SecretStr("sk-very-secret"))
    assert server.requests == []
    names["mixed.test"] = ["127.0.0.1", "127.0.0.2"]
    assert len(await endpoints(httpx.URL(url), frozenset({Zone.LOOPBACK}))) == 2


async def test_a_key_is_never_sent_over_plain_http_to_another_machine(server, names, tmp_path):
    names["relay.test"] = ["93.184.216.34"]
    async with Downloader(allow_private=True) as loader:
        with pytest.raises(UnsafeLink, match="not encrypted"):
            await loader.fetch(
                "http://relay.test/content",
                tmp_path / "x.part",
                provider_url="http://relay.test",
                api_key=SecretStr("sk-very-secret"),
            )


async def test_a_redirect_is_judged_like_the_link(server, tmp_path, names):
    names["provider.test"] = ["127.0.0.1"]
    server.redirects = {"/a": "http://169.254.169.254/latest", "/b": "http://10.0.0.1/x", "/c": "file:///etc/passwd"}
    async with Downloader() as loader:
        for path in server.redirects:
            with pytest.raises(UnsafeLink):
                await loader.fetch(
                    f"http://127.0.0.1:{server.port}{path}", tmp_path / "x.part", provider_url="http://provider.test"
                )
    assert not list(tmp_path.iterdir())


async def test_a_provider_opens_its_own_zone_and_no_other(names):
    names["office.test"] = ["10.0.0.7"]
    names["cloud.test"] = ["93.184.216.34"]
    assert await allowed_zones("http://127.0.0.1:8765", allow_private=False) == {Zone.PUBLIC, Zone.LOOPBACK}
    assert await allowed_zones("https://office.test/v1", allow_private=False) == {Zone.PUBLIC, Zone.PRIVATE}
    assert await allowed_zones("https://cloud.test", allow_private=False) == PUBLIC
    names["mixed.test"] = ["127.0.0.1", "93.184.216.34"]
    assert await allowed_zones("https://mixed.test", allow_private=False) == PUBLIC
    assert await allowed_zones("https://nowhere.invalid", allow_private=False) == PUBLIC
    assert await allowed_zones(None, allow_private=True) == set(Zone)


async def test_plain_http_stays_on_loopback_even_if_private_addresses_are_allowed():
    with pytest.raises(UnsafeLink, match="not encrypted"):
        await endpoints(httpx.URL("http://10.0.0.1/a.mp4"), frozenset(Zone))


async def test_allowing_private_addresses_allows_loopback(server, tmp_path, mp4):
    async with Downloader(allow_private=True) as loader:
        await loader.fetch(server.url, tmp_path / "x.part")
    assert (tmp_path / "x.part").read_bytes() == mp4


async def test_a_name_that_does_not_resolve_is_unreachable(tmp_path):
    async with Downloader() as loader:
        with pytest.raises(Unreachable, match="resolve"):
            await loader.fetch("https://nowhere.invalid/a.mp4", tmp_path / "x.part")


async def test_behind_a_proxy_the_name_goes_to_the_proxy_and_addresses_are_judged_still(monkeypatch):
    monkeypatch.setattr(links, "getproxies", lambda: {"https": "proxy.test:3128", "http": "proxy.test:3128"})
    monkeypatch.setattr(links, "proxy_bypass", lambda host: host == "direct.test")
    (door,) = await endpoints(httpx.URL("https://cdn.test/a.mp4"), PUBLIC)
    assert (str(door.url), door.proxy) == ("https://cdn.test/a.mp4", "http://proxy.test:3128")
    inside = ("10.0.0.1", "10.0.0.1.", "0x7f.1", "127.0.0.1", "127.0.0.1.", "[::10.0.0.1]", "localhost")
    for url in (*(f"https://{host}/a" for host in inside), "http://cdn.test/a"):
        with pytest.raises(UnsafeLink):
            await endpoints(httpx.URL(url), PUBLIC)
    with pytest.raises(Unreachable):
        await endpoints(httpx.URL("https://direct.test/a"), PUBLIC)


async def test_loopback_never_goes_through_a_proxy(monkeypatch, server, tmp_path, mp4):
    monkeypatch.setattr(
        links, "getproxies", lambda: {"http": "http://proxy.invalid:3128", "all": "http://proxy.invalid"}
    )
    async with Downloader() as loader:
        await loader.fetch(server.url, tmp_path / "x.part", provider_url=server.url)
    assert (tmp_path / "x.part").read_bytes() == mp4


@given(st.text("ab:/?#@=&%", max_size=40))
def test_what_is_shown_bears_no_signature_and_no_password(text):
    cut = shown(f"https://user:pass@host/{text}?sig=secret#part")
    assert "pass" not in cut
    assert "secret" not in cut
    assert not {"?", "#"} & set(cut)


@pytest.fixture
async def tls(server, tmp_path, monkeypatch):
    """The server once more behind TLS, with a certificate for cdn.test that the environment trusts; gives its port."""
    context = certified("cdn.test", tmp_path, monkeypatch)
    listener = await asyncio.start_server(server.handle, "127.0.0.1", 0, ssl=context)
    yield listener.sockets[0].getsockname()[1]
    listener.close()


async def test_the_certificate_is_held_against_the_name_and_not_the_address(tls, server, names, tmp_path, mp4):
    names["cdn.test"] = names["other.test"] = ["127.0.0.1"]
    async with Downloader(allow_private=True) as loader:
        await loader.fetch(f"https://cdn.test:{tls}/a.mp4", tmp_path / "a.part")
        with pytest.raises(Unreachable):
            await loader.fetch(f"https://other.test:{tls}/a.mp4", tmp_path / "b.part")
    assert (tmp_path / "a.part").read_bytes() == mp4
    assert [headers["host"] for _, headers in server.requests] == [f"cdn.test:{tls}"]


async def test_a_proxy_carries_the_download(tls, monkeypatch, tmp_path, mp4):
    asked: list[str] = []

    async def pump(source, sink):
        with contextlib.suppress(ConnectionError):
            while data := await source.read(4096):
                sink.write(data)
        sink.close()

    async def tunnel(reader, writer):
        asked.append((await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")[0])
        inner = await asyncio.open_connection("127.0.0.1", tls)
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        await asyncio.gather(pump(reader, inner[1]), pump(inner[0], writer))

    listener = await asyncio.start_server(tunnel, "127.0.0.1", 0)
    port = listener.sockets[0].getsockname()[1]
    monkeypatch.setattr(links, "getproxies", lambda: {"https": f"http://127.0.0.1:{port}"})
    async with Downloader() as loader:
        await loader.fetch("https://cdn.test/a.mp4", tmp_path / "a.part")
    listener.close()
    assert (tmp_path / "a.part").read_bytes() == mp4
    assert asked == ["CONNECT cdn.test:443 HTTP/1.1"]
