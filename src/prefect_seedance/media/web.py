"""Requests a link: one request on a new connection, with only the necessary headers."""

from __future__ import annotations

from collections.abc import Mapping

import httpx

from prefect_seedance.core.redaction import private_logs
from prefect_seedance.errors import InvalidResponse, UnsafeLink
from prefect_seedance.media.links import Endpoint, Zone, endpoints, origin, shown
from prefect_seedance.messages import message

_REDIRECTS = {301, 302, 303, 307, 308}
_MOST_REDIRECTS = 5
_HEADERS = {"User-Agent": "prefect-seedance", "Accept": "*/*", "Accept-Encoding": "identity"}


class Web:
    """Opens links at addresses that were checked first, directly or through the environment's proxy.

    It uses httpx's transports without a client: a client would log full links with their signatures, keep cookies, and
    handle redirects and proxies itself. No connection is reused: it may belong to another name at the same address.
    """

    def __init__(self, *, connect_seconds: float, read_seconds: float) -> None:
        """Create it.

        Args:
            connect_seconds: Longest wait for a connection, in seconds.
            read_seconds: Longest wait for the next bytes, in seconds.
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
        authorization: str | None = None,
    ) -> httpx.Response:
        """Request a link and follow redirects; each redirect is checked like the link.

        Args:
            url: The link.
            zones: The allowed zones of the link and its redirects (`allowed_zones`).
            headers: Headers in addition to the fixed ones.
            hosts: Hosts (in lower case) that are allowed at private addresses too.
            authorization: An `Authorization` header for the origin of the link and no other: after a redirect away
                from it, it is not sent again, not even on the way back.

        Returns:
            The answer; its body is not read yet. The caller closes it.

        Raises:
            UnsafeLink: If the link or a redirect must not be followed.
            InvalidResponse: If a redirect has no target, or there are too many.
            Unreachable: If a name does not resolve.
            httpx.TransportError: If no connection is made, or it breaks.
        """
        target = parse_link(url)
        own = origin(target)
        for _ in range(_MOST_REDIRECTS + 1):
            if origin(target) != own:
                authorization = None
            sent = {**_HEADERS, **(headers or {}), **({"Authorization": authorization} if authorization else {})}
            response = await self._request(await endpoints(target, zones, hosts), sent)
            if response.status_code not in _REDIRECTS:
                return response
            await response.aclose()
            location = response.headers.get("location")
            if not location:
                text = message("link.redirect_without_target", link=shown(str(target)))
                raise InvalidResponse(text, http_status=response.status_code)
            target = target.join(parse_link(location))
        raise InvalidResponse(message("link.redirected_too_often", limit=_MOST_REDIRECTS, link=shown(url)))

    async def _request(self, candidates: list[Endpoint], headers: dict[str, str]) -> httpx.Response:
        failure: httpx.TransportError | None = None
        for endpoint in candidates:
            request = httpx.Request(
                "GET",
                endpoint.url,
                headers={"Host": endpoint.host, **headers},
                extensions={"timeout": self._timeout, "sni_hostname": endpoint.name},
            )
            try:
                with private_logs():  # httpcore logs the `Location` of a redirect
                    return await self._transport(endpoint.proxy).handle_async_request(request)
            except (httpx.ConnectError, httpx.ConnectTimeout) as error:
                failure = error
        assert failure is not None  # noqa: S101 - a checked link has at least one endpoint
        raise failure

    def _transport(self, proxy: str | None) -> httpx.AsyncHTTPTransport:
        if proxy not in self._transports:
            limits = httpx.Limits(max_connections=None, max_keepalive_connections=0)
            self._transports[proxy] = httpx.AsyncHTTPTransport(proxy=proxy, limits=limits, retries=0, trust_env=True)
        return self._transports[proxy]


def parse_link(url: str) -> httpx.URL:
    """Parse a link.

    Raises:
        UnsafeLink: If it is not a link.
    """
    try:
        return httpx.URL(url)
    except (httpx.InvalidURL, TypeError, ValueError):
        raise UnsafeLink(message("link.invalid", link=shown(str(url))), code="unsafe_link") from None
