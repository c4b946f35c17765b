"""The check of a route: each subject that can be wrong is found by itself, for free, and nothing is created."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import SecretStr
from rich.console import Console

from prefect_seedance.cli import check as command
from prefect_seedance.cli.app import run
from prefect_seedance.errors import InputError
from prefect_seedance.ledger import MANIFEST
from prefect_seedance.providers import Account, RouteSettings
from prefect_seedance.routes import find
from prefect_seedance.runs.check import check, check_first
from prefect_seedance.sandbox import SandboxServer

MODELS = {"jimmy": ("seedance2.0-mini", "sk_sandbox"), "anyfast": ("seedance-2.0-mini", "sk-sandbox")}
WELL = {"host": "ok", "key": "ok", "ledger": "ok", "output": "ok"}


def route(url: str, provider: str = "jimmy", key: str | None = None) -> RouteSettings:
    model, good = MODELS[provider]
    return RouteSettings(Account(provider, "default", url, SecretStr(key or good)), find(model))


async def verdicts(settings: RouteSettings, folder: Path, output: str = "videos") -> dict[str, str]:
    found = await check([settings], ledger_url=f"sqlite+aiosqlite:///{folder}/ledger.db", output=str(folder / output))
    assert all(str(finding.text) for finding in found)
    return {finding.subject: finding.verdict for finding in found}


@pytest.mark.parametrize("provider", MODELS)
async def test_a_route_that_is_well_is_found_well(sandbox: SandboxServer, tmp_path: Path, provider: str) -> None:
    balance = {"balance": "ok" if provider == "jimmy" else "not known"}
    assert await verdicts(route(sandbox.url, provider), tmp_path) == {**WELL, **balance}
    assert not list((tmp_path / "videos").glob(MANIFEST)), "the first run claims the folder, not a check"
    assert not sandbox.state.bill()
    assert not any(name.endswith(".create") for name in sandbox.state.calls)


@pytest.mark.parametrize("provider", MODELS)
async def test_a_wrong_key_is_told_from_a_wrong_host(sandbox: SandboxServer, tmp_path: Path, provider: str) -> None:
    assert await verdicts(route(sandbox.url, provider, "sk-wrong-key"), tmp_path) == {**WELL, "key": "failed"}
    for kind in ("nginx_404", "index_page", "redirect", "waf_403"):
        sandbox.faults.update(wrong_host=kind)
        found = await verdicts(route(sandbox.url, provider), tmp_path)
        assert found == {**WELL, "host": "failed", "key": "not known"}, kind


async def test_a_folder_of_another_ledger_and_a_file_in_its_place_are_found(
    sandbox: SandboxServer, tmp_path: Path
) -> None:
    (tmp_path / "videos").mkdir()
    (tmp_path / "videos" / MANIFEST).write_text('{"ledger": "another", "url": "elsewhere"}')
    (tmp_path / "taken").write_text("a file")
    for output in ("videos", "taken"):
        found = await verdicts(route(sandbox.url), tmp_path, output)
        assert found["output"] == "failed"
        assert found["ledger"] == "ok"


async def test_a_forms_run_stops_for_what_will_not_pass_by_itself(sandbox: SandboxServer) -> None:
    assert await check_first([route(sandbox.url)]) == []
    (finding,) = await check_first([route("http://127.0.0.1:9")])
    assert finding.subject == "host", "a host that cannot be reached may be back in a moment"
    good, wrong = route(sandbox.url), route(sandbox.url, "anyfast", "sk-wrong-key")
    (finding,) = await check_first([good, wrong])
    assert finding.subject == "key", "a further route may fail"
    with pytest.raises(InputError, match="Nothing was spent"):
        await check_first([wrong, good])
    sandbox.faults.update(wrong_host="redirect")
    with pytest.raises(InputError, match=r"elsewhere\.example"):
        await check_first([good])


@pytest.mark.parametrize(("kind", "code"), [("no", 0), ("index_page", 1)])
def test_the_command_fits_sixty_columns(
    sandbox: SandboxServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str, code: int
) -> None:
    sandbox.faults.update(wrong_host=kind)
    monkeypatch.chdir(tmp_path)
    for name in ("JIMMY", "ANYFAST"):
        monkeypatch.setenv(f"{name}_BASE_URL", sandbox.url)
    monkeypatch.setenv("JIMMY_API_KEY", "sk_sandbox")
    monkeypatch.setenv("ANYFAST_API_KEY", "sk-sandbox")
    console = Console(width=60, record=True, highlight=False)
    monkeypatch.setattr(command, "out", console)
    assert run(["check", "seedance2.0-mini", "seedance-2.0-mini"]) == code
    text = console.export_text()
    assert max(map(len, text.splitlines())) <= 60
    for piece in ("jimmy/default", "anyfast/default", "ledger", "output", "nothing was spent"):
        assert piece in " ".join(text.split())
    assert "sk_sandbox" not in text
