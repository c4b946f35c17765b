"""The ledger's tables. Changed only by a new version in `migrations`; never dropped."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import sqlalchemy as sa

__all__ = ["attempts", "batches", "book", "metadata", "rows", "runs"]


class ExactDecimal(sa.TypeDecorator[Decimal]):
    """A Decimal kept as text: SQLite has no exact number wide enough, and money is never rounded here."""

    impl = sa.String
    cache_ok = True

    def process_bind_param(self, value: Decimal | None, dialect: Any) -> str | None:  # noqa: ARG002
        return None if value is None else str(value)

    def process_result_value(self, value: str | None, dialect: Any) -> Decimal | None:  # noqa: ARG002
        return None if value is None else Decimal(value)


class Moment(sa.TypeDecorator[datetime]):
    """A UTC time kept as ISO 8601 text, the same in every database."""

    impl = sa.String
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Any) -> str | None:  # noqa: ARG002
        return None if value is None else value.astimezone(UTC).isoformat(timespec="microseconds")

    def process_result_value(self, value: str | None, dialect: Any) -> datetime | None:  # noqa: ARG002
        return None if value is None else datetime.fromisoformat(value)


metadata = sa.MetaData()

book = sa.Table(
    "seedance_book",
    metadata,
    sa.Column("name", sa.String, primary_key=True),
    sa.Column("value", sa.String, nullable=False),
)
"""What the ledger knows of itself: its identity and its schema version."""

batches = sa.Table(
    "seedance_batches",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("name", sa.String, nullable=False, unique=True),
    sa.Column("created_at", Moment, nullable=False),
)

runs = sa.Table(
    "seedance_runs",
    metadata,
    sa.Column("id", sa.String, primary_key=True),
    sa.Column("batch_id", sa.Integer, sa.ForeignKey("seedance_batches.id"), nullable=False, index=True),
    sa.Column("flow_run_id", sa.String),
    sa.Column("host", sa.String, nullable=False),
    sa.Column("pid", sa.Integer, nullable=False),
    sa.Column("process_started", sa.String, nullable=False),
    sa.Column("started_at", Moment, nullable=False),
    sa.Column("heartbeat_at", Moment, nullable=False),
    sa.Column("ended_at", Moment),
)
"""Who holds rows: one line per run, with what is needed to tell whether its process still lives."""

rows = sa.Table(
    "seedance_rows",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("batch_id", sa.Integer, sa.ForeignKey("seedance_batches.id"), nullable=False),
    sa.Column("take", sa.String, nullable=False),
    sa.Column("key", sa.String, nullable=False),
    sa.Column("fingerprint", sa.String, nullable=False),
    sa.Column("request", sa.JSON, nullable=False),
    sa.Column("provider", sa.String, nullable=False),
    sa.Column("account", sa.String, nullable=False),
    sa.Column("model", sa.String, nullable=False),
    sa.Column("state", sa.String, nullable=False),
    sa.Column("holder", sa.String, sa.ForeignKey("seedance_runs.id")),
    sa.Column("attempt_id", sa.Integer),
    sa.Column("file_name", sa.String, nullable=False),
    # Two names that differ only in case are one file on many file systems.
    sa.Column("file_fold", sa.String, nullable=False),
    sa.Column("path", sa.String),
    sa.Column("sha256", sa.String),
    sa.Column("bytes", sa.BigInteger),
    sa.Column("modified_ns", sa.BigInteger),
    sa.Column("width", sa.Integer),
    sa.Column("height", sa.Integer),
    sa.Column("seconds", ExactDecimal),
    sa.Column("error_kind", sa.String),
    sa.Column("error_code", sa.String),
    sa.Column("error_message", sa.String),
    sa.Column("planned_at", Moment, nullable=False),
    sa.Column("finished_at", Moment),
    sa.Column("stored_at", Moment),
    sa.Column("link_expires_at", Moment),
    sa.Column("changed_at", Moment, nullable=False),
    sa.UniqueConstraint("batch_id", "take", "key"),
    sa.UniqueConstraint("batch_id", "file_fold"),
    sa.Index("seedance_rows_by_state", "batch_id", "state"),
)

attempts = sa.Table(
    "seedance_attempts",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("row_id", sa.Integer, sa.ForeignKey("seedance_rows.id"), nullable=False, index=True),
    sa.Column("number", sa.Integer, nullable=False),
    sa.Column("run_id", sa.String, sa.ForeignKey("seedance_runs.id"), nullable=False, index=True),
    sa.Column("provider", sa.String, nullable=False),
    sa.Column("account", sa.String, nullable=False),
    sa.Column("model", sa.String, nullable=False),
    sa.Column("fingerprint", sa.String, nullable=False),
    sa.Column("sent_at", Moment, nullable=False),
    sa.Column("answered_at", Moment),
    sa.Column("outcome", sa.String, nullable=False),
    sa.Column("http_status", sa.Integer),
    sa.Column("code", sa.String),
    sa.Column("message", sa.String),
    sa.Column("request_id", sa.String),
    sa.Column("job_id", sa.String, index=True),
    sa.Column("billing_model", sa.String, nullable=False),
    sa.Column("unit", sa.String, nullable=False),
    sa.Column("unit_price", ExactDecimal),
    sa.Column("currency", sa.String),
    sa.Column("quote_low", ExactDecimal),
    sa.Column("quote_high", ExactDecimal),
    sa.Column("settlement", sa.String, nullable=False),
    sa.Column("tokens", sa.BigInteger),
    sa.Column("units", ExactDecimal),
    sa.Column("charge", ExactDecimal),
    sa.UniqueConstraint("row_id", "number"),
)
"""One line per create request: what was sent, what came back, and what it costs. Never deleted by a run."""
