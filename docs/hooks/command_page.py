"""The page of the commands, made from the command line's own help while the manual is built."""

from __future__ import annotations

import re
from typing import Any

from mkdocs.structure.files import File, Files

from prefect_seedance.cli.app import app

HEAD = """# Commands

Each command prints the same with `--help`. Exit codes: `0` done, `1` failed (a run's state, a bill that does not
agree), `2` invalid input, `130` interrupted; everything that was paid for is in the ledger then.

Keys come from `JIMMY_API_KEY` and `ANYFAST_API_KEY`; see [Environment](environment.md).
"""


def on_files(files: Files, config: Any) -> Files:
    """Add the page."""
    files.append(File.generated(config, "reference/commands.md", content=HEAD + commands()))
    return files


def commands() -> str:
    """Return all commands, each with a heading and its parameters as a table."""
    text = app.generate_docs(output_format="markdown")
    # The site makes the title and the table of contents.
    text = text[text.index("## prefect-seedance ") :]
    text = re.sub(r" {#[\w-]+}", "", text).replace("**Parameters**:", "")
    # A meaning may continue on the next lines.
    return re.sub(r"(?m)(^\* .+\n(?:(?!\* |#).+\n)*)+", lambda found: table(found[0]), text)


def table(listed: str) -> str:
    """Return a list of parameters as a table."""
    rows = ["| parameter | meaning |", "| --- | --- |"]
    for line in re.split(r"(?m)^\* ", listed)[1:]:
        name, _, meaning = " ".join(line.split()).partition(": ")
        # "--empty-…" matters only where the default is not empty; ours are.
        name = re.sub(r", --empty-[\w-]+", "", name)
        rows.append(f"| {name} | {meaning.replace('|', chr(92) + '|')} |")
    return "\n".join(rows) + "\n"
