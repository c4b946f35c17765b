"""Who holds rows: runs, and whether the process behind a run still lives.

On the same host a dead holder is known at once by its process id and start time, so a rerun never waits for a lease.
On another host only the heartbeat can tell, as it does of a process here that stands still; it is judged by the clock
that all machines share, which is the database server's.
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

from prefect_seedance.core.clock import now
from prefect_seedance.errors import UnknownOutcome
from prefect_seedance.ledger.db.schema import asset_requests, attempts, materials, rows, runs
from prefect_seedance.ledger.lease_time import LEASE, lease
from prefect_seedance.ledger.states import Outcome, Settlement, State
from prefect_seedance.messages import message

__all__ = [
    "Run",
    "at_work",
    "beat",
    "begin",
    "clock",
    "end",
    "end_dead_leases",
    "end_lease",
    "forget",
    "lives",
    "renew_lease",
    "speak",
]

_LIVE_HERE: set[str] = set()
"""The runs of this very process that have not ended."""


def clock(connection: sa.Connection) -> datetime:
    """The present moment by the clock that all who share the ledger share: the server's, or for a file this machine's.

    Leases are judged by it alone, so machines whose clocks differ take nobody for dead who is not.
    """
    if connection.dialect.name == "postgresql":
        moment: datetime = connection.execute(sa.select(sa.func.clock_timestamp())).scalar_one()
        return moment.astimezone(UTC)
    return now()


@dataclass(frozen=True, slots=True)
class Run:
    """One run over a batch: the holder of the rows that it works on."""

    id: str
    batch_id: int
    batch: str


@cache
def host() -> str:
    """This host, this boot of it, and this process namespace: where a process id means something."""
    boot, namespace = Path("/proc/sys/kernel/random/boot_id"), Path("/proc/self/ns/pid")
    if boot.exists() and namespace.exists():
        return " ".join((socket.gethostname(), boot.read_text().strip(), str(namespace.readlink())))
    # Two machines may bear one name; their network cards do not.
    return f"{socket.gethostname()} {uuid.getnode():x}"


def process_started(pid: int) -> str | None:
    """When a process started, as an opaque text that tells it from a later one with the same id.

    Returns:
        None if the process is gone, and an empty text where this system does not tell (then the heartbeat decides).
    """
    if Path("/proc/self/stat").exists():
        try:
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            return "" if _hidden(pid) else None
        return None if fields[0] in "ZX" else fields[19]
    if not Path("/bin/ps").exists():
        return ""
    # One language and one time zone: what two processes compare must not depend on their settings.
    answer = subprocess.run(  # noqa: S603 - a fixed command with a number
        ["/bin/ps", "-o", "lstart=", "-p", str(pid)],
        capture_output=True,
        text=True,
        check=False,
        env={"LC_ALL": "C", "TZ": "UTC"},
    )
    return answer.stdout.strip() or None


def _hidden(pid: int) -> bool:
    """Whether another user's process lives, of which this system shows nothing else."""
    try:
        os.kill(pid, 0)
    except PermissionError:
        return True
    except OSError:
        return False
    return False


def begin(connection: sa.Connection, batch_id: int, batch: str, flow_run_id: str | None) -> Run:
    """Write down a new run of this process."""
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
            lease=lease().total_seconds(),
        )
    )
    _LIVE_HERE.add(run.id)
    return run


def beat(connection: sa.Connection, run: Run) -> None:
    """Say that the run still lives."""
    connection.execute(sa.update(runs).where(runs.c.id == run.id).values(heartbeat_at=clock(connection)))


def speak(connection: sa.Connection, run: Run) -> None:
    """The run looks after the dead: it lives, however long it stood still, unless somebody has buried it meanwhile."""
    alive = sa.and_(runs.c.id == run.id, runs.c.buried_at.is_(None))
    connection.execute(sa.update(runs).where(alive).values(heartbeat_at=clock(connection)))


def renew_lease(connection: sa.Connection, run: Run) -> None:
    """The run takes rows: if it was taken for dead before, it begins anew with what it takes now."""
    connection.execute(sa.update(runs).where(runs.c.id == run.id).values(buried_at=None))


def end(connection: sa.Connection, run: Run) -> None:
    """The run is over: let go of its rows. What it left as `sent` becomes unknown."""
    _locked(connection, run.id)
    end_lease(connection, run.id)
    # It says so itself, whoever took it for dead before.
    connection.execute(sa.update(runs).where(runs.c.id == run.id).values(ended_at=now(), buried_at=None))


def forget(run: Run) -> None:
    """The run is over in this process, whatever the database could be told of it."""
    _LIVE_HERE.discard(run.id)


def end_dead_leases(connection: sa.Connection, batch_id: int) -> None:
    """Let go of the rows of all runs of a batch that are dead."""
    # A run that has ended holds nothing: it let go in the same transaction. Nor does one that was buried, until it is
    # heard of again.
    silent = sa.and_(runs.c.buried_at.is_not(None), runs.c.heartbeat_at <= runs.c.buried_at)
    mine = sa.select(runs).where(runs.c.batch_id == batch_id, runs.c.ended_at.is_(None))
    for run in connection.execute(mine.where(sa.case((silent, 0), else_=1) == 1).order_by(runs.c.id)).all():
        _end_if_dead(connection, run)


def lives(connection: sa.Connection, run_id: str) -> bool:
    """Whether a run lives; if it does not, what it held is let go of."""
    run = connection.execute(sa.select(runs).where(runs.c.id == run_id)).one_or_none()
    return run is not None and run.ended_at is None and not _end_if_dead(connection, run)


def at_work(connection: sa.Connection, batch_id: int) -> bool:
    """Whether a run over the batch lives; of those that do not, the rows are let go of."""
    end_dead_leases(connection, batch_id)
    living = sa.and_(runs.c.batch_id == batch_id, runs.c.ended_at.is_(None), runs.c.buried_at.is_(None))
    return connection.execute(sa.select(runs.c.id).where(living).limit(1)).first() is not None


def _end_if_dead(connection: sa.Connection, run: sa.Row[Any]) -> bool:
    seen = _seen_alive(run)
    if seen is False:
        _locked(connection, run.id)
        end_lease(connection, run.id)
        over = {"ended_at": now(), "buried_at": clock(connection)}
        connection.execute(sa.update(runs).where(runs.c.id == run.id).values(over))
        return True
    if _silent(connection, run) and _silent(connection, _locked(connection, run.id)):
        # It may only have been out of reach, so it is not declared ended; what it held is gone for it all the same. A
        # process of this host that lives may stand still, or its run may be over and could not say so.
        end_lease(connection, run.id)
        connection.execute(sa.update(runs).where(runs.c.id == run.id).values(buried_at=clock(connection)))
        return True
    return False


def _silent(connection: sa.Connection, run: sa.Row[Any]) -> bool:
    """Whether a run has outstayed the lease that it asked for."""
    agreed = LEASE if run.lease is None else timedelta(seconds=run.lease)
    return bool(run.heartbeat_at + agreed <= clock(connection))


def _locked(connection: sa.Connection, run_id: str) -> sa.Row[Any]:
    """The run as it stands now; until the transaction ends, it takes no rows and says nothing."""
    return connection.execute(sa.select(runs).where(runs.c.id == run_id).with_for_update()).one()


def _seen_alive(run: sa.Row[Any]) -> bool | None:
    """Whether the run's process lives; None where only its heartbeat can tell."""
    if run.host != host() or not run.process_started:
        return None
    started = process_started(run.pid)
    if not started:
        return None if started == "" else False
    if started != run.process_started:
        return False
    return run.pid != os.getpid() or run.id in _LIVE_HERE


def end_lease(connection: sa.Connection, run_id: str) -> None:
    """Let go of a dead run's rows: a row that was sent and not answered is unknown, all others can be taken."""
    if connection.dialect.name == "postgresql":
        # What the run is just writing comes to its end first; nothing that follows is read from before it.
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
