"""Lists of prompts, one a line and without separators: the commonest form of a text file.

Blank lines, lines that start with `# ` and rulers are left out; bullets and numbers are taken off where all lines have
them. Where a line may be something else than a prompt, the list is refused: a line `prompt` above it settles that.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from statistics import median

import pandas as pd

from prefect_seedance.messages import message
from prefect_seedance.tables.errors import shown, table_error
from prefect_seedance.tables.grid import Read
from prefect_seedance.tables.headings import field_of

__all__ = ["is_list", "read_list"]

_RULER = re.compile(r"[-=*_~#\s]+")
_COMMENT = re.compile(r"#+(?:\s|$)")  # `#cat` is a word
_BULLET = re.compile(r"[-*+•·–—●○▪]\s+(?=\S)")
_NUMBER = re.compile(r"[(（]?(\d{1,6})\s*[.):：、．）]\s*(?=\D)")
_SHORT = 20
_COMMAS = re.compile(r",(?!\s)")


def is_list(lines: Sequence[str]) -> bool:
    """Whether lines without known headings are prompts, and not the rows of a table.

    Rows have separators, and all the same number of them; in prose a space follows a comma.
    """
    rows = [line for line in lines if line.strip() and not line.startswith("#")][:1000]
    counts = [{(mark, len(mark.findall(line))) for mark in (_COMMAS, re.compile("[;\t|]"))} for line in rows]
    common = set.intersection(*counts) if counts else set()
    return not (len(rows) > 1 and any(count for _, count in common))


def read_list(lines: Sequence[tuple[int, str]], name: str) -> Read:
    """Read prompts, one a line.

    Args:
        lines: The number of each line and its text. The first may be the heading `prompt`.
        name: The file's name.

    Raises:
        TableError: A line may be something else than a prompt.
    """
    shown_lines = [(number, text) for number, text in lines if text.strip()]
    kept = [(number, text) for number, text in shown_lines if not _COMMENT.match(text) and not _RULER.fullmatch(text)]
    left_out = len(shown_lines) - len(kept)
    headed = bool(kept) and field_of(kept[0][1][:200]) == "prompt"
    kept = kept[headed:]
    texts = [text.strip() for _, text in kept]
    if not texts and not headed:
        raise table_error(name, [message("table.empty")])
    bare, partly = _bare(texts)
    if not headed:
        _require_prompts(kept, name, partly=partly)
    frame = pd.DataFrame({"prompt": pd.Series(bare, dtype=object)})
    numbers = [number for number, _ in kept]
    warnings = []
    if not headed:
        first, last = shown(bare[0]), shown(bare[-1])
        warnings.append(message("table.read_as_list", rows=len(bare), first=first, last=last))
    if left_out:
        warnings.append(message("table.list_comments", lines=left_out))
    if bare != texts:
        warnings.append(message("table.list_marks", before=shown(texts[0]), after=shown(bare[0])))
    return frame, numbers, tuple(warnings)


def _bare(texts: Sequence[str]) -> tuple[list[str], bool]:
    """The texts without bullets, numbers or quotation marks that all of them have; whether only some have them."""
    numbers = [int(found[1]) for text in texts if (found := _NUMBER.match(text))]
    counted = len(numbers) > 1 and numbers == list(range(numbers[0], numbers[0] + len(numbers)))
    bullets = sum(bool(_BULLET.match(text)) for text in texts)
    if counted and len(numbers) == len(texts):
        return [_NUMBER.sub("", text, count=1) for text in texts], False
    if bullets and bullets == len(texts):
        return [_BULLET.sub("", text, count=1) for text in texts], False
    quoted = [re.fullmatch(r'"([^"]+)",?', text) for text in texts]
    if texts and all(quoted):
        return [found[1].strip() for found in quoted if found], False
    return list(texts), counted or bullets > 0


def _require_prompts(lines: Sequence[tuple[int, str]], name: str, *, partly: bool) -> None:
    first, others = lines[0][1].strip(), [len(text.strip()) for _, text in lines[1:]]
    fence = next((number for number, text in lines if text.startswith(("```", "|"))), None)
    if fence is not None:
        raise table_error(name, [message("table.list_of_no_prompts", line=fence)])
    numbers = [number for number, _ in lines]
    gaps = [place for place in range(1, len(numbers)) if numbers[place] - numbers[place - 1] > 1]
    blocks = [stop - start for start, stop in zip([0, *gaps], [*gaps, len(numbers)], strict=True)]
    indented = [number for number, text in lines if text[0] in " \t"]
    doubt = None
    words = re.split(r"[^\w-]+", first[:200])
    if (
        any(field_of(word) == "prompt" for word in words)
        or first.endswith((":", "："))
        or (others and len(first) <= _SHORT and len(first) * 3 < median(others))
        or (len(lines) > 1 and len(first.split()) == 1 and all(len(text.split()) > 2 for _, text in lines[1:]))
    ):
        doubt = message("table.list_title", line=numbers[0], text=shown(first))
    elif gaps and max(blocks) > 1:
        doubt = message("table.list_blocks")
    elif partly or (indented and len(indented) < len(lines)):
        doubt = message("table.list_uneven")
    if doubt is not None:
        raise table_error(name, [doubt, message("table.list_answer")])
