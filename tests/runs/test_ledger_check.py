"""An older ledger is put in the place of the latest one. The measure: creates never exceed the number of rows."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

import pytest

from prefect_seedance.cli.app import run as cli
from prefect_seedance.core.portal import call_core
from prefect_seedance.engine.run_spec import RunContext
from prefect_seedance.engine.step_runner import PLAIN
from prefect_seedance.errors import InputError, SeedanceError
from prefect_seedance.ledger import MANIFEST, Ledger, Outcome, RunFile, State, read_run_files
from prefect_seedance.ledger.rows import lookups, maintenance
from prefect_seedance.ledger.run_files import RUN_FILES
from prefect_seedance.media import open_storage
from prefect_seedance.runs.sweep import sweep
from tests.chaos.child import MODELS, routes, run_jobs
from tests.chaos.scene import Scene
from tests.patience import patience

T = TypeVar("T")


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    with Scene(tmp_path, seed=7, rows=6, models=MODELS[:1]) as scene:
        yield scene


@pytest.fixture
def kept(tmp_path: Path, ledger_file: Path) -> Callable[[], Callable[[], None]]:
    """Keeps the ledger as it is now; calling the result puts it back, as a restored backup does."""

    def keep() -> Callable[[], None]:
        copy = tmp_path / "backup.db"
        shutil.copy(ledger_file, copy)

        def restore() -> None:
            for ending in ("-wal", "-shm"):
                ledger_file.with_name(f"{ledger_file.name}{ending}").unlink(missing_ok=True)
            shutil.copy(copy, ledger_file)

        return restore

    return keep


def creates(scene: Scene) -> int:
    return scene.server.state.calls["jimmy.create"]


def run(scene: Scene, first: int = 0, last: int = 6, **changes: object) -> None:
    run_jobs(replace(scene.task, rows=scene.task.rows[first:last], **changes))


def refused(scene: Scene, **changes: object) -> str:
    """The error of a run over all rows, which sends nothing."""
    before = creates(scene)
    with pytest.raises(InputError, match="Nothing was spent") as raised:
        run(scene, **changes)
    assert creates(scene) == before
    return str(raised.value)


def files(output: Path | str) -> list[RunFile]:
    return read_run_files(open_storage(output))


def with_ledger(scene: Scene, ask: Callable[[Ledger], Awaitable[T]]) -> T:
    async def work() -> T:
        ledger = await Ledger.open(scene.ledger)
        try:
            return await ask(ledger)
        finally:
            await ledger.close()

    return asyncio.run(work())


def states(scene: Scene) -> Counter[str]:
    return Counter(row.state.value for row in scene.rows())


def test_a_restored_backup_is_refused_and_the_latest_ledger_goes_on(
    scene: Scene, kept: Callable[[], Callable[[], None]], ledger_file: Path, tmp_path: Path
) -> None:
    run(scene, 0, 2)
    restore = kept()
    run(scene)
    latest = shutil.copy(ledger_file, tmp_path / "latest.db")
    restore()
    text = refused(scene)
    assert f"older than the folder {scene.output}" in text
    assert "of batch 'chaos': 4 sent from this folder, 0 known to the ledger" in text
    assert f"prefect-seedance ledger adopt {scene.output}" in text
    shutil.copy(latest, ledger_file)
    run(scene)
    assert (creates(scene), states(scene)) == (6, {"stored": 6})


def test_a_log_that_was_removed_after_a_kill_is_noticed(scene: Scene, ledger_file: Path) -> None:
    """The ledger was closed once, so without its `-wal` it is a sound database, and an old one."""
    run(scene, 0, 1)
    killed = scene.begin(kill_at="job written", kill_nth=4)
    killed.join(patience())
    assert killed.exitcode == -9
    before = creates(scene)
    assert 5 <= before <= 6
    ledger_file.with_name(f"{ledger_file.name}-wal").unlink()
    ledger_file.with_name(f"{ledger_file.name}-shm").unlink()
    assert "0 known to the ledger" in refused(scene)


@pytest.mark.parametrize("place", ["folder", "bucket"])
def test_a_copy_put_back_between_two_runs(
    scene: Scene, kept: Callable[[], Callable[[], None]], place: str, request: pytest.FixtureRequest
) -> None:
    output = f"{request.getfixturevalue('s3')}/videos" if place == "bucket" else str(scene.output)
    run(scene, 0, 1, output=output)
    restore = kept()
    run(scene, 1, 2, output=output)
    assert [file.attempts for file in files(output)] == [1]
    restore()
    refused(scene, output=output)
    assert creates(scene) == 2


def test_two_workers_are_both_counted(scene: Scene, kept: Callable[[], Callable[[], None]]) -> None:
    run(scene, 0, 1)
    restore = kept()
    rows = scene.task.rows
    scene.end(*[scene.begin(machine=name, rows=part) for name, part in (("a", rows[1:3]), ("b", rows[3:5]))])
    assert sum(file.attempts for file in files(scene.output)) == 4
    restore()
    assert refused(scene).count("0 known to the ledger") == 2
    assert creates(scene) == 5


def test_an_older_state_of_a_server_is_refused_too(scene: Scene, tmp_path: Path, postgres: str) -> None:
    """As after a failover to a replica that lagged behind; here the older state is a copy, made while it was in use."""
    run(scene, 0, 1, ledger=postgres)
    older = f"sqlite+aiosqlite:///{tmp_path}/older.db"
    assert cli(["ledger", "copy", "--backup", older, "--ledger", postgres]) == 0
    machines = [scene.begin(machine=name, ledger=postgres, rows=scene.task.rows[:5]) for name in "ab"]
    scene.end(*machines)
    assert creates(scene) == 5
    refused(scene, ledger=older)
    run(scene, ledger=postgres)
    assert creates(scene) == 6


def test_the_files_of_ended_runs_go_when_a_later_run_is_there(
    scene: Scene, kept: Callable[[], Callable[[], None]]
) -> None:
    """The last one is enough: a ledger that knows that run knows what was committed before it."""
    run(scene, 0, 2)
    restore = kept()
    for number in range(2, 5):
        run(scene, number, number + 1)
    (left,) = files(scene.output)
    assert left == RunFile(
        run=left.run, ledger=json.loads((scene.output / MANIFEST).read_text())["ledger"], batch="chaos", attempts=1
    )
    run(scene, 0, 5)  # it sends nothing, and writes nothing
    assert files(scene.output) == [left]
    restore()
    refused(scene)
    assert creates(scene) == 5


def test_a_ledger_ahead_of_its_folder_is_fine(scene: Scene, tmp_path: Path) -> None:
    run(scene, 0, 2)
    shutil.copytree(scene.output, tmp_path / "before")
    run(scene, 2, 4)
    shutil.rmtree(scene.output)
    shutil.copytree(tmp_path / "before", scene.output)
    run(scene, 0, 5)
    shutil.rmtree(scene.output / RUN_FILES)
    run(scene)
    assert creates(scene) == 6


def test_what_sends_nothing_does_not_ask(scene: Scene, kept: Callable[[], Callable[[], None]]) -> None:
    run(scene, 0, 1)
    restore = kept()
    run(scene)
    restore()
    settings = tuple(block.to_settings() for block in routes(scene.server.url))
    context = RunContext(routes=settings, ledger_url=scene.ledger)
    call_core(lambda: sweep(context, lambda _rows: PLAIN, patience=600))
    assert cli(["status", "chaos"]) == 0
    assert cli(["report", "chaos"]) == 0
    assert creates(scene) == 6


@pytest.mark.parametrize("blocked", ["folder", "file"])
def test_nothing_is_sent_where_the_file_cannot_be_written(scene: Scene, blocked: str) -> None:
    scene.output.mkdir()
    place = scene.output / RUN_FILES
    if blocked == "folder":
        place.write_text("a file in its place")
        with pytest.raises(SeedanceError):
            run(scene)
    else:
        place.mkdir()
        (place / "x.json").write_text("{")
        assert "x.json cannot be read" in refused(scene)
    assert creates(scene) == 0
    assert states(scene) == {}


def test_nothing_is_sent_where_the_disk_is_full_at_the_first_create(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(scene, 0, 1)

    def full(number: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        run(scene)
    assert (creates(scene), states(scene)) == (1, {"stored": 1, "planned": 5})
    attempts = with_ledger(scene, lambda ledger: ledger.read(lookups.attempts_of, "chaos"))
    assert {attempt.outcome for attempt in attempts[1:]} == {Outcome.WITHDRAWN}
    run(scene)
    assert (creates(scene), states(scene)) == (6, {"stored": 6})


def test_a_moved_ledger_begins_no_run_and_its_copy_does(
    scene: Scene, tmp_path: Path, ledger_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run(scene, 0, 1)
    backup = tmp_path / "backup.db"
    assert cli(["ledger", "copy", "--backup", str(backup)]) == 0
    assert cli(["ledger", "copy", str(backup)]) == 2  # a failed copy marks nothing
    run(scene, 1, 2)
    moved = tmp_path / "moved.db"
    assert cli(["ledger", "copy", str(moved)]) == 0
    text = refused(scene)
    assert f"moved to sqlite+aiosqlite:///{moved}" in text
    capsys.readouterr()
    assert cli(["status", "chaos"]) == 0
    assert "stored" in capsys.readouterr().out
    assert cli(["ledger", "copy", str(tmp_path / "third.db")]) == 2
    run(scene, 0, 4, ledger=f"sqlite+aiosqlite:///{moved}")
    assert creates(scene) == 4
    # The copy is lost: the folder counts two creates that this ledger does not know.
    assert cli(["ledger", "adopt", str(scene.output)]) == 0
    refused(scene)
    assert cli(["ledger", "adopt", str(scene.output), "--lost"]) == 0
    run(scene)
    assert (creates(scene), states(scene)) == (4, {"stored": 2, "unknown": 4})


def test_no_copy_is_made_under_a_run(scene: Scene, tmp_path: Path) -> None:
    """What the run paid for meanwhile would be missing in the copy."""
    run(scene, 0, 1)

    async def copied(ledger: Ledger) -> None:
        live = await ledger.begin_run("chaos")
        other = await Ledger.open(f"sqlite+aiosqlite:///{tmp_path}/copy.db")
        with pytest.raises(InputError, match="A run works with this ledger now, on chaos"):
            await ledger.copy_to(other)
        await ledger.end_run(live)
        content = await ledger.read(maintenance.dump)
        await ledger.end_run(await ledger.begin_run("chaos"))
        with pytest.raises(InputError, match="while it was copied"):
            await ledger.write(maintenance.mark_moved, content, "there")
        await other.close()

    with_ledger(scene, copied)
    run(scene)
    assert creates(scene) == 6


def test_a_pruned_ledger_still_knows_its_runs(scene: Scene) -> None:
    run(scene, batch="old")
    assert cli(["ledger", "prune", "--older-than", "0d"]) == 0
    (left,) = files(scene.output)
    assert left.attempts == 6
    run(scene, batch="new")
    assert creates(scene) == 12


def test_an_older_ledger_is_adopted_and_pays_for_nothing_blindly(
    scene: Scene, kept: Callable[[], Callable[[], None]], capsys: pytest.CaptureFixture[str]
) -> None:
    """Two rows are stored when the backup is made, one is over its budget, three are new to it."""
    run(scene, 0, 2)
    run(scene, 0, 3, budget="0.01 CNY")
    restore = kept()
    run(scene)
    restore()
    capsys.readouterr()
    assert cli(["ledger", "adopt", str(scene.output)]) == 0
    listed = " ".join(capsys.readouterr().out.split())
    assert "of batch 'chaos': 4 sent from this folder, 0 known" in listed
    assert "chaos: row-002" in listed
    assert "Nothing was changed" in listed
    refused(scene)
    assert cli(["ledger", "adopt", str(scene.output), "--lost"]) == 0
    paid = creates(scene)
    for _ in range(2):
        run(scene)
    assert (creates(scene), states(scene)) == (paid, {"stored": 2, "unknown": 4})
    # A person finds the jobs at the provider: what was paid is fetched, and nothing is paid again.
    jobs = {line.prompt: line.job_id for line in scene.server.state.bill()}
    for key, prompt, _ in scene.task.rows[2:]:
        assert cli(["resolve", "chaos", key, "job", jobs[prompt]]) == 0
    run(scene)
    assert (creates(scene), states(scene)) == (paid, {"stored": 6})
    assert len(scene.server.state.bill()) == 6
    assert cli(["ledger", "adopt", str(scene.output)]) == 0
    assert "nothing to adopt" in capsys.readouterr().out


def test_the_rows_of_a_lost_run_have_an_attempt_to_be_resolved(
    scene: Scene, kept: Callable[[], Callable[[], None]]
) -> None:
    run(scene, 0, 1)
    restore = kept()
    run(scene)
    restore()
    assert cli(["ledger", "adopt", str(scene.output), "--lost"]) == 0
    run(scene)
    attempts = with_ledger(scene, lambda ledger: ledger.read(lookups.attempts_of, "chaos"))
    assert len(attempts) == 6
    assert {row.state for row in scene.rows()} == {State.STORED, State.UNKNOWN}
    assert cli(["resolve", "chaos", "row-003", "not_made"]) == 0
    run(scene)  # by the person's word it is paid again
    assert creates(scene) == 7
