"""What follows from each error, whatever step it comes from."""

from __future__ import annotations

import inspect
import re

import pytest

from prefect_seedance import errors
from prefect_seedance.accounts.circuit_breaker import CircuitBreaker
from prefect_seedance.engine.steps import policy
from prefect_seedance.engine.steps.policy import Decision, close, decide, may_fall_back, state_before_create
from prefect_seedance.errors import InputError, InvalidVideo, Refused, SeedanceError, UnknownOutcome
from prefect_seedance.ledger import State
from prefect_seedance.planning.run_limits import RunLimits

ALL = [kind for _, kind in inspect.getmembers(errors, inspect.isclass) if issubclass(kind, SeedanceError)]
STRICT, LENIENT = RunLimits(), RunLimits(fall_back_on_moderation=True)


@pytest.mark.parametrize("kind", ALL, ids=lambda kind: kind.__name__)
async def test_only_what_is_proven_lets_a_row_be_sent_again(kind: type[SeedanceError]) -> None:
    """Whatever is no proven refusal, and was not held back before a connection was made, may have been paid (law 2)."""
    error = kind("no")
    decision = decide(error)
    unsent = issubclass(kind, Refused | errors.Unreachable | errors.OverBudget | errors.RoutePaused)
    assert (decision.state is State.UNKNOWN) is not unsent
    assert state_before_create(error) in {State.DEFERRED, State.REFUSED, State.OVER_BUDGET}
    if decision.state is State.UNKNOWN:
        assert decision == Decision(State.UNKNOWN)
        assert not may_fall_back(error, LENIENT)
    if decision.again:
        assert decision.state is State.DEFERRED
    breaker = CircuitBreaker()
    close(breaker, "fast", error, 60)
    assert (breaker.reason("fast") is not None) is (decision.close is not None)
    assert (breaker.reason("mini") is not None) is (decision.close == "account")
    assert (breaker.reason_for_all() is not None) is (decision.close == "account" and not decision.again)


def test_moderation_is_the_users_choice() -> None:
    error = errors.ContentRejected("no")
    assert not may_fall_back(error, STRICT)
    assert may_fall_back(error, LENIENT)
    assert may_fall_back(Refused("not supported"), STRICT)


def test_an_error_of_a_row_says_nothing_of_the_rows_behind_it() -> None:
    for kind in (errors.ContentRejected, Refused, UnknownOutcome, InvalidVideo, InputError):
        assert decide(kind("no")).close is None


def test_the_table_of_the_docstring_is_the_table_of_the_code() -> None:
    """People read the one, the engine the other."""
    words = {"deferred": State.DEFERRED, "refused": State.REFUSED, "over budget": State.OVER_BUDGET}
    rows = re.findall(r"^\| (.+?) \| (.+?) \| (.+?) \| (.+?) \| (.+?) \|$", policy.__doc__ or "", re.MULTILINE)[2:]
    assert len(rows) == 9
    told = set()
    for names, state, closes, falls_back, again in rows:
        kinds = [getattr(errors, name) for name in re.findall(r"`(\w+)`", names)] or [SeedanceError]
        for kind in kinds:
            decision = decide(kind("no"))
            told.add(kind)
            assert decision.state is words.get(state, State.UNKNOWN), kind
            assert (decision.close or "nothing") in closes, kind
            assert decision.fall_back is (falls_back == "yes" or "limit_patience" in falls_back), kind
            assert decision.again is (again == "yes"), kind
    assert told == policy._DECISIONS.keys()
