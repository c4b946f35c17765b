"""The journey of one create: evidence of how far it got, taken from the transport itself."""

from __future__ import annotations

from typing import Any

import httpx

# What happens before a request is written, or only after it has been; every other step counts as writing it.
_HARMLESS_STEPS = frozenset(
    {
        "connect_tcp",
        "connect_unix_socket",
        "setup_socks5_connection",
        "start_tls",
        "retry",
        "close",
        "receive_response_headers",
        "receive_response_body",
        "response_closed",
    }
)
_BEFORE_SENDING = (
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.PoolTimeout,
    httpx.ProxyError,
    httpx.UnsupportedProtocol,
)


class SendTrace:
    """Watches one request through httpx's `trace` extension.

    The class of an exception alone proves little: a proxy that goes silent while the tunnel is set up raises the same
    read timeout as a provider that goes silent after taking the request. The transport's own steps tell them apart.

    Attributes:
        status: The HTTP status, once the answer's head has come.
        headers: The headers that came with it.
    """

    def __init__(self) -> None:
        self.status: int | None = None
        self.headers: dict[str, str] = {}
        self._seen = False
        self._writing = False

    async def watch(self, event: str, info: dict[str, Any]) -> None:
        """Take note of one step of the transport; unknown steps are taken for the worst."""
        self._seen = True
        step = event.split(".")
        if step[-1] != "started" or len(step) < 2 or step[-2] in _HARMLESS_STEPS:
            return
        # Asking a proxy for a tunnel is not yet talking to the provider.
        if getattr(info.get("request"), "method", b"") != b"CONNECT":
            self._writing = True

    def never_sent(self, error: Exception) -> bool:
        """Whether it is proven that no byte of the request left for the provider."""
        if self._writing or self.status is not None:
            return False
        return self._seen or isinstance(error, _BEFORE_SENDING)
