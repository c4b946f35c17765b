"""Seats: how the processes at work for one account share its limits, so that the provider meets one polite client.

Each process says now and then how many jobs it has in flight and how many it would like, and is granted a number by
route. It may take more only where all others together leave room, counting for each what it was granted or what it has
in flight, whichever is more. So whoever joins waits until the others have given back, and the sum is never above the
ceiling, however slow or late anybody is. What the ledger itself shows in flight is counted beside what is said: jobs
of a process that is gone still run at the provider, and those that somebody has just taken over may wait unsaid.
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

__all__ = ["ALL", "Allocation", "Demand", "Member", "forget", "leave", "sit"]

ALL = "*"
"""Stands for all routes of an account together, where routes are counted by model: what its provider bears at once."""

NEW = "new"
"""Stands among what a process wants that has only just come, and does not know yet: places are kept for it."""

LONGEST = timedelta(minutes=10)
"""How long a job that nobody says anything of is counted: nobody may come for its row, and jobs come to their end."""

TURN = 20.0
"""Seconds after which those come first who were last, where there are fewer places than processes."""

Process = tuple[str | None, int | None, str | None]
"""Host, process id and start; of rows that nobody holds, three times None."""

_LIVE_HERE: set[str] = set()
"""The seats of this very process that were not left."""


@dataclass(frozen=True, slots=True)
class Member:
    """One process at one account."""

    id: str
    provider: str
    account: str


@dataclass(frozen=True, slots=True)
class Demand:
    """What a process says of itself, by model.

    Attributes:
        held: Its jobs in flight, and creates on their way; under `ALL` for all routes, where that is not their sum.
        wanted: How many it would have in flight if it might.
        ceilings: How many all processes together may have, by the user's word.
        size: How many jobs it believes the account bears; None where nothing was ever refused.
        knew: What it believed when it last said something: the difference is news.
        pause: Seconds for which the provider wants not to be asked.
    """

    held: Mapping[str, int]
    wanted: Mapping[str, int]
    ceilings: Mapping[str, int]
    size: float | None = None
    knew: float | None = None
    pause: float = 0.0


@dataclass(frozen=True, slots=True)
class Allocation:
    """What a process may do.

    Attributes:
        granted: Jobs in flight by model; by `ALL` for the whole account, where its limit was met.
        found: How many jobs the account is known to bear over all processes; None where nobody has met a limit.
        members: How many processes are at work for it.
        pause: Seconds until the provider may be asked again.
    """

    granted: Mapping[str, int] = field(default_factory=dict)
    found: float | None = None
    members: int = 1
    pause: float = 0.0


def sit(connection: sa.Connection, member: Member, said: Demand) -> Allocation:
    """Say how a process stands at an account, and be told what it may do. One at a time for each account."""
    _LIVE_HERE.add(member.id)
    known = _locked(connection, member)
    moment = leases.clock(connection)
    here = sa.and_(members.c.provider == member.provider, members.c.account == member.account)
    listed = connection.execute(sa.select(members).where(here).order_by(members.c.id)).all()
    mine = next((each for each in listed if each.id == member.id), None)
    others = [each for each in listed if each.id != member.id]
    lost = [each.id for each in others if _gone(each, moment)]
    if lost:
        connection.execute(sa.delete(members).where(members.c.id.in_(lost)))
    living = [each for each in others if each.id not in lost]
    fresh = mine is None and not living
    found = _found(None if fresh else known.found, said, living)
    opens = moment + timedelta(seconds=said.pause) if said.pause > 0 else None
    if known.open_at is not None and not fresh and (opens is None or known.open_at > opens):
        opens = known.open_at
    changed: dict[str, Any] = {"found": found, "open_at": opens}
    if changed != {"found": known.found, "open_at": known.open_at}:
        this = sa.and_(limits.c.provider == member.provider, limits.c.account == member.account)
        connection.execute(sa.update(limits).where(this).values(changed))
    turn = int(moment.timestamp() // TURN)
    granted = _granted(said, found, _flying(connection, member, moment), living, member.id, turn)
    values = {
        "lease": lease().total_seconds(),
        "seen_at": moment,
        "held": _with_all(said.held),
        "wanted": _with_all(said.wanted),
        "ceilings": dict(said.ceilings),
        "granted": granted,
    }
    if mine is not None:
        connection.execute(sa.update(members).where(members.c.id == member.id).values(values))
    else:
        who: dict[str, Any] = {"id": member.id, "provider": member.provider, "account": member.account}
        who |= dict(zip(("host", "pid", "process_started"), _this_process(), strict=True))
        if not said.wanted:
            values["wanted"] = {NEW: 1}
        connection.execute(sa.insert(members).values({**who, **values}))
    pause = 0.0 if opens is None else max(0.0, (opens - moment).total_seconds())
    return Allocation(granted, found, 1 + len(living), pause)


def leave(connection: sa.Connection, member: Member) -> None:
    """The process is through with the account: what it had is free for others."""
    connection.execute(sa.delete(members).where(members.c.id == member.id))


def forget(member: Member) -> None:
    """The process is through with the account, whatever the database could be told of it."""
    _LIVE_HERE.discard(member.id)


def _locked(connection: sa.Connection, member: Member) -> sa.Row[Any]:
    """The account's line, which is made if it is new; nobody else is told anything until the transaction ends."""
    this = sa.and_(limits.c.provider == member.provider, limits.c.account == member.account)
    line = sa.select(limits).where(this).with_for_update()
    found = connection.execute(line).one_or_none()
    if found is None:
        try:
            with connection.begin_nested():
                connection.execute(sa.insert(limits).values(provider=member.provider, account=member.account))
        except IntegrityError:
            pass  # another one has just made it
        found = connection.execute(line).one()
    return found


def _flying(connection: sa.Connection, member: Member, moment: datetime) -> dict[Process, Counter[str]]:
    """The account's jobs in flight by what the ledger shows, for each process that holds rows, and by model."""
    process = (runs.c.host, runs.c.pid, runs.c.process_started)
    found = connection.execute(
        sa.select(*process, rows.c.model, sa.func.count())
        .select_from(rows.outerjoin(runs, rows.c.holder == runs.c.id))
        .where(
            rows.c.provider == member.provider,
            rows.c.account == member.account,
            rows.c.state.in_([sa.literal_column(f"'{state.value}'") for state in IN_FLIGHT]),  # as its index has it
            rows.c.changed_at > moment - LONGEST,
        )
        .group_by(*process, rows.c.model)
    )
    flying: dict[Process, Counter[str]] = {}
    for host, pid, started, model, number in found:
        flying.setdefault((host, pid, started), Counter()).update({model: number, ALL: number})
    return flying


def _this_process() -> Process:
    return leases.host(), os.getpid(), leases.process_started(os.getpid()) or ""


def _gone(member: sa.Row[Any], moment: Any) -> bool:
    """Whether a process is gone. One that lives and says nothing for its whole lease gives its places back, too."""
    if member.host == leases.host() and member.process_started:
        started = leases.process_started(member.pid)
        if started is None or (started and started != member.process_started):
            return True
        if member.pid == os.getpid() and member.id not in _LIVE_HERE:
            return True  # it could not be told of its end
    return bool(member.seen_at + timedelta(seconds=member.lease) <= moment)


def _found(known: float | None, said: Demand, living: Iterable[Any]) -> float | None:
    """How many jobs the account bears, by what was known and what this process has learnt since it last spoke."""
    if said.size is None:
        return known
    if said.knew is None:
        # Its first refusal: so many were in flight, with those of the others.
        met = max(1.0, said.size + sum(int(each.held[ALL]) for each in living))
        return met if known is None else min(known, met)
    if known is None:
        return max(1.0, said.size)
    return max(1.0, known + said.size - said.knew)


def _granted(
    said: Demand,
    found: float | None,
    flying: Mapping[Process, Counter[str]],
    living: list[sa.Row[Any]],
    mine: str,
    turn: int,
) -> dict[str, int]:
    """What a process may have in flight: its part of what is left to those who live, as far as it is free."""
    # Where they were given different ceilings, the lowest holds for all: else who has the higher one takes it all.
    ceilings: dict[str, float] = {
        model: min([ceiling, *(each.ceilings[model] for each in living if model in each.ceilings)])
        for model, ceiling in said.ceilings.items()
    }
    if found is not None:
        ceilings[ALL] = math.floor(found)
    held, wanted = _with_all(said.held), _with_all(said.wanted)
    processes: dict[str, Process] = {each.id: (each.host, each.pid, each.process_started) for each in living}
    known = {*processes.values(), _this_process()}
    here = flying.get(_this_process(), Counter())
    granted = {}
    for model, ceiling in ceilings.items():
        # Jobs of those who are gone, or of a run that shares with nobody; and ours, taken over a moment ago.
        lost = sum(each[model] for process, each in flying.items() if process not in known)
        lost += max(0, here[model] - held.get(model, 0))
        taken = sum(max(_most(each).get(model, 0), flying.get(processes[each.id], Counter())[model]) for each in living)
        demands = {each.id: int(each.wanted.get(model, ceiling if NEW in each.wanted else 0)) for each in living}
        demands[mine] = wanted.get(model, 0)
        part = _parts(max(0, int(ceiling) - lost), demands, turn)[mine]
        granted[model] = max(0, min(part, int(ceiling) - lost - taken))
    return granted


def _most(member: sa.Row[Any]) -> dict[str, int]:
    """How many jobs a process may have in flight at this moment, by what it last said and was told."""
    return {
        model: max(int(member.held.get(model, 0)), int(member.granted.get(model, 0)))
        for model in {*member.held, *member.granted}
    }


def _parts(number: int, demands: Mapping[str, int], turn: int = 0) -> dict[str, int]:
    """A number divided evenly, but nobody gets more than he asks for; what is left over goes to the others.

    What cannot be divided goes to other ones at each turn, so nobody has to do without for ever.
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
