"""Makes `data`: a ledger, an output folder, a sandbox's memory and pickles, as the release that runs it leaves them.

    git worktree add ../earlier COMMIT && cp -r tests/compat ../earlier/tests/
    cd ../earlier && PYTHONPATH=src:. python tests/compat/make_data.py

It is run with the release whose data are wanted, never with a later one; `README.md` names the commit. The real
product works over the real sandbox, so each run makes other ids. It takes about three minutes: the rows that are put
off wait for all their retries.
"""

from __future__ import annotations

import base64
import contextlib
import json
import os
import pickle
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

HOME = Path("/tmp/seedance-earlier-release")
"""No folder of anybody's: it is in the pickles, which cannot be changed afterwards."""

os.environ |= {
    "PREFECT_HOME": str(HOME / "prefect"),
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    "PREFECT_SERVER_ALLOW_EPHEMERAL_MODE": "true",
    "PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS": "120",
    "PREFECT_LOGGING_LEVEL": "ERROR",
    "PREFECT_SEEDANCE_LEDGER": str(HOME / "ledger.db"),
}

import httpx
from prefect import flow
from prefect.serializers import PickleSerializer

import prefect_seedance
from prefect_seedance import (
    NothingStored,
    SeedanceError,
    VideoRequest,
    create_video,
    download_video,
    generate_video,
    generate_videos,
    poll_video,
    resolve_video,
    sweep_videos,
)
from prefect_seedance.sandbox import SandboxServer, SandboxSettings
from tests.compat.batch import (
    ANYFAST,
    BATCH,
    BOWL,
    BY_HAND,
    CUP,
    DATA,
    ERROR_KINDS,
    LEFT,
    PAID,
    STORED,
    TABLE,
    TAKEN,
    UNKNOWN,
    route,
    routes,
    row,
)

NOBODY = "http://127.0.0.1:9"
"""The discard port: where nothing listens."""
OUTPUT = HOME / "videos"
OPTIONS: dict[str, Any] = {"batch": BATCH, "output": OUTPUT, "media_root": HOME}
PICKLES: dict[str, Any] = {}


def run(url: str, *keys: str, **options: Any) -> dict[str, str]:
    """Make some rows of the table; returns their states."""
    given = {"route": routes(url, **options.pop("settings", {})), **OPTIONS, **options}
    try:
        result = generate_videos(TABLE, only=list(keys), **given)
    except NothingStored as nothing:
        result = nothing.result
    assert result is not None
    states = {each.row: each.status for each in result.chosen}
    print(states, flush=True)  # noqa: T201 - how far it is
    PICKLES.setdefault("result", result)
    return states


def main() -> None:
    shutil.rmtree(HOME, ignore_errors=True)
    (HOME / "pictures").mkdir(parents=True)
    with SandboxServer(SandboxSettings(speed=100, state_path=HOME / "sandbox.db")) as sandbox:
        (HOME / CUP).write_bytes(picture(sandbox.url, CUP))
        stored(sandbox)
        unfinished(sandbox)
        unknown(sandbox)
        failed(sandbox)
        put_off(sandbox)
        killed(sandbox)
        by_hand(sandbox)
        errors(sandbox)
        (HOME / BOWL).write_bytes(picture(sandbox.url, BOWL))
        url = sandbox.url
    check()
    write(url)


def picture(url: str, name: str) -> bytes:
    return httpx.get(f"{url}/_media/{Path(name).name}?w=320&h=320").raise_for_status().content


def stored(sandbox: SandboxServer) -> None:
    run(sandbox.url, *STORED)
    run(sandbox.url, "stored", take="2")
    PICKLES["sweep"] = sweep_videos(routes(sandbox.url), patience=0)
    PICKLES["request"] = VideoRequest(prompt="a lantern", duration=4, images=(CUP,))


def unfinished(sandbox: SandboxServer) -> None:
    @flow
    def succeed(key: str, model: str) -> None:
        request = {name: value for name, value in row(key).items() if name not in {"id", "model"}}
        poll_video(create_video(request, route=route(sandbox.url, model), batch=BATCH, row=key, output=OUTPUT))

    succeed("succeeded", row("succeeded")["model"])
    succeed("succeeded-anyfast", ANYFAST)
    with slow(sandbox):
        run(sandbox.url, "created", "created-anyfast", patience=0.5)


@contextlib.contextmanager
def slow(sandbox: SandboxServer):
    """Jobs take as long as at a provider."""
    settings = sandbox.state.settings
    sandbox.state.settings = replace(settings, speed=1)
    yield
    sandbox.state.settings = settings


def unknown(sandbox: SandboxServer) -> None:
    for key, fault in (
        ("unknown-paid", "cut_after"),
        ("unknown-unpaid", "error_before"),
        ("created-found", "error_after"),
        ("lost", "broken_after"),
        ("planned-again", "cut_before"),
    ):
        sandbox.faults.queue("create", fault)
        run(sandbox.url, key)
    found = next(line.job_id for line in sandbox.state.bill() if "created-found" in line.prompt)
    resolve_video(BATCH, "created-found", verdict="job", job_id=found)
    resolve_video(BATCH, "lost", verdict="lost")
    resolve_video(BATCH, "planned-again", verdict="not_made")


def failed(sandbox: SandboxServer) -> None:
    sandbox.faults.queue("create", "failed")
    run(sandbox.url, "failed", "planned", max_failures=1, settings={"max_in_flight": 1})
    sandbox.faults.queue("create", "moderated")
    run(sandbox.url, "failed-moderated")
    sandbox.faults.queue("create", "expired_link")
    run(sandbox.url, "expired")
    sandbox.state.settings = replace(sandbox.state.settings, known_assets_only=True)
    run(sandbox.url, "refused", "refused-moderated")
    sandbox.state.settings = replace(sandbox.state.settings, known_assets_only=False)


def put_off(sandbox: SandboxServer) -> None:
    run(sandbox.url, "over-budget", budget="0.01 CNY", max_charge="0.5 CNY")
    run(sandbox.url, "deferred-picture", probe=False)
    run(sandbox.url, "deferred-key", settings={"key": "sk_wrong"})
    sandbox.state.settings = replace(sandbox.state.settings, funds=Decimal("0.01"))
    run(sandbox.url, "deferred-funds")
    sandbox.state.settings = replace(sandbox.state.settings, funds=None)
    sandbox.faults.rate_limited = 1.0
    run(sandbox.url, "deferred-limit")
    sandbox.faults.rest()
    run(NOBODY, "deferred-offline")


def killed(sandbox: SandboxServer) -> None:
    with slow(sandbox):
        kill(sandbox, "created-held")
        sandbox.faults.slow_create_seconds = 30
        sandbox.faults.queue("create", "slow_create")
        kill(sandbox, "sent", "planned-held")
    sandbox.faults.rest()


def kill(sandbox: SandboxServer, *keys: str) -> None:
    """Run some rows in a process that dies once the first one's job was made."""
    command = [sys.executable, __file__, sandbox.url, *keys]
    child = subprocess.Popen(command, stdout=subprocess.DEVNULL, start_new_session=True)
    while not any(keys[0] in line.prompt for line in sandbox.state.bill()):
        time.sleep(0.1)
    time.sleep(2)
    os.killpg(child.pid, signal.SIGKILL)  # and the Prefect server that it has started for itself
    child.wait()


def by_hand(sandbox: SandboxServer) -> None:
    here: dict[str, Any] = {"route": route(sandbox.url), "batch": BY_HAND, "output": OUTPUT}

    @flow
    def steps() -> None:
        PICKLES["ticket-stored"] = download_video(poll_video(create_video("hung up", row="stored", **here)))
        PICKLES["ticket-succeeded"] = poll_video(create_video("lit", row="succeeded", **here))
        with slow(sandbox):
            PICKLES["ticket-created"] = create_video("folded", row="created", **here)

    steps()


def errors(sandbox: SandboxServer) -> None:
    """Errors as the product raises them, and of every other class one that was made by hand."""
    here: dict[str, Any] = {"batch": "errors", "output": OUTPUT}
    jimmy, anyfast = route(sandbox.url), route(sandbox.url, ANYFAST)

    @flow
    def still_running() -> None:
        with slow(sandbox):
            poll_video(create_video("x", row="still", route=jimmy, **here), patience=0)

    @flow
    def step(request: dict[str, Any], way: Any) -> None:
        poll_video(create_video(request, route=way, **here))

    def faulty(fault: str) -> None:
        sandbox.faults.queue("create", fault)
        step({"prompt": fault}, jimmy)

    caught("BadTable", lambda: generate_videos([{"text": "x"}], route=jimmy, **here))
    caught("BadRows", lambda: generate_videos([{"prompt": "x", "watermark": True}], route=jimmy, **here))
    caught("NothingStored", lambda: generate_video("Mickey Mouse", route=jimmy, **here))
    caught("UserMistake", lambda: step({"prompt": "x", "watermark": True}, jimmy))
    caught("Moderated", lambda: step({"prompt": "米老鼠"}, anyfast))
    caught("UnknownOutcome", lambda: faulty("cut_after"))
    caught("JobFailed", lambda: faulty("failed"))
    caught("StillRunning", still_running)
    for kind in classes(SeedanceError):
        if kind.__name__ not in PICKLES and kind.__module__ == "prefect_seedance.errors":
            PICKLES[kind.__name__] = kind(
                "What went wrong.", provider="jimmy", code="20002", request_id="r-1", row="tea", http_status=400
            )


def caught(name: str, call: Callable[[], object]) -> None:
    try:
        call()
    except SeedanceError as error:
        if type(error).__name__ != name:
            raise
        PICKLES[name] = error
    else:
        raise AssertionError(f"{name} was not raised")


def classes(kind: type[SeedanceError]) -> list[type[SeedanceError]]:
    return [kind, *(each for below in kind.__subclasses__() for each in classes(below))]


def check() -> None:
    """Every row is where `batch` says."""
    with contextlib.closing(sqlite3.connect(HOME / "ledger.db")) as ledger:
        asked = "SELECT key, state, error_kind FROM seedance_rows JOIN seedance_batches b ON b.id = batch_id"
        rows = ledger.execute(f"{asked} WHERE b.name = ? AND take = '1'", (BATCH,)).fetchall()
    states = {key: state for key, state, _ in rows}
    named = [*STORED, *PAID, *(key for key in UNKNOWN if key != "sent"), *TAKEN[:-1]]
    expected = {key: "over_budget" if key == "over-budget" else key.partition("-")[0] for key in named}
    assert states == expected | LEFT | {"sent": "sent"}, states
    kinds = {key: kind for key, _, kind in rows if kind is not None}
    assert kinds == ERROR_KINDS, kinds


def write(url: str) -> None:
    shutil.rmtree(DATA, ignore_errors=True)
    DATA.mkdir()
    made_at = datetime.now(UTC).isoformat(timespec="microseconds")

    def cleaned(text: str) -> str:
        for old, new in ((url, "{sandbox}"), (str(HOME), "{home}")):
            text = text.replace(old, new)
        assert "/home/" not in text
        return text

    with contextlib.closing(sqlite3.connect(HOME / "ledger.db")) as ledger:
        ledger.execute("UPDATE seedance_runs SET host = 'earlier-machine'")
        ledger.execute("UPDATE seedance_seats SET host = 'earlier-machine'")
        lines = "\n".join(ledger.iterdump())
    (DATA / "ledger.sql").write_text(cleaned(f"-- made_at {made_at}\n{lines}\n"), "utf-8")
    (DATA / "sandbox.sql").write_text(cleaned(f"-- made_at {made_at}\n{memory()}\n"), "utf-8")
    (DATA / "pickles.json").write_text(json.dumps(pickled(), indent=1, ensure_ascii=False) + "\n", "utf-8")
    shutil.copytree(OUTPUT, DATA / "videos", ignore=shutil.ignore_patterns("*.html", "*.parquet", ".previews"))
    shutil.copytree(HOME / "pictures", DATA / "pictures")
    for path in DATA.rglob("*"):
        if path.suffix in {".json", ".csv"} and path.name != "pickles.json":
            path.write_bytes(cleaned(path.read_bytes().decode()).encode())  # with the line ends that they have


def memory() -> str:
    """What the sandbox remembers. JSON is kept as text, and the key that signs its links is left out."""
    lines = ["CREATE TABLE things (kind TEXT, id TEXT, body BLOB, PRIMARY KEY (kind, id));"]
    with contextlib.closing(sqlite3.connect(HOME / "sandbox.db")) as database:
        for kind, name, body in database.execute("SELECT kind, id, body FROM things ORDER BY rowid"):
            if kind == "secret":
                continue
            try:
                value = "CAST('{}' AS BLOB)".format(json.dumps(json.loads(body), ensure_ascii=False).replace("'", "''"))
            except ValueError:
                value = f"X'{body.hex()}'"
            lines.append(f"INSERT INTO things VALUES ('{kind}', '{name}', {value});")
    return "\n".join(lines)


def pickled() -> dict[str, Any]:
    """Each object as plain pickle and as Prefect writes a result, with what can be seen of it."""
    return {
        name: {
            "class": type(thing).__name__,
            "text": str(thing) if isinstance(thing, Exception) else None,
            "pickle": base64.b64encode(pickle.dumps(thing)).decode(),
            "prefect": re.sub(r"\s", "", PickleSerializer().dumps(thing).decode()),
        }
        for name, thing in sorted(PICKLES.items())
    }


if __name__ == "__main__":
    assert prefect_seedance.__file__ is not None
    if len(sys.argv) > 1:
        run(sys.argv[1], *sys.argv[2:], settings={"max_in_flight": 1})
    else:
        main()
