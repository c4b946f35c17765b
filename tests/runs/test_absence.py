"""Law 4: what a provider does not have now is asked for again, and only what is past its life and gone is given up."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from prefect_seedance.engine.run_spec import RunContext
from prefect_seedance.engine.steps import ask_again
from prefect_seedance.errors import InputError
from prefect_seedance.ledger import Settlement, State
from prefect_seedance.runs.resolve import resolve_row
from prefect_seedance.runs.sweep import sweep
from prefect_seedance.sandbox.world.faults import Faults
from tests.accounts.faultline import STEPS, Seen, World, world
from tests.lifetimes import end_of_life, hurry

PROVIDERS = ["jimmy", "anyfast"]


@contextlib.contextmanager
def one(folder: Path, provider: str, **options: Any) -> Iterator[World]:
    """A world of which the first route is used, with the sandbox's own faults."""
    with world(folder, provider, provider, **options) as both:
        both.servers[0].state.faults = Faults(retry_after=0.05)
        yield both


def table(*prompts: str) -> list[dict[str, Any]]:
    return [{"id": prompt, "prompt": prompt} for prompt in prompts]


def states(seen: Seen) -> dict[str, str]:
    return {key: record.state.value for key, record in seen.records.items()}


@pytest.mark.parametrize("provider", PROVIDERS)
async def test_a_job_that_is_not_known_at_first_is_asked_for_again(tmp_path: Path, provider: str) -> None:
    with one(tmp_path, provider) as both:
        server = both.servers[0]
        server.state.faults.queue("query", *["query_unknown"] * 7)
        seen = await both.run(table("a lamp"))
        assert states(seen) == {"a lamp": "stored"}
        assert both.billed("a lamp") == (1, 0)
        record = seen.records["a lamp"]
        assert (record.absent_since, record.error_kind) == (None, None)


@pytest.mark.parametrize("provider", PROVIDERS)
@pytest.mark.parametrize("status", [400, 401, 403, 404])
async def test_a_link_that_does_not_work_at_first_is_tried_again(tmp_path: Path, provider: str, status: int) -> None:
    with one(tmp_path, provider) as both:
        server = both.servers[0]
        server.state.faults.refused_status = status
        # Each try asks the job for its link once more; the first two tries have four answers.
        server.state.faults.queue("download", *["download_refused"] * 4)
        seen = await both.run(table("a lamp"))
        assert states(seen) == {"a lamp": "stored"}
        assert both.billed("a lamp") == (1, 0)


@pytest.mark.parametrize("provider", PROVIDERS)
async def test_what_stays_absent_is_kept_and_asked_for_by_every_later_run(
    tmp_path: Path, provider: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    hurry(monkeypatch)
    with one(tmp_path, provider) as both:
        server = both.servers[0]
        server.state.faults.query_unknown = 1
        first = await both.run(table("a lamp", "a moon", "a sun"))
        assert set(states(first).values()) == {"created"}
        record = first.records["a lamp"]
        assert record.absent_since is not None
        assert record.attempt is not None
        assert record.attempt.settlement is Settlement.OPEN
        assert "asks for it again, for free" in first.outcome.troubles["a lamp"]
        again = await both.run(table("a lamp", "a moon", "a sun"), retry=["expired"])
        assert set(states(again).values()) == {"created"}
        assert again.records["a lamp"].absent_since == record.absent_since
        server.state.faults.query_unknown = 0
        server.state.faults.download_refused = 1
        third = await both.run(table("a lamp", "a moon", "a sun"))
        assert set(states(third).values()) == {"succeeded"}
        server.state.faults.download_refused = 0
        context = RunContext(routes=both.routes, ledger_url=f"sqlite+aiosqlite:///{tmp_path / 'ledger.db'}")
        swept = await sweep(context, lambda _rows: STEPS, patience=600)
        assert {row.key for row in swept.saved} == {"a lamp", "a moon", "a sun"}
        assert both.asked() == (3, 0)


async def test_several_absences_of_one_account_are_reported_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    hurry(monkeypatch)
    with one(tmp_path, "jimmy") as both:
        both.servers[0].state.faults.query_unknown = 1
        await both.run(table(*(f"lamp {number}" for number in range(6))))
    said = [record.getMessage() for record in caplog.records if "at once" in record.getMessage()]
    assert len(said) == 1
    assert "jimmy/one" in said[0]


@pytest.mark.parametrize("provider", PROVIDERS)
@pytest.mark.parametrize("fault", ["query_unknown", "download_refused"])
async def test_past_its_life_it_expires_and_a_retry_asks_before_it_pays(
    tmp_path: Path, provider: str, fault: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    end_of_life(monkeypatch)
    with one(tmp_path, provider) as both:
        faults = both.servers[0].state.faults
        setattr(faults, fault, 1)
        assert states(await both.run(table("a lamp"))) == {"a lamp": "expired"}
        assert states(await both.run(table("a lamp"))) == {"a lamp": "expired"}
        setattr(faults, fault, 0)
        # The provider has it after all: nothing is paid.
        assert states(await both.run(table("a lamp"), retry=["expired"])) == {"a lamp": "stored"}
        assert both.asked() == (1, 0)


@pytest.mark.parametrize("fault", ["query_unknown", "download_refused"])
async def test_only_what_is_gone_is_paid_for_again(tmp_path: Path, fault: str, monkeypatch: pytest.MonkeyPatch) -> None:
    end_of_life(monkeypatch)
    with one(tmp_path, "jimmy") as both:
        faults = both.servers[0].state.faults
        setattr(faults, fault, 1)
        assert states(await both.run(table("a lamp"))) == {"a lamp": "expired"}
        setattr(faults, fault, 0)
        # The first question says that it is gone, and the new job is well.
        faults.queue("query" if fault == "query_unknown" else "download", fault)
        seen = await both.run(table("a lamp"), retry=["expired"])
        assert states(seen) == {"a lamp": "stored"}
        assert both.asked() == (2, 0)
        assert len(seen.attempts) == 2


async def test_where_the_provider_cannot_be_asked_nothing_is_paid(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    end_of_life(monkeypatch)
    with one(tmp_path, "jimmy") as both:
        faults = both.servers[0].state.faults
        faults.query_unknown = 1
        await both.run(table("a lamp"))
        faults.update(query_unknown=0, query_error=1)
        seen = await both.run(table("a lamp"), retry=["expired"])
        assert states(seen) == {"a lamp": "expired"}
        assert "a lamp" in seen.outcome.troubles
        assert both.asked() == (1, 0)


async def test_a_folder_that_cannot_be_made_is_the_rows_trouble_and_pays_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    end_of_life(monkeypatch)

    def blocked(folder: Path) -> None:
        raise InputError(f"{folder} cannot be made")

    with one(tmp_path, "jimmy") as both:
        faults = both.servers[0].state.faults
        faults.download_refused = 1
        assert states(await both.run(table("a lamp"))) == {"a lamp": "expired"}
        faults.download_refused = 0
        monkeypatch.setattr(ask_again, "ensure_folder", blocked)
        seen = await both.run(table("a lamp"), retry=["expired"])
        assert states(seen) == {"a lamp": "expired"}
        assert "cannot be made" in seen.outcome.troubles["a lamp"]
        assert both.asked() == (1, 0)


async def test_with_another_key_nothing_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The label stays and the key is that of another account: its provider knows none of the jobs."""
    end_of_life(monkeypatch)
    with one(tmp_path, "jimmy") as both:
        right = both.routes
        both.servers[0].state.faults.never_ending = 1
        assert states(await both.run(table("a lamp"), patience=0.5)) == {"a lamp": "created"}
        account = replace(right[0].account, api_key=SecretStr("sk_other"))
        both.servers[0].state.settings.keys["sk_other"] = "jimmy/another"  # type: ignore[index]
        both.routes = (replace(right[0], account=account), right[1])
        seen = await both.run(table("a lamp"), retry=["expired"])
        assert states(seen) == {"a lamp": "created"}
        assert "Another key made it" in seen.outcome.troubles["a lamp"]
        both.routes = right
        both.servers[0].state.faults.query_unknown = 1
        assert states(await both.run(table("a lamp"))) == {"a lamp": "expired"}, "with its own key it is proven"
        assert both.asked() == (1, 0)


async def test_one_label_with_two_keys_is_refused_before_anything_is_spent(tmp_path: Path) -> None:
    with one(tmp_path, "jimmy") as both:
        first = both.routes[0]
        other = replace(first.account, api_key=SecretStr("sk_other"))
        both.routes = (first, replace(first, account=other, block="other"))
        with pytest.raises(InputError, match="two different keys"):
            await both.run(table("a lamp"))
        assert both.asked() == (0, 0)


async def test_a_mistyped_job_is_found_out_and_can_be_named_again(tmp_path: Path) -> None:
    with one(tmp_path, "jimmy") as both:
        server = both.servers[0]
        server.state.faults.queue("create", "cut_after")
        assert states(await both.run(table("a lamp"))) == {"a lamp": "unknown"}
        job = server.state.jobs()[0].id
        ledger = f"sqlite+aiosqlite:///{tmp_path / 'ledger.db'}"

        async def name(job_id: str, *, ask: bool) -> str:
            async def routes_for(_record: Any) -> Any:
                return both.routes

            return await resolve_row(
                ledger_url=ledger,
                batch="spring",
                row="a lamp",
                verdict="job",
                job_id=job_id,
                routes_for=routes_for if ask else None,
            )

        with pytest.raises(InputError, match="does not know job vid_wrong1"):
            await name("vid_wrong1", ask=True)
        assert "was not asked" in await name("vid_wrong1", ask=False)
        assert "knows it" in await name(job, ask=True)
        seen = await both.run(table("a lamp"))
        assert states(seen) == {"a lamp": State.STORED.value}
        assert both.asked() == (1, 0)
        with pytest.raises(InputError, match="nothing to resolve"):
            await name(job, ask=True)


async def test_a_late_job_and_a_late_link_are_faults_of_the_sandbox(tmp_path: Path) -> None:
    with one(tmp_path, "anyfast") as both:
        both.servers[0].state.faults.update(late_seconds=1.5, refused_status=403)
        both.servers[0].state.faults.queue("create", "late_job", "late_link")
        seen = await both.run(table("a lamp", "a moon"))
        assert set(states(seen).values()) == {"stored"}
        assert both.asked() == (2, 0)
