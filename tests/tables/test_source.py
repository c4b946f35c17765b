"""Tables from the web: what the server sends is bounded before it is decoded, and in time."""

from __future__ import annotations

import contextlib
import gzip
import socket
import ssl
import threading
import time
import tracemalloc
import zlib
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from prefect_seedance.errors import TableError
from prefect_seedance.tables import source
from prefect_seedance.tables.reader import read_table
from tests.certificates import certified

ROWS = "prompt\n雨夜\n".encode()
PACKED = {
    "gzip": ("gzip", gzip.compress(ROWS)),
    "deflate": ("deflate", zlib.compress(ROWS)),
    "encoding": ("utf-8", ROWS),  # no coding, but some servers say so
    "twice": ("gzip, gzip", gzip.compress(gzip.compress(ROWS))),
    "brotli": ("br", b"\x0b\x02\x80prompt\x03"),
    "plain": ("gzip", ROWS),
    "cut": ("gzip", gzip.compress(ROWS * 99)[:-9]),
    "large": ("gzip", gzip.compress(ROWS + b"x\n" * 5_000_000)),
}


class Site(BaseHTTPRequestHandler):
    target = ""

    def do_GET(self) -> None:
        name = self.path[1:].partition("?")[0]
        self.send_response(302 if name == "moved" else 200)
        self.send_header("Location", self.target)
        coding, body = PACKED.get(name, ("", b""))
        self.send_header("Content-Encoding", coding)
        self.end_headers()
        with contextlib.suppress(OSError):
            self.wfile.write(body)
            while name == "endless":
                self.wfile.write(b"prompt\n")
                time.sleep(0.01)

    def log_message(self, *_: object) -> None:
        pass


@contextlib.contextmanager
def site(context: ssl.SSLContext | None = None) -> Iterator[int]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Site)
    if context is not None:
        server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def web() -> Iterator[str]:
    with site() as port:
        yield f"http://127.0.0.1:{port}"


def refusal(address: str) -> str:
    with pytest.raises(TableError) as caught:
        read_table(address)
    assert "secret" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize("name", ["gzip", "deflate", "encoding"])
def test_a_compressed_table_is_read(web: str, name: str) -> None:
    assert [row.request.prompt for row in read_table(f"{web}/{name}").rows] == ["雨夜"]


@pytest.mark.parametrize("name", ["twice", "brotli", "plain", "cut"])
def test_a_table_that_is_compressed_in_another_way_is_refused(web: str, name: str) -> None:
    assert "compresses it in a way that cannot be read" in refusal(f"{web}/{name}?token=secret")


def test_a_table_beyond_the_limit_is_read_no_further(web: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(source, "MAX_BYTES", 1 << 20)
    assert len(PACKED["large"][1]) < 20_000
    tracemalloc.start()
    try:
        assert "larger than 1 MiB" in refusal(f"{web}/large?token=secret")
        assert tracemalloc.get_traced_memory()[1] < 8 << 20
    finally:
        tracemalloc.stop()


def test_a_table_that_never_ends_is_refused(web: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(source, "MAX_SECONDS", 0.2)
    assert "did not arrive within 0.2 s" in refusal(f"{web}/endless?token=secret")


async def test_a_table_is_fetched_within_an_event_loop(web: str) -> None:
    assert len(read_table(f"{web}/gzip").rows) == 1


def test_a_redirect_from_elsewhere_does_not_lead_to_this_machine(
    web: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    real = socket.getaddrinfo
    monkeypatch.setattr(socket, "getaddrinfo", lambda host, *more, **others: real(_here(host), *more, **others))
    monkeypatch.setattr(Site, "target", f"{web}/gzip")
    with site(certified("elsewhere.test", tmp_path, monkeypatch)) as port:
        assert "Plain http" in refusal(f"https://elsewhere.test:{port}/moved?token=secret")
        assert len(read_table(f"https://elsewhere.test:{port}/gzip").rows) == 1
    assert len(read_table(f"{web}/moved").rows) == 1


def _here(host: str | bytes | None) -> str | bytes | None:
    return "127.0.0.1" if host in {"elsewhere.test", b"elsewhere.test"} else host
