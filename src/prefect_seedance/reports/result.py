"""The answer of a run: the user's own rows with what became of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from prefect_seedance.jobs.answers import PREFIX, RESULT_COLUMNS
from prefect_seedance.ledger import AttemptRecord, CostLine, RowRecord, Settlement, State, add_up

if TYPE_CHECKING:
    import pandas as pd

    from prefect_seedance.jobs.batch import BatchOutcome
    from prefect_seedance.jobs.preparing import Preparation
    from prefect_seedance.jobs.table import Table

__all__ = ["GenerateResult", "RowResult", "build_result", "unvisited"]

T = TypeVar("T")

INVALID = "invalid"
LEFT_OUT = "left_out"


@dataclass(frozen=True, slots=True)
class RowResult:
    """What became of one row.

    Attributes:
        row: The row key.
        status: The row's state; `invalid` where it broke a rule and was left out, `left_out` where `only` or `limit`
            did not choose it.
        route: The route that made it, or was asked last.
        refused_before: The routes that did not take it before that one, and why, in words.
        remarks: How the video differs from what was asked for, in words.
        cost: What the row cost in this take, over all its attempts; None while that is not known.
        cost_note: What is not known about the cost, in words.
    """

    row: str
    status: str
    route: str | None = None
    provider: str | None = None
    account: str | None = None
    refused_before: str | None = None
    job_id: str | None = None
    video: str | None = None
    sha256: str | None = None
    bytes: int | None = None
    width: int | None = None
    height: int | None = None
    seconds: Decimal | None = None
    remarks: str | None = None
    billing_model: str | None = None
    unit: str | None = None
    units: Decimal | None = None
    unit_price: Decimal | None = None
    cost: Decimal | None = None
    currency: str | None = None
    cost_note: str | None = None
    attempts: int = 0
    planned_at: datetime | None = None
    sent_at: datetime | None = None
    finished_at: datetime | None = None
    stored_at: datetime | None = None
    link_expires_at: datetime | None = None
    error_code: str | None = None
    error_message: str | None = None


def unvisited(kind: type[T]) -> type[T]:
    """Class decorator: a dataclass that Prefect takes for a plain object.

    Prefect looks for futures in whatever a flow returns, through lists, mappings and dataclasses down to the last
    cell: of a large table's result that takes longer than all of the run.
    """
    del kind.__dataclass_fields__  # type: ignore[attr-defined]
    return kind


@unvisited
@dataclass
class GenerateResult:
    """The answer of `generate_videos`.

    Attributes:
        batch: The batch.
        take: The take.
        name: The name of the run's final state.
        rows: What became of each row of the table, in its order.
        costs: This run's cost, a line per route and billing model.
        costs_to_date: The whole batch's cost, all takes and runs.
        made: How many videos this run stored.
        folder: Where the batch's files lie: a path, or a URL.
        files: The result files that were written, by kind.
        ledger: The ledger, without its password.
        warnings: What the user should know.
        hints: How the budget stands, and what the accounts' balances looked like before and after: raw.
        history: The ledger's rows of all takes of the batch.
        attempts: The ledger's attempts of all of them.
    """

    batch: str
    take: str
    name: str
    rows: list[RowResult] = field(repr=False)
    costs: list[CostLine]
    costs_to_date: list[CostLine]
    made: int
    folder: Path | str
    ledger: str
    frame: pd.DataFrame = field(repr=False)
    files: dict[str, Path | str] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)
    hints: list[str] = field(default_factory=list)
    history: list[RowRecord] = field(default_factory=list, repr=False)
    attempts: list[AttemptRecord] = field(default_factory=list, repr=False)

    @property
    def counts(self) -> Mapping[str, int]:
        """How many rows have each status."""
        return Counter(row.status for row in self.rows)

    @property
    def chosen(self) -> list[RowResult]:
        """The rows that this run was asked to make."""
        return [row for row in self.rows if row.status != LEFT_OUT]

    def cost(self) -> dict[str, Decimal]:
        """What this run is known to have cost, by currency. Unknown amounts are not in it: see `costs`."""
        return sums(self.costs)

    def __iter__(self) -> Iterator[RowResult]:
        return iter(self.rows)

    def __len__(self) -> int:
        return len(self.rows)

    def to_dataframe(self) -> pd.DataFrame:
        """The user's rows in their order, with their own columns and index, and `RESULT_COLUMNS` behind them.

        A column of the user's that has one of our names keeps it; ours is then called `seedance_…`.
        """
        import pandas as pd  # noqa: PLC0415 - a heavy import that many callers have no need of

        own = {str(name) for name in self.frame.columns}
        ours = {
            (PREFIX + name if name in own else name): pd.Series(
                [getattr(row, name) for row in self.rows], index=self.frame.index, dtype=_DTYPES.get(name, "object")
            )
            for name in RESULT_COLUMNS
        }
        return pd.concat([self.frame, pd.DataFrame(ours, index=self.frame.index)], axis=1)


_DTYPES = {
    "bytes": "Int64",
    "width": "Int64",
    "height": "Int64",
    "attempts": "Int64",
    **dict.fromkeys(("planned_at", "sent_at", "finished_at", "stored_at", "link_expires_at"), "datetime64[us, UTC]"),
}


def sums(lines: list[CostLine]) -> dict[str, Decimal]:
    """The known cost by currency."""
    found: dict[str, Decimal] = {}
    for line in lines:
        if line.currency is not None:
            found[line.currency] = found.get(line.currency, Decimal(0)) + line.cost
    return found


def build_result(
    table: Table, preparation: Preparation, outcome: BatchOutcome, *, batch: str, take: str
) -> GenerateResult:
    """Lay the ledger's rows beside the table's."""
    by_row: dict[int, list[AttemptRecord]] = {}
    for attempt in outcome.attempts:
        by_row.setdefault(attempt.row_id, []).append(attempt)
    invalid = {row.position: row for row in preparation.invalid}
    keys = {row.position: row.key for row in table.rows} | {
        position: problems[0].key for position, problems in table.bad.items()
    }
    rows = []
    for position in range(len(table.frame)):
        key = keys[position]
        record = outcome.records.get(key)
        if position in invalid:
            rows.append(
                RowResult(key, INVALID, error_code="invalid", error_message="; ".join(invalid[position].reasons))
            )
        elif record is None:
            rows.append(RowResult(key, LEFT_OUT))
        else:
            rows.append(_row(record, by_row.get(record.id, []), outcome.troubles.get(key)))
    mine = [attempt for attempt in outcome.attempts if attempt.run_id == outcome.run_id]
    stored = {row.row for row in rows if row.status == State.STORED}
    result = GenerateResult(
        batch=batch,
        take=take,
        name="",
        rows=rows,
        costs=add_up(mine, [request for request in outcome.assets if request.run_id == outcome.run_id]),
        costs_to_date=add_up(outcome.attempts, outcome.assets),
        made=len(outcome.done & stored),
        folder=outcome.folder,
        ledger=outcome.ledger,
        frame=table.frame,
        warnings=list(preparation.warnings),
        hints=[*_budget(outcome), *_balances(outcome)],
        history=outcome.history,
        attempts=outcome.attempts,
    )
    result.name = state_name(result, moved=bool(outcome.done))
    return result


def _budget(outcome: BatchOutcome) -> list[str]:
    if outcome.budget is None or outcome.committed is None:
        return []
    held = f"{outcome.committed:f} of {outcome.budget}"
    return [f"Budget: {held} are spent or held back for the worst case of what is not settled"]


def _balances(outcome: BatchOutcome) -> list[str]:
    if len(outcome.balances) != 2:
        return []
    before, after = outcome.balances
    told = []
    for account, fields in after.items():
        was = before.get(account, {})
        moved = [f"{name} {was.get(name, '?')} → {value}" for name, value in fields.items() if was.get(name) != value]
        changes = ", ".join(moved) or "nothing moved"
        told.append(f"Balance of {account} as the provider shows it, a hint and no account: {changes}")
    return told


def state_name(result: GenerateResult, *, moved: bool) -> str:
    """The name of the final state: one of a few, documented in the manual.

    `None stored` is the only failure. `Some unknown` comes before all others, because a person has to act.
    """
    counts = Counter(row.status for row in result.chosen)
    stored = counts[State.STORED]
    if not result.chosen:
        return "Nothing new"
    if not stored:
        return "None stored"
    if counts[State.UNKNOWN]:
        return "Some unknown"
    if stored == len(result.chosen):
        return "All stored" if moved else "Nothing new"
    unfinished = {State.PLANNED, State.OVER_BUDGET, State.DEFERRED, State.SENT, State.CREATED, State.SUCCEEDED}
    if any(counts[state] for state in unfinished):
        return "Some unfinished"
    return "Some failed" if moved else "Nothing new"


def _row(record: RowRecord, attempts: list[AttemptRecord], trouble: str | None) -> RowResult:
    latest = record.attempt
    stored = record.state is State.STORED
    cost, note = _cost(attempts)
    return RowResult(
        row=record.key,
        status=record.state.value,
        route=record.model,
        provider=record.provider,
        account=record.account,
        refused_before="; ".join(record.passed) or None,
        job_id=record.job_id,
        video=record.path if stored else None,
        sha256=record.sha256 if stored else None,
        bytes=record.bytes if stored else None,
        width=record.width if stored else None,
        height=record.height if stored else None,
        seconds=record.seconds if stored else None,
        remarks=("; ".join(record.remarks) or None) if stored else None,
        billing_model=latest.billing_model if latest else None,
        unit=latest.unit if latest else None,
        units=latest.units if latest else None,
        unit_price=latest.unit_price if latest else None,
        cost=cost,
        currency=latest.currency if latest else None,
        cost_note=note,
        attempts=len(attempts),
        planned_at=record.planned_at,
        sent_at=latest.sent_at if latest else None,
        finished_at=record.finished_at,
        stored_at=record.stored_at if stored else None,
        link_expires_at=record.link_expires_at,
        error_code=record.error_code or (record.error_kind if record.error_message else None),
        error_message=record.error_message or (None if stored else trouble),
    )


def _cost(attempts: list[AttemptRecord]) -> tuple[Decimal | None, str | None]:
    """The known cost of a row's attempts, and what is not known about it."""
    known = [attempt.charge for attempt in attempts if attempt.charge is not None]
    notes = [note for attempt in attempts if (note := _doubt(attempt))]
    # Refunded and refused attempts are known to cost nothing.
    amount = sum(known, Decimal(0)) if known or (attempts and not notes) else None
    return amount, "; ".join(dict.fromkeys(notes)) or None


def _doubt(attempt: AttemptRecord) -> str | None:
    if attempt.charge is not None and attempt.settlement is Settlement.CHARGED:
        return None  # nearly all of them
    match attempt.settlement:
        case Settlement.UNKNOWN:
            return f"may have been made, and may have cost {_most(attempt)}"
        case Settlement.UNDOCUMENTED:
            return f"charge on failure not documented: {_most(attempt)}"
        case Settlement.OPEN:
            return f"not settled yet: {_most(attempt)}"
        case Settlement.CHARGED if attempt.charge is None:
            return "charged; the amount is not known"
        case _:
            return None


def _most(attempt: AttemptRecord) -> str:
    if attempt.quote_high is None:
        return "an amount without a known bound"
    return f"up to {attempt.quote_high:f} {attempt.currency}"
