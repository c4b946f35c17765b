"""The ASGI application: both providers, their file servers, and the sandbox's own endpoints, on one port."""

from __future__ import annotations

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from prefect_seedance.sandbox.anyfast import api, assets
from prefect_seedance.sandbox.http import control, files, media
from prefect_seedance.sandbox.http.wrong_host import WrongHostMiddleware
from prefect_seedance.sandbox.jimmy import api as jimmy
from prefect_seedance.sandbox.jimmy import assets as jimmy_assets
from prefect_seedance.sandbox.jimmy import audit, uploading
from prefect_seedance.sandbox.settings import SandboxSettings
from prefect_seedance.sandbox.world.draft import Refusal
from prefect_seedance.sandbox.world.faults import Faults
from prefect_seedance.sandbox.world.state import State

ENDPOINTS = (control, jimmy, jimmy_assets, audit, uploading, api, assets, files, media)


async def _refused(_: Request, refusal: Exception) -> Response:
    """Answer a refusal that no provider's endpoint has handled."""
    return JSONResponse({"error": str(refusal)}, status_code=400)


def build_app(
    settings: SandboxSettings | None = None, faults: Faults | None = None, *, state: State | None = None
) -> Starlette:
    """Build the application.

    Args:
        settings: The provider's properties.
        faults: The faults at the start.
        state: An existing state; it takes precedence over both.

    Returns:
        An application whose `app.state.sandbox` is the `State`. Cut connections need the protocol class of
        `SandboxServer`; without it (an in-process client) a cut is a `ConnectionResetError`.
    """
    routes = [route for module in ENDPOINTS for route in module.ROUTES]
    app = Starlette(routes=routes, exception_handlers={Refusal: _refused})
    app.state.sandbox = state or State(settings, faults)
    app.add_middleware(WrongHostMiddleware, state=app.state.sandbox)
    return app
