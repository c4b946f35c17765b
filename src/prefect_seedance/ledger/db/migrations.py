"""The migrations from each version of the ledger's tables to the next. Each is frozen as it was released."""

from __future__ import annotations

from collections.abc import Callable

import sqlalchemy as sa

__all__ = ["MIGRATIONS"]

MEDIA = (
    "ALTER TABLE seedance_rows ADD COLUMN etag VARCHAR",
    "ALTER TABLE seedance_rows ADD COLUMN remarks VARCHAR",
    "ALTER TABLE seedance_attempts ADD COLUMN reference_seconds VARCHAR",
    """CREATE TABLE seedance_materials (
    id {identity} NOT NULL,
    provider VARCHAR NOT NULL,
    account VARCHAR NOT NULL,
    form VARCHAR NOT NULL,
    kind VARCHAR NOT NULL,
    content VARCHAR NOT NULL,
    name VARCHAR NOT NULL,
    state VARCHAR NOT NULL,
    holder VARCHAR,
    asset_id VARCHAR,
    reference VARCHAR,
    error_code VARCHAR,
    error_message VARCHAR,
    failed_by VARCHAR,
    attempt INTEGER NOT NULL,
    bytes BIGINT,
    made_at VARCHAR,
    expires_at VARCHAR,
    changed_at VARCHAR NOT NULL,
    PRIMARY KEY (id),
    UNIQUE (provider, account, form, kind, content),
    FOREIGN KEY(holder) REFERENCES seedance_runs (id)
)""",
    "CREATE INDEX ix_seedance_materials_holder ON seedance_materials (holder)",
    """CREATE TABLE seedance_asset_requests (
    id {identity} NOT NULL,
    material_id INTEGER NOT NULL,
    batch_id INTEGER NOT NULL,
    run_id VARCHAR NOT NULL,
    provider VARCHAR NOT NULL,
    account VARCHAR NOT NULL,
    billing_model VARCHAR NOT NULL,
    unit_price VARCHAR,
    currency VARCHAR,
    sent_at VARCHAR NOT NULL,
    answered_at VARCHAR,
    outcome VARCHAR NOT NULL,
    asset_id VARCHAR,
    code VARCHAR,
    message VARCHAR,
    reserved VARCHAR,
    resolution VARCHAR,
    resolved_at VARCHAR,
    PRIMARY KEY (id),
    FOREIGN KEY(material_id) REFERENCES seedance_materials (id),
    FOREIGN KEY(batch_id) REFERENCES seedance_batches (id),
    FOREIGN KEY(run_id) REFERENCES seedance_runs (id)
)""",
    "CREATE INDEX ix_seedance_asset_requests_batch_id ON seedance_asset_requests (batch_id)",
    "CREATE INDEX ix_seedance_asset_requests_material_id ON seedance_asset_requests (material_id)",
    "CREATE INDEX ix_seedance_asset_requests_run_id ON seedance_asset_requests (run_id)",
)
"""Version 2: media at a provider, the billed requests for them, and remarks on a stored file."""

LEASES = (
    "ALTER TABLE seedance_rows ADD COLUMN passed VARCHAR",
    "ALTER TABLE seedance_runs ADD COLUMN lease FLOAT",
    "ALTER TABLE seedance_runs ADD COLUMN buried_at VARCHAR",
    """CREATE TABLE seedance_writers (
    id VARCHAR NOT NULL,
    number BIGINT NOT NULL,
    seen_at VARCHAR NOT NULL,
    PRIMARY KEY (id)
)""",
    "ALTER TABLE seedance_rows ADD COLUMN meant JSON",
    "ALTER TABLE seedance_rows ADD COLUMN wanted_by VARCHAR",
    """CREATE TABLE seedance_limits (
    provider VARCHAR NOT NULL,
    account VARCHAR NOT NULL,
    found FLOAT,
    open_at VARCHAR,
    PRIMARY KEY (provider, account)
)""",
    """CREATE TABLE seedance_seats (
    id VARCHAR NOT NULL,
    provider VARCHAR NOT NULL,
    account VARCHAR NOT NULL,
    host VARCHAR NOT NULL,
    pid INTEGER NOT NULL,
    process_started VARCHAR NOT NULL,
    lease FLOAT NOT NULL,
    seen_at VARCHAR NOT NULL,
    held JSON NOT NULL,
    wanted JSON NOT NULL,
    ceilings JSON NOT NULL,
    granted JSON NOT NULL,
    PRIMARY KEY (id)
)""",
    "CREATE INDEX seedance_rows_in_flight ON seedance_rows (provider, account) WHERE state IN ('sent', 'created')",
)
"""Version 3: a run's lease and its end, the last transaction of each process, a row's refused routes and plan details,
and the processes that share an account's limits."""

KINDS = {
    "BadKey": "authentication",
    "BrokenAnswer": "invalid_response",
    "BrokenVideo": "invalid_video",
    "DuplicateName": "duplicate_name",
    "Gone": "not_found",
    "JobFailed": "job_failed",
    "LedgerError": "ledger",
    "Lost": "lost",
    "Moderated": "content_rejected",
    "MovedOn": "moved_to_next_route",
    "OutOfFunds": "insufficient_funds",
    "OverBudget": "over_budget",
    "RateLimited": "rate_limited",
    "Refused": "refused",
    "RouteClosed": "route_unavailable",
    "SeedanceError": "seedance",
    "StillReviewed": "review_pending",
    "StillRunning": "still_running",
    "TooManyFailures": "too_many_failures",
    "UnknownOutcome": "unknown_outcome",
    "Unreachable": "unreachable",
    "UnsafeLink": "unsafe_link",
    "UserMistake": "input",
    "WorkIsOver": "run_ended",
}
"""Version 4: a row's `error_kind` is the stable `kind` of an error instead of the name of its class."""

EVIDENCE = (
    # Since when a paid job or its link is absent, and a hash of the key that made it.
    "ALTER TABLE seedance_rows ADD COLUMN absent_since VARCHAR",
    "ALTER TABLE seedance_attempts ADD COLUMN key_fingerprint VARCHAR",
    # The job that an answer of unknown outcome names.
    "ALTER TABLE seedance_attempts ADD COLUMN named_job VARCHAR",
    # The number of a run's attempts of which the ledger has no lines, and its heartbeat by a clock that nobody sets.
    "ALTER TABLE seedance_runs ADD COLUMN unlisted INTEGER",
    "ALTER TABLE seedance_runs ADD COLUMN heartbeat_uptime FLOAT",
    # What each account has spent in the periods of its spending limits.
    """CREATE TABLE seedance_spending (
    provider VARCHAR NOT NULL,
    account VARCHAR NOT NULL,
    ends_at VARCHAR NOT NULL,
    starts_at VARCHAR NOT NULL,
    currency VARCHAR NOT NULL,
    committed VARCHAR NOT NULL,
    unbounded INTEGER NOT NULL,
    most VARCHAR NOT NULL,
    PRIMARY KEY (provider, account, ends_at, starts_at, currency)
)""",
    "CREATE INDEX seedance_attempts_by_account ON seedance_attempts (provider, account, sent_at)",
    # Rows of the same request are found in all batches.
    "CREATE INDEX seedance_rows_by_fingerprint ON seedance_rows (fingerprint)",
)
"""Version 5: what the laws on evidence, absence, the age of a ledger and spending need, and the reuse of videos."""


def _media(connection: sa.Connection) -> None:
    identity = "SERIAL" if connection.dialect.name == "postgresql" else "INTEGER"
    for statement in MEDIA:
        connection.execute(sa.text(statement.format(identity=identity)))


def _leases(connection: sa.Connection) -> None:
    for statement in LEASES:
        connection.execute(sa.text(statement))


def _kinds(connection: sa.Connection) -> None:
    rows = sa.table("seedance_rows", sa.column("error_kind"))
    kind = sa.case(KINDS, value=rows.c.error_kind, else_=rows.c.error_kind)
    connection.execute(sa.update(rows).where(rows.c.error_kind.is_not(None)).values(error_kind=kind))


def _evidence(connection: sa.Connection) -> None:
    for statement in EVIDENCE:
        connection.execute(sa.text(statement))


MIGRATIONS: dict[int, Callable[[sa.Connection], None]] = {1: _media, 2: _leases, 3: _kinds, 4: _evidence}
"""The migration from version n to n + 1, by n. No migration drops anything."""
