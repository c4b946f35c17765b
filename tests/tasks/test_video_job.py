"""The job block: Prefect's own pattern, under our laws."""

from __future__ import annotations

import dataclasses
import inspect
import json
from pathlib import Path

import httpx
import pytest
from prefect import flow
from prefect.blocks.abstract import JobBlock, JobRun
from prefect.blocks.core import Block
from prefect.client.orchestration import get_client
from prefect.utilities.dispatch import get_registry_for_type

from prefect_seedance import VideoJob, VideoRequest
from prefect_seedance.errors import ContentRejected, InputError, LedgerError, UnknownOutcome
from prefect_seedance.tasks import VideoJobRun
from tests.blocks.standards import Standards


class TestStandards(Standards):
    @pytest.fixture
    def block(self):
        return VideoJob


@pytest.fixture
def job(route_to, tmp_path):
    def make(**fields):
        settings = {"route": route_to(duration=4), "batch": "block", "row": "one", "prompt": "a lantern"}
        return VideoJob(**{**settings, "output": str(tmp_path / "v"), **fields})

    return make


def test_it_is_the_only_block_type_of_its_module():
    known = (get_registry_for_type(Block) or {}).values()
    assert [each.__name__ for each in known if each.__module__ == VideoJob.__module__] == ["VideoJob"]


def test_it_asks_for_all_that_a_request_may_say():
    assert VideoRequest.model_fields.keys() <= VideoJob.model_fields.keys()
    assert [name for name, field in VideoJob.model_fields.items() if not field.description] == []


def written_against_prefect(block: JobBlock) -> object:
    """Code that knows nothing of us."""
    run = block.trigger()
    assert isinstance(run, JobRun)
    run.wait_for_completion()
    return run.fetch_result()


def test_triggered_twice_paid_once_with_and_without_a_flow(prefect_server, job, sandbox):
    in_flow = flow(name="stranger")(written_against_prefect)
    first = written_against_prefect(job())
    second = in_flow(job())
    assert first == second
    assert first.state == "stored"
    assert Path(first.video).is_file()
    line = sandbox.state.bill()[0]
    assert (first.job_id, first.cost) == (line.job_id, line.cost)
    assert sandbox.state.calls["jimmy.create"] == sandbox.state.calls["files"] == 1
    assert "sk_sandbox" not in repr(first) + json.dumps(dataclasses.asdict(first), default=str)
    with httpx.Client(base_url=f"{prefect_server}/api") as client:
        runs = client.post("/flow_runs/filter", json={"flows": {"name": {"any_": ["stranger"]}}})
    assert "lantern" in runs.text
    assert "sk_sandbox" not in runs.text, "the block is a parameter, and its key is not"
    assert written_against_prefect(job(take="2")).job_id != first.job_id
    assert len(sandbox.state.bill()) == 2


# Prefect leaves a connection to its own server open when a test's event loop closes.
@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:.*socket.socket")
async def test_asynchronous_in_a_flow_and_without_one(prefect_server, job, sandbox):
    @flow
    async def mine(row):
        run = await job(row=row).trigger()
        with pytest.raises(LedgerError, match="wait_for_completion"):
            await run.fetch_result()
        await run.wait_for_completion()
        return await run.fetch_result()

    assert (await mine("one")).state == "stored"
    run = await job(row="two").atrigger()
    assert (isinstance(run, VideoJobRun), run.ticket.state) == (True, "created")
    await run.await_for_completion()
    assert (await run.afetch_result()).row == "two"
    assert inspect.iscoroutinefunction(job().atrigger)
    assert len(sandbox.state.bill()) == 2


def test_what_goes_wrong_is_raised_and_never_paid_again(prefect_server, job, sandbox):
    sandbox.faults.retry_after = 0.1
    sandbox.faults.queue("create", "rate_limited", "ok")
    assert written_against_prefect(job()).state == "stored", "a proven refusal is sent again"
    sandbox.faults.queue("create", "cut_after")
    for _ in range(2):
        with pytest.raises(UnknownOutcome):
            job(row="lost").trigger()
    run = job(row="m", prompt="Mickey Mouse").trigger()
    with pytest.raises(ContentRejected):
        run.wait_for_completion()
    with pytest.raises(InputError, match="wat"):
        job(row="w", watermark=True).trigger()
    assert sandbox.state.calls["jimmy.create"] == 4


async def test_saved_and_loaded_with_its_route(prefect_server, job, route_to, tmp_path):
    await route_to(duration=4).asave("job-route", overwrite=True)
    made = job(ledger="postgresql://u:hidden-word@db/x", images=["https://example.com/a.png"])
    await made.asave("job", overwrite=True)
    assert "hidden-word" not in repr(made)
    loaded = await VideoJob.aload("job")
    assert loaded.route.credentials.api_key.get_secret_value() == "sk_sandbox"
    assert (loaded.row, loaded.images, loaded.ledger) == ("one", ["https://example.com/a.png"], made.ledger)
    async with get_client() as client:
        shown = await client.read_block_document_by_name("job", "seedance-video-job", include_secrets=False)
    assert "hidden-word" not in shown.model_dump_json()
    assert "sk_sandbox" not in shown.model_dump_json()
