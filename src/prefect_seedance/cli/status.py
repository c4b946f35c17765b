"""The commands that only read the ledger."""

from __future__ import annotations

import os
import shlex
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.table import Table
from rich.text import Text

from prefect_seedance.cli.console import out
from prefect_seedance.core.portal import call_core
from prefect_seedance.errors import InputError
from prefect_seedance.ledger import AssetRequest, AttemptRecord, Ledger, RowRecord, State, add_up, ledger_url
from prefect_seedance.ledger.rows import lookups
from prefect_seedance.messages import listing, message
from prefect_seedance.reports.money import amounts, doubts
from prefect_seedance.reports.results.result import sums
from prefect_seedance.reports.summary import status_counts, status_words
from prefect_seedance.reports.terminal import cost_lines

__all__ = ["BatchRecords", "home", "read_batch", "show_report", "show_status"]

ROWS_SHOWN = 200


def home() -> Path:
    """Prefect's home folder, found without an import of Prefect."""
    return Path(os.environ.get("PREFECT_HOME", "~/.prefect")).expanduser()


@dataclass(frozen=True)
class BatchRecords:
    """What a ledger has of one batch, or of all: names, rows, attempts, and billed asset requests."""

    names: list[str]
    rows: list[RowRecord]
    attempts: list[AttemptRecord]
    assets: list[AssetRequest]


def read_batch(batch: str | None, url: str | None) -> BatchRecords:
    """Read a batch of a ledger, or all of them.

    Raises:
        InputError: The ledger knows no such batch.
    """

    async def read() -> BatchRecords:
        ledger = await Ledger.open(ledger_url(url, home()))
        try:
            names = await ledger.read(lookups.batch_names)
            wanted = names if batch is None else [batch]
            rows = [row for name in wanted for row in await ledger.read(lookups.rows_of, name)]
            attempts = [attempt for name in wanted for attempt in await ledger.read(lookups.attempts_of, name)]
            assets = [request for name in wanted for request in await ledger.asset_requests_of(name)]
        finally:
            await ledger.close()
        if batch is not None and batch not in names:
            raise InputError(message("cli.no_such_batch", batch=batch, known=listing(names[-10:])))
        return BatchRecords(names, rows, attempts, assets)

    return call_core(read)


def show_status(batch: str | None, take: str | None, url: str | None) -> int:
    """Print a line for each batch, or the rows of one. Returns the exit code."""
    records = read_batch(batch, url)
    if batch is None:
        _show_batches(records.names, records.rows)
    else:
        _show_rows([row for row in records.rows if take in {None, row.take}], records.attempts)
    return 0


def _show_batches(names: list[str], rows: list[RowRecord]) -> None:
    table = Table(header_style="dim", title=str(message("cli.batches")), title_justify="left", title_style="bold")
    for name in ("batch", "rows", "states"):
        table.add_column(name)
    for name in names:
        counts: Counter[str] = Counter(row.state for row in rows if row.batch == name)
        table.add_row(Text(name), str(counts.total()), status_counts(counts))
    out.print(table if names else str(message("cli.no_batches")))


def _show_rows(rows: list[RowRecord], attempts: Sequence[AttemptRecord]) -> None:
    beside: dict[int, list[str]] = {}
    for attempt in attempts:
        if attempt.is_evidence:
            beside.setdefault(attempt.row_id, []).append(str(attempt.message))
    table = Table(header_style="dim")
    for name in ("take", "row", "route", "state", "job", "video, or reason"):
        table.add_column(name, overflow="fold")
    for row in sorted(rows, key=lambda row: row.state is not State.UNKNOWN)[:ROWS_SHOWN]:
        where = row.path if row.state is State.STORED else row.error_message
        told = " ".join(filter(None, (where, *beside.get(row.id, ())))) or "–"
        cells = (row.take, row.key, row.model, status_words(row.state), row.job_id or "–", told)
        table.add_row(*(Text(cell) for cell in cells))
    out.print(table)
    if len(rows) > ROWS_SHOWN:
        out.print(str(message("cli.more_rows", rows=len(rows) - ROWS_SHOWN)))
    _offer_jobs(rows)


def _offer_jobs(rows: list[RowRecord]) -> None:
    """Offer the jobs that the answers of unknown rows name: one command settles each."""
    named = [row for row in rows if row.named_job is not None]
    for row in named[:ROWS_SHOWN]:
        command = ["resolve", row.batch, row.key, "job", str(row.named_job)]
        command += [] if row.take == "1" else ["--take", row.take]
        out.print(
            str(message("cli.names_job", row=row.key, job=row.named_job, command=shlex.join(command))),
            markup=False,
            soft_wrap=True,
        )


def show_report(batch: str | None, url: str | None) -> int:
    """Print what a batch has cost so far. Returns the exit code.

    Raises:
        InputError: No batch is named, or the ledger knows none of this name.
    """
    if batch is None:
        raise InputError(message("cli.report_of_what"))
    records = read_batch(batch, url)
    lines = add_up(records.attempts, records.assets)
    title = message("cli.cost_of_batch", batch=batch)
    out.print(cost_lines(title, lines) if lines else str(message("cli.nothing_bought")))
    out.print(str(message("cli.known_cost", cost=amounts(sums(lines)))), markup=False)
    for line in lines:
        if unsure := doubts(line):
            out.print(str(message("cli.not_known", billing_model=line.billing_model, doubts=unsure)), markup=False)
    _offer_jobs(records.rows)
    return 0
