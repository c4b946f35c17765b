"""Run a sandbox in a thread, for tests and demos, or as a server."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Iterator
from types import TracebackType
from typing import Self

import uvicorn

from prefect_seedance.sandbox.app import build_app
from prefect_seedance.sandbox.http.cut import CuttableProtocol
from prefect_seedance.sandbox.settings import SandboxSettings
from prefect_seedance.sandbox.world.faults import Faults
from prefect_seedance.sandbox.world.state import State


class SandboxServer:
    """A sandbox on a loopback port, in a thread of this process.

    ```python
    with SandboxServer(SandboxSettings(speed=100)) as sandbox:
        ...  # talk to sandbox.url with the keys "sk_sandbox" (Jimmy AI) and "sk-sandbox" (Anyfast)
        print(sandbox.state.bill())
    ```

    Args:
        settings: The provider's properties.
        faults: The faults at the start.
        port: The port; 0 picks a free one.
        host: The address to listen on.

    Attributes:
        state: The state: `bill()`, `jobs()`, `calls`, `faults`, `reset()`.
        url: The base URL of both providers.
    """

    def __init__(
        self,
        settings: SandboxSettings | None = None,
        faults: Faults | None = None,
        *,
        port: int = 0,
        host: str = "127.0.0.1",
    ) -> None:
        self.state = State(settings, faults)
        self._socket = _listen(host, port)
        shown = f"[{host}]" if ":" in host else host
        self.url = f"http://{shown}:{self._socket.getsockname()[1]}"
        self._server = _server(self.state)
        self._thread = threading.Thread(target=self._server.run, args=([self._socket],), name="sandbox", daemon=True)

    @property
    def faults(self) -> Faults:
        """Return the faults; they may be changed while the sandbox runs."""
        return self.state.faults

    def start(self) -> Self:
        """Start the server, and return once it accepts connections."""
        self._thread.start()
        while not self._server.started:
            if not self._thread.is_alive():
                raise RuntimeError(f"the sandbox could not start on {self.url}")
            time.sleep(0.005)
        return self

    def stop(self) -> None:
        """Stop the server and close all connections. A state file is kept. May be called twice."""
        self.state.closing = True
        self._server.should_exit = True
        if self._thread.ident is not None:
            self._thread.join(timeout=10)
        self._socket.close()
        self.state.close()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


def serve(
    settings: SandboxSettings | None = None, faults: Faults | None = None, *, host: str = "127.0.0.1", port: int = 8765
) -> None:
    """Run a sandbox until it is interrupted (Ctrl-C or SIGTERM).

    Raises:
        OSError: The port is taken.
    """
    with contextlib.closing(_listen(host, port)) as listener, _open_state(settings, faults) as state:
        _server(state).run([listener])


@contextlib.contextmanager
def _open_state(settings: SandboxSettings | None, faults: Faults | None) -> Iterator[State]:
    state = State(settings, faults)
    try:
        yield state
    finally:
        state.close()


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # The protocol is given because asyncio disables Nagle's algorithm only for a socket that says TCP.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        # A restarted sandbox must get its old port at once.
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
    except OSError:
        listener.close()
        raise
    return listener


def _server(state: State) -> uvicorn.Server:
    return uvicorn.Server(
        uvicorn.Config(
            build_app(state=state),
            http=CuttableProtocol,
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            timeout_graceful_shutdown=5,
            timeout_keep_alive=30,
        )
    )
