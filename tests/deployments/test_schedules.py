"""The schedules of the deployments, on a real server of the Prefect that is installed: switched on, they make runs."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from prefect.settings import PREFECT_API_URL, temporary_settings

from prefect_seedance.cli.deploy import read_deployments
from prefect_seedance.cli.prefect_server import local_server
from tests.patience import patience

pytestmark = [pytest.mark.slow, pytest.mark.timeout(patience(600))]

WAIT = 300
"""Seconds. The server looks for new schedules every few seconds, and at all of them once a minute."""


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[httpx.Client]:
    """A server of the test's own: runs that are scheduled on a shared one would fall due in other tests."""
    monkeypatch.setenv("PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL", "ERROR")  # a scheduler that fails says so there only
    with (
        local_server(tmp_path / "prefect", tmp_path / "server.log", port=0) as url,
        temporary_settings({PREFECT_API_URL: f"{url}/api"}),
        httpx.Client(base_url=f"{url}/api", timeout=patience()) as client,
    ):
        yield client


def ask(server: httpx.Client, path: str, body: dict[str, Any]) -> list[dict[str, Any]]:
    return list(server.post(path, json=body).raise_for_status().json())


def test_schedules_that_are_switched_on_make_runs(server: httpx.Client, tmp_path: Path) -> None:
    for each in read_deployments():
        each.apply(_sync=True)  # type: ignore[call-arg]
    scheduled = {each["name"]: each for each in ask(server, "/deployments/filter", {}) if each["schedules"]}
    assert scheduled.keys() == {"nightly", "watch", "sweep", "cost-report"}

    # As the switch in the UI does it.
    for each in scheduled.values():
        (schedule,) = each["schedules"]
        assert schedule["active"] is False
        path = f"/deployments/{each['id']}/schedules/{schedule['id']}"
        server.patch(path, json={"active": True}).raise_for_status()

    waiting = set(scheduled)
    until = time.monotonic() + patience(WAIT)
    while waiting and time.monotonic() < until:
        time.sleep(0.5)
        for name in sorted(waiting):
            runs = ask(server, "/flow_runs/filter", {"deployments": {"id": {"any_": [scheduled[name]["id"]]}}})
            assert all((run["state_type"], run["auto_scheduled"]) == ("SCHEDULED", True) for run in runs)
            if len(runs) >= 2:
                waiting.remove(name)
    log = (tmp_path / "server.log").read_text(encoding="utf-8", errors="replace")
    assert not waiting, f"no runs were scheduled for {sorted(waiting)}; the server's log ends with:\n{log[-3000:]}"
