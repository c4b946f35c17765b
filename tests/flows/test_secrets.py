"""Law 11: what gives access stands nowhere afterwards: no log, server, result, ledger or file has it."""

from __future__ import annotations

import base64
import json
import logging
import os
import secrets
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pandas as pd
import pytest
import sqlalchemy as sa
from prefect.blocks.system import Secret
from prefect.client.orchestration import get_client
from prefect.flow_engine import run_flow
from prefect.states import State

from prefect_seedance import generate_videos, quote_videos
from prefect_seedance.blocks import JimmyCredentials, PriceBook, RouteDefaults
from prefect_seedance.cli.app import run
from prefect_seedance.errors import SeedanceError, TableError
from prefect_seedance.flows import forms
from prefect_seedance.sandbox import SandboxServer, SandboxSettings
from tests.conftest import PRICES
from tests.flows.planted import SignedFiles, everything_logged, files_below, hits, sent_to_the_server
from tests.lifetimes import end_of_life
from tests.patience import patience

KEY = f"sk_{secrets.token_urlsafe(24)}"
PICTURE = (Path(__file__).parents[1] / "compat/data/pictures/cup.png").read_bytes()
DATA_URI = f"data:image/png;base64,{base64.b64encode(PICTURE).decode()}"


@pytest.fixture
def sandbox_settings() -> SandboxSettings:
    return SandboxSettings(speed=200.0, keys={KEY: "jimmy"})


@pytest.fixture
def web() -> Iterator[SignedFiles]:
    files: dict[str, bytes] = {"cup.png": PICTURE}
    server = SignedFiles(files)
    table = "id,prompt,images\nlamp,a lamp,{}\ndoor,a door,\n".format(server.elsewhere("cup.png"))
    files |= {"t.csv": table.encode(), "private-t.csv": table.encode()}
    threading.Thread(target=server.server.serve_forever, daemon=True).start()
    yield server
    server.server.shutdown()
    server.server.server_close()


@pytest.fixture
def route(prefect_server: str, sandbox: SandboxServer) -> RouteDefaults:
    prices = PriceBook(currency="CNY", prices=PRICES)
    credentials = JimmyCredentials(api_key=KEY, base_url=sandbox.url)
    return RouteDefaults(
        credentials=credentials, model="seedance2.0-mini", prices=prices, poll_seconds=0.05, duration=4
    )


class Trail:
    """All that the runs of a test leave behind."""

    def __init__(self, listener: Any, tmp_path: Path, sandbox: SandboxServer, web: SignedFiles) -> None:
        self.listener, self.tmp_path, self.sandbox, self.web = listener, tmp_path, sandbox, web
        self.said: list[str] = []

    def caught(self, call: Callable[[], Any]) -> Exception:
        """The error of a call, whose words and causes are part of what a person sees."""
        with pytest.raises(SeedanceError) as caught:
            call()
        error: BaseException | None = caught.value
        while error is not None:
            self.said += [str(error), repr(error)]
            error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
        return caught.value

    def secrets(self) -> dict[str, str]:
        links = {}
        for job in self.sandbox.state.jobs():
            expires = int((job.finished_at or job.created_at) + job.link_seconds)
            links[f"link of {job.id}"] = self.sandbox.state.signature(job.id, expires)
            links[f"ticket of {job.id}"] = self.sandbox.state.signature(f"ticket {job.id}", expires)
        assert links
        return {**self.web.secrets(), "key": KEY, **links}

    def places(self, mark: str, capsys: pytest.CaptureFixture[str]) -> dict[str, bytes]:
        home = Path(os.environ["PREFECT_HOME"])
        printed = capsys.readouterr()
        database = sent_to_the_server(home / "prefect.db", mark, patience())
        places = dict(files_below(self.tmp_path, home))
        return {
            **{name: data for name, data in places.items() if "prefect.db" not in name},
            "database": database,
            "log": "\n".join(self.listener.lines).encode(),
            "errors": "\n".join(self.said).encode(),
            "printed": (printed.out + printed.err).encode(),
        }


@pytest.fixture
def trail(tmp_path: Path, sandbox: SandboxServer, web: SignedFiles) -> Iterator[Trail]:
    listener, loggers = everything_logged()
    before = [(logger, logger.level, list(logger.handlers)) for logger in loggers]
    yield Trail(listener, tmp_path, sandbox, web)
    loggers[0].removeHandler(listener)
    for logger, _, handlers in before:
        logger.setLevel(logging.NOTSET if logger.name != "root" else logging.WARNING)
        for handler in handlers:
            if type(handler).__name__ == "APILogHandler":
                logger.removeHandler(handler)


def test_no_secret_of_a_run_is_found_afterwards(trail, web, route, sandbox, tmp_path, capsys, monkeypatch):
    end_of_life(monkeypatch)
    monkeypatch.setenv("PREFECT_SEEDANCE_MEDIA_HOSTS", "127.0.0.1")
    common = {"route": route, "output": tmp_path / "videos", "probe": False}
    mark = f"batch{secrets.token_hex(6)}"

    # Two rows by a signed table with a password; the result's link is redirected to another signed one.
    sandbox.faults.queue("create", "redirected_link", "ok")
    columns = {"prompt": "prompt", "first_image": ""}
    made = generate_videos(web.url("private-t.csv"), batch=mark, columns=columns, **common)
    assert made.counts == {"stored": 2}, [row.error_message for row in made]

    # Rows of code: signed links in lists and cells, a redirect, inline media, and every way to fail.
    rows = [
        {"id": "list", "prompt": "a cup", "images": [web.elsewhere("cup.png"), DATA_URI]},
        {"id": "moved", "prompt": "a bowl", "images": web.elsewhere("cup.png"), "note": web.url("cup.png")},
        {"id": "moderated", "prompt": "Mickey Mouse"},
    ]
    # Rows are sent in any order: those of one call have the same fault, or are alike.
    sandbox.faults.queue("create", *["redirected_link"] * len(rows))
    frame = pd.DataFrame(rows)
    mixed = generate_videos(frame, batch=f"{mark} rows", **common)
    assert set(mixed.counts) == {"stored", "failed"}, mixed.counts
    assert mixed.frame is frame, "the caller's own rows are untouched"
    sandbox.faults.rest()
    sandbox.faults.queue("create", "cut_after", "expired_link", "redirected_link")
    lost = generate_videos([{"prompt": each} for each in ("a fox", "a hen", "an owl")], batch=f"{mark} lost", **common)
    assert set(lost.counts) == {"stored", "unknown", "expired"}, lost.counts

    # A table that is refused, one that is redirected, one that is not there.
    for name in ("missing.csv", "private-no.csv"):
        assert isinstance(trail.caught(lambda name=name: quote_videos(web.url(name), route=route)), TableError)
    trail.caught(lambda: quote_videos("https" + web.url("t.csv")[4:], route=route))
    trail.caught(lambda: quote_videos(Path(web.url("t.csv")), route=route))
    trail.caught(lambda: quote_videos(web.url("t.csv").replace("://", "//"), route=route))
    trail.caught(lambda: quote_videos(f"{'x' * 300}/{web.url('t.csv')}", route=route))
    trail.caught(lambda: quote_videos([{"prompt": ""}], route=route, columns={web.url("t.csv"): "x"}))
    trail.caught(
        lambda: generate_videos([{"prompt": "x"}], batch=mark, **{**common, "output": "s3://" + web.url("o")[7:]})
    )
    assert len(quote_videos(web.url("moved-t.csv"), route=route, probe=False).to_dataframe()) == 2
    looked_at = [{"prompt": "a cup", "images": [web.url("cup.png"), web.url("moved-cup.png")]}]
    assert quote_videos(looked_at, route=route).plan.rows
    refused = quote_videos([{"prompt": "a cup", "images": web.url("no.png")}], route=route)
    assert "no.png" in str(refused.warnings)
    trail.said += refused.warnings

    places = trail.places(mark, capsys)
    assert hits(trail.secrets(), places) == []

    # What was searched is what the runs wrote, and a secret there would be found.
    names = trail.listener.names
    assert {"httpx", "httpcore.http11", "httpcore.connection"} <= names
    assert places["log"].count(b"receive_response_headers.complete") > 10
    assert f"http://{web.host}/private-t.csv".encode() in places["database"]
    assert any(b"GET http://127.0.0.1" in places[name] for name in ("log", "database"))
    for kind in ("results.csv", "results.parquet", "contact-sheet.html", "ledger.db", ".mp4"):
        assert any(name.endswith(kind) for name in places), kind
    assert [name for name in places if ".seedance-runs" in name]
    code = trail.web.signature
    for name in ("log", "database"):
        for spelled in (
            code,
            quote(code, safe=""),
            json.dumps({"a": code}),
            base64.b64encode(b"." + code.encode()).decode(),
        ):
            assert hits({"signature": code}, {name: places[name] + spelled.encode()})


def started(flow: Any, name: str, **parameters: Any) -> State[Any]:
    """A run of a deployment, whose parameters come from the server, in this process."""
    deployment = flow.to_deployment(name).apply()
    with get_client(sync_client=True) as client:
        flow_run = client.create_flow_run_from_deployment(deployment, parameters=parameters)
        return run_flow(flow, flow_run=flow_run, return_type="state")  # type: ignore[return-value]


def test_a_deployment_names_a_secret_block_and_refuses_a_signed_address(
    trail, web, route, sandbox, tmp_path, capsys, monkeypatch
):
    monkeypatch.setenv("PREFECT_SEEDANCE_MEDIA_HOSTS", "127.0.0.1")
    name = f"prompts-{secrets.token_hex(4)}"
    Secret(value=web.url("moved-t.csv")).save(name)
    Secret(value=web.elsewhere("cup.png")).save(f"{name}-cup")
    Secret(value="hunter2hunter2").save(f"{name}-password")
    route.credentials.save(f"{name}-key")
    route.prices.save(f"{name}-prices")
    saved = {"$ref": {"block_document_id": str(route.save(name))}}
    mark = f"batch{secrets.token_hex(6)}"

    quoted = started(forms.quote_table, mark, table=f"secret:{name}", route=saved)
    assert (quoted.name, len(quoted.result().to_dataframe())) == ("Quoted", 2)
    one = {"prompt": "a cup", "first_image": f"secret:{name}-cup", "batch": mark, "output": str(tmp_path / "videos")}
    assert started(forms.one_video, mark, route=saved, **one).name == "All stored"
    by_name = {"route": name, "batch": f"{mark} code", "output": str(tmp_path / "videos"), "probe": False}
    assert started(generate_videos, mark, table=f"secret:{name}", **by_name).name == "All stored"
    assert len(sandbox.state.bill()) == 3

    # What the block holds is looked for in the server's database too: there it is encrypted.
    places = trail.places(mark, capsys)
    assert hits({**trail.secrets(), "password": "hunter2hunter2"}, places) == []
    assert f"secret:{name}".encode() in places["database"]

    # An address that was given directly stands in the parameters already; the run itself does not spread it.
    seen = len(web.seen)
    for flow, said, field in (
        (forms.quote_table, {"table": web.url("t.csv"), "route": saved}, "'Table'"),
        (forms.quote_table, {"rows": f"prompt,images\nx,{web.elsewhere('cup.png')}", "route": saved}, "type the rows"),
        (forms.one_video, {**one, "images": [web.elsewhere("cup.png")], "route": saved}, "'Reference images'"),
        (forms.watch_folder, {"folder": "s3://key:hunter2hunter2@bucket/in", "route": saved}, "'Folder'"),
        (generate_videos, {"table": web.url("t.csv"), **by_name}, "'table'"),
        (generate_videos, {"table": [], "ledger": "postgresql+asyncpg://u:hunter2hunter2@h/db", **by_name}, "'ledger'"),
        (generate_videos, {"table": f"secret:{name}-none", **by_name}, "no saved Secret block"),
        (generate_videos, {"table": f"secret:{name}-password", **by_name}, "does not hold an address"),
    ):
        state = started(flow, mark, **said)
        assert (state.name, field in state.message) == ("Not started", True), (state, field)
        trail.said.append(repr(state))
    assert len(web.seen) == seen
    after = {"log": "\n".join(trail.listener.lines).encode(), "states": "\n".join(trail.said).encode()}
    assert hits({**trail.secrets(), "password": "hunter2hunter2"}, after) == []


@pytest.mark.slow
def test_nor_is_one_of_a_database_a_bucket_or_the_command_line(
    trail, web, route, sandbox, tmp_path, capsys, monkeypatch, postgres, s3
):
    """The drivers' own loggers are at DEBUG as well: botocore writes what it signs, and SQLAlchemy its addresses."""
    import s3fs

    password, access = f"pW{secrets.token_urlsafe(18)}", os.environ["AWS_SECRET_ACCESS_KEY"]
    ledger = sa.make_url(postgres).set(password=password).render_as_string(hide_password=False)
    files = s3fs.S3FileSystem(skip_instance_cache=True)
    files.pipe(f"{s3}/t.csv", b"prompt\na lamp\n")
    mark = f"batch{secrets.token_hex(6)}"
    logging.getLogger("sqlalchemy").setLevel(logging.DEBUG)

    made = generate_videos(f"{s3}/t.csv", route=route, batch=mark, output=f"{s3}/videos", ledger=ledger)
    assert made.counts == {"stored": 1}
    assert password not in made.ledger
    trail.caught(lambda: quote_videos(f"s3://{password}:{password}@bucket/t.csv", route=route))
    refused = f"postgresql+asyncpg://nobody:{password}@127.0.0.1:1/none"
    trail.caught(lambda: generate_videos([{"prompt": "x"}], route=route, batch=mark, output=tmp_path, ledger=refused))

    retried = generate_videos.with_options(retries=2, retry_delay_seconds=0.1)
    options = {"route": route, "output": tmp_path / "videos", "probe": False, "patience": 0, "return_state": True}
    retried(web.url("private-t.csv"), batch=f"{mark} retried", **options)
    assert web.seen.count("/private-t.csv") > 1, "a retry has the whole address"

    monkeypatch.setenv("JIMMY_API_KEY", KEY)
    monkeypatch.setenv("JIMMY_BASE_URL", sandbox.url)
    options = ["--model", "seedance2.0-mini"]
    assert run(["quote", web.url("t.csv"), *options]) in {0, 2}
    assert run(["run", web.url("private-no.csv"), "--batch", mark, "--output", str(tmp_path), *options]) == 2
    Secret(value=web.url("moved-t.csv")).save(mark.lower())
    assert run(["quote", f"secret:{mark}", *options]) in {0, 2}

    # Driver and server of the bucket write in this process; the server's own records are not ours.
    places = trail.places(mark, capsys)
    assert hits({**trail.secrets(), "ledger": password, "bucket": access}, places) == []
    assert any(name.startswith("botocore") for name in trail.listener.names)
    kept = b"".join(files.cat(path) for path in files.find(s3))
    assert hits({**trail.secrets(), "ledger": password}, {"bucket": kept}) == []
