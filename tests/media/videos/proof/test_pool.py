"""Videos are proven in real child processes: whatever becomes of one, its file is unverified, the next is proven."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prefect_seedance.errors import InputError, InvalidVideo, UnverifiedVideo
from prefect_seedance.media import Bounds, ProofPool, inspect_video, previews_of
from prefect_seedance.media.videos.proof.exchange import Answer, from_plain, to_plain
from prefect_seedance.media.videos.proof.limits import ProofLimits, limits_of
from prefect_seedance.messages import Message
from tests.media.videos.heavy import heavy_video
from tests.patience import eventually, eventually_async, patience

if not Path("/proc/self/fd").exists():
    pytest.skip("looks at the children through /proc", allow_module_level=True)

WIDE = ProofLimits(memory=1 << 30, cpu_seconds=100_000, wall_seconds=patience())


@pytest.fixture(scope="module")
def heavy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Its proof takes seconds: time enough for something to happen to it."""
    return heavy_video(tmp_path_factory.mktemp("heavy") / "heavy.mp4")


@pytest.fixture
def good(tmp_path: Path, mp4: bytes) -> Path:
    path = tmp_path / "good.mp4"
    path.write_bytes(mp4)
    return path


class Limits:
    """Limits that a test may change between two proofs."""

    now = WIDE

    def __call__(self, _bounds: Bounds) -> ProofLimits:
        return self.now


@pytest.fixture
def limits() -> Limits:
    return Limits()


@pytest.fixture
def pool(limits: Limits) -> Iterator[ProofPool]:
    pool = ProofPool(1, limits=limits, start=patience())
    yield pool
    pool.close()
    eventually(lambda: not pool.pids, "the end of the children")


def lives(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state != "Z"


def reads(pid: int, path: Path) -> bool:
    """Whether a process has a file open."""
    try:
        return any(os.path.realpath(each) == str(path) for each in Path(f"/proc/{pid}/fd").iterdir())
    except FileNotFoundError:
        return False


async def in_proof(pool: ProofPool, path: Path) -> tuple[asyncio.Task[object], int]:
    """A proof that has begun, and its child."""
    task = asyncio.create_task(pool.verify(path))
    await eventually_async(lambda: any(reads(pid, path) for pid in pool.pids), "a child that decodes")
    return task, pool.pids[0]


async def test_a_child_finds_what_this_process_would_find(pool: ProofPool, good: Path, tmp_path: Path) -> None:
    proven = await pool.verify(good)
    assert proven.facts == inspect_video(good)
    assert proven.previews is not None
    assert proven.previews.poster[:2] == proven.previews.strip[:2] == b"\xff\xd8"
    assert (await pool.previews(good)) == previews_of(good)
    (tmp_path / "cut.mp4").write_bytes(good.read_bytes()[:-100])
    with pytest.raises(InvalidVideo, match="is not a whole video") as caught:
        await pool.verify(tmp_path / "cut.mp4")
    assert caught.value.code == "broken_video"
    with pytest.raises(InputError, match="cannot be read"):
        await pool.verify(tmp_path / "none.mp4")
    (tmp_path / "page.mp4").write_text("<html>")
    assert await pool.previews(tmp_path / "page.mp4") is None
    assert len(pool.pids) == 1
    assert pool.trouble is None


async def test_a_child_is_humble_and_knows_no_secret(
    pool: ProofPool, good: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("JIMMY_API_KEY", "sk_secret")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "json.py").write_text("raise SystemExit('not the module that was meant')")
    await pool.verify(good)
    (pid,) = pool.pids
    assert b"sk_secret" not in Path(f"/proc/{pid}/environ").read_bytes()
    assert os.getpriority(os.PRIO_PROCESS, pid) == min(19, os.getpriority(os.PRIO_PROCESS, 0) + 10)
    assert int(Path(f"/proc/{pid}/oom_score_adj").read_text()) >= 500
    assert os.getpgid(pid) != os.getpgid(0), "Ctrl-C is for the parent"
    assert os.getsid(pid) == os.getsid(0)


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSEGV])
async def test_a_crash_is_that_files_trouble(pool: ProofPool, good: Path, heavy: Path, number: signal.Signals) -> None:
    task, pid = await in_proof(pool, heavy)
    behind = asyncio.create_task(pool.verify(good))
    os.kill(pid, number)
    with pytest.raises(UnverifiedVideo, match=f"heavy.mp4 could not be verified here: .* was ended by {number.name}"):
        await task
    assert (await behind).facts.width == 64
    assert not lives(pid)


async def test_a_hang_is_that_files_trouble(pool: ProofPool, limits: Limits, good: Path) -> None:
    await pool.verify(good)
    (pid,) = pool.pids
    os.kill(pid, signal.SIGSTOP)
    limits.now = ProofLimits(1 << 30, 100_000, wall_seconds=0.1)
    with pytest.raises(UnverifiedVideo, match="did not end within"):
        await pool.verify(good)
    assert not lives(pid)
    limits.now = WIDE
    assert (await pool.verify(good)).facts.width == 64


async def test_a_lack_of_memory_says_nothing_about_the_file(
    pool: ProofPool, limits: Limits, good: Path, heavy: Path
) -> None:
    limits.now = ProofLimits(memory=4 << 20, cpu_seconds=100_000, wall_seconds=patience())
    with pytest.raises(UnverifiedVideo, match="more than the 4 MB of memory"):
        await pool.verify(heavy)
    limits.now = WIDE
    assert (await pool.verify(good)).facts.width == 64
    assert (await pool.verify(heavy)).facts.seconds == 20


async def test_processor_time_is_limited(pool: ProofPool, limits: Limits, good: Path, heavy: Path) -> None:
    limits.now = ProofLimits(memory=1 << 30, cpu_seconds=1, wall_seconds=patience())
    with pytest.raises(UnverifiedVideo, match="more than the 1 s of processor time"):
        await pool.verify(heavy)
    for _ in range(2):
        assert (await pool.verify(good)).facts.width == 64


async def test_a_cancelled_proof_ends_its_child(pool: ProofPool, good: Path, heavy: Path) -> None:
    task, pid = await in_proof(pool, heavy)
    waiting = asyncio.create_task(pool.verify(heavy))
    await asyncio.sleep(0)
    waiting.cancel()
    task.cancel()
    await asyncio.gather(task, waiting, return_exceptions=True)
    assert task.cancelled()
    assert waiting.cancelled()
    await eventually_async(lambda: not lives(pid), "the end of the child")
    assert (await pool.verify(good)).facts.width == 64


def test_one_pool_serves_one_loop_after_the_other(pool: ProofPool, good: Path) -> None:
    pids = set()
    for _ in range(2):
        assert asyncio.run(pool.verify(good)).facts.width == 64
        pids |= set(pool.pids)
    assert len(pids) == 1


async def test_no_more_children_than_proofs_and_none_without_work(good: Path) -> None:
    pool = ProofPool(3, start=patience(), idle=0.05)
    assert pool.pids == ()
    await pool.verify(good)
    assert len(pool.pids) <= 1
    await asyncio.gather(*(pool.verify(good) for _ in range(9)))
    assert len(pool.pids) <= 3
    await eventually_async(lambda: not pool.pids, "the end of idle children")
    assert (await pool.verify(good)).facts.width == 64
    pool.close()


@pytest.mark.parametrize("frozen", [False, True])
async def test_videos_are_proven_where_no_child_can_be_started(
    pool: ProofPool, good: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, frozen: bool
) -> None:
    """A frozen program is its own `sys.executable`: it would start the user's run once more."""
    started = tmp_path / "started"
    program = tmp_path / "program"
    program.write_text(f"#!/bin/sh\ntouch {started}\n")
    program.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(program))
    monkeypatch.setattr(sys, "frozen", frozen, raising=False)
    assert (await pool.verify(good)).facts.width == 64
    assert "Videos are verified in this process" in str(pool.trouble)
    assert started.exists() is not frozen
    (tmp_path / "cut.mp4").write_bytes(good.read_bytes()[:-100])
    with pytest.raises(InvalidVideo):
        await pool.verify(tmp_path / "cut.mp4")


PARENT = """
import asyncio, os, sys, threading, time
from pathlib import Path
from prefect_seedance.media import proof_pool

def tell():
    while not proof_pool().pids:
        time.sleep(0.01)
    print(*proof_pool().pids, flush=True)

async def main():
    threading.Thread(target=tell).start()
    await proof_pool().verify(Path(sys.argv[1]))
    if sys.argv[2] == "fork" and os.fork() == 0:
        print("fork", os.getpid(), flush=True)
        time.sleep(1000)
    time.sleep(1000)

asyncio.run(main())
"""


@pytest.mark.parametrize("moment", ["in_proof", "idle", "fork"])
def test_no_child_outlives_its_parent(good: Path, heavy: Path, moment: str) -> None:
    path = heavy if moment == "in_proof" else good
    command = [sys.executable, "-W", "ignore", "-c", PARENT, str(path), moment]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        child, fork = int(parent.stdout.readline()), 0
        if moment == "fork":
            fork = int(parent.stdout.readline().split()[1])
        if moment == "in_proof":
            eventually(lambda: reads(child, path), "a child that decodes")
        assert lives(child)
        parent.kill()
        try:
            eventually(lambda: not lives(child), "the end of the child")
            assert not fork or lives(fork)
        finally:
            if fork:
                os.kill(fork, signal.SIGKILL)


PLAIN = st.none() | st.booleans() | st.integers() | st.text() | st.decimals(allow_nan=False, allow_infinity=False)
MESSAGES = st.recursive(
    PLAIN,
    lambda inner: st.lists(inner).map(tuple) | st.builds(Message, st.text(), st.dictionaries(st.text(), inner)),
    max_leaves=10,
)


@given(MESSAGES)
def test_messages_cross_the_pipe_as_they_are(value: object) -> None:
    assert from_plain(to_plain(value)) == value


FACTS = b'{"facts": {"width": 1, "height": 1, "seconds": {"decimal": "1"}, "fps": {"decimal": "1"}, '
FACTS += b'"has_audio": true, "bytes": 1, "sha256": "%s", "oddities": []}}' % (b"0" * 64)


@given(
    st.binary() | st.builds(lambda at, value: FACTS[:at] + value + FACTS[at + 1 :], st.integers(0, 199), st.binary())
)
def test_what_a_child_says_is_understood_or_refused(line: bytes) -> None:
    try:
        answer = Answer.from_line(line)
    except ValueError:
        return
    assert answer.facts is None or answer.facts.bytes > 0


def test_an_answer_is_read() -> None:
    facts = Answer.from_line(FACTS).facts
    assert facts is not None
    assert (facts.seconds, facts.sha256) == (Decimal(1), "0" * 64)


def test_limits_grow_with_the_bounds() -> None:
    small, large = limits_of(Bounds(1_000_000, 30)), limits_of(Bounds(8_000_000, 60))
    for name in ("memory", "cpu_seconds", "wall_seconds"):
        assert getattr(small, name) < getattr(large, name)
    # Of what a route sells at most (4K, 15 s), a decoder needs far less than the limits.
    assert large.memory > 20 * 3840 * 2160 * 3
