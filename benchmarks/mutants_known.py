"""For `mutants.py`: the modules, each with the fewest tests that should notice a change, and what none can notice."""

from __future__ import annotations

OUTCOME = ["tests/providers/test_outcome.py", "tests/providers/test_status_words.py", "tests/providers/test_job_ids.py"]
READING = ["tests/providers/test_error_body.py", "tests/providers/test_reading.py"]
ROWS = ["tests/ledger/rows", "-k", "not postgresql"]
PRICING = ["tests/routes/pricing"]
SENDING = ["tests/runs/test_no_blind_sending.py", "tests/engine/steps/test_policy.py"]

TESTS: dict[str, list[str]] = {
    "providers/outcome.py": [*OUTCOME, *READING, "tests/providers/test_library.py"],
    "providers/error_body.py": [*READING, *OUTCOME],
    "providers/jimmy/dialect.py": ["tests/providers/jimmy", *OUTCOME, *READING, "tests/providers/test_library.py"],
    "providers/anyfast/dialect.py": ["tests/providers/anyfast", *OUTCOME, *READING, "tests/providers/test_library.py"],
    "ledger/rows/transitions.py": ROWS,
    "ledger/rows/row_writes.py": ROWS,
    "ledger/rows/budget.py": ROWS,
    "ledger/rows/late_answers.py": ROWS,
    "ledger/rows/leases.py": ["tests/ledger/sharing", *ROWS],
    "ledger/rows/resolving.py": ["tests/runs/test_resolve_all.py", *ROWS],
    "ledger/rows/materials.py": ROWS,
    "ledger/rows/assets.py": ROWS,
    "accounts/send_gate.py": ["tests/accounts", *SENDING, "tests/engine/steps/test_fallback.py"],
    "engine/steps/policy.py": ["tests/engine/steps/test_policy.py", "tests/engine/steps/test_odd_answers.py"],
    "engine/steps/absence.py": ["tests/runs/test_absence.py", "tests/engine/steps/test_odd_answers.py"],
    "engine/steps/ask_again.py": ["tests/runs/test_absence.py", "tests/engine/steps"],
    "engine/steps/create.py": [*SENDING, "tests/engine/steps"],
    "routes/pricing/amount.py": [*PRICING, "tests/engine/test_run_spec.py"],
    "routes/pricing/decimals.py": [*PRICING, "tests/tables/test_cells.py"],
    "routes/pricing/pixels.py": PRICING,
    "routes/pricing/price.py": PRICING,
    "routes/pricing/quote.py": [*PRICING, "tests/planning/test_route_policy.py"],
    "routes/pricing/ranking.py": PRICING,
    "routes/pricing/spending_limit.py": PRICING,
    "routes/pricing/total.py": PRICING,
    "routes/pricing/units.py": PRICING,
    "tables/row_keys.py": ["tests/tables/test_row_keys.py"],
    "media/links.py": ["tests/media/test_links.py"],
}

SURVIVORS: dict[tuple[str, str], str] = {
    ("routes/pricing/decimals.py", "20[0 → 1]"): "equivalent: no number of a table has so many digits",
    ("routes/pricing/price.py", "(InvalidOperation,[ ValueError → ])"): (
        "equivalent: of a text, a whole number or a Decimal, Decimal raises InvalidOperation only"
    ),
    ("routes/pricing/spending_limit.py", "('[day', 'month' → month',])"): "equivalent: a type, for mypy only",
    ("tables/row_keys.py", "([binascii.Error, ValueError → ValueError,])"): (
        "equivalent: binascii.Error is a ValueError"
    ),
}
