"""The commands that clear up costs: the audit trail, the provider's bill, and unknown rows."""

from __future__ import annotations

import contextlib
import shlex
from collections import Counter
from collections.abc import Iterator, Sequence
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
from prefect_seedance.messages import Message, listing, message
from prefect_seedance.providers import RouteSettings
from prefect_seedance.reports.audit import write_audit
from prefect_seedance.reports.bill.comparison import (
    AGREED,
    BillComparison,
    BillMatch,
    Bought,
    belongs_to,
    bought,
    compare,
)
from prefect_seedance.reports.bill.reading import Bill, read_bill
from prefect_seedance.reports.money import amount, number
from prefect_seedance.runs.resolve import resolve_all, resolve_row

__all__ = ["compare_bill", "export_audit", "resolve_by_hand", "resolve_many_by_hand"]

SHOWN = 200
CANDIDATES = 3


def export_audit(batch: str | None, url: str | None, path: Path) -> None:
    """Write the audit trail of a batch; None: of all."""
    records = read_batch(batch, url)
    written = write_audit(path, records.rows, records.attempts, records.assets)
    if batch is None:
        done = message("cli.audit_of_all", attempts=written, path=path)
    else:
        done = message("cli.audit_written", attempts=written, batch=batch, path=path)
    out.print(str(done), markup=False)


def compare_bill(
    batch: str | None,
    url: str | None,
    path: Path,
    *,
    job_column: str | None = None,
    amount_column: str | None = None,
    currency: str | None = None,
    account: str | None = None,
) -> bool:
    """Compare a provider's bill with the whole ledger. Returns whether all of it agrees.

    Args:
        batch: Show this batch and what no row is known of; None: all.
        url: The ledger's URL.
        path: The bill.
        job_column: The heading of the job's id.
        amount_column: The heading of the amount.
        currency: The currency of amounts that name none.
        account: The account whose bill it is.
    """
    records = read_batch(None, url)
    if batch is not None and batch not in records.names:
        raise InputError(message("cli.no_such_batch", batch=batch, known=listing(records.names[-10:])))
    ledger = bought(records.rows, records.attempts, records.assets)
    if account is not None and not any(belongs_to(each, account) for each in ledger):
        known = listing(sorted({each.account for each in ledger}))
        raise InputError(message("audit.no_such_account", account=account, known=known))
    bill = read_bill(path, job_column, amount_column, currency)
    found = compare(bill, ledger, account=account, batch=batch)
    matches = [match for match in found.matches if batch is None or match.ours is None or match.ours.batch == batch]
    for warning in bill.warnings:
        out.print(str(warning), markup=False)
    _show_sums(found)
    _show_matches([match for match in matches if match.verdict not in AGREED])
    for line in _notes(bill, found, matches):
        out.print(str(line), markup=False, soft_wrap=True)
    return all(match.verdict in AGREED for match in matches)


def _show_sums(found: BillComparison) -> None:
    table = Table(header_style="dim", box=box.SIMPLE_HEAD)
    for name in ("account", "currency", "ledger", "bill"):
        table.add_column(name, justify="right" if name in {"ledger", "bill"} else "left")
    for (account, currency), (here, there) in found.sums.items():
        table.add_row(Text(account), Text(currency), number(here), number(there))
    if table.row_count:
        out.print(table)


def _show_matches(matches: Sequence[BillMatch]) -> None:
    table = Table(header_style="dim", box=box.SIMPLE_HEAD)
    for name in ("verdict", "job", "batch", "row", "ledger", "bill"):
        table.add_column(name, justify="right" if name in {"ledger", "bill"} else "left", overflow="fold")
    for match in matches[:SHOWN]:
        ours, line = match.ours, match.line
        here = "–" if ours is None or ours.charge is None else amount(ours.charge, ours.currency)
        there = "–" if line is None or line.amount is None else amount(line.amount, line.currency)
        cells = (match.verdict, match.job_id, ours.batch if ours else "–", ours.row if ours else "–", here, there)
        table.add_row(*(Text(cell) for cell in cells))
    if table.row_count:
        out.print(table)
    if len(matches) > SHOWN:
        out.print(str(message("bill.more", matches=len(matches) - SHOWN)))


def _notes(bill: Bill, found: BillComparison, matches: Sequence[BillMatch]) -> Iterator[Message]:
    """What the lines mean, what is left out, and how many there are of each verdict."""
    offered = [match for match in matches if match.candidates]
    for match in offered[:SHOWN]:
        named = match.verdict == "named here"
        places = [_place(each) for each in match.candidates[: 1 if named else CANDIDATES]]
        command = _command(match.candidates[0], match.job_id)
        if named:
            yield message("bill.named", place=places[0], job=match.job_id, command=command)
        else:
            yield message("bill.candidates", job=match.job_id, places=places, command=command)
    if without := sum(match.verdict == "missing here" and not match.candidates for match in matches):
        yield message("bill.no_candidate", lines=without)
    if found.unexplained:
        rows = listing(f"{each.batch}/{each.row}" for each in found.unexplained[:10])
        yield message("bill.unexplained", creates=len(found.unexplained), rows=rows)
    failed = [match.verdict for match in matches if match.verdict.startswith("failed, ")]
    if failed:
        yield message("bill.settles_failures", charged=failed.count("failed, charged"), failed=len(failed))
    if bill.without_job:
        yield message("bill.without_job", lines=bill.without_job)
    if found.elsewhere:
        yield message("bill.elsewhere", jobs=found.elsewhere)
    counts = Counter(match.verdict for match in matches)
    listed = listing(f"{count:,} {verdict}" for verdict, count in counts.items())
    yield message("bill.counted", counts=listed) if counts else message("bill.no_jobs")


def _place(each: Bought) -> Message:
    time = f"{each.sent_at:%Y-%m-%d %H:%M:%S}"
    if each.verdict is None:
        return message("bill.place", row=each.row, batch=each.batch, time=time)
    return message("bill.place_settled", row=each.row, batch=each.batch, time=time, verdict=each.verdict)


def _command(each: Bought, job_id: str) -> str:
    take = ["--take", each.take] if each.take not in {"", "1"} else []
    return shlex.join(["prefect-seedance", "resolve", each.batch, each.row, "job", job_id, *take])


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
