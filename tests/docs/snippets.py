"""The snippets of the manual: what stands in fenced blocks, and what the comments above them say about them.

A page says in comments, which readers do not see, what a snippet finds in its place:

- `<!-- scene: NAME -->` sets a scene of `scenes.py` before the next block: files, saved blocks, a lost answer.
- `<!-- given: name = value -->` is Python that a reader is told in words.
- `<!-- snippet: parse -->` above a console block: its commands are read by the command line, and not carried out, since
  they would run for long, or want another machine.
- `<!-- example: FILE -->` stands for an example, which `tests/examples` runs.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]

_LINE = re.compile(r"^(?P<indent> *)(?P<fence>`{3,})(?P<language>\w*)")
_COMMENT = re.compile(r"^<!-- (?P<kind>scene|given|snippet): (?P<text>.*) -->$")


@dataclass(frozen=True)
class Snippet:
    """A block of a page, or a comment on one.

    Attributes:
        kind: The fence's language; or `scene`, `given`, `snippet`.
        text: What stands in it.
        line: Where it begins.
    """

    kind: str
    text: str
    line: int


def pages() -> list[Path]:
    """Every page that a person wrote."""
    top = [ROOT / name for name in ("README.md", "CONTRIBUTING.md", "examples/README.md", "deployments/README.md")]
    return [*top, *sorted((ROOT / "docs").rglob("*.md"))]


def snippets(page: Path) -> Iterator[Snippet]:
    """The blocks and comments of a page, in their order."""
    block: list[str] = []
    begun: tuple[str, str, int] | None = None
    for number, line in enumerate(page.read_text(encoding="utf-8").splitlines(), start=1):
        found = _LINE.match(line)
        if begun is None:
            if found:
                begun, block = (found["indent"] + found["fence"], found["language"], number), []
            elif comment := _COMMENT.match(line.strip()):
                yield Snippet(comment["kind"], comment["text"], number)
        elif line.strip() == begun[0].strip():
            yield Snippet(begun[1], "\n".join(block) + "\n", begun[2])
            begun = None
        else:
            block.append(line.removeprefix(" " * (len(begun[0]) - len(begun[0].lstrip()))))
    assert begun is None, f"{page}:{begun} is never closed"


def commands(block: str) -> Iterator[list[str]]:
    """The commands of a console block, each as its words."""
    for line in block.replace("\\\n", " ").splitlines():
        if line.startswith("$ "):
            yield shlex.split(line[2:], comments=True)
