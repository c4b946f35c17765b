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
from ipaddress import IPv4Network, IPv6Network
from typing import NamedTuple
from urllib.request import getproxies, proxy_bypass

import httpx

from prefect_seedance.errors import Unreachable, UnsafeLink
from prefect_seedance.messages import message

_UNICAST = IPv6Network("2000::/3")
"""All public IPv6 addresses are in here (IANA, "Internet Protocol Version 6 Address Space")."""

_WITH_IPV4_AT_THE_END = (
    IPv6Network("::/96"),  # IPv4-compatible (RFC 4291)
    IPv6Network("::ffff:0:0/96"),  # IPv4-mapped (RFC 4291)
    IPv6Network("::ffff:0:0:0/96"),  # IPv4-translated (RFC 2765)
    IPv6Network("64:ff9b::/96"),  # NAT64 (RFC 6052)
)

# Special-purpose blocks (IANA registries) that some Python version calls global. No server for files is there.
_SPECIAL_IPV4 = (
    IPv4Network("192.0.0.0/24"),  # protocol assignments
    IPv4Network("192.88.99.0/24"),  # relays of 6to4, deprecated
)
_SPECIAL_IPV6 = (
    IPv6Network("2001::/23"),  # protocol assignments, Teredo among them
    IPv6Network("2001:db8::/32"),  # documentation
    IPv6Network("3fff::/20"),  # documentation
)


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
    if isinstance(ip, ipaddress.IPv6Address) and not ip.is_loopback:
        if ip.scope_id is not None:
            return Zone.PRIVATE  # of one interface of this machine
        inner = _inner(ip)
        if inner is None and (ip not in _UNICAST or any(ip in block for block in _SPECIAL_IPV6)):
            return Zone.PRIVATE
        ip = inner or ip
    if ip.is_loopback:
        return Zone.LOOPBACK
    if isinstance(ip, ipaddress.IPv4Address) and any(ip in block for block in _SPECIAL_IPV4):
        return Zone.PRIVATE
    return Zone.PUBLIC if ip.is_global and not ip.is_multicast else Zone.PRIVATE


def _inner(ip: ipaddress.IPv6Address) -> ipaddress.IPv4Address | None:
    """The IPv4 address that an IPv6 address leads to; None where it leads to itself."""
    if any(ip in block for block in _WITH_IPV4_AT_THE_END):
        return ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)
    return ip.sixtofour


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
    # The dot at the end of a whole name changes nothing: `localhost.` is this machine too.
    bare = name.rstrip(".")
    if {name, url.host.lower()} & hosts:
        zones |= {Zone.PRIVATE}
    literal = _literal(bare)
    on_loopback = literal is Zone.LOOPBACK or bare == "localhost" or bare.endswith(".localhost")
    proxy = None if on_loopback else _proxy_for(url)
    if proxy is not None:
        # The proxy resolves the name and is responsible for its own network.
        _check_zones([] if literal is None else [literal], url, zones)
        return [Endpoint(url, url.netloc.decode("ascii"), name, proxy)]
    addresses = await _resolve(name if literal is None else bare, url.port or (443 if url.scheme == "https" else 80))
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
