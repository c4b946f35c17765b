"""The three tasks alone, in anybody's flow."""

from __future__ import annotations

import dataclasses
import json
import subprocess
import sys
from decimal import Decimal
from pathlib import Path

import pytest
from prefect import flow
from prefect.futures import wait

from prefect_seedance import VideoRequest, create_video, download_video, poll_video
from prefect_seedance.errors import ContentRejected, InputError, Refused, UnknownOutcome
from prefect_seedance.sandbox.http.media import media_bytes
from prefect_seedance.tasks import upload_media
from tests.patience import patience


def check_stored(job, sandbox) -> None:
    assert job.state == "stored"
    assert Path(job.video).is_file()
    line = next(line for line in sandbox.state.bill() if line.job_id == job.job_id)
    assert (job.cost, job.currency) == (line.cost, "CNY")


def test_in_a_sync_flow(prefect_server, route_to, sandbox, tmp_path):
    route = route_to(duration=4)

    @flow
    def mine():
        job = create_video({"prompt": "a lantern"}, route=route, batch="hand", row="one", output=tmp_path / "v")
        assert (job.state, job.row, job.batch) == ("created", "one", "hand")
        assert job.video is None
        return download_video(poll_video(job, output=tmp_path / "v"), output=tmp_path / "v")

    job = mine()
    check_stored(job, sandbox)
    assert job.cost == Decimal("0.20")
    assert "sk_sandbox" not in repr(job) + json.dumps(dataclasses.asdict(job), default=str)
    # The same again: nothing is paid, the same job is handed back.
    assert mine_again(route, tmp_path).job_id == job.job_id
    assert sandbox.state.calls["jimmy.create"] == 1
    assert sandbox.state.calls["files"] == 1


@flow
def mine_again(route, folder):
    job = create_video({"prompt": "a lantern"}, route=route, batch="hand", row="one", output=folder / "v")
    return download_video(poll_video(job, output=folder / "v"), output=folder / "v")


# Prefect leaves a connection to its own server open when a test's event loop closes.
@pytest.mark.filterwarnings("ignore:.*socket.socket")
async def test_in_an_async_flow(prefect_server, route_to, sandbox, tmp_path):
    route = route_to("seedance-2.0-mini", duration=4)

    @flow
    async def mine():
        job = await create_video(VideoRequest(prompt="喵"), route=route, batch="hand", output=tmp_path / "v")
        return await download_video(await poll_video(job, output=tmp_path / "v"), output=tmp_path / "v")

    check_stored(await mine(), sandbox)
    assert sandbox.state.calls["anyfast.create"] == 1


def test_submitted_with_futures_as_arguments(prefect_server, route_to, sandbox, tmp_path):
    route = route_to()
    output = tmp_path / "v"

    @flow
    def mine():
        ends = []
        for prompt in ("x", "y", "z"):
            made = create_video.submit(prompt, route=route, batch="hand", output=output)
            ends.append(download_video.submit(poll_video.submit(made, output=output), output=output))
        wait(ends)
        return [end.result() for end in ends]

    jobs = mine()
    assert len({job.row for job in jobs}) == 3
    for job in jobs:
        check_stored(job, sandbox)
    assert sorted(line.prompt for line in sandbox.state.bill()) == ["x", "y", "z"]


STEPS = """
import json, sys
from prefect import flow
from prefect_seedance import JobTicket, create_video, download_video, poll_video

step, output, *given = sys.argv[1:]

@flow
def mine():
    if step == "create":
        return create_video({"prompt": "far away"}, route="hand-route", batch="hand", row="far", output=output)
    job = JobTicket(**json.loads(given[0]))
    return poll_video(job, output=output) if step == "poll" else download_video(job, output=output)

job = mine()
fields = {name: getattr(job, name) for name in JobTicket.__dataclass_fields__}
print(json.dumps(fields, default=str))
"""


@pytest.mark.slow
def test_each_step_in_a_process_of_its_own(prefect_server, route_to, sandbox, tmp_path):
    """Across processes travels the block's name; the key is found by it, and nothing else is needed."""
    route_to().save("hand-route", overwrite=True)
    script = tmp_path / "steps.py"
    script.write_text(STEPS)
    job = None
    for step in ("create", "poll", "download"):
        command = [sys.executable, str(script), step, str(tmp_path / "v"), *([json.dumps(job)] if job else [])]
        done = subprocess.run(command, capture_output=True, text=True, timeout=patience(300), check=False)
        assert done.returncode == 0, done.stderr
        assert "sk_sandbox" not in done.stdout + done.stderr
        job = json.loads(done.stdout.splitlines()[-1])
    assert job["state"] == "stored"
    assert Path(job["video"]).is_file()
    assert sandbox.state.calls["jimmy.create"] == 1


def test_what_goes_wrong_is_raised_in_its_own_kind(prefect_server, route_to, sandbox, tmp_path):
    options = {"batch": "hand", "output": tmp_path / "v"}

    @flow
    def mine(request, step="create", route=None):
        job = create_video(request, route=route or route_to(), **options)
        return poll_video(job, output=tmp_path / "v") if step == "poll" else job

    with pytest.raises(ContentRejected):
        mine("Mickey Mouse", "poll")
    with pytest.raises(InputError, match="watermark"):
        mine({"prompt": "x", "watermark": True})
    with pytest.raises(InputError, match="duraton"):
        mine({"prompt": "x", "duraton": 5})
    assert sandbox.state.calls["jimmy.create"] == 1
    with pytest.raises(Refused):
        mine("米老鼠", route=route_to("seedance-2.0-mini"))
    sandbox.faults.queue("create", "cut_after")
    for _ in range(2):  # the second call must not send it again
        with pytest.raises(UnknownOutcome):
            mine({"prompt": "lost"})
    assert sandbox.state.calls["jimmy.create"] == 2
    assert [line.prompt for line in sandbox.state.bill()].count("lost") == 1


def test_only_a_proven_refusal_is_retried(prefect_server, route_to, sandbox, tmp_path):
    sandbox.faults.retry_after = 0.1

    @flow
    def mine(prompt):
        return create_video(prompt, route=route_to(), batch="hand", output=tmp_path / "v")

    sandbox.faults.queue("create", "rate_limited", "rate_limited", "ok")
    assert mine("busy").state == "created"
    assert sandbox.state.calls["jimmy.create"] == 3
    for fault in ("error_before", "error_after", "broken_after", "cut_before"):
        sandbox.faults.queue("create", fault)
        with pytest.raises(UnknownOutcome):
            mine(fault)
    assert sandbox.state.calls["jimmy.create"] == 7


def test_the_folder_of_a_row_is_told_once(prefect_server, route_to, sandbox, tmp_path, monkeypatch):
    """The ledger knows where a row belongs: a poll needs no folder, and a download finds it."""
    monkeypatch.chdir(tmp_path)

    @flow
    def mine():
        return download_video(poll_video(create_video("x", route=route_to(), batch="hand", output=tmp_path / "v")))

    assert Path(mine().video).is_relative_to(tmp_path / "v")
    assert not (tmp_path / "videos").exists()


def test_a_file_is_named_from_where_the_code_runs(prefect_server, route_to, sandbox, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "pictures").mkdir()
    (tmp_path / "pictures" / "cup.png").write_bytes(media_bytes("cup.png", width=640, height=640, seconds=Decimal(1)))
    route = route_to()
    links = {upload_media(name, route=route) for name in ("pictures/cup.png", tmp_path / "pictures" / "cup.png")}
    assert len(links) == 1
    assert sandbox.state.calls["jimmy.upload"] == 1
    assert upload_media("cup.png", route=route, media_root="pictures") in links
