"""A video whose proof fails for another reason than the video: its row's trouble only, kept, and verified later."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from prefect_seedance.engine.proof_bounds import proof_bounds
from prefect_seedance.media import WIDEST, Bounds, Fetched, ProofPool, discard
from prefect_seedance.media.videos.kept_part import forget_kept, keep, kept
from prefect_seedance.media.videos.proof import pool as proof_pool
from prefect_seedance.media.videos.proof.limits import ProofLimits
from prefect_seedance.messages import message
from prefect_seedance.routes import CATALOGUE, Route, VideoRequest
from prefect_seedance.routes.pricing.pixels import sizes
from tests.accounts.faultline import World, world
from tests.media.videos.heavy import heavy_video
from tests.patience import eventually, patience

PROMPTS = ("a lamp", "a heavy lamp", "a door")
Use = Callable[[ProofLimits], ProofPool]


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("results")
    heavy_video(folder / "heavy.mp4", seconds=12)
    (folder / "text.mp4").write_bytes(bytes(1000))
    return folder


@pytest.fixture
def use(monkeypatch: pytest.MonkeyPatch) -> Iterator[Use]:
    """Has the runs of this process prove their videos within other limits."""
    pools: list[ProofPool] = []

    def make(limits: ProofLimits) -> ProofPool:
        pools.append(ProofPool(2, limits=lambda _: limits, start=patience()))
        monkeypatch.setattr(proof_pool, "_pool", pools[-1])
        return pools[-1]

    yield make
    for pool in pools:
        pool.close()
        eventually(lambda pool=pool: not pool.pids, "the end of the children")  # type: ignore[misc]


def serve(both: World, results: Path) -> None:
    state = both.servers[0].state
    state.settings = replace(state.settings, results=results)


def rows(both: World) -> list[dict[str, str]]:
    name = f"jimmy/one:{both.routes[0].route.model}"
    return [{"id": prompt, "prompt": prompt, "route": name} for prompt in PROMPTS]


WIDE = ProofLimits(memory=1 << 30, cpu_seconds=100_000, wall_seconds=patience())


@pytest.mark.skipif(sys.platform == "win32", reason="needs the limits of POSIX")
async def test_a_hostile_file_stops_no_one_and_is_verified_later_without_a_link(
    tmp_path: Path, results: Path, use: Use
) -> None:
    use(replace(WIDE, cpu_seconds=1))
    with world(tmp_path, "jimmy", "anyfast", {"a heavy lamp": "given_result=heavy.mp4"}) as both:
        serve(both, results)
        state = both.servers[0].state
        first = await both.run(rows(both))
        assert first.stopped is None
        assert {key: record.state.value for key, record in first.records.items()} == {
            "a lamp": "stored",
            "a heavy lamp": "succeeded",
            "a door": "stored",
        }
        (part,) = (tmp_path / "videos").rglob("*.part")
        said = first.outcome.troubles["a heavy lamp"]
        assert "more than the 1 s of processor time" in said
        assert str(part) in said
        assert part.read_bytes() == (results / "heavy.mp4").read_bytes()
        assert state.calls["files"] == 3, "it is not fetched again"

        second = await both.run(rows(both))
        assert second.records["a heavy lamp"].state.value == "succeeded"
        use(WIDE)
        state.faults.fates.clear()  # type: ignore[attr-defined]
        state.faults.update(download_refused=1, query_unknown=1)
        third = await both.run(rows(both))
        record = third.records["a heavy lamp"]
        assert record.state.value == "stored"
        assert Path(record.path or "").read_bytes() == (results / "heavy.mp4").read_bytes()
        assert state.calls["files"] == 3
        assert len(state.jobs()) == len(third.attempts) == 3
        assert not [path for path in (tmp_path / "videos").rglob("*") if ".part" in path.suffixes]


@pytest.mark.skipif(not Path("/proc").exists(), reason="looks at the children through /proc")
async def test_a_crash_of_the_decoder_is_one_rows_trouble(tmp_path: Path, results: Path, use: Use) -> None:
    pool = use(WIDE)

    def strike() -> None:
        def decoding() -> int | None:
            for pid in pool.pids:
                opened = [os.path.realpath(each) for each in Path(f"/proc/{pid}/fd").iterdir()]
                if any("heavy" in Path(each).name for each in opened):
                    return pid
            return None

        os.kill(eventually(decoding, "a child that decodes the heavy video") or 0, signal.SIGSEGV)

    thread = threading.Thread(target=strike)
    thread.start()
    with world(tmp_path, "jimmy", "anyfast", {"a heavy lamp": "given_result=heavy.mp4"}) as both:
        serve(both, results)
        seen = await both.run(rows(both))
        assert seen.stopped is None
        assert "was ended by SIGSEGV" in seen.outcome.troubles["a heavy lamp"]
        assert [seen.records[key].state.value for key in PROMPTS] == ["stored", "succeeded", "stored"]
        again = await both.run(rows(both))
        assert [again.records[key].state.value for key in PROMPTS] == ["stored", "stored", "stored"]
        assert both.servers[0].state.calls["files"] == 3
    thread.join()


async def test_without_children_the_run_says_so_and_stores_its_videos(
    tmp_path: Path, use: Use, monkeypatch: pytest.MonkeyPatch
) -> None:
    use(WIDE)
    monkeypatch.setattr(sys, "executable", str(tmp_path / "none"))
    with world(tmp_path, "jimmy", "anyfast") as both:
        seen = await both.run(rows(both))
        assert {record.state.value for record in seen.records.values()} == {"stored"}
        (said,) = seen.outcome.notices
        assert said.startswith("Videos are verified in this process")


def test_kept_bytes_are_those_of_their_job_and_whole(tmp_path: Path) -> None:
    part = tmp_path / "a.part"
    part.write_bytes(b"video")
    remark = message("download.other_length", bytes=5)
    fetched = Fetched(5, resumed=False, announced=5, digest="md5", remarks=(remark,))
    keep(part, "job-1", fetched)
    assert kept(part, "job-1") == Fetched(5, resumed=True, announced=5, digest=None, remarks=(remark,))
    assert kept(part, "job-2") is None
    part.write_bytes(b"vide0")
    assert kept(part, "job-1") is None
    part.write_bytes(b"video")
    note = part.with_name("a.part.whole")
    for damaged in ("", "[]", "{}", note.read_text().replace('"announced": 5', '"announced": "5"')):
        note.write_text(damaged)
        assert kept(part, "job-1") is None
    discard(part)
    keep(part, "job-1", fetched)
    assert kept(part, "job-1") is None
    forget_kept(part)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("route", CATALOGUE, ids=lambda route: route.name)
def test_no_route_sells_what_its_bounds_would_refuse(route: Route) -> None:
    for resolution in route.resolution.allowed:
        bounds = proof_bounds(route, VideoRequest(resolution=resolution, duration=route.duration.maximum))
        assert all(
            2 * width * height <= max(bounds.frame_pixels, WIDEST.frame_pixels)
            for width, height in sizes(resolution).values()
        )
        assert all(width * height <= bounds.frame_pixels for width, height in sizes("4k").values()), "a larger gift"
        assert bounds.seconds >= 2 * (route.duration.maximum or 15)


def test_what_is_not_known_of_a_route_has_the_widest_bounds() -> None:
    own = Route(provider="jimmy", model="seedance-933", unit="second")
    assert proof_bounds(own, VideoRequest(resolution="720p", duration=5)) == WIDEST
    odd = own.model_copy(update={"resolution": own.resolution.model_copy(update={"allowed": ("720p", "8k")})})
    assert proof_bounds(odd, VideoRequest()).frame_pixels == WIDEST.frame_pixels
    assert proof_bounds(own, VideoRequest(duration=300)) == Bounds(WIDEST.frame_pixels, 600)
