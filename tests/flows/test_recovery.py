"""Recovery: the sweep saves what dead runs left, and a person settles what nobody can know."""

from __future__ import annotations

import asyncio
import csv
import json
from decimal import Decimal
from pathlib import Path

import pytest

from prefect_seedance import generate_videos, resolve_video, sweep_videos
from prefect_seedance.cli.app import run as cli
from prefect_seedance.errors import InputError, NothingStored, SeedanceError
from prefect_seedance.ledger import Ledger
from prefect_seedance.ledger.rows import lookups
from prefect_seedance.sandbox import SandboxServer, SandboxSettings
from tests.chaos.child import Task
from tests.chaos.scene import processes, run
from tests.conftest import RouteTo
from tests.patience import hasten, patience

pytestmark = pytest.mark.usefixtures("prefect_server")


def one(prompt: str = "a lantern", key: str = "r1") -> list[dict[str, str]]:
    return [{"id": key, "prompt": prompt}]


def unknown_row(route_to: RouteTo, sandbox: SandboxServer, tmp_path: Path, fault: str = "cut_after") -> None:
    """A batch `b` of one row whose answer was lost."""
    sandbox.faults.queue("create", fault)
    with pytest.raises(NothingStored) as caught:
        generate_videos(one(), route=route_to(duration=5), batch="b", output=tmp_path / "videos")
    assert caught.value.result is not None
    assert caught.value.result.counts == {"unknown": 1}


def again(route_to: RouteTo, tmp_path: Path):
    return generate_videos(one(), route=route_to(duration=5), batch="b", output=tmp_path / "videos")


def test_an_unknown_row_is_never_taken_by_itself(route_to: RouteTo, sandbox: SandboxServer, tmp_path: Path) -> None:
    unknown_row(route_to, sandbox, tmp_path)
    with pytest.raises(NothingStored):
        again(route_to, tmp_path)
    with pytest.raises(InputError, match="refused"):
        generate_videos(one(), route=route_to(), batch="b", output=tmp_path / "videos", retry=["unknown"])
    assert len(sandbox.state.bill()) == 1


def test_its_job_is_known(route_to: RouteTo, sandbox: SandboxServer, tmp_path: Path) -> None:
    unknown_row(route_to, sandbox, tmp_path)
    job = sandbox.state.bill()[0].job_id
    assert cli(["resolve", "b", "r1", "job", job]) == 0
    result = again(route_to, tmp_path)
    assert result.counts == {"stored": 1}
    assert result.rows[0].job_id == job
    assert result.rows[0].cost == sandbox.state.bill()[0].amount
    assert len(sandbox.state.bill()) == 1


def test_it_was_not_made(route_to: RouteTo, sandbox: SandboxServer, tmp_path: Path) -> None:
    unknown_row(route_to, sandbox, tmp_path, "error_before")
    assert sandbox.state.bill() == []
    text = resolve_video("b", "r1", verdict="not_made")
    assert "next run" in text
    assert again(route_to, tmp_path).counts == {"stored": 1}
    assert len(sandbox.state.bill()) == 1


def test_it_was_made_and_is_lost(route_to: RouteTo, sandbox: SandboxServer, tmp_path: Path) -> None:
    unknown_row(route_to, sandbox, tmp_path)
    resolve_video("b", "r1", verdict="lost")
    with pytest.raises(NothingStored) as caught:
        again(route_to, tmp_path)
    assert caught.value.result is not None
    row = caught.value.result.rows[0]
    assert (row.status, row.cost) == ("failed", Decimal("0.25"))
    assert len(sandbox.state.bill()) == 1


@pytest.mark.slow
def test_what_cannot_be_resolved_is_told(route_to: RouteTo, sandbox: SandboxServer, tmp_path: Path) -> None:
    unknown_row(route_to, sandbox, tmp_path)
    job = sandbox.state.bill()[0].job_id
    for verdict, details, word in (
        ("job", {}, "job"),
        ("lost", {"cost": "1 USD"}, "converted"),
        ("lost", {"cost": "1"}, "cost is"),
    ):
        with pytest.raises(SeedanceError, match=word):
            resolve_video("b", "r1", verdict=verdict, **details)
    with pytest.raises(SeedanceError, match="no row"):
        resolve_video("b", "r9", verdict="lost")
    generate_videos(one(key="r2"), route=route_to(duration=5), batch="other", output=tmp_path / "videos")
    other = sandbox.state.bill()[1].job_id
    with pytest.raises(SeedanceError, match="belongs to row"):
        resolve_video("b", "r1", verdict="job", job_id=other)
    resolve_video("b", "r1", verdict="job", job_id=job)
    with pytest.raises(SeedanceError, match="nothing to resolve"):
        resolve_video("b", "r1", verdict="not_made")


@pytest.mark.slow
def test_the_sweep_saves_what_a_killed_run_left(sandbox: SandboxServer, tmp_path: Path, ledger_file: Path) -> None:
    table = tuple((f"r{number}", f"a lantern {number}", "seedance2.0-mini") for number in range(4))
    task = Task(table, sandbox.url, str(ledger_file), str(tmp_path / "videos"), kill_at="job written", kill_nth=4)
    process = processes().Process(target=run, args=(task,))
    process.start()
    process.join(patience())
    assert process.exitcode == -9
    from tests.chaos.child import routes

    paid = len(sandbox.state.bill())
    outcome = sweep_videos(routes(sandbox.url)[1], ledger=str(ledger_file))  # another route of the same account
    assert len(outcome.saved) == 4
    assert all(Path(row.path or "").exists() for row in outcome.saved)
    assert len(sandbox.state.bill()) == paid == 4
    assert sweep_videos(routes(sandbox.url)[0], ledger=str(ledger_file)).found == []


@pytest.mark.parametrize("sandbox_settings", [SandboxSettings()])
@pytest.mark.slow
def test_a_job_that_outlasts_the_patience_is_kept_and_swept(
    route_to: RouteTo, sandbox: SandboxServer, tmp_path: Path
) -> None:
    route = route_to(duration=5)
    with pytest.raises(NothingStored) as caught:
        generate_videos(one(), route=route, batch="b", output=tmp_path / "videos", patience=0)
    assert caught.value.result is not None
    assert caught.value.result.counts == {"created": 1}
    hasten(sandbox)
    outcome = sweep_videos(route)
    assert [row.batch for row in outcome.saved] == ["b"]
    assert len(sandbox.state.bill()) == 1


@pytest.mark.parametrize("sandbox_settings", [SandboxSettings()])
@pytest.mark.slow
def test_the_sweep_follows_a_folder_that_was_moved(route_to: RouteTo, sandbox: SandboxServer, tmp_path: Path) -> None:
    route = route_to(duration=5)
    for place in ("first", "second"):
        if place == "second":
            (tmp_path / "first").rename(tmp_path / "second")
        with pytest.raises(NothingStored):
            generate_videos(one(), route=route, batch="b", output=tmp_path / place, patience=0)
    hasten(sandbox)
    (swept,) = sweep_videos(route).saved
    assert Path(str(swept.path)).is_relative_to(tmp_path / "second")
    assert not (tmp_path / "first").exists()


@pytest.mark.slow
def test_the_audit_trail_and_the_bill_agree(
    route_to: RouteTo, sandbox: SandboxServer, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sandbox.faults.queue("create", "rate_limited", "ok", "cut_after", "ok")
    route = route_to(duration=5, max_in_flight=1)
    table = [row for number in range(4) for row in one(f"a lantern {number}", f"r{number}")]
    generate_videos(table, route=route, batch="b", output=tmp_path / "videos")
    audit = tmp_path / "audit.csv"
    assert cli(["report", "b", "--audit", str(audit)]) == 0
    lines = list(csv.DictReader(audit.read_text(encoding="utf-8-sig").splitlines()))
    assert len(lines) == 5
    assert {line["outcome"] for line in lines} == {"refused", "created", "unknown"}
    assert [line["http_status"] for line in lines if line["outcome"] == "refused"] == ["429"]
    assert "sk_sandbox" not in audit.read_text(encoding="utf-8")
    bill = tmp_path / "bill.csv"
    with bill.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["Task_ID", "金额"])
        writer.writerows([line.job_id, line.amount] for line in sandbox.state.bill())
    capsys.readouterr()
    assert cli(["report", "b", "--bill", str(bill), "--bill-currency", "CNY"]) == 1
    text = capsys.readouterr().out
    assert "3 agreed" in text
    assert "1 missing here" in text


@pytest.mark.slow
def test_a_ledger_is_copied_and_pruned(
    route_to: RouteTo, sandbox: SandboxServer, tmp_path: Path, ledger_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    result = generate_videos(one(), route=route_to(duration=5), batch="b", output=tmp_path / "videos")
    copy = tmp_path / "copy.db"
    assert cli(["ledger", "copy", str(copy)]) == 0
    assert cli(["ledger", "copy", str(copy)]) == 2
    # The copy is the same ledger: the folder's manifest takes it, and nothing is paid again.
    monkeypatch.setenv("PREFECT_SEEDANCE_LEDGER", str(copy))
    assert again(route_to, tmp_path).name == "Nothing new"
    assert cli(["ledger", "prune", "--older-than", "1d"]) == 0
    assert again(route_to, tmp_path).name == "Nothing new"
    assert cli(["ledger", "prune", "--older-than", "0d"]) == 0
    with pytest.raises(InputError, match="pruned"):
        again(route_to, tmp_path)
    assert len(sandbox.state.bill()) == 1
    assert Path(result.rows[0].video or "").exists()


def test_what_the_ledger_keeps_holds_no_secret(route_to: RouteTo, sandbox: SandboxServer, tmp_path: Path) -> None:
    unknown_row(route_to, sandbox, tmp_path)

    async def everything() -> str:
        ledger = await Ledger.open(f"sqlite+aiosqlite:///{tmp_path / 'ledger.db'}")
        try:
            found = [*await ledger.read(lookups.rows_of, "b"), *await ledger.read(lookups.attempts_of, "b")]
        finally:
            await ledger.close()
        return json.dumps([str(record) for record in found])

    text = asyncio.run(everything())
    assert "sk_sandbox" not in text
    assert "sig=" not in text
