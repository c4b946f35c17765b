"""The ledger's tables. Changed only by a new version in `migrations`; never dropped."""

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
    "as_kept",
    "asset_requests",
    "attempts",
    "batches",
    "book",
    "limits",
    "materials",
    "members",
    "metadata",
    "rows",
    "runs",
    "sums",
    "writers",
]


class ExactDecimal(sa.TypeDecorator[Decimal]):
    """A Decimal kept as text: SQLite has no exact number wide enough, and money is never rounded here."""

    impl = sa.String
    cache_ok = True

    def process_bind_param(self, value: Decimal | None, dialect: Any) -> str | None:  # noqa: ARG002
        return None if value is None else str(value)

    def process_result_value(self, value: str | None, dialect: Any) -> Decimal | None:  # noqa: ARG002
        return None if value is None else _decimal(value)


_decimal = lru_cache(10_000)(Decimal)
"""Prices and amounts repeat themselves: the rows of a large batch share them in memory."""


class Moment(sa.TypeDecorator[datetime]):
    """A UTC time kept as ISO 8601 text, the same in every database."""

    impl = sa.String
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Any) -> str | None:  # noqa: ARG002
        return None if value is None else value.astimezone(UTC).isoformat(timespec="microseconds")

    def process_result_value(self, value: str | None, dialect: Any) -> datetime | None:  # noqa: ARG002
        return None if value is None else datetime.fromisoformat(value)


class CleanText(sa.TypeDecorator[str]):
    """A text from outside. What no database can keep in it (NUL, half a surrogate pair) must not cost us the record."""

    impl = sa.String
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Any) -> str | None:  # noqa: ARG002
        if value is None:
            return None
        return value.replace("\0", "\N{REPLACEMENT CHARACTER}").encode(errors="replace").decode()


class Name(sa.TypeDecorator[str]):
    """A short text that many rows have in common; in memory they share one copy of it."""

    impl = sa.String
    cache_ok = True

    def process_result_value(self, value: str | None, dialect: Any) -> str | None:  # noqa: ARG002
        return None if value is None else intern(value)


class Lines(sa.TypeDecorator[tuple[str, ...]]):
    """A few texts, kept as a JSON list; none at all is NULL."""

    impl = sa.String
    cache_ok = True

    def process_bind_param(self, value: Sequence[str] | None, dialect: Any) -> str | None:  # noqa: ARG002
        return json.dumps(list(value), ensure_ascii=False) if value else None

    def process_result_value(self, value: str | None, dialect: Any) -> tuple[str, ...]:  # noqa: ARG002
        return tuple(json.loads(value)) if value else ()


class Word(sa.TypeDecorator[StrEnum]):
    """One word of a fixed set."""

    impl = sa.String
    cache_ok = True

    def __init__(self, words: type[StrEnum]) -> None:
        super().__init__()
        self._known = {word.value: word for word in words}

    def process_bind_param(self, value: StrEnum | None, dialect: Any) -> str | None:  # noqa: ARG002
        return None if value is None else self._known[value].value

    def process_result_value(self, value: str | None, dialect: Any) -> StrEnum | None:  # noqa: ARG002
        return None if value is None else self._known[value]


def as_kept(column: sa.Column[Any]) -> sa.ColumnElement[Any]:
    """The column without the reading that its type would do for each row: texts stay as the database has them."""
    return column if isinstance(column.type, sa.Integer) else sa.type_coerce(column, sa.String)


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
    sa.Column("name", Name, nullable=False, unique=True),
    sa.Column("created_at", Moment, nullable=False),
    sa.Column("pruned_at", Moment),
)

sums = sa.Table(
    "seedance_sums",
    metadata,
    sa.Column("batch_id", sa.Integer, sa.ForeignKey("seedance_batches.id"), primary_key=True),
    sa.Column("currency", sa.String, primary_key=True),
    sa.Column("committed", ExactDecimal, nullable=False),
)
"""What each batch has committed itself to: known charges, and the worst case of what is not settled."""

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
    sa.Column("balances", sa.JSON),
    sa.Column("lease", sa.Float),
    sa.Column("buried_at", Moment),
)
"""Who holds rows: one line per run, with what is needed to tell whether its process still lives."""

_IN_FLIGHT = sa.text(f"state IN ({', '.join(repr(state.value) for state in IN_FLIGHT)})")

rows = sa.Table(
    "seedance_rows",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("batch_id", sa.Integer, sa.ForeignKey("seedance_batches.id"), nullable=False),
    sa.Column("take", Name, nullable=False),
    sa.Column("key", sa.String, nullable=False),
    sa.Column("fingerprint", Name, nullable=False),
    sa.Column("request", sa.JSON, nullable=False),
    sa.Column("provider", Name, nullable=False),
    sa.Column("account", Name, nullable=False),
    sa.Column("model", Name, nullable=False),
    sa.Column("state", Word(State), nullable=False),
    sa.Column("holder", sa.String, sa.ForeignKey("seedance_runs.id")),
    sa.Column("attempt_id", sa.Integer),
    sa.Column("file_name", sa.String, nullable=False),
    # Two names that differ only in case are one file on many file systems.
    sa.Column("file_fold", sa.String, nullable=False),
    sa.Column("folder", Name),
    sa.Column("path", sa.String),
    sa.Column("sha256", sa.String),
    sa.Column("bytes", sa.BigInteger),
    sa.Column("modified_ns", sa.BigInteger),
    sa.Column("etag", CleanText),
    sa.Column("width", sa.Integer),
    sa.Column("height", sa.Integer),
    sa.Column("seconds", ExactDecimal),
    sa.Column("remarks", Lines),
    # The routes that did not take it before the one that it stands at, and why.
    sa.Column("passed", Lines),
    # What another process needs beside the request, to carry it: its further routes, its review, what was measured.
    sa.Column("meant", sa.JSON(none_as_null=True)),
    # The run whose shards may send it, or go on with it; None once it was put off.
    sa.Column("wanted_by", Name),
    sa.Column("error_kind", Name),
    sa.Column("error_code", CleanText),
    sa.Column("error_message", CleanText),
    sa.Column("planned_at", Moment, nullable=False),
    sa.Column("finished_at", Moment),
    sa.Column("stored_at", Moment),
    sa.Column("link_expires_at", Moment),
    sa.Column("changed_at", Moment, nullable=False),
    sa.UniqueConstraint("batch_id", "take", "key"),
    sa.UniqueConstraint("batch_id", "file_fold"),
    sa.Index("seedance_rows_by_state", "batch_id", "state"),
    sa.Index("seedance_rows_by_holder", "holder"),
    sa.Index("seedance_rows_in_flight", "provider", "account", sqlite_where=_IN_FLIGHT, postgresql_where=_IN_FLIGHT),
)

attempts = sa.Table(
    "seedance_attempts",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("row_id", sa.Integer, sa.ForeignKey("seedance_rows.id"), nullable=False, index=True),
    sa.Column("number", sa.Integer, nullable=False),
    sa.Column("run_id", Name, sa.ForeignKey("seedance_runs.id"), nullable=False, index=True),
    sa.Column("provider", Name, nullable=False),
    sa.Column("account", Name, nullable=False),
    sa.Column("model", Name, nullable=False),
    sa.Column("fingerprint", Name, nullable=False),
    sa.Column("sent_at", Moment, nullable=False),
    sa.Column("answered_at", Moment),
    sa.Column("outcome", Word(Outcome), nullable=False),
    sa.Column("http_status", sa.Integer),
    sa.Column("code", CleanText),
    sa.Column("message", CleanText),
    sa.Column("request_id", CleanText),
    sa.Column("job_id", CleanText, index=True),
    sa.Column("billing_model", Name, nullable=False),
    sa.Column("unit", Name, nullable=False),
    sa.Column("unit_price", ExactDecimal),
    sa.Column("currency", Name),
    sa.Column("quote_low", ExactDecimal),
    sa.Column("quote_high", ExactDecimal),
    sa.Column("settlement", Word(Settlement), nullable=False),
    sa.Column("tokens", sa.BigInteger),
    sa.Column("units", ExactDecimal),
    sa.Column("charge", ExactDecimal),
    sa.Column("reserved", ExactDecimal),
    sa.Column("reserve_currency", Name),
    sa.Column("reference_seconds", ExactDecimal),
    sa.Column("resolution", sa.String),
    sa.Column("resolved_at", Moment),
    sa.UniqueConstraint("row_id", "number"),
)
"""One line per create request: what was sent, what came back, and what it costs. Never deleted by a run."""

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
    sa.Column("state", Word(MaterialState), nullable=False),
    sa.Column("holder", sa.String, sa.ForeignKey("seedance_runs.id"), index=True),
    sa.Column("asset_id", CleanText),
    sa.Column("reference", CleanText),
    sa.Column("error_code", CleanText),
    sa.Column("error_message", CleanText),
    sa.Column("failed_by", sa.String),
    sa.Column("attempt", sa.Integer, nullable=False),
    sa.Column("bytes", sa.BigInteger),
    sa.Column("made_at", Moment),
    sa.Column("expires_at", Moment),
    sa.Column("changed_at", Moment, nullable=False),
    sa.UniqueConstraint("provider", "account", "form", "kind", "content"),
)
"""Media as a provider has them: uploaded, or in its asset library. One line per content, account and form."""

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
    sa.Column("sent_at", Moment, nullable=False),
    sa.Column("answered_at", Moment),
    sa.Column("outcome", Word(Outcome), nullable=False),
    sa.Column("asset_id", CleanText),
    sa.Column("code", CleanText),
    sa.Column("message", CleanText),
    sa.Column("reserved", ExactDecimal),
    sa.Column("resolution", sa.String),
    sa.Column("resolved_at", Moment),
)
"""One line per request for an asset that the provider bills: written before it is sent, as for creates."""

writers = sa.Table(
    "seedance_writers",
    metadata,
    sa.Column("id", sa.String, primary_key=True),
    sa.Column("number", sa.BigInteger, nullable=False),
    sa.Column("seen_at", Moment, nullable=False),
)
"""The last transaction of each process that writes to a server: tells after a lost connection whether it was kept."""

limits = sa.Table(
    "seedance_limits",
    metadata,
    sa.Column("provider", sa.String, primary_key=True),
    sa.Column("account", sa.String, primary_key=True),
    sa.Column("found", sa.Float),
    sa.Column("open_at", Moment),
)
"""What all processes know of an account: how many jobs its provider bears at once, and when it may be asked again."""

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
    sa.Column("seen_at", Moment, nullable=False),
    sa.Column("held", sa.JSON, nullable=False),
    sa.Column("wanted", sa.JSON, nullable=False),
    sa.Column("ceilings", sa.JSON, nullable=False),
    sa.Column("granted", sa.JSON, nullable=False),
)
"""One line per process that has jobs made for an account: how many it has in flight, and how many it may have."""
