"""The page of the commands, made from the command line's own help while the manual is built."""

from __future__ import annotations

import re
from typing import Any

from mkdocs.structure.files import File, Files

from prefect_seedance.cli.app import app

HEAD = """# Commands

Each command tells the same with `--help`. Exit codes: `0` done, `1` failed (a run's state, a bill that does not agree),
`2` a mistake in the input, `130` interrupted; whatever is paid is in the ledger then.

Keys come from `JIMMY_API_KEY` and `ANYFAST_API_KEY`; see [Environment](environment.md).
"""


def on_files(files: Files, config: Any) -> Files:
    """Add the page."""
    files.append(File.generated(config, "reference/commands.md", content=HEAD + commands()))
    return files


def commands() -> str:
    """All commands, a heading each, with their parameters as tables."""
    text = app.generate_docs(output_format="markdown")
    # The head and the table of contents are made by the site.
    text = text[text.index("## prefect-seedance ") :]
    text = re.sub(r" {#[\w-]+}", "", text).replace("**Parameters**:", "")
    # A meaning may go on below its line.
    return re.sub(r"(?m)(^\* .+\n(?:(?!\* |#).+\n)*)+", lambda found: table(found[0]), text)


def table(listed: str) -> str:
    """A list of parameters as a table."""
    rows = ["| parameter | meaning |", "| --- | --- |"]
    for line in re.split(r"(?m)^\* ", listed)[1:]:
        name, _, meaning = " ".join(line.split()).partition(": ")
        # "--empty-…" only matters to defaults that hold something, and ours hold nothing.
        name = re.sub(r", --empty-[\w-]+", "", name)
        rows.append(f"| {name} | {meaning.replace('|', chr(92) + '|')} |")
    return "\n".join(rows) + "\n"
