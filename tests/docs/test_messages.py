"""The messages of the troubleshooting page are those of the code."""

from __future__ import annotations

import ast
import re
import string

import pytest

from prefect_seedance.messages._settings import SETTINGS
from prefect_seedance.messages.english import TEXTS
from tests.docs.snippets import ROOT

GAP = "…"
PAGE = ROOT / "docs" / "troubleshooting.md"
MESSAGES = re.findall(r"(?m)^`(.+)`\n:   ", PAGE.read_text(encoding="utf-8"))


def words(node: ast.AST) -> str | None:
    """A text of the code, with a gap for each value in it."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr):
        return "".join(words(part) or GAP for part in node.values)
    return None


def written(template: str) -> str:
    """A text of the messages, with a gap for each parameter and the settings as Python names them."""
    return "".join(
        literal + ("" if name is None else _filled(name, spec or ""))
        for literal, name, spec, _ in string.Formatter().parse(template)
    )


def _filled(name: str, spec: str) -> str:
    return SETTINGS[name[1:]].words("python", written(spec)) if name.startswith("@") else GAP


@pytest.fixture(scope="module")
def texts() -> list[str]:
    found = [written(template) for template in TEXTS.values()]
    for path in (ROOT / "src").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            text = words(node)
            if text and " " in text:
                found.append(text)
    return found


def test_there_are_many() -> None:
    assert len(MESSAGES) > 60
    assert len(MESSAGES) == len(set(MESSAGES))


@pytest.mark.parametrize("message", MESSAGES)
def test_the_code_says_so(message: str, texts: list[str]) -> None:
    pieces = [re.escape(piece) for piece in message.split(GAP)]
    pattern = re.compile(".*?".join(pieces), re.DOTALL)
    assert any(pattern.search(text) for text in texts), "no text of the code reads like that"
