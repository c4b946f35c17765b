"""An output folder that was moved: its videos are found where they are now, and neither fetched nor made again."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from prefect_seedance import generate_videos
from prefect_seedance.sandbox import SandboxServer
from tests.conftest import RouteTo

pytestmark = pytest.mark.usefixtures("prefect_server")

ROWS = [{"id": f"r{number}", "prompt": f"a lantern {number}", "campaign": "春"} for number in range(4)]
NAMES = "{campaign}/{id}"


@pytest.mark.slow
def test_a_folder_that_was_moved_twice(route_to: RouteTo, sandbox: SandboxServer, tmp_path: Path) -> None:
    def run(place: str):
        return generate_videos(ROWS, route=route_to(duration=5), batch="b", output=tmp_path / place, file_name=NAMES)

    first = run("first")
    assert first.name == "All stored"
    fetched = sandbox.state.calls["files"]
    for before, after in (("first", "second"), ("second", "third")):
        shutil.move(tmp_path / before, tmp_path / after)
        moved = run(after)
        assert {row.status for row in moved} == {"stored"}
        assert [row.video for row in moved] == [str(tmp_path / after / "b" / "春" / f"r{n}.mp4") for n in range(4)]
        assert [(row.cost, row.seconds, row.sha256, row.stored_at) for row in moved] == [
            (row.cost, row.seconds, row.sha256, row.stored_at) for row in first
        ]
        assert not (tmp_path / before).exists()
        assert run(after).name == "Nothing new"
    assert sandbox.state.calls["files"] == fetched
    assert len(sandbox.state.bill()) == 4


def test_a_file_that_was_changed_on_the_way_is_no_proof(
    route_to: RouteTo, sandbox: SandboxServer, tmp_path: Path
) -> None:
    def run(place: str):
        return generate_videos(ROWS[:2], route=route_to(duration=5), batch="b", output=tmp_path / place)

    run("first")
    shutil.move(tmp_path / "first", tmp_path / "second")
    changed = tmp_path / "second" / "b" / "r1.mp4"
    changed.write_bytes(changed.read_bytes()[:-1] + b"?")
    moved = {row.row: row for row in run("second")}
    assert moved["r0"].video == str(tmp_path / "second" / "b" / "r0.mp4")
    # That one is fetched again; what stands in its place is nobody's to throw away.
    assert moved["r1"].video == str(tmp_path / "second" / "b" / "r1.video-1.mp4")
    assert changed.read_bytes()[-1:] == b"?"
    assert sandbox.state.calls["files"] == 3
    assert len(sandbox.state.bill()) == 2
