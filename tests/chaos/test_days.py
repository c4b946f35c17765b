"""A batch of many days: pause, resume, restart, upgrade, new keys, new prices, another machine, and kills in between.

The provider's clock runs fast: a day lasts twelve seconds, so that a link of Anyfast lives twelve seconds and one of
Jimmy AI thirty-six, as their documents say in days. Whoever comes back too late has lost videos, as in reality.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.chaos.journey import Journey
from tests.patience import patience
from tests.postgres import PostgresServer

pytestmark = [
    pytest.mark.chaos,
    # Its clock is the machine's own, many times over: on one that is busy with other things, links die unfetched.
    pytest.mark.skipif(os.environ.get("DAYS") is None, reason="make days, on a machine that does nothing else"),
]

LONG = int(os.environ.get("DAYS_KILLS", "5")) > 5
ROWS = int(os.environ.get("DAYS_ROWS", "1000"))
"""Of the long form: ten days."""
SHORT = 400
"""Fewer are over before all has happened that is to happen to them."""
SEED = int(os.environ.get("CHAOS_FIRST_SEED", "0")) + 7


def tell(text: str) -> None:
    print(text)  # noqa: T201 - the seed, and the figures
    with Path(os.environ.get("CHAOS_LOG", os.devnull)).open("a") as log:
        log.write(f"days: {text}\n")


@pytest.mark.timeout(patience(3600))
def test_days_over_a_file(tmp_path: Path, request: pytest.FixtureRequest) -> None:
    ledgers = [f"sqlite+aiosqlite:///{tmp_path}/{name}.db" for name in ("first", "second")]
    rows, kills = (ROWS, 49) if LONG else (SHORT, 4)
    # In the long form some of the runs are whole flows, at a Prefect server.
    api_url = f"{request.getfixturevalue('prefect_server')}/api" if LONG else None
    tell(f"seed {SEED}")
    with Journey(
        tmp_path, SEED, rows=rows, kills=kills, ledger=ledgers[0], next_ledger=ledgers[1], api_url=api_url
    ) as it:
        log = it.travel()
        it.check()
        assert log.kills == kills + 1
        it.resolve()
        tell(str(log))


@pytest.mark.timeout(patience(3600))
def test_days_over_a_server(tmp_path: Path, postgres_server: PostgresServer) -> None:
    names = [postgres_server.empty_database() for _ in range(2)]
    ledgers = [postgres_server.url(name) for name in names]
    rows, kills = (400, 14) if LONG else (SHORT, 4)
    tell(f"seed {SEED + 1}")
    with Journey(tmp_path, SEED + 1, rows=rows, kills=kills, ledger=ledgers[0], next_ledger=ledgers[1]) as it:
        log = it.travel()
        it.check()
        assert log.kills == kills + 1
        it.resolve()
        tell(str(log))
    for name in names:
        postgres_server.drop(name)
