"""What a run has sent is counted in its output folder: the first create before it leaves, later ones soon after."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from prefect_seedance.engine.run_counter import RunCounter
from prefect_seedance.errors import InputError
from prefect_seedance.ledger import RunFile, read_run_files, write_run_file
from prefect_seedance.ledger.run_files import RUN_FILES
from prefect_seedance.media import open_storage
from tests.patience import eventually_async

LONG = 1e6


def a_file(run: str = "r-1", attempts: int = 0) -> RunFile:
    return RunFile(run=run, ledger="one", batch="spring", attempts=attempts)


def counted(folder: Path) -> list[int]:
    return [file.attempts for file in read_run_files(open_storage(folder))]


async def test_the_first_is_there_at_once_and_the_rest_at_the_end(tmp_path: Path) -> None:
    counter = RunCounter(open_storage(tmp_path), a_file(), [], pause=LONG)
    assert counted(tmp_path) == []
    await counter.count()
    assert counted(tmp_path) == [1]
    for _ in range(99):
        await counter.count()
    await counter.close()
    assert counted(tmp_path) == [100]
    assert {path.name for path in tmp_path.iterdir()} == {RUN_FILES}


async def test_many_at_once_at_the_beginning_do_not_leave_before_the_file(tmp_path: Path) -> None:
    counter = RunCounter(open_storage(tmp_path), a_file(), [], pause=LONG)
    tasks = [asyncio.create_task(counter.count()) for _ in range(50)]
    for task in asyncio.as_completed(tasks):
        await task
        assert counted(tmp_path)[0] >= 1
    await counter.close()
    assert counted(tmp_path) == [50]


async def test_later_ones_are_written_without_waiting(tmp_path: Path) -> None:
    counter = RunCounter(open_storage(tmp_path), a_file(), [], pause=0.0)
    for number in range(1, 6):
        await counter.count()
        await eventually_async(lambda wanted=number: counted(tmp_path) == [wanted], "the number in the file")
    await counter.close()


async def test_after_a_write_that_failed_nothing_leaves_without_one(tmp_path: Path) -> None:
    counter = RunCounter(open_storage(tmp_path), a_file(), [], pause=0.0)
    await counter.count()
    place = tmp_path / RUN_FILES
    place.rename(tmp_path / "away")
    place.write_text("a file in its place")
    await counter.count()  # its write comes later, and fails
    await eventually_async(lambda: counter._failed, "the failed write")
    for _ in range(2):
        with pytest.raises(InputError, match="cannot be written"):
            await counter.count()
    place.unlink()
    (tmp_path / "away").rename(place)
    await counter.count()
    assert counted(tmp_path) == [5]
    await counter.close()


async def test_the_file_of_a_run_that_sent_nothing_is_not_written_and_removes_nothing(tmp_path: Path) -> None:
    write_run_file(open_storage(tmp_path), a_file("earlier", 3))
    counter = RunCounter(open_storage(tmp_path), a_file(), ["earlier"], pause=LONG)
    await counter.close()
    assert counted(tmp_path) == [3]


async def test_the_files_of_ended_runs_are_removed_once_the_own_one_is_there(tmp_path: Path) -> None:
    folder = open_storage(tmp_path)
    for run in ("ended", "live"):
        write_run_file(folder, a_file(run, 3))
    counter = RunCounter(folder, a_file(), ["ended", "gone already"], pause=LONG)
    await counter.count()
    await eventually_async(lambda: len(counted(tmp_path)) == 2, "the file of the ended run is removed")
    await counter.close()
    assert {file.run for file in read_run_files(folder)} == {"live", "r-1"}
