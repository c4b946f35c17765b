"""Leases: runs hold rows as long as their process lives.

On the same host a dead process is detected at once by its process id and start time, so a rerun never waits for a
lease. A live process of this host may be frozen: there the heartbeat decides by the machine's uptime, because its clock
may be set. On another host the heartbeat decides by the clock that all machines share, the database server's.
"""

from __future__ import annotations

import os
import socket
import subprocess
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from prefect_seedance.core.clock import now, uptime
from prefect_seedance.errors import UnknownOutcome
from prefect_seedance.ledger.db.schema import asset_requests, attempts, batches, materials, rows, runs
from prefect_seedance.ledger.lease_time import LEASE, lease
from prefect_seedance.ledger.states import Outcome, Settlement, State
from prefect_seedance.messages import message

__all__ = [
    "Run",
    "beat",
    "beat_unless_ended",
    "begin",
    "clock",
    "end",
    "end_dead_leases",
    "end_lease",
    "forget",
    "has_live_run",
    "live_batches",
    "live_run",
    "lives",
    "renew_lease",
]

_LIVE_HERE: set[str] = set()
"""The runs of this process that have not ended."""


def clock(connection: sa.Connection) -> datetime:
    """The present time by the clock that all users of the ledger share: the server's, or this machine's for a file.

    Leases use this clock only, so that machines whose clocks differ do not end leases of live runs.
    """
    if connection.dialect.name == "postgresql":
        moment: datetime = connection.execute(sa.select(sa.func.clock_timestamp())).scalar_one()
        return moment.astimezone(UTC)
    return now()


@dataclass(frozen=True, slots=True)
class Run:
    """One run of a batch, which holds the rows that it works on."""

    id: str
    batch_id: int
    batch: str


@cache
def host() -> str:
    """Host, boot and process namespace: the scope in which a process id is valid."""
    boot, namespace = Path("/proc/sys/kernel/random/boot_id"), Path("/proc/self/ns/pid")
    if boot.exists() and namespace.exists():
        return " ".join((socket.gethostname(), boot.read_text().strip(), str(namespace.readlink())))
    # Two machines may have the same host name, but not the same network card.
    return f"{socket.gethostname()} {uuid.getnode():x}"


def process_started(pid: int) -> str | None:
    """The start time of a process, as an opaque text that distinguishes it from a later one with the same id.

    Returns:
        None if the process has ended; an empty text where this system does not show it (then the heartbeat decides).
    """
    if Path("/proc/self/stat").exists():
        try:
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            return "" if _hidden(pid) else None
        return None if fields[0] in "ZX" else fields[19]
    if not Path("/bin/ps").exists():
        return ""
    # Fixed locale and time zone: two processes must get the same text.
    result = subprocess.run(  # noqa: S603 - a fixed command with a number
        ["/bin/ps", "-o", "lstart=", "-p", str(pid)],
        capture_output=True,
        text=True,
        check=False,
        env={"LC_ALL": "C", "TZ": "UTC"},
    )
    return result.stdout.strip() or None


def _hidden(pid: int) -> bool:
    """Whether a process lives that this user cannot inspect."""
    try:
        os.kill(pid, 0)
    except PermissionError:
        return True
    except OSError:
        return False
    return False


def begin(connection: sa.Connection, batch_id: int, batch: str, flow_run_id: str | None) -> Run:
    """Record a new run of this process."""
    run = Run(id=str(uuid.uuid4()), batch_id=batch_id, batch=batch)
    moment = clock(connection)
    connection.execute(
        sa.insert(runs).values(
            id=run.id,
            batch_id=batch_id,
            flow_run_id=flow_run_id,
            host=host(),
            pid=os.getpid(),
            process_started=process_started(os.getpid()) or "",
            started_at=moment,
            heartbeat_at=moment,
            heartbeat_uptime=uptime(),
            lease=lease().total_seconds(),
        )
    )
    _LIVE_HERE.add(run.id)
    return run


def beat(connection: sa.Connection, run: Run) -> None:
    """Record a heartbeat of the run."""
    connection.execute(sa.update(runs).where(runs.c.id == run.id).values(_heartbeat(connection)))


def _heartbeat(connection: sa.Connection) -> dict[str, Any]:
    return {"heartbeat_at": clock(connection), "heartbeat_uptime": uptime()}


def beat_unless_ended(connection: sa.Connection, run: Run) -> None:
    """Record a heartbeat before dead leases are ended, unless the run's own lease was ended meanwhile."""
    alive = sa.and_(runs.c.id == run.id, runs.c.buried_at.is_(None))
    connection.execute(sa.update(runs).where(alive).values(_heartbeat(connection)))


def renew_lease(connection: sa.Connection, run: Run) -> None:
    """Renew the lease of a run that takes rows, if it was ended before; the earlier rows are not restored."""
    connection.execute(sa.update(runs).where(runs.c.id == run.id).values(buried_at=None))


def end(connection: sa.Connection, run: Run) -> None:
    """End the run, and release its rows. Rows that it left as `sent` become unknown."""
    _locked(connection, run.id)
    end_lease(connection, run.id)
    # The run ended properly, even if its lease was ended before.
    connection.execute(sa.update(runs).where(runs.c.id == run.id).values(ended_at=now(), buried_at=None))


def forget(run: Run) -> None:
    """Mark the run as ended in this process, even if the database could not be reached."""
    _LIVE_HERE.discard(run.id)


def end_dead_leases(connection: sa.Connection, batch_id: int) -> None:
    """End the leases of all dead runs of a batch."""
    # A run that has ended holds nothing: it released its rows in the same transaction. Nor does a run whose lease was
    # ended, until its next heartbeat.
    silent = sa.and_(runs.c.buried_at.is_not(None), runs.c.heartbeat_at <= runs.c.buried_at)
    mine = sa.select(runs).where(runs.c.batch_id == batch_id, runs.c.ended_at.is_(None))
    for run in connection.execute(mine.where(sa.case((silent, 0), else_=1) == 1).order_by(runs.c.id)).all():
        _end_if_dead(connection, run)


def lives(connection: sa.Connection, run_id: str) -> bool:
    """Whether a run is alive; if not, its lease is ended."""
    run = connection.execute(sa.select(runs).where(runs.c.id == run_id)).one_or_none()
    return run is not None and run.ended_at is None and not _end_if_dead(connection, run)


def has_live_run(connection: sa.Connection, batch_id: int) -> bool:
    """Whether a run of the batch is alive; the leases of dead runs are ended."""
    return live_run(connection, batch_id) is not None


def live_run(connection: sa.Connection, batch_id: int) -> sa.Row[Any] | None:
    """The line of a run of the batch that is alive; the leases of dead runs are ended."""
    end_dead_leases(connection, batch_id)
    living = sa.and_(runs.c.batch_id == batch_id, runs.c.ended_at.is_(None), runs.c.buried_at.is_(None))
    return connection.execute(sa.select(runs).where(living).limit(1)).first()


def live_batches(connection: sa.Connection) -> list[str]:
    """The names of the batches that a run works on now; the leases of dead runs are ended."""
    open_runs = sa.select(runs.c.batch_id).where(runs.c.ended_at.is_(None)).distinct().subquery()
    named = sa.select(batches.c.id, batches.c.name).where(batches.c.id.in_(sa.select(open_runs)))
    found = connection.execute(named.order_by(batches.c.id)).all()
    return [batch.name for batch in found if has_live_run(connection, batch.id)]


def _end_if_dead(connection: sa.Connection, run: sa.Row[Any]) -> bool:
    seen = _seen_alive(run)
    if seen is False:
        _locked(connection, run.id)
        end_lease(connection, run.id)
        over = {"ended_at": now(), "buried_at": clock(connection)}
        connection.execute(sa.update(runs).where(runs.c.id == run.id).values(over))
        return True
    alive = seen is True
    if _lease_expired(connection, run, alive=alive) and _lease_expired(
        connection, _locked(connection, run.id), alive=alive
    ):
        # The run may only be unreachable, so it is not marked as ended, but it loses its rows. A live process of this
        # host may be frozen, or its run may have ended without reaching the database.
        end_lease(connection, run.id)
        connection.execute(sa.update(runs).where(runs.c.id == run.id).values(buried_at=clock(connection)))
        return True
    return False


def _lease_expired(connection: sa.Connection, run: sa.Row[Any], *, alive: bool) -> bool:
    """Whether the lease of a run has expired; where its process is known to live on this host, by the uptime."""
    duration = LEASE if run.lease is None else timedelta(seconds=run.lease)
    if alive and run.heartbeat_uptime is not None:
        return bool(run.heartbeat_uptime + duration.total_seconds() <= uptime())
    return bool(run.heartbeat_at + duration <= clock(connection))


def _locked(connection: sa.Connection, run_id: str) -> sa.Row[Any]:
    """The run as it is now, locked: until the transaction ends it takes no rows and records no heartbeat."""
    return connection.execute(sa.select(runs).where(runs.c.id == run_id).with_for_update()).one()


def _seen_alive(run: sa.Row[Any]) -> bool | None:
    """Whether the run's process is alive; None where only its heartbeat can decide."""
    if run.host != host() or not run.process_started:
        return None
    started = process_started(run.pid)
    if not started:
        return None if started == "" else False
    if started != run.process_started:
        return False
    return run.pid != os.getpid() or run.id in _LIVE_HERE


def end_lease(connection: sa.Connection, run_id: str) -> None:
    """Release the rows of a dead run: a row that was sent and not answered becomes unknown, all others are free."""
    if connection.dialect.name == "postgresql":
        # Wait for writes of the run that are under way; the statements below must see their result.
        mine = sa.select(rows.c.id).where(rows.c.holder == run_id).order_by(rows.c.id).with_for_update().subquery()
        connection.execute(sa.select(sa.func.count()).select_from(mine))
    held = sa.and_(rows.c.holder == run_id, rows.c.state == State.SENT)
    lost = sa.select(rows.c.attempt_id).where(held)
    reason = str(message("attempt.run_ended"))
    connection.execute(
        sa.update(attempts)
        .where(attempts.c.id.in_(lost))
        .values(outcome=Outcome.UNKNOWN, settlement=Settlement.UNKNOWN, message=reason)
    )
    connection.execute(
        sa.update(rows)
        .where(held)
        .values(
            state=State.UNKNOWN,
            error_kind=UnknownOutcome.kind,
            error_code=None,
            error_message=reason,
            changed_at=now(),
        )
    )
    connection.execute(sa.update(rows).where(rows.c.holder == run_id).values(holder=None))
    unanswered = sa.and_(asset_requests.c.run_id == run_id, asset_requests.c.outcome == Outcome.SENT)
    connection.execute(sa.update(asset_requests).where(unanswered).values(outcome=Outcome.UNKNOWN, message=reason))
    connection.execute(sa.update(materials).where(materials.c.holder == run_id).values(holder=None))
