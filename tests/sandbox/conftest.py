"""A sandbox over real HTTP whose time the test turns by hand."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from prefect_seedance.sandbox import SandboxServer, SandboxSettings

CREATE_JIMMY = "/api/open-api/v1/seedance/videos"
CREATE_ANYFAST = "/v1/video/generations"


@dataclass
class Clock:
    now: float = 1_795_000_000.0

    def __call__(self) -> float:
        return self.now


@dataclass
class Client:
    """Talks to a sandbox as both providers' customers would."""

    server: SandboxServer
    clock: Clock
    http: httpx.Client
    jimmy_key: str = "sk_sandbox"
    anyfast_key: str = "sk-sandbox"

    def jimmy(self, body: Any, path: str = CREATE_JIMMY, key: str | None = None) -> httpx.Response:
        return self.http.post(path, json=body, headers={"Authorization": f"Bearer {key or self.jimmy_key}"})

    def anyfast(self, body: Any, path: str = CREATE_ANYFAST, key: str | None = None) -> httpx.Response:
        return self.http.post(path, json=body, headers={"Authorization": f"Bearer {key or self.anyfast_key}"})

    def jimmy_get(self, path: str, key: str | None = None) -> httpx.Response:
        return self.http.get(f"/api/open-api/v1/{path}", headers={"Authorization": f"Bearer {key or self.jimmy_key}"})

    def anyfast_get(self, path: str, key: str | None = None) -> httpx.Response:
        return self.http.get(path, headers={"Authorization": f"Bearer {key or self.anyfast_key}"})

    def jimmy_job(self, **fields: Any) -> str:
        answer = self.jimmy({"model": "seedance2.0-mini", "prompt": "a cat", "duration": 4, **fields})
        assert answer.status_code == 200, answer.text
        return answer.json()["data"]["task_id"]

    def jimmy_view(self, job_id: str) -> dict[str, Any]:
        return self.jimmy_get(f"videos/{job_id}").json()["data"]

    def anyfast_job(self, *items: dict[str, Any], prompt: str = "a cat", **fields: Any) -> str:
        content = [{"type": "text", "text": prompt}, *items]
        answer = self.anyfast({"model": "seedance-2.0-mini", "content": content, **fields})
        assert answer.status_code == 200, answer.text
        return answer.json()["task_id"]

    def anyfast_view(self, job_id: str) -> dict[str, Any]:
        return self.anyfast_get(f"{CREATE_ANYFAST}/{job_id}").json()

    def finish(self) -> None:
        """Turn the clock until every job but the endless ones has ended."""
        self.clock.now += 60


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def sandbox_settings(clock: Clock) -> SandboxSettings:
    return SandboxSettings(clock=clock)


@pytest.fixture
def client(sandbox_settings: SandboxSettings, clock: Clock) -> Iterator[Client]:
    with SandboxServer(sandbox_settings) as server, httpx.Client(base_url=server.url) as http:
        yield Client(server, clock, http)
