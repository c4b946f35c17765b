"""A deployment's form is no way to the worker's files or its network; code reads what it likes."""

from __future__ import annotations

import json
import os
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from prefect_seedance import quote_videos
from prefect_seedance.errors import InputError, TableError
from prefect_seedance.flows import tables
from prefect_seedance.tables.reader import read_table


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A worker's machine: it works in `work`, and keeps a secret beside."""
    (tmp_path / "work").mkdir()
    (tmp_path / "data").mkdir()
    for name in ("work/prompts.json", "data/prompts.json", "secret.json"):
        (tmp_path / name).write_text(json.dumps([{"prompt": f"of {name}"}]))
    (tmp_path / "work" / "link.json").symlink_to(tmp_path / "secret.json")
    monkeypatch.chdir(tmp_path / "work")
    return tmp_path


def prompts(place: str, own: tuple[str, ...] = ()) -> list[str]:
    return [row.request.prompt for row in read_table(place, check_location=tables._PlaceCheck(own)).rows]


def test_files_are_read_where_the_worker_works_and_where_its_environment_says(home, monkeypatch):
    assert prompts("prompts.json") == prompts(str(home / "work/prompts.json")) == ["of work/prompts.json"]
    outside = ("../secret.json", str(home / "secret.json"), f"file://{home}/secret.json", "link.json", "/etc/passwd")
    for place in (*outside, str(home / "data/prompts.json"), "/no/such/file.json"):
        with pytest.raises(InputError, match=r"not open to this deployment.*TABLE_ROOT.*Nothing was spent"):
            prompts(place)
    monkeypatch.setenv(tables.ROOT_VARIABLE, str(home / "data"))
    assert prompts(str(home / "data/prompts.json")) == ["of data/prompts.json"]


@pytest.mark.parametrize("own", ["{home}/data/prompts.json", "{home}/data/*.json", "{home}/data"])
def test_what_the_deployment_itself_names_was_chosen_by_its_author(home, own):
    assert prompts(str(home / "data/prompts.json"), (own.format(home=home),)) == ["of data/prompts.json"]
    with pytest.raises(InputError, match="not open"):
        prompts(str(home / "secret.json"), (own.format(home=home),))


@pytest.mark.parametrize(
    "url", ["local:///etc/passwd", "simplecache::file:///etc/passwd", "zip://a.csv::file:///a.zip", "sftp://host/a.csv"]
)
def test_a_url_is_no_way_around(home, url):
    with pytest.raises(InputError, match="not open to this deployment"):
        prompts(url)


def test_a_server_at_a_private_address_needs_to_be_allowed(home, monkeypatch):
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b'[{"prompt": "internal data"}]')

        def log_message(self, *_: object) -> None: ...

    server = HTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    url = f"http://127.0.0.1:{server.server_port}/internal.json"
    try:
        with pytest.raises(InputError, match=r"private address.*MEDIA_HOSTS.*Nothing was spent"):
            prompts(url)
        monkeypatch.setenv("PREFECT_SEEDANCE_MEDIA_HOSTS", "127.0.0.1")
        assert prompts(url) == ["internal data"]
    finally:
        server.shutdown()
        server.server_close()


def test_a_pipe_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "table.csv")
    with pytest.raises(TableError, match="not a regular file"):
        read_table(tmp_path / "table.csv")


def test_code_reads_what_it_likes(prefect_server, home, route_to):
    assert len(quote_videos(str(home / "secret.json"), route=route_to()).to_dataframe()) == 1
