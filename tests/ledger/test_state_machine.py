"""The state machine under any order of moves by two runs, held against a model that is written here by hand."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any, ClassVar

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from prefect_seedance.errors import InputError, LedgerError, Refused
from prefect_seedance.ledger import Charge, Intent, Ledger, Plan, Proof, Run, Settlement, State
from prefect_seedance.ledger.rows import lookups, planning, transitions

KEYS = ("a", "b", "c")
ROWS = st.sampled_from(KEYS)
RUNS = st.sampled_from((0, 1))
WHICH = st.sampled_from(("latest", "latest", "latest", "earlier", "foreign"))

# move -> (the states it may start from, the state it leads to); DESIGN, section 4.
LAW = {
    "intend": ({"planned", "over_budget", "deferred"}, "sent"),
    "put_off": ({"planned", "over_budget", "deferred"}, "deferred"),
    "withdraw": ({"sent"}, "planned"),
    "refused": ({"sent"}, "refused"),
    "deferred": ({"sent"}, "deferred"),
    "unknown": ({"sent"}, "unknown"),
    "succeed": ({"created"}, "succeeded"),
    "fail": ({"created"}, "failed"),
    "fail_gone": ({"created"}, "expired"),
    "expire": ({"succeeded"}, "expired"),
    "store": ({"succeeded"}, "stored"),
    "refetch": ({"stored"}, "succeeded"),
    "reuse": ({"planned", "over_budget", "deferred"}, "succeeded"),
}
TAKEABLE = {"planned", "over_budget", "deferred"}
# Where a late answer's job is adopted, since no other create of the row is under way, and no job of it can end well.
ADOPTS = TAKEABLE | {"refused", "failed", "expired"}
# How an attempt stands after the create's answer, and after the job's end.
ANSWERS = {
    "withdraw": ("withdrawn", "nothing"),
    "refused": ("refused", "nothing"),
    "deferred": ("refused", "nothing"),
    "unknown": ("unknown", "unknown"),
}
ENDS = {
    "succeed": Charge(Settlement.CHARGED, units=Decimal(5), amount=Decimal("0.25")),
    "fail": Charge(Settlement.REFUNDED),
    "fail_gone": Charge(Settlement.UNDOCUMENTED),
}


@dataclass
class Tried:
    id: int
    run: int
    outcome: str = "sent"
    settlement: str = "open"
    job: str | None = None
    given_up: bool = False
    """Its run died before the answer came."""
    resolved: str | None = None
    """What a person has said of it."""
    beside: bool = False
    """It names a job that is not the row's: evidence."""


@dataclass
class Meant:
    """What the ledger should say of a row."""

    id: int
    state: str = "planned"
    holder: int | None = None
    attempts: list[Tried] = field(default_factory=list)
    current: Tried | None = None
    """The attempt that the row goes by: the latest, unless a late answer has named the job of another one."""

    def follow(self, tried: Tried) -> None:
        self.state, self.current = "created", tried
        tried.settlement, tried.beside = "open", False


class Machine(RuleBasedStateMachine):
    loop: ClassVar[asyncio.Runner]
    ledger: ClassVar[Ledger]
    numbers: ClassVar[itertools.count[int]] = itertools.count()

    def __init__(self) -> None:
        super().__init__()
        self.batch = f"batch {next(self.numbers)}"
        # Runs that died or ended keep their number; whoever follows them gets the next one.
        self.runs = [self.do(self.ledger.begin_run(self.batch)) for _ in "ab"]
        self.places = [0, 1]
        plans = [Plan(key, f"1:{key}", {}, "jimmy", "default", "m", key) for key in KEYS]
        ids = self.do(self.ledger.write(planning.plan, self.runs[0], "1", plans))
        self.rows = {key: Meant(ids[key]) for key in KEYS}

    def do(self, work: Any) -> Any:
        return self.loop.run(work)

    def run_at(self, place: int) -> tuple[int, Run]:
        number = self.places[place]
        return number, self.runs[number]

    def attempt_at(self, key: str, which: str) -> Tried | None:
        if which == "foreign":
            return next((row.attempts[-1] for other, row in self.rows.items() if other != key and row.attempts), None)
        row = self.rows[key]
        if which == "latest":
            return row.current
        return next((tried for tried in reversed(row.attempts) if tried is not row.current), None)

    def attempt(self, lawful: bool, work: Any) -> Any:
        """Carries out what is lawful, and sees what is not refused."""
        if lawful:
            return self.do(work)
        with pytest.raises((LedgerError, InputError)):
            self.do(work)
        return None

    @initialize(sent=st.booleans(), dies=st.booleans())
    def begin(self, sent: bool, dies: bool) -> None:
        """Chance alone seldom brings a row onto the wire, where what matters begins."""
        self.claim(0, set(KEYS), set())
        for key in KEYS if sent else ():
            self.intend(0, key)
        if dies:
            self.end_run(0)

    @rule(place=RUNS, keys=st.sets(ROWS), retry=st.sets(st.sampled_from(("refused", "failed", "expired", "unknown"))))
    def claim(self, place: int, keys: set[str], retry: set[str]) -> None:
        number, run = self.run_at(place)
        wanted = [self.rows[key] for key in keys]
        taken = self.do(
            self.ledger.write(planning.claim, run, [row.id for row in wanted], frozenset(map(State, retry)))
        )
        free = [row for row in wanted if row.holder in {None, number}]
        assert taken == {row.id for row in free}
        for row in free:
            row.holder = number
            if row.state in retry - {"unknown", "expired"}:
                row.state = "planned"

    @rule(place=RUNS, key=ROWS)
    def plan_again(self, place: int, key: str) -> None:
        """An expired row, whose job was asked about first and is gone."""
        number, run = self.run_at(place)
        row = self.rows[key]
        self.do(self.ledger.write(planning.plan_again, run, [row.id]))
        if row.holder == number and row.state == "expired":
            row.state = "planned"

    @rule(place=RUNS, key=ROWS)
    def intend(self, place: int, key: str) -> None:
        number, run = self.run_at(place)
        row = self.rows[key]
        evidence = [tried for tried in row.attempts if tried.beside]
        sends = row.holder == number and row.state in LAW["intend"][0] and not evidence
        adopts = row.holder == number and (row.state == "created" or (row.state in TAKEABLE and bool(evidence)))
        intent = Intent(row.id, "jimmy", "default", "m", "1:x", "m", "second", None, None, None, None)
        attempt = self.attempt(sends or adopts, self.ledger.intend(run, intent))
        assert (attempt is not None) == sends
        if sends:
            row.current = Tried(attempt, number)
            row.attempts.append(row.current)
            row.state = "sent"
        elif adopts and row.state != "created":
            row.follow(max(evidence, key=lambda tried: tried.id))

    @rule(key=ROWS, verdict=st.sampled_from(("not_made", "lost", "job")))
    def resolve(self, key: str, verdict: Any) -> None:
        row, tried = self.rows[key], self.rows[key].current
        states = {"unknown"}
        if verdict == "lost":
            states.add("created")  # a job that never ends
        if verdict == "job":
            # An expired job is asked about again, and one that a person named can be named again.
            states |= {"expired"} | ({"created", "failed"} if tried and tried.resolved == "job" else set())
        lawful = row.state in states and row.holder is None and tried is not None
        job = f"named {next(self.numbers)}" if verdict == "job" else None
        self.attempt(lawful, self.ledger.resolve(self.batch, "1", key, verdict, job_id=job))
        if lawful and tried:
            row.state = {"not_made": "planned", "lost": "failed", "job": "created"}[verdict]
            tried.settlement = {"not_made": "nothing", "lost": "charged", "job": "open"}[verdict]
            tried.job, tried.resolved = job or tried.job, verdict

    @rule(
        number=st.integers(0, 5),
        key=ROWS,
        which=WHICH,
        how=st.sampled_from(("withdraw", "refused", "deferred", "unknown")),
    )
    def end_attempt(self, number: int, key: str, which: str, how: str) -> None:
        """Also by a run that has lost its rows: what a late answer proves settles the row that waits for it alone."""
        number %= len(self.runs)
        run = self.runs[number]
        row, tried = self.rows[key], self.attempt_at(key, which)
        lawful = row.holder == number and row.state == "sent" and tried is not None and tried is row.current
        attempt = tried.id if tried else 0
        if how == "withdraw":
            self.attempt(lawful, self.ledger.withdraw(run, row.id, attempt))
        else:
            self.attempt(lawful, self.ledger.refuse(run, row.id, attempt, Refused("no"), State(how)))
        late = tried in row.attempts and tried is not None and tried.run == number and tried.given_up
        if tried and (lawful or (late and how != "unknown" and not tried.resolved)):
            row.state = LAW[how][1]
            tried.outcome, tried.settlement = ANSWERS[how]
        if tried and late:
            tried.given_up = False

    @rule(number=st.integers(0, 5), key=ROWS, which=WHICH)
    def created(self, number: int, key: str, which: str) -> None:
        """Also by a run that has lost its rows: what it was told is not lost."""
        number %= len(self.runs)
        row, tried = self.rows[key], self.attempt_at(key, which)
        waits = tried in row.attempts and tried is not None and tried.run == number
        waits = waits and tried is not None and tried.outcome in {"sent", "unknown"}
        job = f"job {tried.id}" if tried else "none"
        call = self.ledger.created(
            self.runs[number], row.id, tried.id if tried else 0, job_id=job, http_status=200, request_id=None
        )
        self.attempt(waits and row.holder == number, call)
        if not waits or not tried:
            return
        tried.given_up, tried.outcome = False, "created"
        if tried.job is not None:
            # A person's job stays; the other one gets a line of its own.
            listed = self.do(self.ledger.read(lookups.attempts_of_rows, [row.id]))
            tried = Tried(listed[-1].id, number, "created")
            row.attempts.append(tried)
            follows = row.state in ADOPTS
        else:
            follows = row.state in ADOPTS or (tried is row.current and row.state in {"sent", "unknown"})
        tried.job = job
        if follows:
            row.follow(tried)
        else:
            tried.settlement, tried.beside = "unknown", True

    @rule(place=RUNS, key=ROWS, how=st.sampled_from(("succeed", "fail", "fail_gone")))
    def end_job(self, place: int, key: str, how: str) -> None:
        number, run = self.run_at(place)
        row = self.rows[key]
        lawful = row.holder == number and row.state == "created"
        charge = ENDS[how]
        if how == "succeed":
            self.attempt(lawful, self.ledger.write(transitions.succeed, run, row.id, charge, link_expires_at=None))
        else:
            self.attempt(lawful, self.ledger.write(getattr(transitions, how), run, row.id, charge, LedgerError("gone")))
        if lawful:
            row.state = LAW[how][1]
            assert row.current
            row.current.settlement = charge.settlement.value

    @rule(place=RUNS, key=ROWS, how=st.sampled_from(("put_off", "expire", "store", "refetch", "prove", "reuse")))
    def other_moves(self, place: int, key: str, how: str) -> None:
        number, run = self.run_at(place)
        row = self.rows[key]
        states, to = LAW.get(how, ({"succeeded"}, "succeeded"))
        lawful = row.holder == number and row.state in states and not (how == "reuse" and row.attempts)
        values: dict[str, Any] = {"store": {"modified_ns": 1}}.get(how, {})
        proof = Proof("/v.mp4", "ab", 1, 2, 3, Decimal(5))
        arguments = {"put_off": [Refused("no")], "expire": [Refused("no")], "prove": [proof], "reuse": [proof]}.get(
            how, []
        )
        self.attempt(lawful, self.ledger.write(getattr(transitions, how), run, row.id, *arguments, **values))
        if lawful:
            row.state = to

    @rule(place=RUNS, key=ROWS, choice=st.integers(0, 7))
    def advance(self, place: int, key: str, choice: int) -> None:
        """One lawful step: chance alone seldom brings a row far."""
        row = self.rows[key]
        if row.holder is None:
            if row.state == "unknown":
                self.resolve(key, ("not_made", "lost", "job")[choice % 3])
            else:
                self.claim(place, {key}, set())
            return
        place = self.places.index(row.holder)
        match row.state:
            case "planned" | "over_budget" | "deferred":
                self.intend(place, key)
            case "sent" if choice < 5:
                self.created(row.holder, key, "latest")
            case "sent":
                self.end_attempt(row.holder, key, "latest", ("withdraw", "deferred", "refused")[choice - 5])
            case "created":
                self.end_job(place, key, "succeed" if choice < 5 else ("fail", "fail_gone", "fail")[choice - 5])
            case "succeeded":
                self.other_moves(place, key, "store" if choice < 5 else "expire")
            case "expired":
                self.plan_again(place, key)
            case "refused" | "failed":
                self.claim(place, {key}, {row.state})

    @rule(place=RUNS)
    def end_run(self, place: int) -> None:
        number, run = self.run_at(place)
        self.do(self.ledger.end_run(run))
        for row in self.rows.values():
            if row.holder != number:
                continue
            row.holder = None
            if row.state == "sent":
                row.state = "unknown"
                assert row.current
                row.current.outcome = row.current.settlement = "unknown"
                row.current.given_up = True
        self.runs.append(self.do(self.ledger.begin_run(self.batch)))
        self.places[place] = len(self.runs) - 1

    @invariant()
    def the_ledger_says_what_was_meant(self) -> None:
        names = {run.id: number for number, run in enumerate(self.runs)}
        records = {record.key: record for record in self.do(self.ledger.read(lookups.rows_of, self.batch))}
        attempts = self.do(self.ledger.read(lookups.attempts_of, self.batch))
        for key, row in self.rows.items():
            record = records[key]
            holder = names[record.holder] if record.holder else None
            assert (record.state, holder) == (row.state, row.holder)
            mine = [attempt for attempt in attempts if attempt.row_id == row.id]
            assert [(a.id, a.number, a.outcome, a.settlement, a.job_id) for a in mine] == [
                (t.id, number, t.outcome, t.settlement, t.job) for number, t in enumerate(row.attempts, 1)
            ]
            assert (record.attempt and record.attempt.id) == (row.current and row.current.id)
            assert {a.id for a in mine if a.is_evidence} == {t.id for t in row.attempts if t.beside}

    @invariant()
    def nothing_is_on_the_wire_twice(self) -> None:
        for row in self.rows.values():
            assert sum(tried.outcome == "sent" for tried in row.attempts) == (row.state == "sent")
            # While a create may have been paid, no other is sent: `unknown` waits for a person.
            if any(
                tried.outcome == "unknown" and not tried.resolved for tried in row.attempts if tried is not row.current
            ):
                raise AssertionError("A create followed one whose outcome is unknown.")


@contextlib.contextmanager
def machine(url: str) -> Iterator[type[Machine]]:
    with asyncio.Runner() as runner:
        Machine.loop = runner
        Machine.ledger = runner.run(Ledger.open(url))
        yield Machine
        runner.run(Machine.ledger.close())


def hold(url: str, examples: int) -> None:
    chosen = settings(max_examples=examples, stateful_step_count=25, deadline=None)
    with machine(url) as tried:
        run_state_machine_as_test(tried, settings=chosen)


def test_the_state_machine() -> None:
    # Where there is a file system in memory, a commit costs no disk.
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else None) as folder:
        hold(f"sqlite+aiosqlite:///{folder}/l.db", 12)


@pytest.mark.parametrize("examples", [4, pytest.param(60, marks=pytest.mark.slow)])
def test_the_state_machine_on_a_server(postgres: str, examples: int) -> None:
    hold(postgres, examples)
