"""Stored videos of other batches for new rows of the same request: only on the user's word, and each for one row."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest
from pydantic import SecretStr

from prefect_seedance.core import checkpoints
from prefect_seedance.engine.step_runner import PLAIN
from prefect_seedance.ledger import Ledger, Proof, State
from prefect_seedance.ledger.rows import planning, transitions
from prefect_seedance.planning.plan import prepare
from prefect_seedance.providers import Account, RouteSettings
from prefect_seedance.reports.results.result import GenerateResult, build_result
from prefect_seedance.reports.results.row_result import RowResult
from prefect_seedance.reports.summary import row_cost, summary
from prefect_seedance.routes import Prices, VideoRequest, find
from prefect_seedance.runs.batch import run_batch
from prefect_seedance.runs.reuse import reusable_before
from prefect_seedance.sandbox import SandboxServer
from prefect_seedance.tables.reader import Table, read_table
from tests.engine.asked import asked


def route(sandbox: SandboxServer) -> RouteSettings:
    return RouteSettings(
        Account("jimmy", "studio", sandbox.url, SecretStr("sk_sandbox")),
        find("seedance2.0-mini"),
        defaults=VideoRequest(duration=5),  # 0.25 CNY a row
        prices=Prices.parse("CNY", {"seedance2.0-mini-720p": "0.05"}),
        poll_seconds=0.05,
    )


def url(tmp_path: Path) -> str:
    return f"sqlite+aiosqlite:///{tmp_path}/ledger.db"


def table(**prompts: str) -> Table:
    return read_table([{"id": key, "prompt": prompt} for key, prompt in prompts.items()])


async def night(
    sandbox: SandboxServer, tmp_path: Path, batch: str, rows: Table, output: str | None = None, **spec: object
) -> GenerateResult:
    used = route(sandbox)
    plan = prepare(rows, [used])
    where = output or tmp_path / "videos"
    asked_for = asked(plan, [used], batch=batch, output=where, ledger_url=url(tmp_path), **spec)
    return build_result(rows, plan, await run_batch(*asked_for, lambda _: PLAIN), batch=batch, take="1")


def by_key(result: GenerateResult) -> dict[str, RowResult]:
    return {row.row: row for row in result.rows}


def paid(sandbox: SandboxServer) -> int:
    """The jobs that were made and charged."""
    jobs = len(sandbox.state.jobs())
    assert sum((line.cost for line in sandbox.state.bill()), Decimal(0)) == Decimal("0.25") * jobs
    return jobs


@pytest.mark.parametrize("kind", ["folder", "store"])
async def test_a_stored_video_is_copied_and_not_paid_again(
    sandbox: SandboxServer, tmp_path: Path, s3: str, kind: str
) -> None:
    output = s3 if kind == "store" else None
    first = await night(sandbox, tmp_path, "monday", table(a="a cat", b="a dog"))
    assert paid(sandbox) == 2
    assert first.warnings == []

    rows = table(x="a cat", y="a dog", z="a fox")
    second = await night(sandbox, tmp_path, "tuesday", rows, output, reuse=True)
    assert paid(sandbox) == 3
    assert (second.name, second.made) == ("All stored", 3)
    (said,) = second.warnings
    assert said.startswith("2 new rows have a copy of a stored video of the same request, at no cost.")
    assert said in summary(second).replace("\\", "")
    source, copy, made = by_key(first)["a"], by_key(second)["x"], by_key(second)["z"]
    assert (copy.sha256, copy.bytes, copy.width, copy.height) == (
        source.sha256,
        source.bytes,
        source.width,
        source.height,
    )
    assert copy.video != source.video
    assert copy.remarks == "reused: the stored video of row 'a', batch 'monday', take 1"
    # It is known that it cost nothing.
    assert (copy.cost, copy.currency, copy.cost_note, copy.attempts, row_cost(copy)) == (0, None, None, 0, "nothing")
    assert (made.cost, made.attempts) == (Decimal("0.25"), 1)
    assert [line.cost for line in second.costs_to_date] == [Decimal("0.25")]
    if kind == "folder":
        assert Path(str(copy.video)).read_bytes() == Path(str(source.video)).read_bytes()
        assert not list((tmp_path / "videos" / "tuesday" / ".parts").glob("*"))

    # The next run of the batch has nothing to do, whether it may reuse or not.
    for reuse in (True, False):
        again = await night(sandbox, tmp_path, "tuesday", rows, output, reuse=reuse)
        assert (again.name, again.warnings, paid(sandbox)) == ("Nothing new", [], 3)


async def test_without_the_users_word_it_is_only_offered(sandbox: SandboxServer, tmp_path: Path) -> None:
    rows = table(a="a cat", b="a dog")
    plan = prepare(rows, [route(sandbox)])
    assert await reusable_before(url(tmp_path), plan.rows) is None
    assert not (tmp_path / "ledger.db").exists()
    await night(sandbox, tmp_path, "monday", table(a="a cat"))
    offer = (
        "1 row asks for the same as a stored video of another batch ('monday'). With reuse set, a run copies these "
        "videos at no cost. As it is, it makes new ones and pays for them."
    )
    assert str(await reusable_before(url(tmp_path), plan.rows)) == offer
    second = await night(sandbox, tmp_path, "tuesday", rows)
    assert (second.warnings, paid(sandbox)) == ([offer], 3)


async def test_a_file_that_is_gone_or_changed_is_no_source(sandbox: SandboxServer, tmp_path: Path) -> None:
    rows = table(a="a cat", b="a dog", c="a fox")
    first = by_key(await night(sandbox, tmp_path, "monday", rows))
    Path(str(first["a"].video)).unlink()
    Path(str(first["b"].video)).write_bytes(b"another film")
    second = await night(sandbox, tmp_path, "tuesday", rows, reuse=True)
    assert (second.name, paid(sandbox)) == ("All stored", 5)
    assert [row.attempts for row in second.rows] == [1, 1, 0]


async def test_two_rows_and_two_takes_are_two_videos(sandbox: SandboxServer, tmp_path: Path) -> None:
    await night(sandbox, tmp_path, "monday", table(a="a cat"))
    twins = table(x="a cat", y="a cat")
    second = await night(sandbox, tmp_path, "tuesday", twins, reuse=True)
    assert ([row.attempts for row in second.rows], paid(sandbox)) == ([0, 1], 2)
    # A third row of the same request: both videos are in this batch already.
    await night(sandbox, tmp_path, "tuesday", table(x="a cat", y="a cat", z="a cat"), reuse=True)
    assert paid(sandbox) == 3
    other_take = await night(sandbox, tmp_path, "tuesday", twins, take="2", reuse=True)
    assert (other_take.warnings, paid(sandbox)) == ([], 5)


class Killed(Exception):
    """The process ends here."""


async def test_a_run_that_dies_after_the_proof_is_continued(sandbox: SandboxServer, tmp_path: Path) -> None:
    rows = table(a="a cat")
    await night(sandbox, tmp_path, "monday", rows)

    def die(point: str) -> None:
        if point == "proof written":
            raise Killed

    checkpoints.listen(die)
    try:
        with pytest.raises(Killed):
            await night(sandbox, tmp_path, "tuesday", rows, reuse=True)
    finally:
        checkpoints.listen(None)
    assert not list((tmp_path / "videos" / "tuesday").glob("*.mp4"))
    second = await night(sandbox, tmp_path, "tuesday", rows)
    assert (second.name, paid(sandbox)) == ("All stored", 1)
    assert Path(str(second.rows[0].video)).is_file()


async def test_a_copy_that_is_lost_is_made_only_on_the_users_word(sandbox: SandboxServer, tmp_path: Path) -> None:
    rows = table(a="a cat")
    await night(sandbox, tmp_path, "monday", rows)
    copy = (await night(sandbox, tmp_path, "tuesday", rows, reuse=True)).rows[0]
    Path(str(copy.video)).unlink()
    lost = (await night(sandbox, tmp_path, "tuesday", rows, reuse=True)).rows[0]
    assert (lost.status, lost.cost, paid(sandbox)) == (State.EXPIRED, 0, 1)
    assert lost.error_message == (
        "Its file is gone. It was a copy of a stored video of another batch, so no job can be asked for it. "
        'retry=["expired"] makes it as a new video, and pays.'
    )
    again = await night(sandbox, tmp_path, "tuesday", rows, retry=frozenset({State.EXPIRED}))
    assert (again.name, again.rows[0].cost, paid(sandbox)) == ("All stored", Decimal("0.25"), 2)


@pytest.mark.parametrize(
    ("address", "offered"),
    [("https://example.com/cat.png", True), ("data:image/png;base64,AAAA", True), ("cat.png", False)],
)
async def test_a_path_does_not_say_which_file_it_is(
    sandbox: SandboxServer, tmp_path: Path, address: str, *, offered: bool
) -> None:
    rows = prepare(read_table([{"id": "a", "prompt": "a cat", "images": address}]), [route(sandbox)]).rows
    ledger = await Ledger.open(url(tmp_path))
    run = await ledger.begin_run("monday")
    (row,) = rows
    plan = planning.Plan("a", row.fingerprint, {}, "jimmy", "studio", "seedance2.0-mini", "a")
    ids = await ledger.write(planning.plan, run, "1", [plan])
    await ledger.write(planning.claim, run, ids.values())
    await ledger.write(transitions.reuse, run, ids["a"], Proof("/a.mp4", "ab", 1, 2, 3, Decimal(5)))
    await ledger.write(transitions.store, run, ids["a"], modified_ns=1)
    await ledger.end_run(run)
    await ledger.close()
    assert (await reusable_before(url(tmp_path), rows) is not None) == offered
