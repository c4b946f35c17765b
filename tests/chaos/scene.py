"""A scene of the chaos tests: a sandbox that goes on while the program is killed, and the reckoning at the end."""

from __future__ import annotations

import asyncio
import hashlib
import multiprocessing
import random
import time
from collections import Counter
from dataclasses import dataclass, field, replace
from decimal import Decimal
from pathlib import Path
from typing import Self

from prefect_seedance.ledger import AttemptRecord, Ledger, Outcome, RowRecord, Settlement, State
from prefect_seedance.ledger.rows import lookups
from prefect_seedance.media import inspect_video
from prefect_seedance.sandbox import BillLine, SandboxServer, SandboxSettings
from tests.chaos.child import MODELS, Task, run
from tests.patience import patience

UNFINISHED = {State.PLANNED, State.DEFERRED, State.OVER_BUDGET, State.SENT, State.CREATED, State.SUCCEEDED}
RUN_SECONDS = patience(600)


def processes() -> multiprocessing.context.ForkServerContext:
    """Processes that are forked from one that has imported the program: each costs milliseconds, not seconds."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.chaos.child"])
    return context


@dataclass
class Reckoning:
    """What a scene has seen: the figures that the closing notes quote."""

    kills: int = 0
    runs: int = 0
    at: Counter[str] = field(default_factory=Counter)
    unknown: int = 0
    rows: int = 0
    jobs: int = 0
    billed: Decimal = Decimal(0)


class Scene:
    """One batch that is killed again and again over one sandbox."""

    def __init__(
        self,
        folder: Path,
        seed: int,
        *,
        rows: int = 24,
        api_url: str | None = None,
        ledger: str | None = None,
        models: tuple[str, ...] = MODELS,
    ) -> None:
        self.chance = random.Random(seed)
        self.reckoning = Reckoning(rows=rows)
        self.server = SandboxServer(SandboxSettings(speed=60.0, seed=seed))
        self.ledger = ledger or f"sqlite+aiosqlite:///{folder}/ledger.db"
        self.output = folder / "videos"
        table = tuple(
            (f"row-{number:03d}", f"prompt {number} 猫 of seed {seed}", models[number % len(models)])
            for number in range(rows)
        )
        self.task = Task(table, self.server.url, self.ledger, str(self.output), api_url=api_url)
        self._processes = processes()
        self._begun: list[multiprocessing.process.BaseProcess] = []

    def __enter__(self) -> Self:
        self.server.start()
        return self

    def __exit__(self, *_: object) -> None:
        for process in self._begun:
            process.kill()
            process.join()
        self.server.stop()

    def trouble(self) -> None:
        """Let the provider be as bad as the seed says."""
        rates = {
            "rate_limited": 0.06,
            "cut_before": 0.03,
            "cut_after": 0.05,
            "error_before": 0.03,
            "error_after": 0.04,
            "broken_after": 0.03,
            "slow_create": 0.15,
            "failed": 0.05,
            "stale_link": 0.05,
            "download_cut": 0.10,
            "download_error": 0.03,
            "query_error": 0.04,
            "query_cut": 0.04,
            "query_broken": 0.03,
            "odd_headers": 0.3,
            "keyed_link": 0.1,
            "late_job": 0.1,
            "late_link": 0.1,
            "query_unknown": 0.04,
            "download_refused": 0.04,
        }
        chosen = {name: rate for name, rate in rates.items() if self.chance.random() < 0.6}
        self.server.faults.update(retry_after=0.1, slow_create_seconds=0.4, late_seconds=1.5, **chosen)

    def killed_at(self, instant: str, nth: int, *, with_prefect: bool = False) -> bool:
        """Run until the instant is reached for the nth time; whether the run died of it."""
        task = replace(self.task, kill_at=instant, kill_nth=nth, with_prefect=with_prefect)
        return self._run(task, None, instant)

    def killed_after(self, seconds: float, *, with_prefect: bool = False) -> bool:
        """Run, and kill it after some time; whether it still ran."""
        return self._run(replace(self.task, with_prefect=with_prefect), seconds, "any")

    def finish(self, *, with_prefect: bool = False) -> None:
        """Run without a kill until nothing is left that a run would take."""
        for _ in range(8):
            self._run(replace(self.task, with_prefect=with_prefect), None, "")
            if not any(row.state in UNFINISHED for row in self.rows()):
                return
        states = Counter(row.state for row in self.rows())
        raise AssertionError(f"rows are left over after eight runs: {states}")

    def begin(self, **changes: object) -> multiprocessing.process.BaseProcess:
        """Run, and do not wait for it."""
        self.reckoning.runs += 1
        process = self._processes.Process(target=run, args=(replace(self.task, **changes),))
        process.start()
        self._begun.append(process)
        return process

    def end(self, *processes: multiprocessing.process.BaseProcess) -> None:
        """Wait for runs to end by themselves."""
        for process in processes:
            process.join(RUN_SECONDS)
            alive = process.is_alive()
            if alive:
                process.kill()
                process.join()
            assert not alive, f"a run did not end within {RUN_SECONDS} s"
            assert process.exitcode == 0

    def _run(self, task: Task, kill_after: float | None, name: str) -> bool:
        self.reckoning.runs += 1
        process = self._processes.Process(target=run, args=(task,))
        process.start()
        if kill_after is not None:
            process.join(kill_after)
            process.kill()
        process.join(RUN_SECONDS)
        if process.is_alive():
            process.kill()
            raise AssertionError(f"a run did not end within {RUN_SECONDS} s")
        died = process.exitcode == -9
        if died:
            self.reckoning.kills += 1
            self.reckoning.at[name] += 1
            self._check_wire()
        elif process.exitcode != 0:
            raise AssertionError(f"a run ended with {process.exitcode}")
        return died

    def _check_wire(self) -> None:
        """No more rows may become unknown by a kill than there are places in flight."""
        on_the_wire = sum(row.state is State.SENT for row in self.rows())
        assert on_the_wire <= 4 * len(MODELS), f"{on_the_wire} rows were on the wire"

    def rows(self) -> list[RowRecord]:
        return self._read(lambda ledger: ledger.read(lookups.rows_of, "chaos"))

    def attempts(self) -> list[AttemptRecord]:
        return self._read(lambda ledger: ledger.read(lookups.attempts_of, "chaos"))

    def _read(self, ask):
        async def read():
            ledger = await Ledger.open(self.ledger)
            try:
                return await ask(ledger)
            finally:
                await ledger.close()

        return asyncio.run(read())

    def bill(self) -> list[BillLine]:
        time.sleep(0.5)  # a create that was cut off may still be on its way into the bill
        return self.server.state.bill()

    def check(self) -> Reckoning:
        """Hold ledger, files and the sandbox's bill against each other."""
        rows, attempts, bill = self.rows(), self.attempts(), self.bill()
        by_row = {row.id: row for row in rows}
        by_job = {attempt.job_id: attempt for attempt in attempts if attempt.job_id}
        self._check_jobs(by_row, by_job, bill)
        self._check_totals(attempts, bill)
        self._check_files(rows)
        self.reckoning.unknown = sum(row.state is State.UNKNOWN for row in rows)
        self.reckoning.jobs = len(bill)
        self.reckoning.billed = sum((line.amount for line in bill), Decimal(0))
        return replace(self.reckoning, at=Counter(self.reckoning.at))

    def _check_jobs(self, by_row: dict[int, RowRecord], by_job: dict[str, AttemptRecord], bill: list[BillLine]) -> None:
        prompts = {prompt: key for key, prompt, _ in self.task.rows}
        paid = Counter(prompts[line.prompt] for line in bill)
        assert max(paid.values(), default=0) <= 1, f"paid twice: {[key for key, jobs in paid.items() if jobs > 1]}"
        states = {row.key: row.state for row in by_row.values()}
        for line in bill:
            key, attempt = prompts[line.prompt], by_job.get(line.job_id)
            if attempt is None:
                # Paid, and the answer was lost: then the row is held. Anything else would be a lost job.
                assert states[key] is State.UNKNOWN, f"{key} is {states[key]}, but job {line.job_id} was paid"
            elif attempt.settlement is Settlement.CHARGED:
                assert attempt.charge == line.amount, (attempt, line)
            elif attempt.settlement is Settlement.REFUNDED:
                assert line.amount == 0 or line.refunded, line
        known = {line.job_id for line in bill}
        assert set(by_job) <= known, "the ledger knows jobs that the provider does not"
        for key, state in states.items():
            if state in {State.STORED, State.FAILED, State.EXPIRED, State.CREATED, State.SUCCEEDED}:
                assert paid[key] == 1, f"{key} is {state}, and was paid {paid[key]} times"

    def _check_totals(self, attempts: list[AttemptRecord], bill: list[BillLine]) -> None:
        settled = sum((a.charge for a in attempts if a.charge is not None), Decimal(0))
        doubtful = {Settlement.UNKNOWN, Settlement.UNDOCUMENTED, Settlement.OPEN}
        held = sum((a.quote_high or Decimal(0) for a in attempts if a.settlement in doubtful), Decimal(0))
        total = sum((Decimal(0) if line.refunded else line.amount for line in bill), Decimal(0))
        assert settled <= total <= settled + held, (settled, total, held)

    def _check_files(self, rows: list[RowRecord]) -> None:
        stored = {Path(row.path): row for row in rows if row.state is State.STORED and row.path}
        found = set((self.output / "chaos").glob("*.mp4"))
        assert set(stored) == found, "files and ledger disagree"
        for path, row in stored.items():
            assert hashlib.sha256(path.read_bytes()).hexdigest() == row.sha256
            assert inspect_video(path).sha256 == row.sha256

    def resolve(self) -> None:
        """Settle every unknown row from the provider's own records, run to the end, and hold the totals together."""
        jobs = {line.prompt: line.job_id for line in self.bill()}
        prompts = {key: prompt for key, prompt, _ in self.task.rows}
        unknown = [row.key for row in self.rows() if row.state is State.UNKNOWN]
        for key in unknown:
            job = jobs.get(prompts[key])

            async def settle(ledger: Ledger, key: str = key, job: str | None = job) -> None:
                await ledger.resolve("chaos", "1", key, "job" if job else "not_made", job_id=job)

            self._read(settle)
        self.server.faults.rest()
        self.finish()
        self.check()
        rows, bill = self.rows(), self.bill()
        assert not [row.key for row in rows if row.state is State.UNKNOWN]
        failed = {row.job_id for row in rows if row.state in {State.FAILED, State.EXPIRED}}
        settled = sum((a.charge for a in self.attempts() if a.charge is not None), Decimal(0))
        # Of a failed job no document says whether it is charged, so it is no part of what we call settled.
        assert settled == sum((line.amount for line in bill if line.job_id not in failed), Decimal(0))

    def evidence(self) -> None:
        """Every unknown row has an attempt that says when it was sent and why nothing is known."""
        for row in self.rows():
            if row.state is State.UNKNOWN:
                assert row.attempt is not None
                assert row.attempt.outcome is Outcome.UNKNOWN
                assert row.attempt.settlement is Settlement.UNKNOWN
                assert row.attempt.sent_at is not None
                assert row.error_message
