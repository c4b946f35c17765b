"""The messages of the troubleshooting page are those of the code."""

from __future__ import annotations

import ast
import re

import pytest

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


@pytest.fixture(scope="module")
def texts() -> list[str]:
    found = []
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
