"""All unknown rows of a batch are settled at once, after it was said how many they are and what they may have cost."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from pydantic import SecretStr

from prefect_seedance.cli.app import run
from prefect_seedance.engine.step_runner import PLAIN
from prefect_seedance.errors import InputError
from prefect_seedance.ledger import Ledger
from prefect_seedance.ledger.rows import lookups
from prefect_seedance.planning.plan import prepare
from prefect_seedance.planning.run_limits import RunLimits
from prefect_seedance.providers import Account, RouteSettings
from prefect_seedance.routes import Prices, VideoRequest, find
from prefect_seedance.runs.batch import run_batch
from prefect_seedance.runs.resolve import resolve_all
from prefect_seedance.sandbox import SandboxServer
from prefect_seedance.tables.reader import read_table
from tests.engine.asked import asked

LOST, GATEWAY, WELL = 2, 2, 3


class Scene:
    """A batch with unknown rows of two kinds, and rows that wait for their job."""

    def __init__(self, sandbox: SandboxServer, folder: Path) -> None:
        self.url = f"sqlite+aiosqlite:///{folder / 'ledger.db'}"
        self.sandbox, self.folder = sandbox, folder
        account = Account("jimmy", "default", sandbox.url, SecretStr("sk_sandbox"))
        defaults = VideoRequest(duration=4, resolution="480p")
        prices = Prices.parse("CNY", {"seedance2.0-mini-480p": "0.03"})
        self.route = RouteSettings(account, find("seedance2.0-mini"), prices=prices, defaults=defaults)

    async def run(self, rows: int = LOST + GATEWAY + WELL) -> Counter[str]:
        table = read_table([{"id": f"r{number}", "prompt": f"a lamp {number}"} for number in range(rows)])
        spec, context = asked(
            prepare(table, (self.route,)),
            (self.route,),
            batch="spring",
            output=self.folder / "videos",
            ledger_url=self.url,
            patience=0,
            limits=RunLimits(limit_patience=0),
        )
        outcome = await run_batch(spec, context, lambda _rows: PLAIN)
        return Counter(row.state.value for row in outcome.records.values())

    async def states(self) -> Counter[str]:
        ledger = await Ledger.open(self.url)
        try:
            return Counter(row.state.value for row in await ledger.read(lookups.rows_of, "spring"))
        finally:
            await ledger.close()


@pytest.fixture
async def scene(sandbox: SandboxServer, tmp_path: Path) -> Scene:
    scene = Scene(sandbox, tmp_path)
    sandbox.faults.queue("create", "cut_after", "ok", "error_after", "cut_after", "ok", "error_after", "ok")
    found = await scene.run()
    assert found["unknown"] == LOST + GATEWAY
    return scene


async def test_without_a_word_of_consent_they_are_only_shown(scene: Scene) -> None:
    before = await scene.states()
    shown = await resolve_all(ledger_url=scene.url, batch="spring", verdict="not_made")
    assert (len(shown.rows), shown.settled) == (LOST + GATEWAY, None)
    text = str(shown)
    for piece in (
        "4 unknown rows",
        "at most 0.48 CNY",
        "http-502: 2 rows",
        "lost-answer: 2 rows",
        "Nothing was changed",
    ):
        assert piece in text, text
    assert await scene.states() == before


async def test_those_of_one_reason_are_settled_and_the_next_run_makes_them(scene: Scene) -> None:
    done = await resolve_all(ledger_url=scene.url, batch="spring", verdict="not_made", reason="http-502", confirm=True)
    assert done.settled == GATEWAY
    assert (await scene.states())["unknown"] == LOST
    billed = len(scene.sandbox.state.bill())
    assert (await scene.run())["unknown"] == LOST
    assert len(scene.sandbox.state.bill()) == billed + GATEWAY


async def test_the_command_shows_them_first_and_settles_them_with_yes(
    scene: Scene, capfd: pytest.CaptureFixture[str]
) -> None:
    line = ["resolve-all", "spring", "not_made", "--reason", "http-502", "--ledger", str(scene.folder / "ledger.db")]
    assert run(line) == 0
    assert "with --yes set" in " ".join(capfd.readouterr().out.split())
    assert (await scene.states())["unknown"] == LOST + GATEWAY
    assert run([*line, "--yes"]) == 0
    assert "2 rows were not made" in " ".join(capfd.readouterr().out.split())
    assert (await scene.states())["unknown"] == LOST


async def test_lost_ones_count_at_their_exact_quote(scene: Scene) -> None:
    done = await resolve_all(ledger_url=scene.url, batch="spring", verdict="lost", confirm=True)
    assert done.settled == LOST + GATEWAY
    ledger = await Ledger.open(scene.url)
    rows = [row for row in await ledger.read(lookups.rows_of, "spring") if row.state == "failed"]
    await ledger.close()
    assert {row.attempt.charge for row in rows if row.attempt} == {Decimal("0.12")}
    again = await resolve_all(ledger_url=scene.url, batch="spring", verdict="lost", confirm=True)
    assert again.rows == ()
    assert "no such unknown row" in str(again)


async def test_a_window_of_time_is_read_as_utc_unless_it_names_a_zone(scene: Scene) -> None:
    async def number(**window: str) -> int:
        return len((await resolve_all(ledger_url=scene.url, batch="spring", verdict="not_made", **window)).rows)

    soon = datetime.now(UTC) + timedelta(hours=1)
    plain, zoned = f"{soon:%Y-%m-%d %H:%M}", (soon + timedelta(hours=8)).strftime("%Y-%m-%dT%H:%M+08:00")
    for text in (plain, zoned):
        assert (await number(since=text), await number(until=text)) == (0, LOST + GATEWAY)
    assert await number(since="2020-01-01") == LOST + GATEWAY
    with pytest.raises(InputError, match="since='yesterday'"):
        await number(since="yesterday")
    with pytest.raises(InputError, match="belongs to one row"):
        await resolve_all(ledger_url=scene.url, batch="spring", verdict="job")
    with pytest.raises(InputError, match="no batch"):
        await resolve_all(ledger_url=scene.url, batch="autumn", verdict="lost")


async def test_a_row_that_a_live_run_holds_is_left_alone(scene: Scene) -> None:
    ledger = await Ledger.open(scene.url)
    run = await ledger.begin_run("spring")
    held = (await ledger.read(lookups.unknown_rows, "spring"))[0]
    await ledger.write(_hold, run.id, held.id)
    done = await resolve_all(ledger_url=scene.url, batch="spring", verdict="not_made", confirm=True)
    assert done.settled == LOST + GATEWAY - 1
    assert "1 were left alone" in str(done)
    await ledger.end_run(run)
    await ledger.close()


def _hold(connection, run: str, row: int) -> None:
    import sqlalchemy as sa

    from prefect_seedance.ledger.db.schema import rows

    connection.execute(sa.update(rows).where(rows.c.id == row).values(holder=run))
