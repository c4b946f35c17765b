"""Secrets that are planted, and the search for them in all that a run leaves behind."""

from __future__ import annotations

import base64
import io
import json
import logging
import secrets
import time
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar
from urllib.parse import quote, urlsplit

from prefect.events.worker import EventsWorker
from prefect.logging.handlers import APILogHandler, APILogWorker

from tests.patience import patience

LIBRARIES = (
    "httpx",
    "httpcore",
    "prefect_seedance",
    "asyncio",
    "aiosqlite",
    "fsspec",
    "s3fs",
    "botocore",
    "aiobotocore",
)


def spellings(secret: str) -> dict[str, bytes]:
    """How a text may stand in a file: as it is, in a URL, in JSON, in Base64 at each of its three alignments."""
    found = {"raw": secret.encode(), "url": quote(secret, safe="").encode(), "json": json.dumps(secret)[1:-1].encode()}
    found["all percent"] = "".join(f"%{byte:02X}" for byte in secret.encode()).encode()
    found["hex"] = secret.encode().hex().encode()
    for shift in range(3):
        code = base64.b64encode(b"\0" * shift + secret.encode())
        # The first and last letters depend on the neighbours.
        found[f"base64+{shift}"] = code[(0, 2, 3)[shift] : -4]
        found[f"base64url+{shift}"] = base64.urlsafe_b64encode(b"\0" * shift + secret.encode())[(0, 2, 3)[shift] : -4]
    return found


def hits(secret_of: Mapping[str, str], places: Mapping[str, bytes]) -> list[str]:
    """Which secrets stand in which places, and how."""
    return [
        f"{name} ({spelling}) in {place}: …{data[max(0, at - 60) : at + 20]!r}"
        for name, secret in secret_of.items()
        for spelling, code in spellings(secret).items()
        for place, data in places.items()
        if (at := data.find(code)) >= 0
    ]


def files_below(*roots: Path) -> Iterator[tuple[str, bytes]]:
    """Every file, whatever its name; what a zip holds too."""
    for root in roots:
        for path in sorted(root.rglob("*")):
            if path.is_file():
                data = path.read_bytes()
                yield str(path), data
                if zipfile.is_zipfile(io.BytesIO(data)):
                    with zipfile.ZipFile(path) as archive:
                        yield from ((f"{path}!{name}", archive.read(name)) for name in archive.namelist())


class Listener(logging.Handler):
    """Keeps every record as a user's formatter writes it, with its traceback and all its attributes."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.lines: list[str] = []
        self.names: set[str] = set()
        self.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s %(message)s"))

    def emit(self, record: logging.LogRecord) -> None:
        self.names.add(record.name)
        self.lines += [self.format(record), repr(record.__dict__)]


def everything_logged(to_prefect: bool = True) -> tuple[Listener, list[logging.Logger]]:
    """The root logger and those of the libraries at DEBUG; httpx and httpcore go to Prefect's server as well."""
    listener = Listener()
    loggers = [logging.getLogger(), *map(logging.getLogger, LIBRARIES)]
    for logger in loggers:
        logger.setLevel(logging.DEBUG)
    loggers[0].addHandler(listener)
    if to_prefect:
        for name in ("httpx", "httpcore", "prefect_seedance"):
            handler = APILogHandler()
            # Prefect's own requests are left out: their records would wait for the thread that makes them.
            handler.addFilter(lambda record: (record.threadName or "").startswith(("seedance", "asyncio", "Main")))
            logging.getLogger(name).addHandler(handler)
    return listener, loggers


def sent_to_the_server(database: Path, mark: str, seconds: float) -> bytes:
    """All of the server's database, once the logs with this mark have arrived there."""
    APILogWorker.drain_all(timeout=patience())
    EventsWorker.drain_all(timeout=patience())
    end = time.monotonic() + seconds
    while mark.encode() not in (data := database_bytes(database)):
        assert time.monotonic() < end, f"{mark} did not arrive in {database}"
        time.sleep(0.2)
    return data


def database_bytes(database: Path) -> bytes:
    """A SQLite database with what it has not merged yet."""
    parts = [database, *(database.with_name(database.name + suffix) for suffix in ("-wal", "-shm"))]
    return b"".join(part.read_bytes() for part in parts if part.exists())


class SignedFiles:
    """A web server whose files want a signature, some of them a password too, and some redirect."""

    def __init__(self, files: Mapping[str, bytes]) -> None:
        self.signature, self.ticket, self.password, self.user = (
            f"{name}{secrets.token_urlsafe(30)}+/=" for name in ("sIg", "tIc", "pAs", "uSe")
        )
        served = self

        class Handler(BaseHTTPRequestHandler):
            seen: ClassVar[list[str]] = []

            def do_GET(self) -> None:
                parts = urlsplit(self.path)
                self.seen.append(parts.path)
                name = parts.path.lstrip("/")
                signed = any(quote(code, safe="") in parts.query for code in (served.signature, served.ticket))
                login = base64.b64encode(f"{served.user}:{served.password}".encode()).decode()
                if name.startswith("private-") and self.headers.get("Authorization") != f"Basic {login}":
                    self._answer(401)
                elif not signed or name.removeprefix("moved-") not in files:
                    self._answer(403, b"<Error><Message>not signed: " + self.path.encode() + b"</Message></Error>")
                elif name.startswith("moved-"):
                    target = f"/{name.removeprefix('moved-')}?X-Amz-Signature={quote(served.ticket, safe='')}"
                    self._answer(302, location=target)
                else:
                    self._answer(200, files[name])

            def _answer(self, status: int, body: bytes = b"", location: str | None = None) -> None:
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                if location is not None:
                    self.send_header("Location", location)
                    self.send_header("Set-Cookie", f"session={served.ticket}")
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None: ...

        self.seen = Handler.seen
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.host = f"127.0.0.1:{self.server.server_port}"

    def secrets(self) -> dict[str, str]:
        """What nobody may see."""
        return {"signature": self.signature, "ticket": self.ticket, "password": self.password, "user": self.user}

    def elsewhere(self, name: str) -> str:
        """A signed link for the provider alone: it takes `https`, and nobody here follows it."""
        return f"https://media.example/{name}?X-Amz-Signature={quote(self.signature, safe='')}"

    def url(self, name: str) -> str:
        """The address of a file, with all that it needs."""
        user = f"{quote(self.user, safe='')}:{quote(self.password, safe='')}@" if name.startswith("private-") else ""
        query = f"X-Amz-Credential=AKIA&X-Amz-Signature={quote(self.signature, safe='')}"
        return f"http://{user}{self.host}/{name}?{query}"


def only(names: Iterable[str], places: Mapping[str, bytes]) -> dict[str, bytes]:
    """The places whose names end with one of these."""
    return {place: data for place, data in places.items() if place.endswith(tuple(names))}
