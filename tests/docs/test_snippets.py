"""Every Python and shell snippet of the manual and the README does what it says, page by page, from top to bottom."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

from prefect_seedance.cli.app import app, run
from prefect_seedance.cli.console import out
from prefect_seedance.sandbox import SandboxServer, SandboxSettings
from tests.docs import scenes
from tests.docs.snippets import ROOT, commands, pages, snippets

RUN = {page: list(snippets(page)) for page in pages()}
WITH_CODE = [page for page, found in RUN.items() if any(each.kind in {"python", "console"} for each in found)]
LANGUAGES = {"python", "console", "text", "csv", "json", "scene", "given", "snippet"}
LONG = {"demo", "sandbox", "setup"}
"""Commands that start servers, or want one that is nobody else's: their own tests run them (`tests/cli`)."""


TRIED_ELSEWHERE = (["worker", "start", "--pool", "seedance"], ["block", "register", "-m", "prefect_seedance"])
"""Prefect's own commands, which `tests/deployments` and `tests/blocks` run."""

EVERYDAY = {"README.md", "wrong.md", "deployments.md"}
"""Pages that are tried each time; the others are for `make test-slow`."""


@pytest.fixture(scope="module")
def providers(prefect_server: str) -> Iterator[SandboxServer]:
    """A sandbox where the providers are, and the saved blocks that lead there."""
    with (
        SandboxServer(SandboxSettings(speed=200, keys=scenes.KEYS)) as server,
        scenes.at_the_sandbox(server),
    ):
        yield server


@pytest.fixture
def place(providers: SandboxServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder as the reader has it."""
    monkeypatch.chdir(tmp_path)
    scenes.files(tmp_path)
    return tmp_path


def named(page: Path) -> str:
    return str(page.relative_to(ROOT))


@pytest.mark.parametrize("page", RUN, ids=named)
def test_languages_are_told(page: Path) -> None:
    """A block without a language would be left out in silence; what cannot be run is text."""
    kinds = {each.kind for each in RUN[page]}
    if page.parent != ROOT and page.name != "README.md":
        assert kinds <= LANGUAGES
    else:
        assert kinds - LANGUAGES <= {""}


# Prefect leaves a connection to its own server open when an event loop closes.
@pytest.mark.filterwarnings("ignore:.*socket.socket")
@pytest.mark.parametrize(
    "page",
    [pytest.param(page, marks=[] if page.name in EVERYDAY else pytest.mark.slow) for page in WITH_CODE],
    ids=named,
)
def test_snippets_run(page: Path, place: Path, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    module = ModuleType("page_of_the_manual")
    monkeypatch.setitem(sys.modules, module.__name__, module)
    parse_only = False
    for each in RUN[page]:
        where = f"{named(page)}:{each.line}"
        match each.kind:
            case "scene":
                scenes.SCENES[each.text](request, module.__dict__)
            case "given":
                exec(compile(each.text, where, "exec"), module.__dict__)
            case "snippet":
                assert each.text == "parse", where
                parse_only = True
            case "python":
                # Lines are moved down, so that a traceback names the page's own.
                code = "\n" * each.line + each.text
                exec(compile(code, str(page), "exec"), module.__dict__)
            case "console":
                for words in commands(each.text):
                    carry_out(words, where, monkeypatch, parse_only=parse_only)
                parse_only = False


def carry_out(words: list[str], where: str, monkeypatch: pytest.MonkeyPatch, *, parse_only: bool) -> None:
    program, *arguments = words
    match program:
        case "prefect-seedance":
            _, bound, _ = app.parse_args(arguments, exit_on_error=False, print_error=True)
            assert bound is not None, where
            if not parse_only and arguments[0] not in LONG:
                with out.capture() as text:
                    code = run(arguments)
                assert code == 0, f"{where}: {words}\n{text.get()}"
        case "export":
            for pair in arguments:
                name, separator, value = pair.partition("=")
                assert separator, where
                if not name.endswith("_BASE_URL"):  # the sandbox has an address of its own here
                    monkeypatch.setenv(name, value)
        case "make":
            targets = re.findall(r"(?m)^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"))
            assert arguments[0] in targets, where
        case "pip":
            extras = re.findall(r"\[([\w,]+)\]", " ".join(arguments))
            project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
            for extra in ",".join(extras).split(",") if extras else []:
                assert re.search(rf"(?m)^{extra} = \[", project), f"{where}: no extra {extra!r}"
        case "prefect":
            assert arguments in TRIED_ELSEWHERE, f"{where}: {words} is tried by no test"
        case _:
            pytest.fail(f"{where}: nobody knows how to try {program!r}; if it cannot be run, it is text")
