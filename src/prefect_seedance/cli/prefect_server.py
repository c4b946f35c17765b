"""A temporary local Prefect server for users who have none."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import httpx

from prefect_seedance.errors import SeedanceError
from prefect_seedance.messages import message

__all__ = ["free_port", "local_server", "stop_process", "with_server"]

PATIENCE = 120
"""Seconds that a server may take to start."""

_LIBC = ctypes.CDLL(None)  # loaded here: little is safe between fork and exec


def free_port(wanted: int) -> int:
    """`wanted` if it is free, else any free port."""
    for port in (wanted, 0):
        with contextlib.suppress(OSError), socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(("127.0.0.1", port))
            return int(probe.getsockname()[1])
    raise SeedanceError(message("server.no_port"))


@contextlib.contextmanager
def local_server(home: Path, log: Path, port: int = 4200) -> Iterator[str]:
    """Run a Prefect server with its UI on loopback while the block runs; yields its address.

    It is a process of its own, so that all its output goes to `log`.
    """
    port = free_port(port)
    url = f"http://127.0.0.1:{port}"
    environment = {
        **os.environ,
        "PREFECT_HOME": str(home),
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "PREFECT_API_URL": f"{url}/api",
        "PREFECT_UI_API_URL": f"{url}/api",
    }
    command = [sys.executable, "-m", "prefect", "server", "start", "--host", "127.0.0.1", "--port", str(port)]
    with spawned(command, environment, log) as process:
        _wait_for(f"{url}/api/health", process, log)
        try:
            yield url
        finally:
            _flush()


@contextlib.contextmanager
def spawned(command: list[str], environment: Mapping[str, str], log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Run a process while the block runs, with all its output in `log`."""
    from prefect_seedance.media.storage.folders import make_folder  # noqa: PLC0415 - a heavy import

    make_folder(log.parent)
    with log.open("ab") as file:
        # A process group of its own: Ctrl-C in the terminal reaches only us, and we stop the process afterwards.
        process = subprocess.Popen(  # noqa: S603 - our own commands
            command,
            env=dict(environment),
            stdout=file,
            stderr=file,
            stdin=subprocess.DEVNULL,
            start_new_session=True,
            preexec_fn=_die_with_parent if sys.platform == "linux" else None,  # noqa: PLW1509 - it only makes a system call
        )
        try:
            yield process
        finally:
            stop_process(process)


def _die_with_parent() -> None:
    """Have the kernel end this child when its parent ends, even by kill -9."""
    _LIBC.prctl(1, signal.SIGTERM)  # PR_SET_PDEATHSIG


def _flush() -> None:
    """Send the last logs and events now: the threads that send them would find no server later."""
    from prefect.events.worker import EventsWorker  # noqa: PLC0415
    from prefect.logging.handlers import APILogWorker  # noqa: PLC0415

    APILogWorker.drain_all(timeout=10)
    EventsWorker.drain_all(timeout=10)


def stop_process(process: subprocess.Popen[bytes]) -> None:
    """End the process and its children: by SIGTERM, and after 10 seconds by SIGKILL."""
    for sign, patience in ((signal.SIGTERM, 10), (signal.SIGKILL, 10)):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, sign)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(patience)
            return


def _wait_for(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        if process.poll() is not None:
            break
        with contextlib.suppress(httpx.HTTPError):
            if httpx.get(url, timeout=2, trust_env=False).status_code == 200:
                return
        time.sleep(0.1)
    tail = log.read_text(errors="replace")[-1500:]
    raise SeedanceError(message("server.not_started", url=url, log=log, tail=tail))


@contextlib.contextmanager
def with_server() -> Iterator[None]:
    """Use the configured Prefect server; where there is none, run one while the block runs."""
    from prefect.settings import get_current_settings, temporary_settings  # noqa: PLC0415

    if url := get_current_settings().api.url:
        _check_answers(url)
        yield
        return
    from prefect.settings import PREFECT_API_URL  # noqa: PLC0415

    home = Path(get_current_settings().home)
    with local_server(home, home / "seedance-server.log") as url:
        os.environ["PREFECT_API_URL"] = f"{url}/api"
        with temporary_settings({PREFECT_API_URL: f"{url}/api"}):
            yield


def _check_answers(url: str) -> None:
    from prefect.client.orchestration import get_client  # noqa: PLC0415

    with get_client(sync_client=True) as client:
        problem = client.api_healthcheck()
    if problem is not None:
        raise SeedanceError(message("server.no_answer", url=url, reason=problem))
