"""The commands that clear up costs: the audit trail, the provider's bill, and unknown rows."""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from rich import box
from rich.table import Table
from rich.text import Text

from prefect_seedance.blocks.loading import load_routes
from prefect_seedance.cli.console import out
from prefect_seedance.cli.keys import routes_of
from prefect_seedance.cli.prefect_server import with_server
from prefect_seedance.cli.status import home, read_batch
from prefect_seedance.core.portal import call_core
from prefect_seedance.errors import InputError
from prefect_seedance.ledger import RowRecord, Verdict, ledger_url
from prefect_seedance.messages import message
from prefect_seedance.providers import RouteSettings
from prefect_seedance.reports.audit import match_bill, read_bill, write_audit
from prefect_seedance.reports.money import number
from prefect_seedance.runs.resolve import resolve_all, resolve_row

__all__ = ["compare_bill", "export_audit", "resolve_by_hand", "resolve_many_by_hand"]

SHOWN = 200


def export_audit(batch: str, url: str | None, path: Path) -> None:
    """Write the audit trail of a batch."""
    records = read_batch(batch, url)
    written = write_audit(path, records.rows, records.attempts, records.assets)
    out.print(str(message("cli.audit_written", attempts=written, batch=batch, path=path)), markup=False)


def compare_bill(batch: str, url: str | None, path: Path, job_column: str | None, amount_column: str | None) -> bool:
    """Compare a provider's bill with a batch. Returns whether all of it agrees."""
    records = read_batch(batch, url)
    bill = read_bill(path, job_column, amount_column)
    matches = match_bill(records.rows, records.attempts, bill, records.assets)
    counts = Counter(match.verdict for match in matches)
    table = Table(header_style="dim", box=box.SIMPLE_HEAD)
    for name in ("verdict", "job", "row", "here", "there"):
        table.add_column(name, justify="right" if name in {"here", "there"} else "left", overflow="fold")
    for match in [match for match in matches if match.verdict != "agreed"][:SHOWN]:
        cells = (match.verdict, match.job_id, match.row or "–", number(match.here), number(match.there))
        table.add_row(*(Text(cell) for cell in cells))
    if table.row_count:
        out.print(table)
    found = ", ".join(f"{count:,} {verdict}" for verdict, count in counts.items())
    out.print(found or str(message("cli.no_jobs")))
    return set(counts) <= {"agreed"}


def resolve_by_hand(
    batch: str,
    row: str,
    verdict: Verdict,
    *,
    job_id: str | None,
    cost: str | None,
    take: str,
    blocks: Sequence[str] | None,
    url: str | None,
) -> None:
    """Settle an unknown row by a person's decision."""

    async def routes_for(record: RowRecord) -> Sequence[RouteSettings]:
        if blocks:
            return await load_routes(list(blocks))
        with contextlib.suppress(InputError):  # no key in the environment, or a model that is not in the catalogue
            return await load_routes(routes_of([], [record.model], None))
        return ()

    with with_server() if blocks else contextlib.nullcontext():
        done = call_core(
            lambda: resolve_row(
                ledger_url=ledger_url(url, home()),
                batch=batch,
                row=row,
                verdict=verdict,
                job_id=job_id,
                cost=cost,
                take=take,
                routes_for=routes_for,
            )
        )
    out.print(str(done), markup=False)


def resolve_many_by_hand(
    batch: str,
    verdict: Verdict,
    *,
    reason: str | None,
    since: str | None,
    until: str | None,
    take: str | None,
    yes: bool,
    url: str | None,
) -> None:
    """Show all unknown rows of a batch, and settle them by a person's decision."""
    done = call_core(
        lambda: resolve_all(
            ledger_url=ledger_url(url, home()),
            batch=batch,
            verdict=verdict,
            reason=reason,
            since=since,
            until=until,
            take=take,
            confirm=yes,
        )
    )
    out.print(str(done), markup=False)
