"""What a server says about a result decides nothing: its bytes do, and bytes that fail the proof are kept."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from prefect_seedance.sandbox.http.files import stored_bytes
from prefect_seedance.sandbox.world.faults import ODD_HEADERS
from tests.accounts.faultline import world

REMARKS = {
    "wrong_md5": "the server announced another md5 digest than that of the file that it sent",
    "wrong_length": "the server announced another length",
    "no_ftyp": "the file begins with a box 'free' instead of 'ftyp'",
}


@pytest.mark.parametrize("provider", ["jimmy", "anyfast"])
async def test_a_video_is_stored_once_whatever_its_headers_say(tmp_path: Path, provider: str) -> None:
    fates = {f"a lamp, {kind}": f"odd_headers={kind}" for kind in ODD_HEADERS}
    with world(tmp_path, provider, "jimmy", fates) as both:
        name = f"{provider}/one:{both.routes[0].route.model}"
        seen = await both.run([{"id": kind, "prompt": f"a lamp, {kind}", "route": name} for kind in ODD_HEADERS])
        server = both.servers[0]
        jobs = {job.prompt.removeprefix("a lamp, "): job for job in server.state.jobs()}
        assert jobs.keys() == set(ODD_HEADERS)
        assert len(server.state.jobs()) == len(seen.attempts) == len(ODD_HEADERS), "each is paid for once"
        for kind, record in seen.records.items():
            assert record.state.value == "stored", (kind, record.error_message)
            served = stored_bytes(jobs[kind]).replace(b"ftyp", b"free" if kind == "no_ftyp" else b"ftyp", 1)
            assert Path(record.path or "").read_bytes() == served
            assert record.sha256 == hashlib.sha256(served).hexdigest()
            said = "; ".join(record.remarks)
            assert REMARKS[kind] in said if kind in REMARKS else not said
        # One request for each file; one more where the length that the server states has to be disproved.
        assert server.state.calls["files"] <= len(ODD_HEADERS) + 2
        assert server.state.calls["files.with_authorization"] == 0
        assert not list((tmp_path / "videos").rglob("*.doubtful"))


async def test_a_link_on_the_providers_host_gets_the_key_of_its_account_where_it_wants_it(tmp_path: Path) -> None:
    fates = {"a lamp": "keyed_link", "a door": "keyed_link"}
    with world(tmp_path, "anyfast", "jimmy", fates) as both:
        name = f"anyfast/one:{both.routes[0].route.model}"
        rows = [{"id": prompt, "prompt": prompt, "route": name} for prompt in ("a lamp", "a door", "a hat")]
        seen = await both.run(rows)
        assert {record.state.value for record in seen.records.values()} == {"stored"}
        calls = both.servers[0].state.calls
        assert (calls["files"], calls["files.with_authorization"]) == (5, 2)


async def test_what_fails_the_proof_is_kept_and_the_row_says_where(tmp_path: Path) -> None:
    fates = {"a lamp": "corrupt_result", "a door": "html_result"}
    with world(tmp_path, "jimmy", "anyfast", fates) as both:
        name = f"jimmy/one:{both.routes[0].route.model}"
        seen = await both.run([{"id": prompt, "prompt": prompt, "route": name} for prompt in fates])
        assert {record.state.value for record in seen.records.values()} == {"succeeded"}
        (kept,) = (tmp_path / "videos").rglob("*.doubtful")
        jobs = {job.prompt: job for job in both.servers[0].state.jobs()}
        assert kept.read_bytes() == stored_bytes(jobs["a lamp"])
        said = seen.outcome.troubles
        assert str(kept) in said["a lamp"]
        assert "It says: The file is being prepared" in said["a door"]
        assert list(kept.parent.iterdir()) == [kept]
