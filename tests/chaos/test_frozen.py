"""A run that stands still is taken for dead, and wakes: no row is paid twice, and the ledger tells the truth.

The processes are real, and really stopped (SIGSTOP). They take themselves to be on two machines, else the second would
see that the first one lives.
"""

from __future__ import annotations

import os
import signal
import time
from collections import Counter
from collections.abc import Callable
from multiprocessing.process import BaseProcess
from pathlib import Path

import pytest

from prefect_seedance.ledger import Outcome, State
from tests.chaos.child import MODELS
from tests.chaos.scene import Scene
from tests.patience import eventually

pytestmark = pytest.mark.chaos

LEASE = 4.0
ROWS = 9


def stands_still(process: BaseProcess) -> bool:
    return Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()[0] == "T"


def wake(process: BaseProcess) -> None:
    assert process.pid is not None
    os.kill(process.pid, signal.SIGCONT)


def frozen_at(scene: Scene, instant: str) -> BaseProcess:
    """A run on machine A that stands still at an instant."""
    first = scene.begin(machine="a", lease=LEASE, stop_at=instant)
    eventually(lambda: stands_still(first), instant)
    return first


def frozen_while_sending(scene: Scene) -> BaseProcess:
    """A run on machine A that is stopped when the provider has its creates, and has not answered."""
    scene.server.faults.update(slow_create=1.0, slow_create_seconds=5.0)
    first = scene.begin(machine="a", lease=LEASE)

    def on_the_wire() -> bool:
        sent = sum(row.state is State.SENT for row in scene.rows())
        return 0 < sent <= len(scene.server.state.bill())

    eventually(on_the_wire, "creates that have reached the provider")
    assert first.pid is not None
    os.kill(first.pid, signal.SIGSTOP)
    eventually(lambda: stands_still(first), "stopped")
    scene.server.faults.rest()
    return first


WAYS: dict[str, tuple[Callable[[Scene], BaseProcess], set[State]]] = {
    # When it stands still, and what its row is while it does; neighbours may be on the wire all the same.
    "before the intent": (lambda scene: frozen_at(scene, "rows claimed"), set()),
    "after the intent": (lambda scene: frozen_at(scene, "intent written"), {State.UNKNOWN}),
    "after the request": (frozen_while_sending, {State.UNKNOWN}),
    "after the answer": (lambda scene: frozen_at(scene, "answer received"), {State.UNKNOWN}),
    "after the job was written": (lambda scene: frozen_at(scene, "job written"), set()),
    "before the file is in place": (lambda scene: frozen_at(scene, "proof written"), set()),
}


@pytest.mark.parametrize("way", WAYS)
def test_who_stands_still_and_wakes_pays_nothing_twice(tmp_path: Path, postgres: str, way: str) -> None:
    """Over a server only: whoever stands still while he writes into a file keeps it locked for everybody."""
    freeze, lost = WAYS[way]
    ledger = postgres
    # One route, so that its first create is alone: a process that is stopped in the middle of another row's statement
    # keeps its locks on the server, whatever the program does.
    with Scene(tmp_path, seed=1, rows=ROWS, ledger=ledger, models=MODELS[:1]) as scene:
        first = freeze(scene)
        before = {row.holder for row in scene.rows() if row.holder}
        assert len(before) == 1
        stopped = time.monotonic()
        second = scene.begin(machine="b", lease=LEASE)
        eventually(lambda: not before & {row.holder for row in scene.rows()}, "the second takes over")
        took = time.monotonic() - stopped
        scene.end(second)
        given_up = {row.state for row in scene.rows()} & {State.UNKNOWN}
        assert given_up >= lost
        scene.check()
        scene.evidence()

        wake(first)
        scene.end(first)
        # What it was told late has settled what was unknown; nobody's word was needed.
        assert not [row.key for row in scene.rows() if row.state is State.UNKNOWN]
        scene.finish()
        reckoning = scene.check()
        assert Counter(row.state for row in scene.rows()) == {State.STORED: ROWS}
        assert reckoning.jobs == ROWS
        assert Counter(attempt.outcome for attempt in scene.attempts())[Outcome.CREATED] == ROWS
    with Path(os.environ.get("CHAOS_LOG", os.devnull)).open("a") as log:
        log.write(f"stood still {way}: taken over {took:.2f} s after the second's start, with a lease of {LEASE} s\n")
