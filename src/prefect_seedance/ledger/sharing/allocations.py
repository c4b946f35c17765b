"""Allocations: the processes that use one account share its limits, so that together they act like one client.

Each process regularly reports how many jobs it has in flight and how many it wants, and is granted a number by route.
It is granted more only as far as the others leave capacity, where each counts with its grant or its jobs in flight,
whichever is more. So a new process waits until the others have released capacity, and the sum never exceeds the
ceiling, however slow or late a process is. The jobs in flight that the ledger shows are counted too: jobs of a process
that has ended still run at the provider, and jobs that were just taken over may not be reported yet.
"""

from __future__ import annotations

import math
import os
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from prefect_seedance.ledger.db.schema import limits, members, rows, runs
from prefect_seedance.ledger.lease_time import lease
from prefect_seedance.ledger.rows import leases
from prefect_seedance.ledger.states import IN_FLIGHT

__all__ = ["ALL", "Allocation", "Demand", "Member", "allocate", "forget", "release"]

ALL = "*"
"""In counts by model: all routes of an account together."""

NEW = "new"
"""In `wanted`: a process that has just joined and does not know its demand yet. Capacity is reserved for it."""

LONGEST = timedelta(minutes=10)
"""How long a job without any report is counted: its row may never be claimed again, but the job ends."""

LONGEST_PAUSE = timedelta(hours=1)
"""The longest pause that processes hand on to each other: after that one of them asks the provider again, so that one
bad answer does not stop all later runs."""

TURN = 20.0
"""Seconds per turn: where processes outnumber the places, each turn favours other processes."""

Process = tuple[str | None, int | None, str | None]
"""Host, process id and start time; all None for rows without a holder."""

_LIVE_HERE: set[str] = set()
"""The members of this process that have not been released."""


@dataclass(frozen=True, slots=True)
class Member:
    """One process that uses one account."""

    id: str
    provider: str
    account: str


@dataclass(frozen=True, slots=True)
class Demand:
    """What a process reports, by model.

    Attributes:
        held: Its jobs in flight, including creates under way; under `ALL` for all routes, where that is not their sum.
        wanted: How many jobs it wants in flight.
        ceilings: How many all processes together may have, as the user set it.
        size: Its estimate of how many jobs the account accepts at once; None where nothing was ever refused.
        previous_size: Its estimate at its previous report; the difference is what it has learnt since.
        pause: Seconds for which the provider asked for no calls.
    """

    held: Mapping[str, int]
    wanted: Mapping[str, int]
    ceilings: Mapping[str, int]
    size: float | None = None
    previous_size: float | None = None
    pause: float = 0.0


@dataclass(frozen=True, slots=True)
class Allocation:
    """What a process may do.

    Attributes:
        granted: Allowed jobs in flight by model; under `ALL` for the whole account, where its limit was met.
        found: How many jobs the account accepts at once over all processes; None where no limit was met.
        members: How many processes use the account.
        pause: Seconds until the provider may be called again.
    """

    granted: Mapping[str, int] = field(default_factory=dict)
    found: float | None = None
    members: int = 1
    pause: float = 0.0


def allocate(connection: sa.Connection, member: Member, demand: Demand) -> Allocation:
    """Record a process's demand at an account, and return its allocation. Serialised per account."""
    _LIVE_HERE.add(member.id)
    known = _locked(connection, member)
    moment = leases.clock(connection)
    here = sa.and_(members.c.provider == member.provider, members.c.account == member.account)
    listed = connection.execute(sa.select(members).where(here).order_by(members.c.id)).all()
    mine = next((each for each in listed if each.id == member.id), None)
    others = [each for each in listed if each.id != member.id]
    lost = [each.id for each in others if _process_ended(each, moment)]
    if lost:
        connection.execute(sa.delete(members).where(members.c.id.in_(lost)))
    living = [each for each in others if each.id not in lost]
    fresh = mine is None and not living
    found = _account_limit(None if fresh else known.found, demand, living)
    opens = moment + min(LONGEST_PAUSE, _seconds(demand.pause)) if demand.pause > 0 else None
    if known.open_at is not None and not fresh:
        # An earlier version may have stored a moment that is years ahead.
        stored = min(known.open_at, moment + LONGEST_PAUSE)
        opens = stored if opens is None else max(opens, stored)
    changed: dict[str, Any] = {"found": found, "open_at": opens}
    if changed != {"found": known.found, "open_at": known.open_at}:
        this = sa.and_(limits.c.provider == member.provider, limits.c.account == member.account)
        connection.execute(sa.update(limits).where(this).values(changed))
    turn = int(moment.timestamp() // TURN)
    granted = _granted(demand, found, _in_flight(connection, member, moment), living, member.id, turn)
    values = {
        "lease": lease().total_seconds(),
        "seen_at": moment,
        "held": _with_all(demand.held),
        "wanted": _with_all(demand.wanted),
        "ceilings": dict(demand.ceilings),
        "granted": granted,
    }
    if mine is not None:
        connection.execute(sa.update(members).where(members.c.id == member.id).values(values))
    else:
        who: dict[str, Any] = {"id": member.id, "provider": member.provider, "account": member.account}
        who |= dict(zip(("host", "pid", "process_started"), _this_process(), strict=True))
        if not demand.wanted:
            values["wanted"] = {NEW: 1}
        connection.execute(sa.insert(members).values({**who, **values}))
    pause = 0.0 if opens is None else max(0.0, (opens - moment).total_seconds())
    return Allocation(granted, found, 1 + len(living), pause)


def _seconds(seconds: float) -> timedelta:
    return timedelta(seconds=min(seconds, 1e9))  # infinite, or more than a timedelta holds


def release(connection: sa.Connection, member: Member) -> None:
    """Remove the process from the account: its capacity is free for others."""
    connection.execute(sa.delete(members).where(members.c.id == member.id))


def forget(member: Member) -> None:
    """Mark the member as released in this process, even if the database could not be reached."""
    _LIVE_HERE.discard(member.id)


def _locked(connection: sa.Connection, member: Member) -> sa.Row[Any]:
    """The account's line, created if it is new, and locked until the transaction ends."""
    this = sa.and_(limits.c.provider == member.provider, limits.c.account == member.account)
    line = sa.select(limits).where(this).with_for_update()
    found = connection.execute(line).one_or_none()
    if found is None:
        try:
            with connection.begin_nested():
                connection.execute(sa.insert(limits).values(provider=member.provider, account=member.account))
        except IntegrityError:
            pass  # another process has just inserted it
        found = connection.execute(line).one()
    return found


def _in_flight(connection: sa.Connection, member: Member, moment: datetime) -> dict[Process, Counter[str]]:
    """The account's jobs in flight that the ledger shows, by the process that holds the rows and by model."""
    process = (runs.c.host, runs.c.pid, runs.c.process_started)
    found = connection.execute(
        sa.select(*process, rows.c.model, sa.func.count())
        .select_from(rows.outerjoin(runs, rows.c.holder == runs.c.id))
        .where(
            rows.c.provider == member.provider,
            rows.c.account == member.account,
            rows.c.state.in_(
                [sa.literal_column(f"'{state.value}'") for state in IN_FLIGHT]
            ),  # literals, so that the partial index is used
            rows.c.changed_at > moment - LONGEST,
        )
        .group_by(*process, rows.c.model)
    )
    in_flight: dict[Process, Counter[str]] = {}
    for host, pid, started, model, number in found:
        in_flight.setdefault((host, pid, started), Counter()).update({model: number, ALL: number})
    return in_flight


def _this_process() -> Process:
    return leases.host(), os.getpid(), leases.process_started(os.getpid()) or ""


def _process_ended(member: sa.Row[Any], moment: Any) -> bool:
    """Whether a process has ended. One that does not report for a whole lease loses its capacity too."""
    if member.host == leases.host() and member.process_started:
        started = leases.process_started(member.pid)
        if started is None or (started and started != member.process_started):
            return True
        if member.pid == os.getpid() and member.id not in _LIVE_HERE:
            return True  # its release did not reach the database
    return bool(member.seen_at + timedelta(seconds=member.lease) <= moment)


def _account_limit(known: float | None, demand: Demand, living: Iterable[Any]) -> float | None:
    """How many jobs the account accepts, from the known number and what this process learnt since its last report."""
    if demand.size is None:
        return known
    if demand.previous_size is None:
        # Its first refusal: the limit is what was in flight, including the other processes.
        met = max(1.0, demand.size + sum(int(each.held[ALL]) for each in living))
        return met if known is None else min(known, met)
    if known is None:
        return max(1.0, demand.size)
    return max(1.0, known + demand.size - demand.previous_size)


def _granted(
    demand: Demand,
    found: float | None,
    in_flight: Mapping[Process, Counter[str]],
    living: list[sa.Row[Any]],
    mine: str,
    turn: int,
) -> dict[str, int]:
    """What a process may have in flight: its share of the ceiling, as far as the others leave it free."""
    # With different ceilings the lowest applies to all: otherwise the process with the highest would take everything.
    ceilings: dict[str, float] = {
        model: min([ceiling, *(each.ceilings[model] for each in living if model in each.ceilings)])
        for model, ceiling in demand.ceilings.items()
    }
    if found is not None:
        ceilings[ALL] = math.floor(found)
    held, wanted = _with_all(demand.held), _with_all(demand.wanted)
    processes: dict[str, Process] = {each.id: (each.host, each.pid, each.process_started) for each in living}
    known = {*processes.values(), _this_process()}
    here = in_flight.get(_this_process(), Counter())
    granted = {}
    for model, ceiling in ceilings.items():
        # Jobs of ended processes and of runs that do not share; and own jobs, just taken over and not reported yet.
        lost = sum(each[model] for process, each in in_flight.items() if process not in known)
        lost += max(0, here[model] - held.get(model, 0))
        taken = sum(
            max(_upper_bound(each).get(model, 0), in_flight.get(processes[each.id], Counter())[model])
            for each in living
        )
        demands = {each.id: int(each.wanted.get(model, ceiling if NEW in each.wanted else 0)) for each in living}
        demands[mine] = wanted.get(model, 0)
        part = _shares(max(0, int(ceiling) - lost), demands, turn)[mine]
        granted[model] = max(0, min(part, int(ceiling) - lost - taken))
    return granted


def _upper_bound(member: sa.Row[Any]) -> dict[str, int]:
    """The most jobs that a process may have in flight now, from its last report and its last grant."""
    return {
        model: max(int(member.held.get(model, 0)), int(member.granted.get(model, 0)))
        for model in {*member.held, *member.granted}
    }


def _shares(number: int, demands: Mapping[str, int], turn: int = 0) -> dict[str, int]:
    """Divide a number evenly, but give no member more than it demands; the rest goes to the others.

    The remainder of the division goes to other members at each turn, so that none is left out forever.
    """
    parts = dict.fromkeys(demands, 0)
    open_ = sorted(name for name, demand in demands.items() if demand > 0)
    first = turn % len(open_) if open_ else 0
    open_ = open_[first:] + open_[:first]
    while number > 0 and open_:
        each, more = divmod(number, len(open_))
        if each == 0:
            for name in open_[:more]:
                parts[name] += 1
            break
        for name in open_:
            got = min(each, demands[name] - parts[name])
            parts[name] += got
            number -= got
        open_ = [name for name in open_ if parts[name] < demands[name]]
    return parts


def _with_all(numbers: Mapping[str, int]) -> dict[str, int]:
    return {ALL: sum(numbers.values()), **numbers}
