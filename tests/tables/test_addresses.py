"""Tables by their address: the web, stores, files."""

from __future__ import annotations

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import fsspec
import pytest

from prefect_seedance.tables.reader import read_table
from tests.tables.refusals import refusal


class _Web(BaseHTTPRequestHandler):
    def do_GET(self):
        if self.path.startswith("/moved"):
            self.send_response(302)
            self.send_header("Location", self.path.removeprefix("/moved"))
        elif self.path.startswith("/away"):
            self.send_response(302)
            self.send_header("Location", "http://a.example.invalid/t.csv?token=secret")
        elif self.path.startswith("/t.csv"):
            self.send_response(200)
            self.end_headers()
            self.wfile.write("prompt\n雨夜\n".encode())
            return
        else:
            self.send_response(404)
        self.end_headers()

    def log_message(self, *_):
        pass


@pytest.fixture
def web():
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Web)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_table_is_fetched_from_the_web(web):
    for place in ("/t.csv?token=secret", "/moved/t.csv?token=secret"):
        table = read_table(web + place)
        assert table.rows[0].request.prompt == "雨夜"
        assert (table.name, table.folder) == ("t.csv", None)
    assert "answered 404" in (gone := refusal(f"{web}/gone.csv?token=secret"))
    assert "Plain http" in (away := refusal(f"{web}/away"))
    assert "Plain http" in (plain := refusal("http://me:secret@a.example.invalid/t.csv?token=secret"))
    assert "secret" not in gone + away + plain


def test_a_dead_host_is_told_without_its_signature(web):
    port = web.rpartition(":")[2]
    dead = refusal(f"https://127.0.0.1:{port}/t.csv?token=secret")  # nobody speaks TLS there
    assert "cannot be fetched" in dead
    assert "secret" not in dead


def test_a_table_is_read_from_any_store_fsspec_knows():
    with fsspec.open("memory://folder/t.csv", "wb") as file:
        file.write("prompt\n雨夜\n".encode())
    assert read_table("memory://folder/t.csv").rows[0].request.prompt == "雨夜"
    assert "cannot be read (FileNotFoundError)" in refusal("memory://folder/none.csv")
    assert "cannot be read" in refusal("nosuch://folder/t.csv")


def test_a_file_url_is_a_path(write):
    path = write("a b.csv", "prompt\na\n")
    assert read_table(path.as_uri()).folder == path.parent
