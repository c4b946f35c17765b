"""Adds up the cost of attempts; known amounts are kept apart from unknown ones (laws 3 and 7)."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from decimal import Decimal

from prefect_seedance.ledger.records import AssetRequest, AttemptRecord
from prefect_seedance.ledger.rows.summaries import Payment, RowSummary
from prefect_seedance.ledger.states import Outcome, Settlement
from prefect_seedance.routes.pricing import decimals

__all__ = ["ASSETS", "CostLine", "add_up", "add_up_all"]

ASSETS = "asset library"
"""In a cost line of assets: takes the place of the route's model."""


@dataclass(slots=True)
class CostLine:
    """The cost of one route's billing model in one currency.

    Attributes:
        rows: Rows with at least one attempt on this line.
        jobs: Jobs known to have been made.
        succeeded: Jobs that made a video.
        failed: Jobs that failed at the provider.
        units: Units billed, where known.
        cost: The sum of the known charges.
        unpriced: Charged jobs whose amount is not known.
        open: Running jobs, not charged yet.
        held: Creates with an unknown outcome: they may have been paid.
        undocumented: Failed jobs of which no document says whether they are charged.
        refused: Creates that were provably refused: they cost nothing.
        refusal: The provider's message of the last refusal.
        assets: Billed requests for assets of the provider's library; these are no videos.
        doubt: The most that `held`, `undocumented` and `unpriced` may have cost; None without a bound.
    """

    provider: str
    account: str
    model: str
    billing_model: str
    unit: str
    currency: str | None
    unit_prices: set[Decimal] = field(default_factory=set)
    row_ids: set[int] = field(default_factory=set)
    jobs: int = 0
    succeeded: int = 0
    failed: int = 0
    units: Decimal = Decimal(0)
    cost: Decimal = Decimal(0)
    unpriced: int = 0
    open: int = 0
    held: int = 0
    undocumented: int = 0
    refused: int = 0
    refusal: str | None = None
    assets: int = 0
    doubt: Decimal | None = Decimal(0)

    @property
    def rows(self) -> int:
        """Rows with at least one attempt on this line."""
        return len(self.row_ids)

    @property
    def unit_price(self) -> Decimal | None:
        """The unit price, where all attempts of this line had the same one."""
        return next(iter(self.unit_prices)) if len(self.unit_prices) == 1 else None


def add_up(attempts: Iterable[AttemptRecord], assets: Iterable[AssetRequest] = ()) -> list[CostLine]:
    """One line per account, route, billing model and currency, in the order of first use; then what assets cost."""
    return _lines(((attempt, (attempt.row_id,)) for attempt in attempts), assets)


def add_up_all(
    summaries: Iterable[RowSummary],
    earlier: Iterable[AttemptRecord],
    assets: Iterable[AssetRequest] = (),
    *,
    run_id: str | None = None,
) -> list[CostLine]:
    """The same for a whole batch. The latest attempts come with the summaries; equal ones are added in one step.

    Args:
        summaries: The batch's rows.
        earlier: The attempts that are not the latest of their rows.
        assets: Billed requests for assets.
        run_id: Count this run's attempts only; None counts all.
    """
    # Most rows share one `Payment` object. Grouping by its id avoids hashing its content for each row.
    alike: dict[int, tuple[Payment, int, list[int]]] = {}
    for row in summaries:
        payment = row.kind.payment
        if payment is None or row.attempt_id is None:
            continue
        found = alike.get(id(payment))
        if found is not None:
            found[2].append(row.id)
        elif run_id in {None, payment.run_id}:
            alike[id(payment)] = (payment, row.attempt_id, [row.id])
    paid: list[tuple[int, Payment | AttemptRecord, Collection[int]]] = [
        (first, payment, ids) for payment, first, ids in alike.values()
    ]
    paid += [(attempt.id, attempt, (attempt.row_id,)) for attempt in earlier if run_id in {None, attempt.run_id}]
    paid.sort(key=lambda each: each[0])
    mine = (request for request in assets if run_id in {None, request.run_id})
    return _lines(((attempt, ids) for _, attempt, ids in paid), mine)


def _lines(
    paid: Iterable[tuple[AttemptRecord | Payment, Collection[int]]], assets: Iterable[AssetRequest]
) -> list[CostLine]:
    lines: dict[tuple[str, ...], CostLine] = {}
    for attempt, row_ids in paid:
        key = (
            attempt.provider,
            attempt.account,
            attempt.model,
            attempt.billing_model,
            attempt.currency or "",
        )
        if key not in lines:
            lines[key] = CostLine(*key[:4], unit=attempt.unit, currency=attempt.currency)
        _add(lines[key], attempt, row_ids)
    for request in assets:
        if request.outcome in {Outcome.REFUSED, Outcome.WITHDRAWN}:
            continue
        key = (request.provider, request.account, ASSETS, request.billing_model, request.currency or "")
        if key not in lines:
            lines[key] = CostLine(*key[:4], unit="request", currency=request.currency)
        _add_asset(lines[key], request)
    return list(lines.values())


def _add_asset(line: CostLine, request: AssetRequest) -> None:
    line.assets += 1
    if request.unit_price is not None:
        line.unit_prices.add(request.unit_price)
    if request.outcome is Outcome.CREATED:
        line.units = decimals.add((line.units, Decimal(1)))
        if request.unit_price is None:
            line.unpriced += 1
            _doubt_asset(line, request)
        else:
            line.cost = decimals.add((line.cost, request.unit_price))
        return
    line.held += 1
    _doubt_asset(line, request)


def _doubt_asset(line: CostLine, request: AssetRequest) -> None:
    if line.doubt is not None:
        most = request.reserved if request.unit_price is None else request.unit_price
        line.doubt = None if most is None else decimals.add((line.doubt, most))


def _add(line: CostLine, attempt: AttemptRecord | Payment, row_ids: Collection[int]) -> None:
    """Add one attempt for each of these rows; all these attempts are equal."""
    times = len(row_ids)
    line.row_ids.update(row_ids)
    if attempt.unit_price is not None:
        line.unit_prices.add(attempt.unit_price)
    # A person's resolution makes a job known too: its id was found, or it was made and is lost.
    made = attempt.settlement is not Settlement.NOTHING
    line.jobs += times * (made and (attempt.outcome is Outcome.CREATED or attempt.resolution not in {None, "not_made"}))
    match attempt.settlement:
        case Settlement.CHARGED:
            lost = attempt.resolution == "lost"
            line.succeeded += times * (not lost)
            line.failed += times * lost
            line.units = _plus(line.units, attempt.units or Decimal(0), times)
            if attempt.charge is None:
                line.unpriced += times
                _doubt(line, attempt, times)
            else:
                line.cost = _plus(line.cost, attempt.charge, times)
        case Settlement.REFUNDED:
            line.failed += times
        case Settlement.UNDOCUMENTED:
            line.failed += times
            line.undocumented += times
            _doubt(line, attempt, times)
        case Settlement.UNKNOWN:
            line.held += times
            _doubt(line, attempt, times)
        case Settlement.OPEN:
            line.open += times
        case Settlement.NOTHING:
            if attempt.outcome is Outcome.REFUSED:
                line.refused += times
                line.refusal = attempt.message


def _plus(total: Decimal, each: Decimal, times: int) -> Decimal:
    return decimals.add((total, each if times == 1 else decimals.multiply(each, Decimal(times))))


def _doubt(line: CostLine, attempt: AttemptRecord | Payment, times: int) -> None:
    if line.doubt is not None:
        most = attempt.quote_high if attempt.reserved is None else attempt.reserved
        line.doubt = None if most is None else _plus(line.doubt, most, times)
