"""The command that checks routes, ledger and output, for free."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from itertools import groupby

from rich.table import Table
from rich.text import Text

from prefect_seedance.blocks.loading import load_routes
from prefect_seedance.cli.console import out
from prefect_seedance.cli.keys import routes_of
from prefect_seedance.cli.prefect_server import with_server
from prefect_seedance.cli.status import home
from prefect_seedance.core.portal import call_core
from prefect_seedance.ledger import ledger_url
from prefect_seedance.messages import message
from prefect_seedance.routes import CATALOGUE
from prefect_seedance.runs.check import check

__all__ = ["check_by_hand"]

_MARKS = {"ok": ("✓", "green"), "failed": ("✗", "bold red"), "not known": ("·", "dim")}


def check_by_hand(names: Sequence[str], *, output: str, ledger: str | None) -> int:
    """Print what is found about each route, the ledger and the output. Returns the exit code.

    Args:
        names: Saved route blocks, or models whose key is in the environment.
        output: The output folder or URL.
        ledger: The ledger's URL or file.

    Raises:
        InputError: A name is neither, or a key is missing.
    """
    models = [name for name in names if any(name == route.model for route in CATALOGUE)]
    blocks = [name for name in names if name not in models]
    with with_server() if blocks else contextlib.nullcontext():
        given = [*(routes_of(blocks, [], None) if blocks else []), *(routes_of([], models, None) if models else [])]
        routes = call_core(lambda: load_routes(given))
    found = call_core(lambda: check(routes, ledger_url=ledger_url(ledger, home()), output=output))
    for about, findings in groupby(found, key=lambda finding: finding.about):
        table = Table.grid(padding=(0, 1), pad_edge=False)
        table.add_column(width=1)
        table.add_column(no_wrap=True, min_width=len("balance"))
        table.add_column(overflow="fold")
        for finding in findings:
            mark, style = _MARKS[finding.verdict]
            table.add_row(Text(mark, style=style), Text(finding.subject), Text(str(finding.text)))
        if about not in {"ledger", "output"}:
            out.print(Text(about, style="bold"))
        out.print(table)
    failures = sum(finding.verdict == "failed" for finding in found)
    closing = message("check.some_failed", failures=failures) if failures else message("check.all_ok")
    out.print(Text(f"\n{closing}", style="bold"))
    return 1 if failures else 0
