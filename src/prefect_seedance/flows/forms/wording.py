"""What the core says to programmers, said to somebody who sees a form."""

from __future__ import annotations

import re
from typing import Any

from prefect.client.schemas.objects import State

__all__ = ["worded"]

_WORDS: tuple[tuple[re.Pattern[str], str], ...] = (
    (
        re.compile(r'leave them out with on_invalid="skip"'),
        'choose "leave it out" under "If a row breaks a rule"',
    ),
    (
        re.compile(r'map it: columns=\{"prompt": "([^"]*)"\}'),
        r'map it: "Heading of the prompts": \1',
    ),
    (
        re.compile(r'state what (?:a row|one) costs at most with max_charge="… (\w+)"'),
        r'write what a row costs at most, such as 5 \1, under "What one row costs at most"',
    ),
    (re.compile(r"\brow\(s\) of list of rows"), "row(s)"),
    (re.compile(r"\s*\[seedance \w+\]$"), ""),
)


def worded(answer: Any) -> Any:
    """The answer of a run, its message in the words of the form."""
    if isinstance(answer, State) and answer.is_failed() and answer.message:
        for pattern, words in _WORDS:
            answer.message = pattern.sub(words, answer.message)
    return answer
