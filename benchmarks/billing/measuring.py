"""The measurements: every client with every fault, concurrently."""

from __future__ import annotations

import json
import os
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from billing.fake_providers import DIALECTS, FakeProvider, served
from billing.faults import READ_TIMEOUT, Fault

BENCHMARKS = Path(__file__).parents[1]
OURS = "prefect-seedance"

PATIENCE = 170
"""Seconds: no call takes longer; fal-client's ten attempts take up to ninety."""

AT_ONCE = 6
"""Clients that run at the same time; they mostly wait."""


@dataclass(frozen=True)
class Measurement:
    """The result of one create.

    Attributes:
        billed: How many creates the provider billed.
        asked: How many it received.
        ok: Whether the caller got a job.
        end: How the call ended: the error's name, or for ours the row's state.
        seconds: How long the call took.
        shortest_pause: Shortest time between two requests, in seconds; None if there was only one.
        billed_again: Ours only: creates billed after a second run of the same batch.
    """

    client: str
    version: str
    fault: Fault
    billed: int
    asked: int
    ok: bool
    end: str
    seconds: float
    shortest_pause: float | None = None
    billed_again: int | None = None
    unexpected: tuple[str, ...] = ()


def log(words: str) -> None:
    """Print progress to standard error; standard output is for the table."""
    print(words, file=sys.stderr, flush=True)


def throw_away_environment(folder: Path) -> Path:
    """Install the published clients below `folder`, and return the Python that has them."""
    log("Installing the published clients into a temporary environment …")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder], check=True)
    python = folder / ("Scripts" if os.name == "nt" else "bin") / "python"
    pip = [sys.executable, "-m", "pip", "--python", str(python), "install", "--quiet", "--disable-pip-version-check"]
    done = subprocess.run(
        [*pip, "--no-input", "-r", str(BENCHMARKS / "requirements.txt")],
        env=_plain_environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise SystemExit(f"The clients could not be installed:\n{done.stdout}{done.stderr}")
    return python


def measure_published(python: Path, folder: Path) -> list[Measurement]:
    """Have every published client make one create with every fault."""
    certificate = folder / "certificate"
    certificate.mkdir()
    subprocess.run([python, "-m", "trustme", "-q", "-d", certificate, "-i", "127.0.0.1"], check=True)
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(certificate / "server.pem", certificate / "server.key")

    cells = [(name, FakeProvider(dialect, fault)) for name, dialect in DIALECTS.items() for fault in Fault]
    with served([provider for _, provider in cells], tls), ThreadPoolExecutor(AT_ONCE) as pool:
        return list(pool.map(lambda cell: _one(python, certificate, *cell), cells))


def _one(python: Path, certificate: Path, name: str, provider: FakeProvider) -> Measurement:
    environment = _plain_environment()
    if name == "fal-client":
        environment |= {
            "FAL_KEY": "key",
            "FAL_QUEUE_RUN_HOST": provider.url.removeprefix("https://"),
            "SSL_CERT_FILE": str(certificate / "client.pem"),
        }
    timeout = [str(READ_TIMEOUT)] if provider.fault is Fault.SILENCE else []
    done = subprocess.run(
        [python, "-m", "billing.published", name, provider.url, *timeout],
        cwd=BENCHMARKS,
        env=environment,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    if done.returncode:
        raise SystemExit(f"{name} could not be measured:\n{done.stderr}")
    pauses = [later - earlier for earlier, later in pairwise(provider.asked_at)]
    reported = json.loads(done.stdout)
    measurement = Measurement(
        client=name,
        fault=provider.fault,
        billed=provider.billed,
        asked=len(provider.asked_at),
        shortest_pause=min(pauses, default=None),
        unexpected=tuple(provider.unexpected),
        **reported,
    )
    _log_result(measurement)
    return measurement


@contextmanager
def ours_running(folder: Path) -> Iterator[subprocess.Popen[str]]:
    """Run our own measurements while the block runs; no process is left running."""
    folder.mkdir()
    with (folder / "log.txt").open("w") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "billing.ours", folder],
            cwd=BENCHMARKS,
            stdout=subprocess.PIPE,
            stderr=log,
            stdin=subprocess.DEVNULL,
            text=True,
        )
        try:
            yield process
        finally:
            process.terminate()  # SIGTERM: it then stops its Prefect server
            process.wait(timeout=60)


def measured_ours(process: subprocess.Popen[str], folder: Path) -> list[Measurement]:
    """Wait for our own measurements."""
    output, _ = process.communicate(timeout=PATIENCE)
    _no_failure(process, folder)
    found = []
    for line in output.splitlines():
        reported = json.loads(line)
        fields = ("version", "billed", "asked", "ok", "end", "seconds", "billed_again")
        found.append(Measurement(OURS, fault=Fault(reported["fault"]), **{name: reported[name] for name in fields}))
        _log_result(found[-1])
    return found


def _no_failure(process: subprocess.Popen[str], folder: Path) -> None:
    if process.poll():
        raise SystemExit(f"{OURS} could not be measured:\n{(folder / 'log.txt').read_text()[-3000:]}")


def measure(folder: Path) -> list[Measurement]:
    """Measure everything, below `folder`."""
    began = time.monotonic()
    with ours_running(folder / "ours") as process:
        python = throw_away_environment(folder / "venv")
        _no_failure(process, folder / "ours")
        published = measure_published(python, folder)
        ours = measured_ours(process, folder / "ours")
    log(f"All measured in {time.monotonic() - began:.0f} s.\n")
    return [*published, *ours]


def _plain_environment() -> dict[str, str]:
    """The environment without variables that change a client's defaults or send it elsewhere than loopback."""
    prefixes = ("FAL_", "OPENAI_", "REPLICATE_", "RUNWAYML_", "PYTHONPATH", "PYTHONHOME")
    return {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(prefixes) and not name.lower().endswith("_proxy")
    }


def _log_result(one: Measurement) -> None:
    log(
        f"{one.client} {one.version}, {one.fault}: {one.billed} billed of {one.asked} sent in {one.seconds:.1f} s; "
        f"{one.end}"
    )
