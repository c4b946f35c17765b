"""`prefect-seedance setup`: what it makes on a real server, and what it leaves alone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from prefect.client.orchestration import get_client

from prefect_seedance.blocks import JimmyCredentials, PriceBook, RouteDefaults
from prefect_seedance.cli.app import run
from prefect_seedance.cli.console import out
from prefect_seedance.cli.deploy import read_deployments
from prefect_seedance.cli.setup import POOL
from prefect_seedance.flows.forms.making import LIMIT


def setup(*arguments: str) -> tuple[int, str]:
    with out.capture() as text:
        code = run(["setup", *arguments])
    return code, " ".join(text.get().replace("│", " ").split())


def load(kind: Any, name: str) -> Any:
    return kind.load(name, _sync=True)


def test_without_a_server_it_says_what_to_do(capsys: pytest.CaptureFixture[str]) -> None:
    from prefect.settings import PREFECT_API_URL, temporary_settings

    with temporary_settings({PREFECT_API_URL: None}):
        code, _ = setup()
    assert code == 2
    assert "PREFECT_API_URL" in capsys.readouterr().err


@pytest.mark.slow
def test_it_makes_what_is_missing_and_leaves_what_a_person_changed(
    prefect_server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ledger_file: Path
) -> None:
    monkeypatch.setenv("JIMMY_API_KEY", "sk_first")
    monkeypatch.setattr(out, "width", 200)
    prices = tmp_path / "prices.json"
    prices.write_text('{"currency": "CNY", "prices": {"seedance2.0-mini-720p": "0.05"}}')

    code, text = setup("--prices", str(prices), "--folder", str(tmp_path))
    assert code == 0
    for piece in ("credentials jimmy made", "route main made", f"concurrency limit {LIMIT}", f"work pool {POOL}"):
        assert piece in text
    assert "anyfast left out: ANYFAST_API_KEY is not set" in text
    assert "sk_first" not in text
    route = load(RouteDefaults, "main")
    assert route.credentials.api_key.get_secret_value() == "sk_first"
    assert route.prices.prices == {"seedance2.0-mini-720p": "0.05"}
    with get_client(sync_client=True) as client:
        pool = client.read_work_pool(POOL)
        assert client.read_global_concurrency_limit_by_name(LIMIT).active
    variables = pool.base_job_template["variables"]["properties"]
    assert pool.type == "process"
    assert variables["working_dir"]["default"] == str(tmp_path)
    assert variables["env"]["default"]["PREFECT_SEEDANCE_LEDGER"].endswith(str(ledger_file))

    # A person changes a block, and the key changes: neither is touched without a word.
    mine = load(PriceBook, "prices").model_copy(update={"prices": {"seedance2.0-mini-720p": "0.04"}})
    mine.save("prices", overwrite=True, _sync=True)
    monkeypatch.setenv("JIMMY_API_KEY", "sk_second")
    monkeypatch.setenv("PREFECT_SEEDANCE_LEDGER", "postgresql+asyncpg://me:hidden@db/ledger")
    _, text = setup("--prices", str(prices), "--folder", str(tmp_path))
    assert "made" not in text.replace("are made", "")
    assert "hidden" not in text
    assert load(PriceBook, "prices").prices == {"seedance2.0-mini-720p": "0.04"}
    assert load(JimmyCredentials, "jimmy").api_key.get_secret_value() == "sk_first"

    _, text = setup("--prices", str(prices), "--folder", str(tmp_path), "--overwrite")
    assert "credentials jimmy replaced" in text
    assert load(RouteDefaults, "main").credentials.api_key.get_secret_value() == "sk_second"
    assert load(PriceBook, "prices").prices == {"seedance2.0-mini-720p": "0.05"}
    with get_client(sync_client=True) as client:
        template = client.read_work_pool(POOL).base_job_template
    assert "hidden" not in str(template), "a URL with a password belongs in the worker's environment"


def test_the_deployments_fit_their_flows(prefect_server: str) -> None:
    """What the file names exists, and what it gives as parameters the forms take."""
    listed = {each.name: each for each in read_deployments(pool=POOL)}
    assert listed.keys() == {
        "generate",
        "one-video",
        "nightly",
        "watch",
        "sweep",
        "cost-report",
        "quote",
        "resolve",
        "shard",
    }
    for name, each in listed.items():
        known = each._parameter_openapi_schema.properties
        assert each.parameters.keys() <= known.keys(), name
        assert each.description.startswith("###"), name
        assert "seedance" in each.tags
        assert each.entrypoint.startswith("prefect_seedance.flows."), "a file's path would load it twice"
        assert all(schedule.active is False for schedule in each.schedules or ()), name
    assert {name for name, each in listed.items() if each.schedules} == {"nightly", "watch", "sweep", "cost-report"}
