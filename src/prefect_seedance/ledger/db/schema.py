"""The ledger's tables. They change only with a new version in `migrations`, and are never dropped."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from enum import StrEnum
from functools import lru_cache
from sys import intern
from typing import Any

import sqlalchemy as sa

from prefect_seedance.ledger.states import IN_FLIGHT, MaterialState, Outcome, Settlement, State

__all__ = [
    "asset_requests",
    "attempts",
    "batches",
    "limits",
    "materials",
    "members",
    "metadata",
    "properties",
    "raw",
    "rows",
    "runs",
    "spending",
    "sums",
    "writers",
]


class ExactDecimal(sa.TypeDecorator[Decimal]):
    """A Decimal stored as text: SQLite has no exact decimal type, and money is never rounded here."""

    impl = sa.String
    cache_ok = True

    def process_bind_param(self, value: Decimal | None, dialect: Any) -> str | None:  # noqa: ARG002
        return None if value is None else str(value)

    def process_result_value(self, value: str | None, dialect: Any) -> Decimal | None:  # noqa: ARG002
        return None if value is None else _decimal(value)


_decimal = lru_cache(10_000)(Decimal)
"""Prices and amounts repeat: the rows of a large batch share them in memory."""


class UtcTime(sa.TypeDecorator[datetime]):
    """A UTC time stored as ISO 8601 text, the same in every database."""

    impl = sa.String
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Any) -> str | None:  # noqa: ARG002
        return None if value is None else value.astimezone(UTC).isoformat(timespec="microseconds")

    def process_result_value(self, value: str | None, dialect: Any) -> datetime | None:  # noqa: ARG002
        return None if value is None else datetime.fromisoformat(value)


class CleanText(sa.TypeDecorator[str]):
    """Text from outside. Characters that a database cannot store (NUL, unpaired surrogates) are replaced."""

    impl = sa.String
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Any) -> str | None:  # noqa: ARG002
        if value is None:
            return None
        return value.replace("\0", "\N{REPLACEMENT CHARACTER}").encode(errors="replace").decode()


class SharedText(sa.TypeDecorator[str]):
    """A short text that many rows have in common; they share one copy of it in memory."""

    impl = sa.String
    cache_ok = True

    def process_result_value(self, value: str | None, dialect: Any) -> str | None:  # noqa: ARG002
        return None if value is None else intern(value)


class TextList(sa.TypeDecorator[tuple[str, ...]]):
    """A few texts, stored as a JSON list; an empty list is NULL."""

    impl = sa.String
    cache_ok = True

    def process_bind_param(self, value: Sequence[str] | None, dialect: Any) -> str | None:  # noqa: ARG002
        return json.dumps(list(value), ensure_ascii=False) if value else None

    def process_result_value(self, value: str | None, dialect: Any) -> tuple[str, ...]:  # noqa: ARG002
        return tuple(json.loads(value)) if value else ()


class EnumText(sa.TypeDecorator[StrEnum]):
    """A value of a `StrEnum`, stored as text."""

    impl = sa.String
    cache_ok = True

    def __init__(self, values: type[StrEnum]) -> None:
        super().__init__()
        self._known = {value.value: value for value in values}

    def process_bind_param(self, value: StrEnum | None, dialect: Any) -> str | None:  # noqa: ARG002
        return None if value is None else self._known[value].value

    def process_result_value(self, value: str | None, dialect: Any) -> StrEnum | None:  # noqa: ARG002
        return None if value is None else self._known[value]


def raw(column: sa.Column[Any]) -> sa.ColumnElement[Any]:
    """The column without the conversion of its type: values come as the database stores them, which is faster."""
    return column if isinstance(column.type, sa.Integer) else sa.type_coerce(column, sa.String)


metadata = sa.MetaData()

properties = sa.Table(
    "seedance_book",
    metadata,
    sa.Column("name", sa.String, primary_key=True),
    sa.Column("value", sa.String, nullable=False),
)
"""Properties of the ledger: its identity and its schema version."""

batches = sa.Table(
    "seedance_batches",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("name", SharedText, nullable=False, unique=True),
    sa.Column("created_at", UtcTime, nullable=False),
    sa.Column("pruned_at", UtcTime),
)

sums = sa.Table(
    "seedance_sums",
    metadata,
    sa.Column("batch_id", sa.Integer, sa.ForeignKey("seedance_batches.id"), primary_key=True),
    sa.Column("currency", sa.String, primary_key=True),
    sa.Column("committed", ExactDecimal, nullable=False),
)
"""The commitment of each batch: known charges, and the worst case of what is not settled."""

runs = sa.Table(
    "seedance_runs",
    metadata,
    sa.Column("id", sa.String, primary_key=True),
    sa.Column("batch_id", sa.Integer, sa.ForeignKey("seedance_batches.id"), nullable=False, index=True),
    sa.Column("flow_run_id", sa.String),
    sa.Column("host", sa.String, nullable=False),
    sa.Column("pid", sa.Integer, nullable=False),
    sa.Column("process_started", sa.String, nullable=False),
    sa.Column("started_at", UtcTime, nullable=False),
    sa.Column("heartbeat_at", UtcTime, nullable=False),
    sa.Column("ended_at", UtcTime),
    sa.Column("balances", sa.JSON),
    sa.Column("lease", sa.Float),
    sa.Column("buried_at", UtcTime),
    # Attempts of which the ledger has no lines: of a pruned batch, or known from the output folder alone.
    sa.Column("unlisted", sa.Integer),
    sa.Column("heartbeat_uptime", sa.Float),
)
"""One line per run, which may hold rows, with what is needed to check whether its process is alive."""

_IN_FLIGHT = sa.text(f"state IN ({', '.join(repr(state.value) for state in IN_FLIGHT)})")

rows = sa.Table(
    "seedance_rows",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("batch_id", sa.Integer, sa.ForeignKey("seedance_batches.id"), nullable=False),
    sa.Column("take", SharedText, nullable=False),
    sa.Column("key", sa.String, nullable=False),
    sa.Column("fingerprint", SharedText, nullable=False),
    sa.Column("request", sa.JSON, nullable=False),
    sa.Column("provider", SharedText, nullable=False),
    sa.Column("account", SharedText, nullable=False),
    sa.Column("model", SharedText, nullable=False),
    sa.Column("state", EnumText(State), nullable=False),
    sa.Column("holder", sa.String, sa.ForeignKey("seedance_runs.id")),
    sa.Column("attempt_id", sa.Integer),
    sa.Column("file_name", sa.String, nullable=False),
    # On many file systems two names that differ only in case are the same file.
    sa.Column("file_fold", sa.String, nullable=False),
    sa.Column("folder", SharedText),
    sa.Column("path", sa.String),
    sa.Column("sha256", sa.String),
    sa.Column("bytes", sa.BigInteger),
    sa.Column("modified_ns", sa.BigInteger),
    sa.Column("etag", CleanText),
    sa.Column("width", sa.Integer),
    sa.Column("height", sa.Integer),
    sa.Column("seconds", ExactDecimal),
    sa.Column("remarks", TextList),
    # The earlier candidate routes that refused it, and why.
    sa.Column("passed", TextList),
    # What another process needs in addition to the request: further routes, the review, measured lengths.
    sa.Column("meant", sa.JSON(none_as_null=True)),
    # The run whose shards may send or continue it; None after it was deferred.
    sa.Column("wanted_by", SharedText),
    sa.Column("error_kind", SharedText),
    sa.Column("error_code", CleanText),
    sa.Column("error_message", CleanText),
    sa.Column("planned_at", UtcTime, nullable=False),
    sa.Column("finished_at", UtcTime),
    sa.Column("stored_at", UtcTime),
    sa.Column("link_expires_at", UtcTime),
    # Since when the provider does not have its job, or its link does not work; None where it has.
    sa.Column("absent_since", UtcTime),
    sa.Column("changed_at", UtcTime, nullable=False),
    sa.UniqueConstraint("batch_id", "take", "key"),
    sa.UniqueConstraint("batch_id", "file_fold"),
    sa.Index("seedance_rows_by_state", "batch_id", "state"),
    sa.Index("seedance_rows_by_holder", "holder"),
    sa.Index("seedance_rows_by_fingerprint", "fingerprint"),
    sa.Index("seedance_rows_in_flight", "provider", "account", sqlite_where=_IN_FLIGHT, postgresql_where=_IN_FLIGHT),
)

attempts = sa.Table(
    "seedance_attempts",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("row_id", sa.Integer, sa.ForeignKey("seedance_rows.id"), nullable=False, index=True),
    sa.Column("number", sa.Integer, nullable=False),
    sa.Column("run_id", SharedText, sa.ForeignKey("seedance_runs.id"), nullable=False, index=True),
    sa.Column("provider", SharedText, nullable=False),
    sa.Column("account", SharedText, nullable=False),
    # A hash of the key: another key of the same label may belong to another account.
    sa.Column("key_fingerprint", SharedText),
    sa.Column("model", SharedText, nullable=False),
    sa.Column("fingerprint", SharedText, nullable=False),
    sa.Column("sent_at", UtcTime, nullable=False),
    sa.Column("answered_at", UtcTime),
    sa.Column("outcome", EnumText(Outcome), nullable=False),
    sa.Column("http_status", sa.Integer),
    sa.Column("code", CleanText),
    sa.Column("message", CleanText),
    sa.Column("request_id", CleanText),
    sa.Column("job_id", CleanText, index=True),
    sa.Column("billing_model", SharedText, nullable=False),
    sa.Column("unit", SharedText, nullable=False),
    sa.Column("unit_price", ExactDecimal),
    sa.Column("currency", SharedText),
    sa.Column("quote_low", ExactDecimal),
    sa.Column("quote_high", ExactDecimal),
    sa.Column("settlement", EnumText(Settlement), nullable=False),
    sa.Column("tokens", sa.BigInteger),
    sa.Column("units", ExactDecimal),
    sa.Column("charge", ExactDecimal),
    sa.Column("reserved", ExactDecimal),
    sa.Column("reserve_currency", SharedText),
    sa.Column("reference_seconds", ExactDecimal),
    sa.Column("resolution", sa.String),
    sa.Column("resolved_at", UtcTime),
    # The one job that an answer names which does not prove whether it was made.
    sa.Column("named_job", CleanText),
    sa.UniqueConstraint("row_id", "number"),
    sa.Index("seedance_attempts_by_account", "provider", "account", "sent_at"),
)
"""One line per create request: what was sent, the response, and the cost. Never deleted by a run."""

materials = sa.Table(
    "seedance_materials",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("provider", sa.String, nullable=False),
    sa.Column("account", sa.String, nullable=False),
    sa.Column("form", sa.String, nullable=False),
    sa.Column("kind", sa.String, nullable=False),
    sa.Column("content", sa.String, nullable=False),
    sa.Column("name", sa.String, nullable=False),
    sa.Column("state", EnumText(MaterialState), nullable=False),
    sa.Column("holder", sa.String, sa.ForeignKey("seedance_runs.id"), index=True),
    sa.Column("asset_id", CleanText),
    sa.Column("reference", CleanText),
    sa.Column("error_code", CleanText),
    sa.Column("error_message", CleanText),
    sa.Column("failed_by", sa.String),
    sa.Column("attempt", sa.Integer, nullable=False),
    sa.Column("bytes", sa.BigInteger),
    sa.Column("made_at", UtcTime),
    sa.Column("expires_at", UtcTime),
    sa.Column("changed_at", UtcTime, nullable=False),
    sa.UniqueConstraint("provider", "account", "form", "kind", "content"),
)
"""Media at a provider: uploaded, or in its asset library. One line per content, account and form."""

asset_requests = sa.Table(
    "seedance_asset_requests",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("material_id", sa.Integer, sa.ForeignKey("seedance_materials.id"), nullable=False, index=True),
    sa.Column("batch_id", sa.Integer, sa.ForeignKey("seedance_batches.id"), nullable=False, index=True),
    sa.Column("run_id", sa.String, sa.ForeignKey("seedance_runs.id"), nullable=False, index=True),
    sa.Column("provider", sa.String, nullable=False),
    sa.Column("account", sa.String, nullable=False),
    sa.Column("billing_model", sa.String, nullable=False),
    sa.Column("unit_price", ExactDecimal),
    sa.Column("currency", sa.String),
    sa.Column("sent_at", UtcTime, nullable=False),
    sa.Column("answered_at", UtcTime),
    sa.Column("outcome", EnumText(Outcome), nullable=False),
    sa.Column("asset_id", CleanText),
    sa.Column("code", CleanText),
    sa.Column("message", CleanText),
    sa.Column("reserved", ExactDecimal),
    sa.Column("resolution", sa.String),
    sa.Column("resolved_at", UtcTime),
)
"""One line per billed request for an asset, written before it is sent, as for creates."""

writers = sa.Table(
    "seedance_writers",
    metadata,
    sa.Column("id", sa.String, primary_key=True),
    sa.Column("number", sa.BigInteger, nullable=False),
    sa.Column("seen_at", UtcTime, nullable=False),
)
"""The last transaction of each process that writes to a server. After a lost connection it shows whether the
transaction was committed.
"""

limits = sa.Table(
    "seedance_limits",
    metadata,
    sa.Column("provider", sa.String, primary_key=True),
    sa.Column("account", sa.String, primary_key=True),
    sa.Column("found", sa.Float),
    sa.Column("open_at", UtcTime),
)
"""Limits of an account, shared by all processes: how many jobs its provider accepts at once, and when it may be called
again.
"""

spending = sa.Table(
    "seedance_spending",
    metadata,
    sa.Column("provider", sa.String, primary_key=True),
    sa.Column("account", sa.String, primary_key=True),
    # The periods that have ended are passed over by the index.
    sa.Column("ends_at", UtcTime, primary_key=True),
    sa.Column("starts_at", UtcTime, primary_key=True),
    sa.Column("currency", sa.String, primary_key=True),
    sa.Column("committed", ExactDecimal, nullable=False),
    sa.Column("unbounded", sa.Integer, nullable=False),
    sa.Column("most", ExactDecimal, nullable=False),
)
"""What each account has spent in each period of its spending limits: known charges, the worst case of what is not
settled, and the number of requests without a worst case. `most` is the limit that was last checked.
"""

members = sa.Table(
    "seedance_seats",
    metadata,
    sa.Column("id", sa.String, primary_key=True),
    sa.Column("provider", sa.String, nullable=False),
    sa.Column("account", sa.String, nullable=False),
    sa.Column("host", sa.String, nullable=False),
    sa.Column("pid", sa.Integer, nullable=False),
    sa.Column("process_started", sa.String, nullable=False),
    sa.Column("lease", sa.Float, nullable=False),
    sa.Column("seen_at", UtcTime, nullable=False),
    sa.Column("held", sa.JSON, nullable=False),
    sa.Column("wanted", sa.JSON, nullable=False),
    sa.Column("ceilings", sa.JSON, nullable=False),
    sa.Column("granted", sa.JSON, nullable=False),
)
"""One line per process that uses an account: how many jobs it has in flight, and how many it may have."""
