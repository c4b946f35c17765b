"""What a run is asked to do crosses to other processes as JSON, whole, and without a key."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from prefect_seedance.engine.run_spec import Parent, RunSpec
from prefect_seedance.ledger import RETRYABLE
from prefect_seedance.planning.run_limits import RunLimits
from prefect_seedance.routes.pricing.amount import Amount

WORDS = st.text(min_size=1, max_size=12)
MONEY = st.none() | st.builds(
    Amount, st.decimals(min_value=0, max_value=10**9, places=9).map(Decimal.normalize), st.sampled_from(("CNY", "USD"))
)
LIMITS = st.builds(
    RunLimits,
    budget=MONEY,
    max_charge=MONEY,
    max_failures=st.none() | st.integers(1, 10**6) | st.floats(0.001, 0.999),
    fall_back_on_moderation=st.booleans(),
    limit_patience=st.floats(0, 1e6),
)
PARENTS = st.builds(
    Parent,
    run=WORDS,
    identity=WORDS,
    failures_allowed=st.none() | st.decimals(min_value=1, max_value=10**6, places=3),
)
SPECS = st.builds(
    RunSpec,
    batch=WORDS,
    take=WORDS,
    output=st.none() | WORDS,
    routes=st.none() | st.lists(WORDS, max_size=3).map(tuple),
    ledger=st.none() | WORDS,
    patience=st.floats(0, 1e9),
    retry=st.frozensets(st.sampled_from(sorted(RETRYABLE))),
    limits=LIMITS,
    media_folders=st.lists(WORDS.map(lambda name: Path("/media", name.replace("/", "-"))), max_size=2).map(tuple),
    media_hosts=st.frozensets(WORDS, max_size=2),
    per_step=st.booleans(),
    parent=st.none() | PARENTS,
)


@given(SPECS)
def test_json_both_ways(spec: RunSpec) -> None:
    plain = json.loads(json.dumps(spec.model_dump(mode="json")))
    assert RunSpec.model_validate(plain) == spec


def test_it_has_no_field_for_a_secret() -> None:
    """Keys are in the accounts of RunContext; the ledger's URL with a password is there, too."""
    text = json.dumps(RunSpec.model_json_schema()).lower()
    assert not [word for word in ("api_key", "secret", 'password"', "credentials") if word in text]
