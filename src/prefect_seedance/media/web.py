"""Asking for a link: one request on one fresh connection, and nothing sent along but what is needed."""

from __future__ import annotations

from collections.abc import Mapping

import httpx

from prefect_seedance.errors import InvalidResponse, UnsafeLink
from prefect_seedance.media.links import Endpoint, Zone, endpoints, shown
from prefect_seedance.messages import message

_REDIRECTS = {301, 302, 303, 307, 308}
_MOST_REDIRECTS = 5
_HEADERS = {"User-Agent": "prefect-seedance", "Accept": "*/*", "Accept-Encoding": "identity"}


class Web:
    """Opens links to addresses that were judged first, directly or through the environment's proxy.

    It stands on httpx's bare transports: a client would log whole links with their signatures, keep cookies, and bring
    redirects and proxies of its own. No connection is kept: it may have been made to the same address for another name.
    """

    def __init__(self, *, connect_seconds: float, read_seconds: float) -> None:
        """Make one.

        Args:
            connect_seconds: Longest wait for a connection.
            read_seconds: Longest wait for the next bytes.
        """
        self._timeout = {"connect": connect_seconds, "read": read_seconds, "write": read_seconds, "pool": None}
        self._transports: dict[str | None, httpx.AsyncHTTPTransport] = {}

    async def aclose(self) -> None:
        """Close all connections."""
        while self._transports:
            await self._transports.popitem()[1].aclose()

    async def get(
        self,
        url: str,
        zones: frozenset[Zone],
        headers: Mapping[str, str] | None = None,
        *,
        hosts: frozenset[str] = frozenset(),
    ) -> httpx.Response:
        """Ask for a link, following redirects; each step is judged like the first.

        Args:
            url: The link.
            zones: Where it and its redirects may lead (`allowed_zones`).
            headers: What to send beside the fixed headers.
            hosts: Hosts (in lower case) that may be asked at private addresses too.

        Returns:
            The answer, whose body is not read yet. The caller closes it.

        Raises:
            UnsafeLink: If the link or a redirect must not be followed.
            InvalidResponse: If the redirects lead nowhere.
            Unreachable: If a name does not resolve.
            httpx.TransportError: If no connection is made, or it breaks.
        """
        target = _parse(url)
        for _ in range(_MOST_REDIRECTS + 1):
            response = await self._ask(await endpoints(target, zones, hosts), {**_HEADERS, **(headers or {})})
            if response.status_code not in _REDIRECTS:
                return response
            await response.aclose()
            location = response.headers.get("location")
            if not location:
                text = message("link.redirect_without_target", link=shown(str(target)))
                raise InvalidResponse(text, http_status=response.status_code)
            target = target.join(_parse(location))
        raise InvalidResponse(message("link.redirected_too_often", limit=_MOST_REDIRECTS, link=shown(url)))

    async def _ask(self, ways: list[Endpoint], headers: dict[str, str]) -> httpx.Response:
        failure: httpx.TransportError | None = None
        for door in ways:
            request = httpx.Request(
                "GET",
                door.url,
                headers={"Host": door.host, **headers},
                extensions={"timeout": self._timeout, "sni_hostname": door.name},
            )
            try:
                return await self._transport(door.proxy).handle_async_request(request)
            except (httpx.ConnectError, httpx.ConnectTimeout) as error:
                failure = error
        assert failure is not None  # noqa: S101 - a judged link has at least one way
        raise failure

    def _transport(self, proxy: str | None) -> httpx.AsyncHTTPTransport:
        if proxy not in self._transports:
            limits = httpx.Limits(max_connections=None, max_keepalive_connections=0)
            self._transports[proxy] = httpx.AsyncHTTPTransport(proxy=proxy, limits=limits, retries=0, trust_env=True)
        return self._transports[proxy]


def _parse(url: str) -> httpx.URL:
    try:
        return httpx.URL(url)
    except (httpx.InvalidURL, TypeError, ValueError):
        raise UnsafeLink(message("link.invalid", link=shown(str(url))), code="unsafe_link") from None
