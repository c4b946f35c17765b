"""The command line as people meet it: a process, its words, and its exit code."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from prefect_seedance.cli.app import run
from tests.patience import patience

COMMAND = Path(sys.executable).with_name("prefect-seedance")
CSV = "id,prompt,duration\na,a lantern,5\nb,Mickey Mouse,5\nc,采茶女孩,4\n"
PRICES = {"currency": "CNY", "prices": {"seedance2.0-mini-720p": "0.05"}}


class Shell:
    """Runs the command in a folder of its own, with the sandbox's keys."""

    def __init__(self, folder: Path, url: str) -> None:
        self.folder = folder
        self.environment = {
            **os.environ,
            "JIMMY_API_KEY": "sk_sandbox",
            "ANYFAST_API_KEY": "sk-sandbox",
            "JIMMY_BASE_URL": url,
            "ANYFAST_BASE_URL": url,
            "COLUMNS": "140",
        }
        (folder / "prompts.csv").write_text(CSV, encoding="utf-8")
        (folder / "prices.json").write_text(json.dumps(PRICES))

    def __call__(self, *arguments: str, **environment: str | None) -> subprocess.CompletedProcess[str]:
        settings = {k: v for k, v in {**self.environment, **environment}.items() if v is not None}
        done = subprocess.run(
            [COMMAND, *arguments],
            cwd=self.folder,
            env=settings,
            capture_output=True,
            text=True,
            timeout=patience(300),
            check=False,
        )
        said = done.stdout + done.stderr
        assert "Traceback" not in said, said
        assert "sk_sandbox" not in said
        assert "sk_wrong" not in said
        return done

    def together(self, *calls: tuple[list[str], dict[str, str | None]]) -> list[subprocess.CompletedProcess[str]]:
        with ThreadPoolExecutor(2) as pool:
            return list(pool.map(lambda call: self(*call[0], **call[1]), calls))


@pytest.fixture
def shell(prefect_server: str, sandbox, tmp_path: Path) -> Shell:
    return Shell(tmp_path, sandbox.url)


def text(done: subprocess.CompletedProcess[str]) -> str:
    return " ".join((done.stdout + done.stderr).split())


@pytest.mark.slow
def test_from_quote_to_report(shell, sandbox):
    table = ["prompts.csv", "--model", "seedance2.0-mini"]
    routes, quote = shell.together((["routes"], {}), (["quote", *table, "--prices", "prices.json"], {}))
    assert routes.returncode == 0
    for model in ("sd2_mx_720p", "seedance2.0-mini-video", "seedance-2.0-mini", "seedance2.0-std"):
        assert model in routes.stdout
    assert quote.returncode == 0
    assert "0.7" in quote.stdout
    assert "CNY" in quote.stdout
    assert not sandbox.state.calls

    order = ["run", *table, "--batch", "spring", "--output", "videos/", "--prices", "prices.json"]
    first = shell(*order)
    assert "TRADEMARK" in text(first)
    assert "0.45" in text(first)
    assert len(list((shell.folder / "videos" / "spring").glob("*.mp4"))) == 2
    assert first.returncode == 0

    again, batches, status, report = shell.together(
        (order, {}), (["status"], {}), (["status", "spring"], {}), (["report", "spring"], {})
    )
    assert again.returncode == 0, "the same state of affairs, the same code"
    assert sandbox.state.calls["jimmy.create"] == 3
    assert batches.returncode == status.returncode == report.returncode == 0
    assert "spring" in batches.stdout
    for piece in ("stored", "failed"):
        assert piece in status.stdout
    for piece in ("seedance2.0-mini-720p", "0.45", "CNY"):
        assert piece in text(report)


MISTAKES: list[tuple[str, dict[str, str | None], tuple[str, ...]]] = [
    ("run typo.csv --model seedance2.0-mini --batch x", {}, ("duraton", "duration")),
    ("run nowhere.csv --model seedance2.0-mini --batch x", {}, ("nowhere.csv",)),
    ("run prompts.csv --model seedance2.0-min --batch x", {}, ("seedance2.0-mini",)),
    ("run prompts.csv --batch x", {}, ("model",)),
    ("run prompts.csv --model seedance2.0-mini --batch x", {"JIMMY_API_KEY": None}, ("JIMMY_API_KEY",)),
    ("run prompts.csv --model seedance2.0-mini --batch x", {"JIMMY_BASE_URL": "http://example.com"}, ("https",)),
    ("run prompts.csv --model seedance2.0-mini --batch x --prices bad.json", {}, ("bad.json",)),
    ("run prompts.csv --model seedance2.0-mini --batch x --limit 0", {}, ("limit",)),
    ("run prompts.csv --model seedance2.0-mini --batch x --patience nan", {}, ("--patience nan",)),
    ("run prompts.csv --model seedance2.0-mini --batch x --column prompt", {}, ("column",)),
    ("run prompts.csv --model seedance2.0-mini", {}, ("batch",)),
    ("run prompts.csv --model seedance2.0-mini --batch x --retry unknown", {}, ("unknown", "paid")),
    ("run prompts.csv --route no-such-block --batch x", {}, ("no-such-block",)),
    ("quote typo.csv --model seedance2.0-mini", {}, ("duraton",)),
    ("quote long.csv --model seedance2.0-mini", {}, ("leave them out with --on-invalid skip",)),
    ("status no-such-batch", {}, ("no-such-batch",)),
    ("report no-such-batch", {}, ("no-such-batch",)),
    ("status --ledger nonsense://x", {}, ("nonsense",)),
]


@pytest.mark.parametrize(("line", "environment", "text"), MISTAKES, ids=[case[0][:70] for case in MISTAKES])
def test_mistakes_are_told_in_words_and_with_a_code(shell, sandbox, monkeypatch, capfd, line, environment, text):
    (shell.folder / "typo.csv").write_text("prompt,duraton\nx,5\n")
    (shell.folder / "long.csv").write_text("prompt,duration\nx,99\n")
    (shell.folder / "bad.json").write_text("{")
    monkeypatch.chdir(shell.folder)
    for name, value in (shell.environment | environment).items():
        monkeypatch.delenv(name, raising=False) if value is None else monkeypatch.setenv(name, value)
    code = run(line.split())
    said = " ".join("".join(capfd.readouterr()).split())
    assert code in {1, 2}
    for piece in text:
        assert piece.lower() in said.lower()
    assert "Traceback" not in said
    assert sandbox.state.calls["jimmy.create"] == 0


@pytest.mark.slow
def test_a_wrong_key_and_no_server(shell, sandbox):
    order = ["run", "prompts.csv", "--model", "seedance2.0-mini", "--batch", "spring"]
    wrong, nowhere = shell.together(
        (order, {"JIMMY_API_KEY": "sk_wrong"}), (order, {"PREFECT_API_URL": "http://127.0.0.1:9/api"})
    )
    assert wrong.returncode == nowhere.returncode == 1
    assert "127.0.0.1:9" in text(nowhere)
    assert sandbox.state.bill() == []
    assert "api key" in text(wrong).lower()


@pytest.mark.slow
def test_a_dead_host(shell):
    done = shell(
        "run", "prompts.csv", "--model", "seedance2.0-mini", "--batch", "dead", JIMMY_BASE_URL="http://127.0.0.1:9"
    )
    assert done.returncode != 0
    assert "connection" in text(done)
