"""Pages and pieces that live elsewhere in the repository, so that each thing is written once."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from mkdocs.structure.files import File, Files

ROOT = Path(__file__).parents[2]
PAGES = {"changelog.md": "CHANGELOG.md", "contributing.md": "CONTRIBUTING.md", "security.md": "SECURITY.md"}
PIECE = re.compile(r"<!-- piece: (?P<name>[\w-]+) of (?P<file>[\w./-]+) -->")
EXAMPLE = re.compile(r"<!-- example: (?P<file>[\w./-]+) -->")
LINKS = {
    "(CHANGELOG.md)": "(changelog.md)",
    "(SECURITY.md)": "(security.md)",
    "[Apache License 2.0](LICENSE)": "Apache License 2.0",
    "(benchmarks/README.md)": "",
}


def on_files(files: Files, config: Any) -> Files:
    """Add the pages that lie at the repository's root."""
    for place, source in PAGES.items():
        files.append(File.generated(config, place, content=relinked((ROOT / source).read_text(encoding="utf-8"))))
    return files


def on_page_markdown(markdown: str, **_: Any) -> str:
    """Put in what a page borrows: a marked piece of another file, or an example."""
    markdown = PIECE.sub(lambda found: piece(ROOT / found["file"], found["name"]), markdown)
    return EXAMPLE.sub(lambda found: example(ROOT / found["file"]), markdown)


def piece(file: Path, name: str) -> str:
    """What stands between `<!-- name -->` and `<!-- /name -->`."""
    text = file.read_text(encoding="utf-8")
    return relinked(text.partition(f"<!-- {name} -->\n")[2].partition(f"<!-- /{name} -->")[0])


def example(file: Path) -> str:
    """An example in full, below its name."""
    code = file.read_text(encoding="utf-8").rstrip()
    return f'```python title="{file.relative_to(ROOT)}"\n{code}\n```'


def relinked(text: str) -> str:
    """Links of the repository as links of the manual, or as plain text where the manual has no such page."""
    for old, new in LINKS.items():
        text = text.replace(old, new)
    return text
