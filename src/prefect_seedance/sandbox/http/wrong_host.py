"""What answers in place of the providers when the base URL leads to another host."""

from __future__ import annotations

from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from prefect_seedance.sandbox.world.faults import Faults, WrongHost
from prefect_seedance.sandbox.world.state import State

OWN = "/_sandbox/"


def page(kind: WrongHost, path: str) -> Response:
    """Return the answer of another host to any call."""
    match kind:
        case "index_page":
            return HTMLResponse("<!doctype html><html><head><title>Welcome</title></head><body>Welcome!</body></html>")
        case "redirect":
            return RedirectResponse(f"https://elsewhere.example/login?from={path.strip('/')}", status_code=302)
        case "waf_403":
            return HTMLResponse("<html><head><title>Blocked</title></head><body>Request blocked.</body></html>", 403)
        case _:
            return HTMLResponse(
                "<html>\r\n<head><title>404 Not Found</title></head>\r\n<body>\r\n"
                "<center><h1>404 Not Found</h1></center>\r\n<hr><center>nginx</center>\r\n</body>\r\n</html>\r\n",
                404,
            )


class WrongHostMiddleware:
    """Answers every call but those to the sandbox's own endpoints, while `Faults.wrong_host` says so.

    Args:
        app: The application.
        state: The sandbox.
    """

    def __init__(self, app: ASGIApp, state: State) -> None:
        self._app = app
        self._state = state

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a call."""
        faults: Faults = self._state.faults
        if scope["type"] != "http" or faults.wrong_host == "no" or scope["path"].startswith(OWN):
            await self._app(scope, receive, send)
            return
        self._state.count(f"wrong_host.{scope['method']}")
        await page(faults.wrong_host, scope["path"])(scope, receive, send)
