"""What crosses to other processes, and what is refused before anything is spent."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from prefect_seedance import generate_videos
from prefect_seedance.errors import InputError
from prefect_seedance.flows.distributed import parent as spreading
from prefect_seedance.flows.distributed.target import SpreadTarget
from prefect_seedance.sandbox import SandboxServer

RouteTo = Callable[..., Any]


@pytest.mark.parametrize(
    ("text", "kind", "number", "where", "remote"),
    [
        ("workers:3", "workers", 3, None, False),
        (" workers:12  seedance shard/large ", "workers", 12, "seedance shard/large", False),
        ("dask:2", "dask", 2, None, False),
        ("dask tcp://scheduler:8786", "dask", None, "tcp://scheduler:8786", True),
        ("dask:4 tcp://127.0.0.1:8786", "dask", 4, "tcp://127.0.0.1:8786", False),
        ("ray:2", "ray", 2, None, False),
        ("ray:8 ray://head:10001", "ray", 8, "ray://head:10001", True),
        ("ray auto", "ray", None, "auto", False),
    ],
)
def test_over_what(text: str, kind: str, number: int | None, where: str | None, remote: bool) -> None:
    spread = SpreadTarget.parse(text)
    assert (spread.kind, spread.number, spread.where, spread.remote) == (kind, number, where, remote)
    assert SpreadTarget.parse(str(spread)) == spread


@pytest.mark.parametrize(
    "text",
    ["", "workers", "workers:0", "dask", "spark:3", "dask:two", "workers:5000", "dask here", "workers:2 shard", 3],
)
def test_over_what_not(text: Any) -> None:
    with pytest.raises(InputError, match=r"spread.*Nothing was spent"):
        SpreadTarget.parse(text)


ROWS = [{"id": "a", "prompt": "a fox"}]


@pytest.fixture
def saved(prefect_server: str, route_to: RouteTo) -> str:
    route_to(duration=5).save("to-spread", overwrite=True, _sync=True)
    return "to-spread"


def test_refused_before_anything_is_spent(
    saved: str, route_to: RouteTo, sandbox: SandboxServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from prefect_seedance.blocks import RouteDefaults

    def refused(text: str, table: Any = ROWS, **options: Any) -> None:
        settings = {"route": saved, "batch": "b", "output": tmp_path / "videos", "spread": "workers:2", **options}
        with pytest.raises(InputError, match=text) as error:
            generate_videos(table, **settings)
        assert "Nothing was spent" in error.value.message

    refused(r"is not saved.*block.save\(", route=route_to())
    changed = RouteDefaults.load(saved, _sync=True)
    changed.max_in_flight = 3
    refused("was changed and not saved", route=changed)
    refused(r"is a file of this one. Use a PostgreSQL ledger", spread="dask tcp://scheduler:8786")
    refused("needs the deployment 'no such/one'", spread="workers:2 no such/one")
    refused("expected", spread="spark:2")
    signed = [{"id": "a", "prompt": "a fox", "images": f"{sandbox.url}/x.png?X-Amz-Signature=1"}]
    refused(r"row \d \(id a\): no other process can send images", table=signed, probe=False)
    picture = tmp_path / "fox.png"
    picture.write_bytes(b"no picture")
    local = [{"id": "a", "prompt": "a fox", "images": str(picture)}]
    refused("names a file of this machine", table=local, probe=False, media_root=tmp_path)

    secret = "postgresql+asyncpg://me:hidden@db.example/ledger"
    for given in (secret, "postgresql+asyncpg://me@db.example/ledger?password=hidden"):
        with pytest.raises(InputError, match="given with its password") as error:
            spreading._ledger(given, SpreadTarget.parse("workers:2"))
        assert "hidden" not in error.value.message
    # By the environment it goes nowhere: each process reads its own.
    monkeypatch.setenv("PREFECT_SEEDANCE_LEDGER", secret)
    assert spreading._ledger(secret, SpreadTarget.parse("workers:2")) == (None, [])
    assert sandbox.state.bill() == []


def test_missing_packages_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    from prefect_seedance.flows.distributed import over_tasks

    monkeypatch.setitem(__import__("sys").modules, "prefect_dask", None)
    with pytest.raises(InputError, match=r'pip install "prefect-seedance\[dask\]"'):
        over_tasks._runner(SpreadTarget.parse("dask:2"), 2)


async def test_only_names_and_numbers_cross(saved: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The whole of what a shard is told is JSON, and holds neither the key nor a row."""
    lines: list[dict[str, Any]] = []

    async def engine_of(meant: Any, spec: Any, context: Any) -> Any:
        async def engine(begun: Any) -> list[str]:
            lines.append(meant.shard_spec(spec, context, begun.parent).model_dump(mode="json"))
            return []

        return engine

    monkeypatch.setattr(spreading, "_launcher", lambda _: engine_of)
    from prefect_seedance import agenerate_videos
    from prefect_seedance.flows import NothingStored

    with pytest.raises(NothingStored):
        await agenerate_videos(
            ROWS, route=saved, batch="b", output=tmp_path / "v", spread="workers:2", budget="3 CNY", max_failures=0.5
        )
    text = json.dumps(lines[0])
    assert "sk_sandbox" not in text
    assert "a fox" not in text
    call = lines[0]
    assert (call["routes"], call["parent"]["failures_allowed"]) == ([saved], "1")
    assert call["limits"]["budget"] == {"value": "3", "currency": "CNY"}
    assert call["ledger"].startswith("sqlite")
