"""What people press in the Prefect UI: start, cancel, retry. And a clock that jumps. Nothing is paid twice for it."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from prefect.client.orchestration import get_client
from prefect.client.schemas.objects import FlowRun
from prefect.states import Cancelling, Scheduled

from prefect_seedance import generate_videos
from prefect_seedance.ledger import Ledger, State
from prefect_seedance.ledger.rows import lookups
from prefect_seedance.sandbox import SandboxServer, SandboxSettings
from tests.conftest import RouteTo
from tests.patience import eventually_async, hasten, patience


@contextlib.contextmanager
def served(parameters: dict[str, Any], log: Path) -> Iterator[None]:
    """A process that works off the runs of the deployment, as a worker does."""
    command = [sys.executable, str(Path(__file__).with_name("served.py")), json.dumps(parameters)]
    with log.open("wb") as file:
        environment = {
            **os.environ,
            "PREFECT_RUNNER_POLL_FREQUENCY": "1",
            "PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL": "INFO",
        }
        process = subprocess.Popen(command, stdout=file, stderr=file, env=environment, start_new_session=True)
        try:
            yield
        finally:
            process.send_signal(signal.SIGINT)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(patience())
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait(patience())


async def until(run: FlowRun, holds: Callable[[FlowRun], bool]) -> FlowRun:
    async with get_client() as client:
        end = time.monotonic() + patience(300)
        while time.monotonic() < end:
            seen = await client.read_flow_run(run.id)
            if holds(seen):
                return seen
            await asyncio.sleep(0.2)
    raise AssertionError(f"the run stayed {seen.state_name!r}: {seen.state and seen.state.message}")


async def start() -> FlowRun:
    async with get_client() as client:
        end = time.monotonic() + patience(300)
        while time.monotonic() < end:
            with contextlib.suppress(Exception):
                deployment = await client.read_deployment_by_name("generate videos/served")
                return await client.create_flow_run_from_deployment(deployment.id)
            await asyncio.sleep(0.2)
    raise AssertionError("the deployment never came up")


@pytest.fixture
def slow_sandbox() -> Iterator[SandboxServer]:
    with SandboxServer(SandboxSettings()) as server:
        yield server


@pytest.mark.slow
@pytest.mark.timeout(patience(1200))
async def test_cancelled_and_retried_from_the_ui(
    prefect_server: str, slow_sandbox: SandboxServer, route_to: RouteTo, tmp_path: Path, ledger_file: Path
) -> None:
    sandbox = slow_sandbox
    credentials = route_to().credentials.model_copy(update={"base_url": sandbox.url})
    await route_to(credentials=credentials, max_in_flight=2).save("controls", overwrite=True)
    table = tmp_path / "prompts.csv"
    table.write_text("id,prompt\n" + "".join(f"r{number},a lantern {number}\n" for number in range(6)))
    parameters = {"table": str(table), "route": "controls", "batch": "b", "output": str(tmp_path / "videos")}
    with served(parameters, tmp_path / "served.log"):
        run = await start()
        await eventually_async(lambda: len(sandbox.state.bill()) == 2, "two jobs", seconds=300)
        hasten(sandbox)  # they end, and the next two have 20 seconds and more to be cancelled
        await eventually_async(lambda: len(sandbox.state.bill()) >= 3, "the next jobs", seconds=300)
        async with get_client() as client:
            await client.set_flow_run_state(run.id, Cancelling())
        await until(run, lambda seen: bool(seen.state and seen.state.is_cancelled()))
        paid = len(sandbox.state.bill())
        assert paid < 6, "it was cancelled too late to prove anything"
        assert State.UNKNOWN not in await states(ledger_file), "creates on the wire were answered, or not sent"

        sandbox.state.settings = replace(sandbox.state.settings, speed=20.0)
        hasten(sandbox)
        async with get_client() as client:  # as the Retry button does
            await client.set_flow_run_state(
                run.id, Scheduled(name="AwaitingRetry", message="Retry from the UI"), force=True
            )
        ended = await until(run, lambda seen: bool(seen.state and seen.state.is_final() and seen.run_count > 1))
    assert ended.state is not None
    assert ended.state.is_completed(), ended.state
    assert await states(ledger_file) == [State.STORED] * 6
    assert len(sandbox.state.bill()) == 6
    stored = json.dumps(ended.parameters)
    assert "sk_sandbox" not in stored


async def states(ledger_file: Path) -> list[State]:
    ledger = await Ledger.open(f"sqlite+aiosqlite:///{ledger_file}")
    try:
        return [row.state for row in await ledger.read(lookups.rows_of, "b")]
    finally:
        await ledger.close()


@pytest.mark.slow
def test_a_clock_that_jumps(
    prefect_server: str, route_to: RouteTo, sandbox: SandboxServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Days forward and back, at every look at the clock: rows are held by process, and no clock measures a wait."""
    looks = 0

    def jumping() -> datetime:
        nonlocal looks
        looks += 1
        return datetime.now(UTC) + timedelta(days=40 if looks % 2 else -40)

    for place in ("ledger.rows.leases", "ledger.rows.planning", "ledger.rows.transitions", "engine.steps.poll"):
        monkeypatch.setattr(f"prefect_seedance.{place}.now", jumping)
    table = [{"id": f"r{number}", "prompt": f"a lantern {number}"} for number in range(8)]
    result = generate_videos(table, route=route_to(duration=5), batch="b", output=tmp_path)
    again = generate_videos(table, route=route_to(duration=5), batch="b", output=tmp_path)
    assert looks > 16
    assert (result.name, again.name) == ("All stored", "Nothing new")
    assert len(sandbox.state.bill()) == 8
