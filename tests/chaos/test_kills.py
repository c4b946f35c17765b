"""Kill the real program wherever it hurts, run the same call again, and hold the ledger against the provider's bill."""

from __future__ import annotations

import os
import random
from pathlib import Path

import pytest

from prefect_seedance.core.checkpoints import CHECKPOINTS
from tests.chaos.scene import Scene
from tests.patience import patience

pytestmark = pytest.mark.chaos

SEEDS = range(int(os.environ.get("CHAOS_SEEDS", "2")))
FIRST_SEED = int(os.environ.get("CHAOS_FIRST_SEED", "0"))


@pytest.mark.timeout(patience(1800))
def test_killed_at_every_named_instant(tmp_path: Path, prefect_server: str) -> None:
    """Each instant once, in the whole flow with its Prefect task runs, over a provider without other faults."""
    chance = random.Random(1)
    with Scene(tmp_path, seed=1, rows=36, api_url=f"{prefect_server}/api") as scene:
        for instant in CHECKPOINTS[:-1]:
            nth = 1 if instant in {"rows planned", "rows claimed"} else chance.randint(1, 2)
            assert scene.killed_at(instant, nth, with_prefect=True), f"{instant} was never reached"
        scene.finish(with_prefect=True)
        reckoning = scene.check()
        scene.evidence()
        assert reckoning.kills == len(CHECKPOINTS) - 1
        assert scene.killed_at(CHECKPOINTS[-1], 1, with_prefect=True)
        scene.check()


@pytest.mark.timeout(patience(1800))
@pytest.mark.parametrize("seed", [FIRST_SEED + seed for seed in SEEDS])
def test_killed_at_random_under_faults(tmp_path: Path, seed: int) -> None:
    """Random moments and instants, over a provider that loses answers, cuts connections and fails jobs."""
    killed_at_random(tmp_path, seed, kills=10)


@pytest.mark.timeout(patience(1800))
@pytest.mark.parametrize("seed", [FIRST_SEED + 1000 + seed for seed in range(max(1, len(SEEDS) // 4))])
def test_killed_at_random_over_a_server(tmp_path: Path, seed: int, postgres: str) -> None:
    """The same with the ledger in PostgreSQL."""
    killed_at_random(tmp_path, seed, kills=8, ledger=postgres)


def killed_at_random(folder: Path, seed: int, *, kills: int, ledger: str | None = None) -> None:
    with Scene(folder, seed=seed, rows=42, ledger=ledger) as scene:
        scene.trouble()
        for _ in range(kills):
            if scene.chance.random() < 0.5:
                scene.killed_after(scene.chance.uniform(0.05, 0.9))
            else:
                scene.killed_at(scene.chance.choice(CHECKPOINTS[:-1]), scene.chance.randint(1, 3))
        scene.finish()
        reckoning = scene.check()
        scene.evidence()
        scene.resolve()
    with Path(os.environ.get("CHAOS_LOG", os.devnull)).open("a") as log:
        log.write(f"seed {seed}: {reckoning}\n")
