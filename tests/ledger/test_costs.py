from __future__ import annotations

import decimal
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prefect_seedance.core.clock import now
from prefect_seedance.ledger import AttemptRecord, Charge, Outcome, Settlement, add_up, add_up_all
from prefect_seedance.ledger.rows import lookups, summaries, transitions
from tests.ledger.conftest import an_intent

MONEY = st.decimals(min_value=0, max_value=10**9, allow_nan=False, allow_infinity=False, places=18)
MAYBE = st.none() | MONEY
JOBS = {
    Settlement.OPEN: Outcome.CREATED,
    Settlement.CHARGED: Outcome.CREATED,
    Settlement.REFUNDED: Outcome.CREATED,
    Settlement.UNDOCUMENTED: Outcome.CREATED,
    Settlement.UNKNOWN: Outcome.UNKNOWN,
    Settlement.NOTHING: Outcome.REFUSED,
}


def attempt(**values: Any) -> AttemptRecord:
    known: dict[str, Any] = dict.fromkeys(AttemptRecord.__slots__) | {
        "row_id": 1,
        "provider": "jimmy",
        "account": "default",
        "model": "m",
        "billing_model": "m-720p",
        "unit": "second",
        "sent_at": now(),
        "outcome": Outcome.CREATED,
        "settlement": Settlement.CHARGED,
    }
    return AttemptRecord(**(known | values))


@st.composite
def attempts(draw: st.DrawFn) -> AttemptRecord:
    settlement = draw(st.sampled_from(Settlement))
    charged = settlement is Settlement.CHARGED
    return attempt(
        row_id=draw(st.integers(1, 5)),
        account=draw(st.sampled_from(["default", "second"])),
        currency=draw(st.sampled_from([None, "CNY", "USD"])),
        unit_price=draw(MAYBE),
        quote_high=draw(MAYBE),
        settlement=settlement,
        outcome=JOBS[settlement],
        units=draw(MAYBE) if charged else None,
        charge=draw(MAYBE) if charged else None,
    )


def exact(numbers: Any) -> Fraction:
    return sum((Fraction(number) for number in numbers), Fraction(0))


@given(st.lists(attempts(), max_size=25), st.sampled_from([3, 28]))
def test_known_amounts_are_exact_and_what_is_unknown_stays_apart(tried: list[AttemptRecord], precision: int) -> None:
    with decimal.localcontext(prec=precision):
        lines = add_up(tried)
    assert len({(line.account, line.currency) for line in lines}) == len(lines)
    for line in lines:
        mine = [one for one in tried if (one.account, one.currency) == (line.account, line.currency)]
        by = {kind: [one for one in mine if one.settlement is kind] for kind in Settlement}
        charged = by[Settlement.CHARGED]
        priced = [one for one in charged if one.charge is not None]
        assert Fraction(line.cost) == exact(one.charge for one in priced)
        assert Fraction(line.units) == exact(one.units for one in charged if one.units is not None)
        assert line.unpriced == len(charged) - len(priced)
        assert (line.succeeded, line.open) == (len(charged), len(by[Settlement.OPEN]))
        assert (line.held, line.undocumented) == (len(by[Settlement.UNKNOWN]), len(by[Settlement.UNDOCUMENTED]))
        assert line.failed == line.undocumented + len(by[Settlement.REFUNDED])
        assert line.jobs == sum(one.outcome is Outcome.CREATED for one in mine)
        assert line.rows == len({one.row_id for one in mine})
        doubtful = by[Settlement.UNKNOWN] + by[Settlement.UNDOCUMENTED] + [one for one in charged if one.charge is None]
        if any(one.quote_high is None for one in doubtful):
            assert line.doubt is None
        else:
            assert line.doubt is not None
            assert Fraction(line.doubt) == exact(one.quote_high for one in doubtful)
    assert sum(line.jobs + line.held for line in lines) <= len(tried)


async def test_each_price_line_of_a_model_has_a_line_of_its_own(bench: Any) -> None:
    """One model is billed by several lines, such as one for each resolution."""
    lines = [("m-720p", "0.05"), ("m-1080p", "0.10"), ("m-720p", "0.05")]
    for number, (name, price) in enumerate(lines):
        (row,) = await bench.rows(f"r{number}")
        sent = await bench.ledger.intend(bench.run, an_intent(row, billing_model=name, unit_price=Decimal(price)))
        await bench.ledger.created(bench.run, row, sent, job_id=f"j{row}", http_status=200, request_id=None)
        charge = Charge(Settlement.CHARGED, units=Decimal(1), amount=Decimal(price))
        await bench.ledger.write(transitions.succeed, bench.run, row, charge, link_expires_at=None)
    expected = [("m-720p", 2, Decimal("0.10"), Decimal("0.05")), ("m-1080p", 1, Decimal("0.10"), Decimal("0.10"))]
    attempts = await bench.ledger.read(lookups.attempts_of, "spring")
    summaries_of = await bench.ledger.read(summaries.summaries_of, "spring")
    for found in (add_up(attempts), add_up_all(summaries_of, [])):
        assert [(line.billing_model, line.jobs, line.cost, line.unit_price) for line in found] == expected


def test_one_price_or_none_is_shown() -> None:
    (line,) = add_up([attempt(unit_price=Decimal("0.05")), attempt(unit_price=Decimal("0.05"))])
    assert line.unit_price == Decimal("0.05")
    (line,) = add_up([attempt(unit_price=Decimal("0.05")), attempt(unit_price=Decimal("0.06"))])
    assert line.unit_price is None


@pytest.mark.parametrize("text", ["0.1", "1E-18", "123456789012345678901234567890.123456789", "0.50", "1E+3"])
async def test_money_comes_back_from_the_ledger_to_the_last_digit(bench: Any, text: str) -> None:
    (row,) = await bench.rows("a")
    await bench.created(row)
    amount = Decimal(text)
    with decimal.localcontext(prec=3):
        charge = Charge(Settlement.CHARGED, units=amount, amount=amount)
        await bench.ledger.write(transitions.succeed, bench.run, row, charge, link_expires_at=None)
    (one,) = await bench.ledger.read(lookups.attempts_of, "spring")
    assert (one.charge, one.units, str(one.charge)) == (amount, amount, text)
    assert bench.query("SELECT charge FROM seedance_attempts") == [(text,)]  # as text: no database rounds that
