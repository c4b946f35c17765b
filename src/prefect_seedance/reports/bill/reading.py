"""Reads a provider's bill from a table of any format and encoding that the package reads."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from prefect_seedance.errors import InputError
from prefect_seedance.messages import Message, message
from prefect_seedance.reports.bill.amounts import currency_of, read_amount
from prefect_seedance.routes.pricing import decimals
from prefect_seedance.tables.cells import plain
from prefect_seedance.tables.formats import Sheet, read_sheet
from prefect_seedance.tables.unreadable import UnreadableCell

__all__ = ["Bill", "BillLine", "read_bill"]

_JOB = ("job_id", "task_id", "taskid", "job", "task", "id", "任务id", "任务编号")
_AMOUNT = ("amount", "charge", "cost", "fee", "price", "金额", "费用", "消费")
_CURRENCY = ("currency", "币种", "货币")
_ACCOUNT = ("account", "账号", "账户")
_MODEL = ("model", "billing_model", "模型", "计费模型", "计费模型名")
_TIME = ("created_at", "submit_time", "time", "date", "创建时间", "提交时间", "消费时间", "时间", "日期")
_TOTALS = frozenset({"total", "sum", "合计", "总计", "小计"})

BAD_SHOWN = 20


@dataclass(slots=True)
class BillLine:
    """One job on a bill. Lines of the file that name the same job are added up, each currency apart.

    Attributes:
        job_id: The job, or the asset.
        currency: The currency of the amount; None where no line of the job has an amount.
        amount: The sum; None where a line has no amount, which is not zero.
        account: What the bill calls the account, where it does.
        models: The names of the model, as the bill has them, in lower case.
        time: When it was made; without a time zone, if the bill gives none.
    """

    job_id: str
    currency: str | None
    amount: Decimal | None
    account: str | None = None
    models: frozenset[str] = frozenset()
    time: datetime | None = None


@dataclass(frozen=True, slots=True)
class Bill:
    """A bill: its jobs, how many of its lines name none, and how it was read."""

    lines: list[BillLine]
    without_job: int = 0
    warnings: list[Message] = field(default_factory=list)


def read_bill(
    path: Path, job_column: str | None = None, amount_column: str | None = None, currency: str | None = None
) -> Bill:
    """Read a provider's bill: CSV in UTF-8, UTF-16 or GBK, Excel, JSON or Parquet.

    Args:
        path: The file.
        job_column: The heading of the job's id; None: one of the usual headings.
        amount_column: The heading of the amount; None: one of the usual headings.
        currency: The currency of amounts that name none, where no column and no heading does.

    Raises:
        InputError: It cannot be read, has no such columns, or has amounts that are none or have no currency.
    """
    sheet = read_sheet(path)
    headings = [str(heading) for heading in sheet.frame.columns]
    job = _place(headings, job_column, _JOB)
    amount = _place(headings, amount_column, _AMOUNT)
    if job is None:
        raise InputError(message("audit.no_job_column", path=path, headings=headings))
    if amount is None:
        raise InputError(message("audit.no_amount_column", path=path, headings=headings))
    raw = [sheet.frame.iloc[:, place].astype(object).tolist() for place in range(len(headings))]
    # A cell that cannot be read is its text, which names no job of the ledger. As an amount it is refused.
    cells = [[str(cell) if isinstance(cell, UnreadableCell) else cell for cell in column] for column in raw]
    amounts = _amounts(path, sheet, headings[amount], raw[amount], cells[job])
    money = _currencies(headings, amount, cells, currency)
    accounts, times = _cells(headings, cells, _ACCOUNT), _cells(headings, cells, _TIME)
    models = [cells[place] for place, heading in enumerate(headings) if _bare(heading) in _MODEL]
    found: dict[tuple[str, str | None], BillLine] = {}
    without_job = 0
    for place, (name, (value, named)) in enumerate(zip(map(_text, cells[job]), amounts, strict=True)):
        if name is None or name.casefold() in _TOTALS:
            without_job += name is None and value is not None
            continue
        unit = named or money[place]
        if value is not None and unit is None:
            raise InputError(message("audit.no_currency", path=path, line=sheet.lines[place], value=value))
        line = BillLine(name, unit, value, _text(accounts[place]), _names(models, place), _time(times[place]))
        known = found.setdefault((name, unit), line)
        if known is not line:
            both = (known.amount, value)
            known.amount = None if both[0] is None or both[1] is None else decimals.add([both[0], both[1]])
    return Bill(list(found.values()), without_job, list(sheet.warnings))


def _bare(heading: str) -> str:
    """A heading without its unit: `金额(元)` is `金额`."""
    return re.sub(r"\s*\(.*\)\s*$", "", unicodedata.normalize("NFKC", heading)).strip().casefold()


def _place(headings: Sequence[str], chosen: str | None, known: Sequence[str]) -> int | None:
    for name in [chosen.strip().casefold()] if chosen else known:
        for place, heading in enumerate(headings):
            if name in {_bare(heading), heading.strip().casefold()}:
                return place
    return None


def _cells(headings: Sequence[str], cells: Sequence[list[Any]], known: Sequence[str]) -> list[Any]:
    place = _place(headings, None, known)
    return [None] * len(cells[0]) if place is None else cells[place]


def _amounts(
    path: Path, sheet: Sheet, heading: str, cells: Sequence[Any], jobs: Sequence[Any]
) -> list[tuple[Decimal | None, str | None]]:
    """The amounts of all lines that name a job; what is none is said of all lines at once."""
    found: list[tuple[Decimal | None, str | None]] = []
    bad = []
    for cell, job, line in zip(cells, jobs, sheet.lines, strict=True):
        try:
            found.append(read_amount(cell))
        except ValueError:
            found.append((None, None))
            if _text(job) is not None:
                bad.append(message("audit.not_an_amount", line=line, column=heading, value=str(cell)[:40]))
    if bad:
        raise InputError(message("audit.bad_amounts", path=path, lines=len(bad), problems=bad[:BAD_SHOWN]))
    return found


def _currencies(
    headings: Sequence[str], amount: int, cells: Sequence[list[Any]], given: str | None
) -> list[str | None]:
    """The currency of each line: that of a column, of the amount's heading, or the given one."""
    unit = re.search(r"\(([^()]*)\)\s*$", unicodedata.normalize("NFKC", headings[amount]))
    rest = (currency_of(unit[1]) if unit else None) or (currency_of(given) or given)
    return [currency_of(cell) or rest for cell in _cells(headings, cells, _CURRENCY)]


def _text(cell: Any) -> str | None:
    value = plain(cell)
    return None if value is None else str(value)


def _names(columns: Sequence[Sequence[Any]], place: int) -> frozenset[str]:
    return frozenset(name.casefold() for name in (_text(column[place]) for column in columns) if name)


def _time(cell: Any) -> datetime | None:
    """A time in any usual form; what is none is None, since it only helps to find a row."""
    value = plain(cell)
    if isinstance(value, datetime):
        return value
    text = unicodedata.normalize("NFKC", str(value or "")).strip().replace("/", "-")
    try:
        seconds = float(text)
        return datetime.fromtimestamp(seconds / 1000 if seconds > 1e11 else seconds, UTC)
    except (ValueError, OverflowError, OSError):
        pass
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None
