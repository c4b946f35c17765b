"""Copy pages and marked pieces of other files of the repository into the manual, so that each text exists once."""

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
    """Add the pages from the repository's root."""
    for path, source in PAGES.items():
        files.append(File.generated(config, path, content=relinked((ROOT / source).read_text(encoding="utf-8"))))
    return files


def on_page_markdown(markdown: str, **_: Any) -> str:
    """Insert the marked pieces of other files, and the examples, that a page names."""
    markdown = PIECE.sub(lambda found: piece(ROOT / found["file"], found["name"]), markdown)
    return EXAMPLE.sub(lambda found: example(ROOT / found["file"]), markdown)


def piece(file: Path, name: str) -> str:
    """Return the text between `<!-- name -->` and `<!-- /name -->`."""
    text = file.read_text(encoding="utf-8")
    return relinked(text.partition(f"<!-- {name} -->\n")[2].partition(f"<!-- /{name} -->")[0])


def example(file: Path) -> str:
    """Return an example in full, with its path as the title."""
    code = file.read_text(encoding="utf-8").rstrip()
    return f'```python title="{file.relative_to(ROOT)}"\n{code}\n```'


def relinked(text: str) -> str:
    """Turn links of the repository into links of the manual, or into plain text where the manual has no such page."""
    for old, new in LINKS.items():
        text = text.replace(old, new)
    return text
