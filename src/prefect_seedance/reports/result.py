"""The answer of a run: the user's own rows with what became of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from operator import attrgetter
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from prefect_seedance.jobs.answers import PREFIX, RESULT_COLUMNS
from prefect_seedance.ledger import AttemptRecord, CostLine, RowRecord, Standing, State, add_up_all
from prefect_seedance.messages import message
from prefect_seedance.reports.hints import told_traffic
from prefect_seedance.reports.rowresult import INVALID, LEFT_OUT, RowResult, Rows

if TYPE_CHECKING:
    import pandas as pd

    from prefect_seedance.jobs.batch import BatchOutcome
    from prefect_seedance.jobs.preparing import Preparation
    from prefect_seedance.jobs.table import Table
    from prefect_seedance.jobs.traffic import Traffic

__all__ = ["INVALID", "LEFT_OUT", "GenerateResult", "RowResult", "build_result", "unvisited"]

T = TypeVar("T")


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
        hints: How the budget stands, what the accounts' balances looked like before and after (raw), and the traffic.
        traffic: What went to and fro between this process and each account.
        batch_rows: What became of all rows of the batch, all takes.
        history: The ledger's rows in full that a new contact sheet shows; empty where the old one needs no change.
        attempts: The ledger's attempts of all of these.
        known: How many rows the batch and the table have, by key.
        made_of: A digest of all this, once its files are written.
    """

    batch: str
    take: str
    name: str
    rows: Rows = field(repr=False)
    costs: list[CostLine]
    costs_to_date: list[CostLine]
    made: int
    folder: Path | str
    ledger: str
    frame: pd.DataFrame = field(repr=False)
    files: dict[str, Path | str] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)
    hints: list[str] = field(default_factory=list)
    traffic: list[Traffic] = field(default_factory=list)
    batch_rows: Rows = field(default_factory=lambda: Rows([]), repr=False)
    history: list[RowRecord] = field(default_factory=list, repr=False)
    attempts: list[AttemptRecord] = field(default_factory=list, repr=False)
    known: int = 0
    made_of: str | None = field(default=None, repr=False)

    @property
    def counts(self) -> Mapping[str, int]:
        """How many rows have each status."""
        return Counter(self.rows.statuses)

    @property
    def chosen(self) -> Rows:
        """The rows that this run was asked to make."""
        statuses = self.rows.statuses
        if LEFT_OUT not in statuses:
            return self.rows
        return self.rows.at(place for place, status in enumerate(statuses) if status != LEFT_OUT)

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
        return self.part(0, len(self.rows))

    def part(self, start: int, stop: int) -> pd.DataFrame:
        """Some rows of `to_dataframe`: a large answer is written piece by piece."""
        import pandas as pd  # noqa: PLC0415 - a heavy import that many callers have no need of

        own = self.frame.iloc[start:stop]
        names = {str(name) for name in own.columns}
        rows = list(self.rows[start:stop])
        ours = {
            (PREFIX + name if name in names else name): pd.Series(
                list(map(attrgetter(name), rows)), index=own.index, dtype=_DTYPES.get(name, "object")
            )
            for name in RESULT_COLUMNS
        }
        return pd.concat([own, pd.DataFrame(ours, index=own.index)], axis=1)


MONEY = ("seconds", "units", "unit_price", "cost")
"""Columns of exact numbers."""

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
    earlier: dict[int, list[AttemptRecord]] = {}
    for attempt in outcome.earlier:
        earlier.setdefault(attempt.row_id, []).append(attempt)
    rows = Rows(_entries(table, preparation, outcome), earlier, outcome.troubles)
    result = GenerateResult(
        batch=batch,
        take=take,
        name="",
        rows=rows,
        costs=add_up_all(outcome.standings, outcome.earlier, outcome.assets, run_id=outcome.run_id),
        costs_to_date=add_up_all(outcome.standings, outcome.earlier, outcome.assets),
        made=sum(1 for key in outcome.done if (row := outcome.records.get(key)) and row.state is State.STORED),
        folder=outcome.folder,
        ledger=outcome.ledger,
        frame=table.frame,
        warnings=[str(warning) for warning in preparation.warnings],
        hints=[*_budget(outcome), *_balances(outcome), *map(told_traffic, outcome.traffic)],
        traffic=outcome.traffic,
        batch_rows=Rows(outcome.standings, earlier, outcome.troubles),
    )
    chosen = result.chosen
    result.known = len({row.key for row in outcome.standings}.union(chosen.keys))
    result.name = state_name(result, moved=bool(outcome.done))
    return result


def _entries(table: Table, preparation: Preparation, outcome: BatchOutcome) -> Iterator[RowResult | Standing]:
    """What is known of each row of the table, in its order."""
    invalid = {row.position: row for row in preparation.invalid}
    keys = {row.position: row.key for row in table.rows} | {
        position: problems[0].key for position, problems in table.bad.items()
    }
    for position in range(len(table.frame)):
        key = keys[position]
        if position in invalid:
            reasons = "; ".join(map(str, invalid[position].reasons))
            yield RowResult(key, INVALID, error_code="invalid", error_message=reasons)
        else:
            yield outcome.records.get(key) or RowResult(key, LEFT_OUT)


def _budget(outcome: BatchOutcome) -> list[str]:
    if outcome.budget is None or outcome.committed is None:
        return []
    return [str(message("hint.budget", committed=f"{outcome.committed:f}", budget=outcome.budget))]


def _balances(outcome: BatchOutcome) -> list[str]:
    if len(outcome.balances) != 2:
        return []
    before, after = outcome.balances
    hints = []
    for account, fields in after.items():
        was = before.get(account, {})
        moved = [f"{name} {was.get(name, '?')} → {value}" for name, value in fields.items() if was.get(name) != value]
        changes = moved or message("hint.balance_same")
        hints.append(str(message("hint.balance", account=account, changes=changes)))
    return hints


def state_name(result: GenerateResult, *, moved: bool) -> str:
    """The name of the final state: one of a few, documented in the manual.

    Only `None stored` is a failure. `Some unknown` comes before all others, because a person has to act.
    """
    chosen = result.chosen
    counts = Counter(chosen.statuses)
    stored = counts[State.STORED]
    if not chosen:
        return "Nothing new"
    if not stored:
        return "None stored"
    if counts[State.UNKNOWN]:
        return "Some unknown"
    if stored == len(chosen):
        return "All stored" if moved else "Nothing new"
    unfinished = {State.PLANNED, State.OVER_BUDGET, State.DEFERRED, State.SENT, State.CREATED, State.SUCCEEDED}
    if any(counts[state] for state in unfinished):
        return "Some unfinished"
    return "Some failed" if moved else "Nothing new"
