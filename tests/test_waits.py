"""No deadline of a test is a number of its own: each is scaled by `tests.patience`."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

WAITING = {"timeout", "wait_for", "communicate", "join", "wait", "set_default_timeout"}
"""Calls that take a deadline. What a test is about has another name, as in `httpx.Timeout(read=0.1)`."""


def is_number(value: ast.expr) -> bool:
    return isinstance(value, ast.Constant) and type(value.value) in (int, float) and value.value > 0


def fixed(call: ast.Call) -> bool:
    """Whether a call waits for a fixed time."""
    name = getattr(call.func, "attr", getattr(call.func, "id", ""))
    deadlines = [keyword.value for keyword in call.keywords if keyword.arg == "timeout"]
    return any(map(is_number, deadlines + (call.args if name in WAITING else [])))


@pytest.mark.parametrize("code", ["run(timeout=9)", "process.wait(9)", "asyncio.timeout(1.5)", "mark.timeout(60)"])
def test_a_fixed_deadline_is_seen(code: str) -> None:
    assert fixed(ast.parse(code, mode="eval").body)


def test_no_deadline_is_fixed() -> None:
    found = [
        f"{path.name}:{call.lineno}"
        for path in Path(__file__).parent.rglob("*.py")
        for call in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(call, ast.Call) and fixed(call)
    ]
    assert found == []
