"""Ctrl-C in the midst of a run: nothing is lost, and the next run takes everything up."""

from __future__ import annotations

import signal
import subprocess
import sys
from dataclasses import replace

import pytest

from prefect_seedance.sandbox import SandboxServer, SandboxSettings
from tests.patience import eventually, hasten, patience

SCRIPT = """
import sys
from prefect_seedance import generate_videos
from prefect_seedance.blocks import JimmyCredentials, PriceBook, RouteDefaults
url, output = sys.argv[1:]
route = RouteDefaults(credentials=JimmyCredentials(api_key="sk_sandbox", base_url=url), model="seedance2.0-mini",
    prices=PriceBook(currency="CNY", prices={"seedance2.0-mini-720p": "0.05"}), poll_seconds=0.1, max_in_flight=2)
generate_videos([{"id": f"{n}", "prompt": f"prompt {n}"} for n in range(6)], route=route, batch="spring", output=output)
print("finished")
"""


@pytest.mark.slow
def test_ctrl_c_and_again(prefect_server, output, tmp_path):
    script = tmp_path / "run.py"
    script.write_text(SCRIPT)
    with SandboxServer(SandboxSettings(job_seconds=(60, 60))) as sandbox:
        command = [sys.executable, script, sandbox.url, output]
        # A shell starts what it puts into the background deaf to Ctrl-C, and the deafness is inherited.
        first = subprocess.Popen(
            command,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),  # noqa: PLW1509
        )
        eventually(lambda: sandbox.state.calls["jimmy.query"] >= 2 or first.poll() is not None, "two questions")
        assert first.poll() is None
        first.send_signal(signal.SIGINT)
        out, _err = first.communicate(timeout=patience())
        assert first.returncode != 0
        assert "finished" not in out
        paid = sandbox.state.calls["jimmy.create"]
        assert 1 <= paid < 6

        hasten(sandbox)
        sandbox.state.settings = replace(sandbox.state.settings, job_seconds=(0.1, 0.2))
        again = subprocess.run(command, capture_output=True, text=True, timeout=patience(300), check=False)
        assert again.returncode == 0, again.stderr
        assert sorted(line.prompt for line in sandbox.state.bill()) == [f"prompt {n}" for n in range(6)]
        assert len(list((output / "spring").glob("*.mp4"))) == 6
