"""A real process worker, and the API as the UI uses it."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Self

import httpx

from tests.patience import patience

REPOSITORY = Path(__file__).parents[2]
FINAL = {"COMPLETED", "FAILED", "CRASHED", "CANCELLED"}


@contextlib.contextmanager
def worker(log: Path, pool: str = "seedance") -> Iterator[subprocess.Popen[bytes]]:
    """`prefect worker start` while the block runs."""
    command = [sys.executable, "-m", "prefect", "worker", "start", "--pool", pool, "--type", "process"]
    environment = {
        **os.environ,
        "PREFECT_WORKER_QUERY_SECONDS": "1",
        "PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL": "INFO",
    }
    with log.open("ab") as file:
        process = subprocess.Popen(command, stdout=file, stderr=file, env=environment, start_new_session=True)
        try:
            yield process
        finally:
            process.send_signal(signal.SIGINT)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(patience())
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait(patience())


def prefect(*arguments: str) -> str:
    """Prefect's own command, from the repository's root."""
    command = [sys.executable, "-m", "prefect", "--no-prompt", *arguments]
    done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, timeout=patience(300), check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


class Patient(httpx.HTTPTransport):
    """Asks again where the server's SQLite is locked for a moment (503: nothing was done), as a person would."""

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        end = time.monotonic() + patience()
        while (answer := super().handle_request(request)).status_code == 503 and time.monotonic() < end:
            answer.close()
            time.sleep(1)
        return answer


class Ui:
    """What the Prefect UI does, through the same API."""

    def __init__(self, server: str) -> None:
        self.api = httpx.Client(base_url=f"{server}/api", timeout=patience(), transport=Patient())

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.api.close()

    def deployment(self, name: str) -> dict[str, Any]:
        return next(each for each in self.api.post("/deployments/filter", json={}).json() if each["name"] == name)

    def block(self, name: str) -> dict[str, Any]:
        """A saved route, as the form's picker hands it over."""
        found = self.api.get(f"/block_types/slug/seedance-route-defaults/block_documents/name/{name}").json()
        return {"$ref": {"block_document_id": found["id"]}}

    def start(self, name: str, **parameters: Any) -> httpx.Response:
        body = {"parameters": parameters, "state": {"type": "SCHEDULED"}, "enforce_parameter_schema": True}
        address = f"/deployments/{self.deployment(name)['id']}/create_flow_run"
        return self.api.post(address, json=body)

    def run(self, name: str, **parameters: Any) -> dict[str, Any]:
        """Start a run and wait for its end."""
        answer = self.start(name, **parameters)
        assert answer.status_code == 201, answer.text
        return self.until(answer.json()["id"], lambda run: run["state_type"] in FINAL)

    def read(self, run_id: str) -> dict[str, Any]:
        return dict(self.api.get(f"/flow_runs/{run_id}").json())

    def until(self, run_id: str, holds: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        end = time.monotonic() + patience(300)
        while not holds(seen := self.read(run_id)):
            assert time.monotonic() < end, f"the run stayed {seen['state']}"
            time.sleep(0.2)
        return seen

    def set_state(self, run_id: str, kind: str, name: str) -> None:
        body = {"state": {"type": kind, "name": name}}
        self.api.post(f"/flow_runs/{run_id}/set_state", json=body).raise_for_status()

    def artifacts(self, run_id: str) -> dict[str, dict[str, Any]]:
        body = {"artifacts": {"flow_run_id": {"any_": [run_id]}}, "limit": 200}
        return {each["key"]: each for each in self.api.post("/artifacts/filter", json=body).json()}

    def logs(self, run_id: str) -> list[str]:
        body = {"logs": {"flow_run_id": {"any_": [run_id]}}, "limit": 200, "sort": "TIMESTAMP_ASC"}
        return [each["message"] for each in self.api.post("/logs/filter", json=body).json()]

    def pause(self, *, paused: bool, pool: str = "seedance") -> None:
        self.api.patch(f"/work_pools/{pool}", json={"is_paused": paused}).raise_for_status()
