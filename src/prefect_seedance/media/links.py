"""Which links may be followed, and to which address.

A result link comes from a provider's answer, so it may point anywhere: to this machine, to others in the same network,
or to a service that returns credentials. So the name is resolved here, every address is checked, and the connection is
made to a checked address, not to the name (which could resolve to another address a moment later).
"""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import re
import socket
from enum import Enum
from typing import NamedTuple
from urllib.request import getproxies, proxy_bypass

import httpx

from prefect_seedance.errors import Unreachable, UnsafeLink
from prefect_seedance.messages import message

_NAT64 = ipaddress.ip_network("64:ff9b::/96")


class Zone(Enum):
    """The network zone of an address."""

    PUBLIC = "public"
    PRIVATE = "private"
    LOOPBACK = "loopback"


class Endpoint(NamedTuple):
    """One way to connect to the host of a link.

    Attributes:
        url: The URL to connect to; its host is a checked address, unless a proxy connects.
        host: The `Host` header: name and port of the link.
        name: The name that the certificate must have.
        proxy: The proxy to go through, or None.
    """

    url: httpx.URL
    host: str
    name: str
    proxy: str | None


def shown(url: str) -> str:
    """Return a link in a form that is safe to show or store: without query string (signatures), user and password."""
    bare = re.split(r"[?#]", url, maxsplit=1)[0]
    return re.sub(r"//[^/@]*@", "//", bare)[:300]


def origin(url: httpx.URL) -> tuple[str, str, int | None]:
    """Return scheme, host and port of a link; the port is None where it is the scheme's own."""
    return url.scheme, url.host.lower(), url.port


def zone_of(address: str) -> Zone:
    """Return the zone of an IP address; for an address embedded in another one, that of the inner address."""
    ip: ipaddress.IPv4Address | ipaddress.IPv6Address = ipaddress.ip_address(address)
    if isinstance(ip, ipaddress.IPv6Address):
        inner = ip.ipv4_mapped or ip.sixtofour or (ip.teredo or (None, None))[1]
        if inner is None and ip in _NAT64:
            inner = ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)
        if inner is not None:
            ip = inner
    if ip.is_loopback:
        return Zone.LOOPBACK
    return Zone.PUBLIC if ip.is_global and not ip.is_multicast else Zone.PRIVATE


async def allowed_zones(provider_url: str | None, *, allow_private: bool) -> frozenset[Zone]:
    """Return the zones that links of a provider may point to: a provider on loopback may use loopback links.

    Args:
        provider_url: The provider's own base URL, if known.
        allow_private: True to follow links to any address.
    """
    if allow_private:
        return frozenset(Zone)
    zones = {Zone.PUBLIC}
    host = httpx.URL(provider_url).host if provider_url else ""
    if host:
        try:
            found = {zone_of(address) for address in await _resolve(host, 443)}
            # A name that leads to this machine and elsewhere is not this machine's.
            zones |= found if found == {Zone.LOOPBACK} else found - {Zone.LOOPBACK}
        except Unreachable:
            # Behind a proxy no name may resolve; then only public links are expected.
            return frozenset(zones)
    return frozenset(zones)


async def endpoints(url: httpx.URL, zones: frozenset[Zone], hosts: frozenset[str] = frozenset()) -> list[Endpoint]:
    """Check a link and return its endpoints, best first.

    Args:
        url: The link.
        zones: The allowed zones (`allowed_zones`).
        hosts: Hosts (in lower case) that are allowed at private addresses too.

    Raises:
        UnsafeLink: If it must not be followed.
        Unreachable: If its name does not resolve.
    """
    where = shown(str(url))
    if url.scheme not in ("https", "http") or not url.host:
        raise UnsafeLink(message("link.not_https", link=where), code="unsafe_link")
    if url.userinfo:
        raise UnsafeLink(message("link.with_password", link=where), code="unsafe_link")
    name = url.raw_host.decode("ascii").strip("[]")
    if {name, url.host.lower()} & hosts:
        zones |= {Zone.PRIVATE}
    literal = _literal(name)
    proxy = None if literal is Zone.LOOPBACK or name == "localhost" else _proxy_for(url)
    if proxy is not None:
        # The proxy resolves the name and is responsible for its own network.
        _check_zones([] if literal is None else [literal], url, zones)
        return [Endpoint(url, url.netloc.decode("ascii"), name, proxy)]
    addresses = await _resolve(name, url.port or (443 if url.scheme == "https" else 80))
    found = {address: zone_of(address) for address in addresses}
    _check_zones(list(found.values()), url, zones)
    host = url.netloc.decode("ascii")
    return [Endpoint(url.copy_with(host=address), host, name, None) for address, zone in found.items() if zone in zones]


def _check_zones(found: list[Zone], url: httpx.URL, zones: frozenset[Zone]) -> None:
    where = shown(str(url))
    if url.scheme == "http" and (not found or any(zone is not Zone.LOOPBACK for zone in found)):
        raise UnsafeLink(message("link.not_encrypted", link=where), code="unsafe_link")
    if found and not any(zone in zones for zone in found):
        raise UnsafeLink(message("link.not_public", zone=found[0].value, link=where), code="unsafe_link")


def _literal(name: str) -> Zone | None:
    try:
        return zone_of(name)
    except ValueError:
        pass
    try:  # 127.1, 0x7f000001 and 2130706433 are addresses too
        return zone_of(socket.inet_ntoa(socket.inet_aton(name)))
    except OSError:
        return None


def _proxy_for(url: httpx.URL) -> str | None:
    proxies = getproxies()
    proxy = proxies.get(url.scheme) or proxies.get("all")
    if not proxy or proxy_bypass(url.host):
        return None
    return proxy if "://" in proxy else f"http://{proxy}"


async def _resolve(name: str, port: int) -> list[str]:
    with contextlib.suppress(ValueError):
        return [str(ipaddress.ip_address(name))]
    try:
        found = await asyncio.get_running_loop().getaddrinfo(name, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise Unreachable(message("link.unresolved", name=name, reason=str(error))) from error
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))
