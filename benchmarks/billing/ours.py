"""One create with prefect-seedance with each fault: the real flow, a real Prefect server, the bundled sandbox.

    python -m billing.ours FOLDER

Prints one JSON object for each fault.
"""

from __future__ import annotations

import functools
import json
import os
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any
from unittest import mock

from billing.faults import LIMITS, PROMPT, READ_TIMEOUT, RETRY_AFTER, Fault

if TYPE_CHECKING:
    from prefect_seedance.sandbox import SandboxServer


def main(folder: Path) -> None:
    # Prefect reads its settings on import, so they are set first, and it is imported here.
    for name in [name for name in os.environ if name.startswith("PREFECT_")]:
        del os.environ[name]
    os.environ["PREFECT_HOME"] = str(folder / "prefect")
    os.environ["PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL"] = "CRITICAL"
    from prefect.settings import PREFECT_API_URL, temporary_settings  # noqa: PLC0415

    from prefect_seedance.cli.prefect_server import local_server  # noqa: PLC0415

    with (
        local_server(folder / "prefect", folder / "server.log", port=0) as url,
        temporary_settings({PREFECT_API_URL: f"{url}/api"}),
    ):
        for fault in Fault:
            print(json.dumps(measure(fault, folder / fault)), flush=True)


def measure(fault: Fault, folder: Path) -> dict[str, Any]:
    """Make one video with a fault, then run the same batch again without it."""
    from prefect_seedance.sandbox import SandboxServer, SandboxSettings  # noqa: PLC0415

    with SandboxServer(SandboxSettings(speed=100)) as sandbox, trouble(fault, sandbox):
        began = time.monotonic()
        state, reason = run(sandbox.url, folder)
        seconds = time.monotonic() - began
        billed, asked = len(sandbox.state.bill()), sandbox.state.calls["jimmy.create"]
        sandbox.faults.rest()  # a second create, if one were sent, would be accepted now
        again, _ = run(sandbox.url, folder)
        return {
            "fault": fault,
            "version": version("prefect-seedance"),
            "billed": billed,
            "asked": asked,
            "ok": state == "stored",
            "end": state,
            "reason": reason,
            "seconds": seconds,
            "billed_again": len(sandbox.state.bill()),
            "end_again": again,
        }


def run(url: str, folder: Path) -> tuple[str, str | None]:
    """Run the flow; return the row's state in the ledger, and its error message."""
    from prefect_seedance import JimmyCredentials, NothingStored, RouteDefaults, generate_video  # noqa: PLC0415

    route = RouteDefaults(
        credentials=JimmyCredentials(api_key="sk_sandbox", base_url=url), model="seedance2.0-mini", poll_seconds=0.2
    )
    try:
        result = generate_video(
            PROMPT, route=route, batch="billing", output=folder / "videos", ledger=str(folder / "ledger.db")
        )
    except NothingStored as error:
        if error.result is None:
            raise
        result = error.result
    return result.rows[0].status, result.rows[0].error_message


@contextmanager
def trouble(fault: Fault, sandbox: SandboxServer) -> Iterator[None]:
    """Make a sandbox answer every create with a fault."""
    from starlette.responses import JSONResponse  # noqa: PLC0415

    from prefect_seedance.providers import ProviderClient, Timeouts  # noqa: PLC0415

    match fault:
        case Fault.CUT:
            sandbox.faults.cut_after = 1.0
        case Fault.SILENCE:
            sandbox.faults.update(slow_create=1.0, slow_create_seconds=3600)
            # The flow has no setting for this argument of the client, so it is patched in.
            quick = functools.partial(ProviderClient, timeouts=Timeouts(create=READ_TIMEOUT))
            with mock.patch("prefect_seedance.accounts.account_client.ProviderClient", quick):
                yield
            return
        case Fault.ERROR:
            sandbox.faults.error_after = 1.0
            # The sandbox answers with a gateway's 502 page here; the others get a 500 in their provider's own form.
            answer = functools.partial(JSONResponse, {"code": -1, "msg": "system busy", "data": None}, status_code=500)
            with mock.patch("prefect_seedance.sandbox.http.calls.bad_gateway", answer):
                yield
            return
        case Fault.LIMIT:
            sandbox.faults.retry_after = float(RETRY_AFTER)
            sandbox.faults.queue("create", *["rate_limited"] * LIMITS)
        case Fault.NONE:
            pass
    yield


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that the Prefect server is stopped as well
    main(Path(sys.argv[1]))
