"""A batch of many days in a few minutes: a time-lapse provider, and all that happens to a program in such a time."""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Self

from prefect_seedance.core.checkpoints import CHECKPOINTS
from prefect_seedance.ledger import Ledger, State
from prefect_seedance.ledger.db import versions
from prefect_seedance.sandbox import SandboxServer, SandboxSettings
from prefect_seedance.sandbox.world.prices import price_list
from tests.chaos.aging import age, version_of
from tests.chaos.books import NEW_PRICES, Books, Log
from tests.chaos.scene import processes
from tests.chaos.traveller import BATCH, BILLING, INTERRUPTED, MODELS, Leg, travel
from tests.patience import eventually, patience

DAY = 12.0
"""Real seconds that a day lasts at the provider: a link of Anyfast lives 12 s, one of Jimmy AI 36 s.

More on a machine that is so slow or busy that it could not fetch, prove and store what so fast a provider makes.
"""
JOB = (0.075 * 86_400, 0.125 * 86_400)
"""A job lasts as long as a hundred of 86 s, one after the other.

At ten in flight such jobs bring 100,000 rows through ten days; so each row stands for a hundred.
"""
LONGEST_DAY = 36.0
IN_FLIGHT = 10
SPARE = 3
"""So many times as fast as the provider the machine shall be, since it is killed again and again."""

RUN_SECONDS = patience(600)
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


def time_lapse(day: float) -> Callable[[], float]:
    """A clock that begins now, and for which `day` seconds are a day."""
    begun = time.time()
    return lambda: begun + (time.time() - begun) * 86_400 / day


class Journey(Books):
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
        super().__init__()
        self.chance = random.Random(seed)
        self.log = Log(seed, rows)
        self.kills = kills
        self.folder, self.next_ledger, self.api_url = folder, next_ledger, api_url
        self.keys = {"sk_first_of_jimmy": "jimmy", "sk-first-of-anyfast": "anyfast"}
        self.prices = price_list()
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
        wanted = SPARE * IN_FLIGHT / (sum(JOB) / 2 / 86_400) * self._row_seconds()
        # A short batch is over before a backlog could grow.
        self.day = DAY if rows < 200 else min(max(DAY, wanted), LONGEST_DAY)
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

    def _row_seconds(self) -> float:
        """How long this machine has to do with a row, whose job takes no time."""
        rows, folder = self.leg.rows[:16], self.folder / "trial"
        folder.mkdir()
        with SandboxServer(SandboxSettings(speed=1000.0, keys=self.keys)) as server:
            ledger = f"sqlite+aiosqlite:///{folder}/ledger.db"
            leg = replace(self.leg, sandbox=server.url, output=str(folder), ledger=ledger, rows=rows)
            for sweeps in (True, False):  # the first process waits for the program to be imported
                began = time.monotonic()
                process = self._processes.Process(target=travel, args=(replace(leg, sweeps=sweeps),))
                process.start()
                self.ended(process)
        return (time.monotonic() - began) / len(rows)

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

    def progress(self, process: BaseProcess) -> None:
        """Wait until the provider has made as many jobs as are due by now, and some of them for this run."""
        until = time.monotonic() + patience()
        while process.is_alive() and self.made() < max(self.cap, self.floor) and time.monotonic() < until:
            time.sleep(0.01)

    def killed(self) -> None:
        """A run that is killed: at a named instant, or at any."""
        by_flow = {"api_url": self.api_url} if self.api_url and self.chance.random() < 0.15 else {}
        if self.chance.random() < 0.5:
            instant = self.chance.choice(CHECKPOINTS[:-1])
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
        """Nothing is made for more than a day, longer than a link lives; a sweep comes by every ten hours."""
        process = self.begin()
        self.progress(process)
        self.interrupted(process)
        made = self.made()
        for _ in range(3):
            self.ended(self.begin(sweeps=True))
            time.sleep(self.day * 10 / 24)
        assert self.made() == made
        assert not any(row.state in {State.CREATED, State.SUCCEEDED, State.SENT} for row in self.rows())
        self.told("paused for 30 hours")

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
        copy = [sys.executable, "-c", command, "ledger", "copy", self.next_ledger, "--ledger", self.leg.ledger]
        # Here, on another machine, the killed run counts as live until its lease is over.
        eventually(
            lambda: subprocess.run(copy, capture_output=True, check=False).returncode == 0, "the copy", every=1.0
        )
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
