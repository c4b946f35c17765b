"""The report tells how a run and its account got on: the limit that it found, what was refused, how often it asked."""

from __future__ import annotations

from pathlib import Path

import pytest

from prefect_seedance import generate_videos
from prefect_seedance.reports.summary import cell, summary
from prefect_seedance.sandbox import SandboxServer
from tests.conftest import RouteTo

pytestmark = pytest.mark.usefixtures("prefect_server")


@pytest.mark.slow
def test_a_hidden_limit_is_found_and_told(route_to: RouteTo, sandbox: SandboxServer, tmp_path: Path) -> None:
    sandbox.faults.concurrency = 3
    table = [{"id": f"r{number}", "prompt": f"a lantern {number}"} for number in range(12)]
    result = generate_videos(table, route=route_to(duration=5), batch="b", output=tmp_path)
    assert result.counts == {"stored": 12}
    (account_stats,) = result.account_stats
    calls = sandbox.state.calls
    assert account_stats.account == "jimmy/default"
    assert account_stats.accepted == 12 == len(sandbox.state.bill())
    assert account_stats.refused == calls["jimmy.create"] - 12 > 0
    assert account_stats.asked == calls["jimmy.query"] - 1, "the free question before the first create is none of them"
    assert account_stats.ended == 12
    assert account_stats.highest >= 3  # an end that was not noticed yet counts
    assert account_stats.lowest is not None
    assert account_stats.lowest <= 3
    (lines,) = [hint for hint in result.hints if hint.startswith("jimmy/default: ")]
    assert f"{account_stats.refused} of {12 + account_stats.refused} creates refused as too many" in lines
    assert cell(lines) in summary(result)
    again = generate_videos(table, route=route_to(duration=5), batch="b", output=tmp_path)
    assert again.account_stats == []
