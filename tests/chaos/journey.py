"""A batch of many days in a few minutes: a time-lapse provider, and all that happens to a program in such a time."""

from __future__ import annotations

import asyncio
import hashlib
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Self

from prefect_seedance.instants import INSTANTS
from prefect_seedance.ledger import AttemptRecord, Ledger, Outcome, RowRecord, Settlement, State, versions
from prefect_seedance.media import inspect_video
from prefect_seedance.sandbox import BillLine, SandboxServer, SandboxSettings
from prefect_seedance.sandbox.prices import PRICES
from tests.chaos.aging import age, version_of
from tests.chaos.scene import processes
from tests.chaos.traveller import BATCH, BILLING, INTERRUPTED, MODELS, Leg, travel

DAY = 12.0
"""Real seconds that a day lasts at the provider: a link of Anyfast lives 12 s, one of Jimmy AI 36 s.

More on a machine that is so busy that the program takes longer than usual to start.
"""
JOB = (0.075 * 86_400, 0.125 * 86_400)
"""A job lasts as long as a hundred of 86 s, one after the other.

At ten in flight such jobs bring 100,000 rows through ten days; so each row stands for a hundred.
"""
USUAL_START = 1.0

RUN_SECONDS = 120
LOST = {"cut_after", "error_after", "broken_after"}
"""The sandbox's own words for an answer that it made and did not deliver."""

FAULTS = {
    "rate_limited": 0.03,
    "cut_after": 0.006,
    "error_after": 0.006,
    "broken_after": 0.004,
    "slow_create": 0.08,
    "stale_link": 0.04,
    "download_cut": 0.05,
    "download_error": 0.02,
    "query_error": 0.02,
    "query_cut": 0.02,
    "query_broken": 0.02,
}
NEW_PRICES = {BILLING["jimmy"]: Decimal("0.06"), BILLING["anyfast"]: Decimal("27.6")}


def time_lapse(day: float) -> Callable[[], float]:
    """A clock that begins now, and for which `day` seconds are a day."""
    begun = time.time()
    return lambda: begun + (time.time() - begun) * 86_400 / day


@dataclass
class Log:
    """What a journey has seen."""

    seed: int
    rows: int
    kills: int = 0
    runs: int = 0
    at: Counter[str] = field(default_factory=Counter)
    events: list[str] = field(default_factory=list)
    on_the_wire: set[str] = field(default_factory=set)
    """The rows that had been sent, and not been answered, when a run was killed."""
    days: float = 0.0
    day: float = DAY
    jobs: int = 0
    billed: Decimal = Decimal(0)
    unknown: int = 0
    lost_answers: int = 0
    closest: float = 0.0
    """Hours that the shortest-lived link still had when its video was stored."""

    def __str__(self) -> str:
        return (
            f"seed {self.seed}: {self.rows} rows in {self.days:.1f} days of {self.day:.0f} s, {self.runs} runs, "
            f"{self.kills} kills ({', '.join(f'{n} {name}' for name, n in self.at.most_common())}); "
            f"{self.jobs} jobs, {self.billed.normalize():f} CNY billed and in the ledger; {self.unknown} unknown, "
            f"of which the provider had made {self.lost_answers}; 0 paid twice, 0 expired, "
            f"the closest stored {self.closest:.1f} h before its link's end; {'; '.join(self.events)}"
        )


class Journey:
    """One batch over one provider, from its first row to its last."""

    def __init__(
        self,
        folder: Path,
        seed: int,
        *,
        rows: int,
        kills: int,
        ledger: str,
        next_ledger: str,
        api_url: str | None = None,
    ) -> None:
        self.chance = random.Random(seed)
        self.log = Log(seed, rows)
        self.kills = kills
        self.trace: list[str] = []
        self.first_stored: dict[str, datetime] = {}
        self.folder, self.next_ledger, self.api_url = folder, next_ledger, api_url
        self.keys = {"sk_first_of_jimmy": "jimmy", "sk-first-of-anyfast": "anyfast"}
        self.prices = dict(PRICES)
        models = tuple(MODELS)
        table = tuple((f"row-{n:04d}", f"prompt {n} 猫 of seed {seed}", models[n % 2]) for n in range(rows))
        self._processes = processes()
        self._begun: list[BaseProcess] = []
        self.leg = Leg(
            table,
            "http://127.0.0.1:9",
            ledger,
            str(folder / "machine-a" / "videos"),
            "a",
            {provider: key for key, provider in self.keys.items()},
            {name: self.prices[name] for name in BILLING.values()},
        )
        self.day = DAY * max(1.0, self._start_seconds() / USUAL_START)
        self.log.day = self.day
        settings = SandboxSettings(
            clock=time_lapse(self.day),
            job_seconds=JOB,
            seed=seed,
            keys=self.keys,
            prices=self.prices,
        )
        self.server = SandboxServer(settings)
        self.leg = replace(self.leg, sandbox=self.server.url)
        self.begun, self.real = settings.clock(), time.time()
        self.server.faults.update(retry_after=0.1, slow_create_seconds=0.3, **FAULTS)

    def _start_seconds(self) -> float:
        """How long a process of the program takes that finds nothing to do."""
        leg = replace(self.leg, sweeps=True, ledger=f"sqlite+aiosqlite:///{self.folder}/nothing.db")
        for _ in range(2):  # the first one waits for the program to be imported
            began = time.monotonic()
            process = self._processes.Process(target=travel, args=(leg,))
            process.start()
            self.ended(process)
        return time.monotonic() - began

    def __enter__(self) -> Self:
        self.server.start()
        return self

    def __exit__(self, *_: object) -> None:
        for process in self._begun:
            process.kill()
            process.join()
        self.server.stop()

    def travel(self) -> Log:
        """Kills and events, evenly over the batch; then what is left, in peace."""
        events = [
            self.upgrade_from_one,
            self.rotate,
            self.pause,
            self.change_prices,
            self.stand_still,
            self.move,
            self.upgrade_from_two,
            self.restart,
        ]
        slots = self.kills + len(events)
        places = {(number + 1) * slots // (len(events) + 1): event for number, event in enumerate(events)}
        for slot in range(slots):
            self.cap = int(0.94 * self.log.rows * (slot + 1) / slots)
            if slot in places:
                places[slot]()
            else:
                self.killed()
        self.finish()
        return self.log

    # Runs and their ends.

    def begin(self, **changes: object) -> BaseProcess:
        self.log.runs += 1
        self.floor = self.made() + 3
        process = self._processes.Process(target=travel, args=(replace(self.leg, **changes),))
        process.start()
        self.trace.append(f"{self.today():.2f} begun")
        self._begun.append(process)
        return process

    def made(self) -> int:
        return len(self.server.state.jobs())

    def progress(self, process: BaseProcess, *, seconds: float = 30.0) -> None:
        """Wait until the provider has made as many jobs as are due by now, and some of them for this run."""
        until = time.monotonic() + seconds
        while process.is_alive() and self.made() < max(self.cap, self.floor) and time.monotonic() < until:
            time.sleep(0.01)

    def killed(self) -> None:
        """A run that is killed: at a named instant, or at any."""
        by_flow = {"api_url": self.api_url} if self.api_url and self.chance.random() < 0.15 else {}
        if self.chance.random() < 0.5:
            instant = self.chance.choice(INSTANTS[:-1])
            nth = 1 if instant.startswith("rows") else self.chance.randint(1, 25)
            process = self.begin(kill_at=instant, kill_nth=nth, **by_flow)
        else:
            instant = "at random"
            process = self.begin(**by_flow)
            process.join(self.chance.uniform(0.2, 1.5))
        self.progress(process)
        died_by_itself = not process.is_alive()
        process.kill()
        process.join(RUN_SECONDS)
        assert process.exitcode == -signal.SIGKILL, f"the run ended with {process.exitcode}: {self.left_over()}"
        self.trace.append(f"{self.today():.2f} killed ({instant})")
        self.log.kills += 1
        self.log.at[instant if died_by_itself else "at random"] += 1
        self.note_lost()
        if self.chance.random() < 0.3:
            time.sleep(self.day * self.chance.uniform(1, 4) / 24)  # nobody notices for some hours

    def note_lost(self) -> None:
        sent = {row.key for row in self.rows() if row.state is State.SENT}
        assert len(sent) <= 10, f"{len(sent)} rows were on the wire"
        self.log.on_the_wire |= sent

    def interrupted(self, process: BaseProcess) -> None:
        """Stop a run in order, as Ctrl-C, Cancel in the UI, or a worker's end would."""
        self.signalled(process, signal.SIGINT)
        self.ended(process, INTERRUPTED)

    def signalled(self, process: BaseProcess, what: signal.Signals) -> None:
        assert process.is_alive(), f"it was over before ({process.exitcode}): {self.left_over()}"
        assert process.pid is not None
        os.kill(process.pid, what)

    def ended(self, process: BaseProcess, code: int = 0) -> None:
        process.join(RUN_SECONDS)
        assert process.exitcode == code, f"the run ended with {process.exitcode}: {self.left_over()}"

    def told(self, what: str) -> None:
        self.log.events.append(f"day {self.today():.1f} {what}")
        self.trace.append(f"{self.today():.2f} {what}")

    def today(self) -> float:
        """The provider's day, from 0 on."""
        return (self.server.state.now() - self.begun) / 86_400

    # What happens on the way.

    def upgrade_from_one(self) -> None:
        self.upgrade(1)

    def upgrade_from_two(self) -> None:
        self.upgrade(2)

    def upgrade(self, version: int) -> None:
        """The package is upgraded: the ledger is as an old one left it, with rows on their way."""
        gone = age(self.leg.ledger, version)
        assert gone
        assert version_of(self.leg.ledger) == version
        process = self.begin()
        self.progress(process)
        self.interrupted(process)
        assert version_of(self.leg.ledger) == versions.VERSION
        self.told(f"upgraded from schema {version}")

    def rotate(self) -> None:
        """Both keys are revoked while a run works with them; the next one has new ones of the same accounts."""
        process = self.begin()
        self.progress(process)
        self.keys.clear()
        self.keys |= {"sk_second_of_jimmy": "jimmy", "sk-second-of-anyfast": "anyfast"}
        before = self.made()
        time.sleep(1.0)
        # Whatever had passed the door already; nothing comes after it.
        assert self.made() <= before + 10
        if process.is_alive():
            self.interrupted(process)
        self.leg = replace(self.leg, keys={provider: key for key, provider in self.keys.items()})
        self.told("keys rotated")

    def pause(self) -> None:
        """Nothing is made for a day and a half, longer than a link lives; a sweep comes by every half day."""
        process = self.begin()
        self.progress(process)
        self.interrupted(process)
        made = self.made()
        for _ in range(3):
            self.ended(self.begin(sweeps=True))
            time.sleep(self.day / 2)
        assert self.made() == made
        assert not any(row.state in {State.CREATED, State.SUCCEEDED, State.SENT} for row in self.rows())
        self.told("paused for 1.5 days")

    def change_prices(self) -> None:
        """The provider's prices rise, and the user's book with them."""
        time.sleep(0.5)  # what was sent before is charged at the old price
        self.prices |= NEW_PRICES
        self.leg = replace(self.leg, prices=NEW_PRICES)
        self.told("prices changed")

    def stand_still(self) -> None:
        """The machine sleeps for six hours, and wakes."""
        process = self.begin()
        self.progress(process)
        self.signalled(process, signal.SIGSTOP)
        time.sleep(self.day / 4)
        self.signalled(process, signal.SIGCONT)
        time.sleep(0.5)
        self.interrupted(process)
        self.told("slept for 6 hours")

    def move(self) -> None:
        """After a crash the batch goes on elsewhere: ledger copied by the command, folder moved, another machine."""
        process = self.begin()
        self.progress(process)
        process.kill()
        process.join()
        self.log.kills += 1
        self.log.at["before the move"] += 1
        self.note_lost()
        had = [row.job_id for row in self.rows() if row.state is State.STORED]
        jobs, moment = {job.id: job for job in self.server.state.jobs()}, self.server.state.now()
        gone = sum((jobs[job or ""].finished_at or 0) + jobs[job or ""].link_seconds < moment for job in had)
        command = "from prefect_seedance.cli import main; main()"
        told = subprocess.run(
            [sys.executable, "-c", command, "ledger", "copy", self.next_ledger, "--ledger", self.leg.ledger],
            capture_output=True,
            text=True,
            check=False,
        )
        assert told.returncode == 0, told.stdout + told.stderr
        output = self.folder / "machine-b" / "clips"
        output.parent.mkdir()
        shutil.move(self.leg.output, output)
        self.leg = replace(self.leg, machine="b", output=str(output), ledger=self.next_ledger)
        process = self.begin()
        self.progress(process)
        self.interrupted(process)
        assert gone, "each video could still be fetched anew, so the move proves nothing"
        self.told(f"moved to another machine with {len(had)} videos, the links of {gone} long dead")

    def restart(self) -> None:
        """Stopped in order, and started again at once."""
        process = self.begin()
        self.progress(process)
        self.interrupted(process)
        self.told("restarted")

    def finish(self) -> None:
        """Runs without a kill, until nothing is left to do."""
        for _ in range(4):
            self.ended(self.begin())
            if all(row.state in {State.STORED, State.UNKNOWN, State.EXPIRED} for row in self.rows()):
                return
        raise AssertionError(f"rows are left over after four runs: {self.left_over()}")

    def left_over(self) -> str:
        """What became of the rows that should be stored, in the provider's days."""
        jobs = {job.id: job for job in self.server.state.jobs()}
        told = [f"{Counter(row.state.value for row in self.rows())}; {', '.join(self.trace)}"]
        for row in self.rows():
            if row.state not in {State.STORED, State.UNKNOWN}:
                job = jobs.get(row.job_id or "")
                ends = [] if job is None else [job.finished_at or 0, (job.finished_at or 0) + job.link_seconds]
                days = [f"{(moment - self.begun) / 86_400:.2f}" for moment in ends]
                told.append(f"{row.key} {row.state.value} job and link ended {days}: {row.error_message}")
        return "\n".join(told)

    # The reckoning.

    def rows(self) -> list[RowRecord]:
        found = self._read(lambda ledger: ledger.rows_of(BATCH))
        for row in found:
            # After the move it is stored a second time, without a link.
            if row.state is State.STORED and row.stored_at is not None:
                self.first_stored.setdefault(row.key, row.stored_at)
        return found

    def attempts(self) -> list[AttemptRecord]:
        return self._read(lambda ledger: ledger.attempts_of(BATCH))

    def _read(self, ask):
        async def read():
            ledger = await Ledger.open(self.leg.ledger)
            try:
                return await ask(ledger)
            finally:
                await ledger.close()

        return asyncio.run(read())

    def check(self) -> None:
        """Hold ledger, files and the provider's own books against each other."""
        time.sleep(0.5)  # a create that was cut off may still be on its way into the bill
        rows, attempts, bill = self.rows(), self.attempts(), self.server.state.bill()
        unknown = {row.key for row in rows if row.state is State.UNKNOWN}
        stored = sum(row.state is State.STORED for row in rows)
        assert stored + len(unknown) == self.log.rows, self.left_over()
        self._check_bill(rows, attempts, bill, unknown)
        self._check_unknown(rows, unknown)
        self._check_files(rows)
        self._check_links(rows)

    def _check_bill(
        self, rows: list[RowRecord], attempts: list[AttemptRecord], bill: list[BillLine], unknown: set[str]
    ) -> None:
        prompts = {prompt: key for key, prompt, _ in self.leg.rows}
        paid = Counter(prompts[line.prompt] for line in bill)
        assert max(paid.values()) == 1, f"paid twice: {[key for key, jobs in paid.items() if jobs > 1]}"
        by_job = {attempt.job_id: attempt for attempt in attempts if attempt.job_id}
        for line in bill:
            attempt = by_job.pop(line.job_id, None)
            if attempt is None:
                assert prompts[line.prompt] in unknown, f"{line} is in no ledger"
                continue
            assert attempt.settlement is Settlement.CHARGED, (attempt, line)
            assert (attempt.charge, attempt.unit_price) == (line.amount, line.unit_price), (attempt, line)
        assert not by_job, "the ledger knows jobs that the provider does not"
        lost = [line for line in bill if prompts[line.prompt] in unknown]
        known = sum((attempt.charge for attempt in attempts if attempt.charge is not None), Decimal(0))
        self.log.jobs, self.log.billed = len(bill), sum((line.amount for line in bill), Decimal(0))
        assert known + sum((line.amount for line in lost), Decimal(0)) == self.log.billed
        self.log.unknown, self.log.lost_answers = len(unknown), len(lost)
        for billing in BILLING.values():
            assert {line.unit_price for line in bill if line.billing_model == billing} == {
                PRICES[billing],
                NEW_PRICES[billing],
            }
        assert {line.account for line in bill} == {"jimmy", "anyfast"}
        assert len({line.account_key_tail for line in bill}) == 2

    def _check_unknown(self, rows: list[RowRecord], unknown: set[str]) -> None:
        """Unknown is what the provider lost an answer of, and what a kill met on the wire: no more, no less."""
        prompts = {prompt: key for key, prompt, _ in self.leg.rows}
        lost = {prompts[job.prompt] for job in self.server.state.jobs() if LOST & set(job.effects)}
        assert unknown == lost | self.log.on_the_wire
        for row in rows:
            if row.state is State.UNKNOWN:
                assert row.attempt is not None
                assert row.attempt.outcome is Outcome.UNKNOWN
                assert row.error_message

    def _check_files(self, rows: list[RowRecord]) -> None:
        folder = Path(self.leg.output)
        stored = {Path(row.path): row for row in rows if row.state is State.STORED and row.path}
        assert set(stored) == set((folder / BATCH).glob("*.mp4")), "files and ledger disagree"
        for path, row in stored.items():
            assert hashlib.sha256(path.read_bytes()).hexdigest() == row.sha256
        for path in self.chance.sample(sorted(stored), min(50, len(stored))):
            assert inspect_video(path).sha256 == stored[path].sha256

    def _check_links(self, rows: list[RowRecord]) -> None:
        """By the provider's clock: no video was stored after its link's end."""
        jobs = {job.id: job for job in self.server.state.jobs()}
        left = []
        for row in rows:
            if row.state is State.STORED:
                job = jobs[row.job_id or ""]
                stored = self.begun + (self.first_stored[row.key].timestamp() - self.real) * 86_400 / self.day
                left.append((job.finished_at or 0) + job.link_seconds - stored)
        self.log.days = self.today()
        self.log.closest = min(left) / 3600
        assert self.log.closest > 0

    def resolve(self) -> None:
        """A person looks every unknown row up at the provider; then nothing is left, and the totals are equal."""
        bill = {line.prompt: line.job_id for line in self.server.state.bill()}
        prompts = {key: prompt for key, prompt, _ in self.leg.rows}
        unknown = {row.key for row in self.rows() if row.state is State.UNKNOWN}

        async def settle(ledger: Ledger) -> None:
            for key in unknown:
                job = bill.get(prompts[key])
                await ledger.resolve(BATCH, "1", key, "job" if job else "not_made", job_id=job)

        self._read(settle)
        self.server.faults.rest()
        self.finish()
        rows, attempts = self.rows(), self.attempts()
        total = sum((line.amount for line in self.server.state.bill()), Decimal(0))
        assert sum((attempt.charge for attempt in attempts if attempt.charge is not None), Decimal(0)) == total
        assert len(self.server.state.bill()) == self.log.rows
        expired = {row.key for row in rows if row.state is State.EXPIRED}
        # Only what nobody could know of may have waited too long for that person.
        assert expired <= unknown
        assert Counter(row.state for row in rows)[State.STORED] == self.log.rows - len(expired)
