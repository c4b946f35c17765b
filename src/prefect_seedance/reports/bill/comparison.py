"""Compares a bill with the whole ledger, job by job, and offers its unexplained lines to the unknown rows."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from prefect_seedance.ledger import ASSETS, AssetRequest, AttemptRecord, Outcome, RowRecord, Settlement
from prefect_seedance.reports.bill.reading import Bill, BillLine
from prefect_seedance.routes.pricing import decimals

__all__ = ["AGREED", "BillComparison", "BillMatch", "Bought", "belongs_to", "bought", "compare"]

AGREED = frozenset({"agreed", "failed, not charged", "failed, not on the bill"})
"""The verdicts that leave nothing to do."""

NEAR = timedelta(minutes=15)
"""A job is on the bill at most this long before or after its create was sent."""


@dataclass(frozen=True, slots=True)
class Bought:
    """What the ledger has of one create, or of one billed request for an asset.

    Attributes:
        job_id: The job or the asset; None where the outcome is unknown.
        batch: Its batch.
        row: The row id; `asset:7` for an asset request.
        take: The take of the row.
        account: `provider/account`.
        models: Its model and its billing model, in lower case.
        sent_at: When it was sent.
        currency: The currency of its price; None where it has none.
        charge: What it cost; None where that is not known.
        undocumented: Whether it failed, and no document says whether that is charged.
        open: Whether it is not settled yet.
        least: The least that it may have cost.
        most: The most that it may have cost.
        words: What the provider answered, which may name a job.
        verdict: What a person said became of it.
    """

    job_id: str | None
    batch: str
    row: str
    take: str
    account: str
    models: frozenset[str]
    sent_at: datetime
    currency: str | None
    charge: Decimal | None
    undocumented: bool = False
    open: bool = False
    least: Decimal | None = None
    most: Decimal | None = None
    words: str = ""
    verdict: str | None = None


@dataclass(frozen=True, slots=True)
class BillMatch:
    """One job, as the ledger and the bill have it.

    Attributes:
        job_id: The job.
        verdict: `agreed`, `differs`, `other currency`, `other account`, `amount unknown here`,
            `not settled here yet`, `no amount there`,
            `failed, charged`, `failed, not charged`, `failed, not on the bill` (of a job that failed, where no document
            says whether that is charged: the bill settles it), `missing there` (we expect a charge, the bill has
            none), `named here` (an unknown row's answer names the job) or `missing here`.
        ours: The ledger's record; None where it does not know the job.
        line: The bill's; None where it does not name the job.
        candidates: The unknown creates that may have made a job that is missing here, the likeliest first.
    """

    job_id: str
    verdict: str
    ours: Bought | None
    line: BillLine | None
    candidates: tuple[Bought, ...] = ()


@dataclass(slots=True)
class BillComparison:
    """A bill beside the ledger.

    Attributes:
        matches: One for each job, disagreements first.
        sums: What the ledger and the bill have by account and currency; amounts that are not known are in no sum.
        elsewhere: Jobs of the ledger that this bill need not have: of another account, or sent before its first or
            after its last one.
        unexplained: Unknown creates of the bill's accounts and time that no line of it fits.
    """

    matches: list[BillMatch]
    sums: dict[tuple[str, str], tuple[Decimal, Decimal]] = field(default_factory=dict)
    elsewhere: int = 0
    unexplained: list[Bought] = field(default_factory=list)


def bought(
    rows: Iterable[RowRecord], attempts: Iterable[AttemptRecord], assets: Iterable[AssetRequest] = ()
) -> list[Bought]:
    """Everything that may be on a bill, oldest first."""
    by_id = {row.id: row for row in rows}
    found = [_of_attempt(by_id[each.row_id], each) for each in attempts if each.job_id or _is_unknown(each)]
    found += [_of_asset(each) for each in assets if each.asset_id or each.outcome is Outcome.UNKNOWN]
    return sorted(found, key=lambda each: each.sent_at)


def compare(
    bill: Bill, ledger: Sequence[Bought], *, account: str | None = None, batch: str | None = None
) -> BillComparison:
    """Compare a bill with the ledger.

    Args:
        bill: The bill.
        ledger: What all batches of the ledger bought.
        account: The account whose bill it is, as `provider/account` or the account's label alone; None: those of the
            jobs that are on it.
        batch: A batch of which every job must be on the bill.
    """
    ours = {each.job_id: each for each in ledger if each.job_id}
    matches = [
        BillMatch(line.job_id, _verdict(found, line, account), found, line)
        for line in bill.lines
        if (found := ours.get(line.job_id)) is not None
    ]
    paired = [(match.line, match.ours) for match in matches if match.line and match.ours]
    scope = _Scope(paired, account, batch)
    listed = {line.job_id for line in bill.lines}
    absent = [each for each in ours.values() if each.job_id not in listed and not each.open and each.charge != 0]
    expected = [each for each in absent if scope.has(each)]
    matches += [BillMatch(str(each.job_id), _absent(each), each, None) for each in expected]
    unknown = [each for each in ledger if each.job_id is None]
    unclaimed = [line for line in bill.lines if line.job_id not in ours]
    named = {line.job_id: tuple(each for each in unknown if _names(each, line.job_id)) for line in unclaimed}
    others = [each for each in unknown if all(each is not one for ones in named.values() for one in ones)]
    offset = _offset(paired)
    offered = [
        BillMatch(line.job_id, "named here", None, line, named[line.job_id])
        if named[line.job_id]
        else BillMatch(line.job_id, "missing here", None, line, _candidates(line, others, account, offset))
        for line in unclaimed
    ]
    matches += offered
    fitting = {id(each) for match in offered for each in match.candidates}
    unexplained = [each for each in unknown if id(each) not in fitting and each.verdict is None and scope.has(each)]
    matches.sort(key=lambda match: (match.verdict in AGREED, match.verdict))
    return BillComparison(matches, _sums(matches, account), len(absent) - len(expected), unexplained)


class _Scope:
    """What a bill must have: the jobs of its accounts, from its first to its last one, and those of a named batch."""

    def __init__(self, paired: Sequence[tuple[BillLine, Bought]], account: str | None, batch: str | None) -> None:
        self._account, self._batch = account, batch
        self._accounts = {each.account for _, each in paired}
        times = [each.sent_at for _, each in paired]
        self._span = (min(times), max(times)) if times else None

    def has(self, each: Bought) -> bool:
        if self._account is not None and not belongs_to(each, self._account):
            return False
        if each.batch == self._batch:
            return self._account is not None or not self._accounts or each.account in self._accounts
        return (
            each.account in self._accounts and self._span is not None and self._span[0] <= each.sent_at <= self._span[1]
        )


def belongs_to(each: Bought, account: str) -> bool:
    """Whether an account of this name, `provider/account` or its label alone, bought it."""
    return account.casefold() in {each.account.casefold(), each.account.partition("/")[2].casefold()}


def _verdict(ours: Bought, line: BillLine, account: str | None) -> str:
    if account is not None and not belongs_to(ours, account):
        return "other account"
    if line.amount is None:
        return "no amount there"
    if ours.currency not in {None, line.currency} and (ours.charge or line.amount):
        return "other currency"
    if ours.undocumented:
        return "failed, charged" if line.amount else "failed, not charged"
    if ours.charge is None:
        return "not settled here yet" if ours.open else "amount unknown here"
    return "agreed" if ours.charge == line.amount else "differs"


def _absent(ours: Bought) -> str:
    return "failed, not on the bill" if ours.undocumented else "missing there"


def _candidates(
    line: BillLine, unknown: Sequence[Bought], account: str | None, offset: timedelta | None
) -> tuple[Bought, ...]:
    """The unknown creates that may have made the job of a line, those first that are nearest in time."""
    fitting = []
    for each in unknown:
        apart = _apart(line.time, each.sent_at, offset)
        if _fits(line, each, account) and (apart is None or apart <= NEAR):
            fitting.append((apart or timedelta(0), each.sent_at, each))
    return tuple(each for *_, each in sorted(fitting, key=lambda found: found[:2]))


def _names(each: Bought, job_id: str) -> bool:
    return len(job_id) >= 6 and re.search(rf"(?<![\w-]){re.escape(job_id)}(?![\w-])", each.words) is not None


def _fits(line: BillLine, each: Bought, account: str | None) -> bool:
    """Whether account, model and price allow that a create made the job of a line; what is not known allows it."""
    if account is not None and not belongs_to(each, account):
        return False
    if line.models and line.models.isdisjoint(each.models):
        return False
    if line.amount is None or each.currency is None:
        return True
    if line.currency != each.currency:
        return False
    return (each.least or Decimal(0)) <= line.amount and (each.most is None or line.amount <= each.most)


def _offset(paired: Sequence[tuple[BillLine, Bought]]) -> timedelta | None:
    """How far the bill's times without a zone are ahead of UTC, by the jobs that both sides know."""
    quarter = timedelta(minutes=15)
    apart = [
        round((line.time.replace(tzinfo=UTC) - each.sent_at) / quarter)
        for line, each in paired
        if line.time is not None and line.time.tzinfo is None
    ]
    return Counter(apart).most_common(1)[0][0] * quarter if apart else None


def _apart(time: datetime | None, sent_at: datetime, offset: timedelta | None) -> timedelta | None:
    if time is None or (time.tzinfo is None and offset is None):
        return None
    if time.tzinfo is None:
        return abs(time.replace(tzinfo=UTC) - (offset or timedelta(0)) - sent_at)
    return abs(time - sent_at)


def _sums(matches: Iterable[BillMatch], account: str | None) -> dict[tuple[str, str], tuple[Decimal, Decimal]]:
    sums: dict[tuple[str, str], tuple[Decimal, Decimal]] = {}

    def add(where: str, currency: str | None, here: Decimal | None, there: Decimal | None) -> None:
        if currency is not None and (here is not None or there is not None):
            old = sums.get((where, currency), (Decimal(0), Decimal(0)))
            sums[where, currency] = (
                decimals.add([old[0], here or Decimal(0)]),
                decimals.add([old[1], there or Decimal(0)]),
            )

    for match in matches:
        if match.ours is not None:
            add(match.ours.account, match.ours.currency, match.ours.charge, None)
        if match.line is not None:
            where = match.ours.account if match.ours else match.candidates[0].account if match.candidates else account
            add(where or match.line.account or "–", match.line.currency, None, match.line.amount)
    return dict(sorted(sums.items()))


def _is_unknown(attempt: AttemptRecord) -> bool:
    return attempt.outcome is Outcome.UNKNOWN and attempt.job_id is None


def _of_attempt(row: RowRecord, attempt: AttemptRecord) -> Bought:
    free = attempt.settlement in {Settlement.REFUNDED, Settlement.NOTHING}
    return Bought(
        job_id=attempt.job_id,
        batch=row.batch,
        row=row.key,
        take=row.take,
        account=f"{attempt.provider}/{attempt.account}",
        models=frozenset({attempt.model.casefold(), attempt.billing_model.casefold()}),
        sent_at=attempt.sent_at,
        currency=attempt.currency,
        charge=Decimal(0) if free else attempt.charge,
        undocumented=attempt.settlement is Settlement.UNDOCUMENTED,
        open=attempt.settlement is Settlement.OPEN,
        least=attempt.quote_low,
        most=attempt.quote_high,
        words=f"{attempt.named_job or ''} {attempt.message or ''}",
        verdict=attempt.resolution,
    )


def _of_asset(request: AssetRequest) -> Bought:
    return Bought(
        job_id=request.asset_id,
        batch=request.batch,
        row=f"asset:{request.id}",
        take="",
        account=f"{request.provider}/{request.account}",
        models=frozenset({ASSETS.casefold(), request.billing_model.casefold()}),
        sent_at=request.sent_at,
        currency=request.currency,
        charge=request.unit_price,
        least=request.unit_price,
        most=request.unit_price,
        words=request.message or "",
        verdict=request.resolution,
    )
