"""The result of a run: the user's rows with their outcomes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from operator import attrgetter
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from prefect_seedance.errors import RoutePaused
from prefect_seedance.ledger import AttemptRecord, CostLine, RowRecord, RowSummary, State, add_up_all
from prefect_seedance.messages import message
from prefect_seedance.reports.hints import stats_line
from prefect_seedance.reports.results.row_result import INVALID, LEFT_OUT, RowResult, Rows
from prefect_seedance.reports.spending import state_lines
from prefect_seedance.tables.result_columns import PREFIX, RESULT_COLUMNS
from prefect_seedance.tables.secret_addresses import frame_without_secrets

if TYPE_CHECKING:
    import pandas as pd

    from prefect_seedance.planning.plan import BatchPlan
    from prefect_seedance.runs.batch import RunOutcome
    from prefect_seedance.runs.stats import AccountStats
    from prefect_seedance.tables.reader import Table

__all__ = ["INVALID", "LEFT_OUT", "GenerateResult", "RowResult", "build_result", "unvisited"]

T = TypeVar("T")


def unvisited(kind: type[T]) -> type[T]:
    """Class decorator for a dataclass that Prefect should treat as a plain object.

    Prefect searches all that a flow returns for futures, through lists, mappings and dataclasses down to each cell. For
    the result of a large table that takes longer than the whole run.
    """
    del kind.__dataclass_fields__  # type: ignore[attr-defined]
    return kind


@unvisited
@dataclass
class GenerateResult:
    """The result of `generate_videos`.

    Attributes:
        batch: The batch.
        take: The take.
        name: The name of the run's final state.
        rows: The result of each row of the table, in its order.
        costs: This run's cost, one line per route and billing model.
        costs_to_date: The whole batch's cost, all takes and runs.
        made: How many videos this run stored.
        folder: The folder of the batch's files: a path, or a URL.
        files: The result files that were written, by kind.
        ledger: The ledger, without its password.
        warnings: What the user should know.
        spending: The state of the accounts' spending limits.
        hints: The state of the budget and these limits, the accounts' balances before and after (raw), the traffic, and
            what to do where the run held rows back.
        account_stats: The traffic between this process and each account.
        batch_rows: The results of all rows of the batch, all takes.
        history: The ledger's rows for a new contact sheet; empty where the existing one is current.
        attempts: The ledger's attempts of the rows in `history`.
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
    spending: list[str] = field(default_factory=list)
    hints: list[str] = field(default_factory=list)
    account_stats: list[AccountStats] = field(default_factory=list)
    batch_rows: Rows = field(default_factory=lambda: Rows([]), repr=False)
    history: list[RowRecord] = field(default_factory=list, repr=False)
    attempts: list[AttemptRecord] = field(default_factory=list, repr=False)
    known: int = 0
    made_of: str | None = field(default=None, repr=False)

    def __getstate__(self) -> dict[str, Any]:
        # Prefect keeps results as pickles: signed links in the user's own cells stay in this process.
        return {**self.__dict__, "frame": frame_without_secrets(self.frame)}

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
        return self.rows.at(position for position, status in enumerate(statuses) if status != LEFT_OUT)

    def cost(self) -> dict[str, Decimal]:
        """The known cost of this run, by currency. Unknown amounts are not included: see `costs`."""
        return sums(self.costs)

    def __iter__(self) -> Iterator[RowResult]:
        return iter(self.rows)

    def __len__(self) -> int:
        return len(self.rows)

    def to_dataframe(self) -> pd.DataFrame:
        """The user's rows in their order, with their own columns and index, followed by `RESULT_COLUMNS`.

        A user's column keeps its name where ours has the same; ours is then called `seedance_…`.
        """
        return self.part(0, len(self.rows))

    def part(self, start: int, stop: int) -> pd.DataFrame:
        """Some rows of `to_dataframe`: a large result is written piece by piece."""
        import pandas as pd  # noqa: PLC0415 - a heavy import that many callers do not need

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


def build_result(table: Table, plan: BatchPlan, outcome: RunOutcome, *, batch: str, take: str) -> GenerateResult:
    """Combine the rows of the table with those of the ledger."""
    earlier: dict[int, list[AttemptRecord]] = {}
    for attempt in outcome.earlier:
        earlier.setdefault(attempt.row_id, []).append(attempt)
    rows = Rows(_entries(table, plan, outcome), earlier, outcome.troubles)
    result = GenerateResult(
        batch=batch,
        take=take,
        name="",
        rows=rows,
        costs=add_up_all(outcome.summaries, outcome.earlier, outcome.assets, run_id=outcome.run_id),
        costs_to_date=add_up_all(outcome.summaries, outcome.earlier, outcome.assets),
        made=sum(1 for key in outcome.done if (row := outcome.records.get(key)) and row.state is State.STORED),
        folder=outcome.folder,
        ledger=outcome.ledger,
        frame=table.frame,
        warnings=[*(str(warning) for warning in plan.warnings), *outcome.notices, *_jobs_beside(outcome)],
        spending=(spending := state_lines(outcome.spending)),
        hints=[
            *_budget(outcome),
            *spending,
            *_balances(outcome),
            *_pauses(outcome),
            *map(stats_line, outcome.account_stats),
            *_what_to_do(outcome, batch),
        ],
        account_stats=outcome.account_stats,
        batch_rows=Rows(outcome.summaries, earlier, outcome.troubles),
    )
    chosen = result.chosen
    result.known = len({row.key for row in outcome.summaries}.union(chosen.keys))
    result.name = state_name(result, moved=bool(outcome.done))
    return result


def _entries(table: Table, plan: BatchPlan, outcome: RunOutcome) -> Iterator[RowResult | RowSummary]:
    """The known facts of each row of the table, in its order."""
    invalid = {row.position: row for row in plan.invalid}
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


def _jobs_beside(outcome: RunOutcome) -> list[str]:
    """An alarm for each job that a late answer named, and that no row follows."""
    keys = {row.id: row.key for row in outcome.summaries}
    return [
        str(message("result.job_beside", row=keys.get(attempt.row_id), reason=attempt.message))
        for attempt in outcome.earlier
        if attempt.is_evidence
    ]


def _budget(outcome: RunOutcome) -> list[str]:
    if outcome.budget is None or outcome.committed is None:
        return []
    return [str(message("hint.budget", committed=f"{outcome.committed:f}", budget=outcome.budget))]


def _what_to_do(outcome: RunOutcome, batch: str) -> list[str]:
    """What a person can do about rows that were not sent blindly."""
    rows = outcome.records.values()
    if not any(row.kind.state is State.DEFERRED and row.kind.error_kind == RoutePaused.kind for row in rows):
        return []
    unknown = any(row.kind.state is State.UNKNOWN for row in rows)
    first = [str(message("gate.resolve_first", batch=batch))] if unknown else []
    return [*first, str(message("gate.what_to_do"))]


def _pauses(outcome: RunOutcome) -> list[str]:
    return [
        str(message("hint.paused", account=account, until=f"{until:%Y-%m-%d %H:%M}"))
        for account, until in outcome.pauses.items()
    ]


def _balances(outcome: RunOutcome) -> list[str]:
    if len(outcome.balances) != 2:
        return []
    before, after = outcome.balances
    hints = []
    for account, fields in after.items():
        was = before.get(account, {})
        changed = [f"{name} {was.get(name, '?')} → {value}" for name, value in fields.items() if was.get(name) != value]
        changes = changed or message("hint.balance_same")
        hints.append(str(message("hint.balance", account=account, changes=changes)))
    return hints


def state_name(result: GenerateResult, *, moved: bool) -> str:
    """The name of the final state: one of a few, which the manual lists.

    Only `None stored` is a failure. `Some unknown` takes precedence over the others, because a person has to act.
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
