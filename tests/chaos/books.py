"""What a batch of many days has seen, and its books held against the provider's."""

from __future__ import annotations

import asyncio
import hashlib
import random
import time
from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from pathlib import Path

from prefect_seedance.ledger import AttemptRecord, Ledger, Outcome, RowRecord, Settlement, State
from prefect_seedance.ledger.rows import lookups
from prefect_seedance.media import inspect_video
from prefect_seedance.sandbox import BillLine, SandboxServer
from prefect_seedance.sandbox.world.prices import price_list
from tests.chaos.traveller import BATCH, BILLING, Leg

LOST = {"cut_after", "error_after", "broken_after"}
"""The sandbox's own words for an answer that it made and did not deliver."""

NEW_PRICES = {BILLING["jimmy"]: Decimal("0.036"), BILLING["anyfast"]: Decimal("27.6")}


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
    """How long it took by the provider's clock, on which a day lasts `day` real seconds."""
    day: float = 0.0
    jobs: int = 0
    billed: Decimal = Decimal(0)
    unknown: int = 0
    lost_answers: int = 0
    closest: float = 0.0
    """Hours that a link still had when its video was stored, of all videos the fewest."""
    late: int = 0
    """Videos that were fetched in time, and put in place only after their links' end."""

    def __str__(self) -> str:
        return (
            f"seed {self.seed}: {self.rows} rows in {self.days:.1f} days of {self.day:.0f} s, {self.runs} runs, "
            f"{self.kills} kills ({', '.join(f'{n} {name}' for name, n in self.at.most_common())}); "
            f"{self.jobs} jobs, {self.billed.normalize():f} CNY billed and in the ledger; {self.unknown} unknown, "
            f"of which the provider had made {self.lost_answers}; 0 paid twice, 0 expired, "
            f"the closest stored {self.closest:.1f} h before its link's end; {'; '.join(self.events)}"
        )


class Books:
    """The ledger, the files and the provider's bill of one journey."""

    log: Log
    leg: Leg
    server: SandboxServer
    chance: random.Random
    begun: float
    """By the provider's clock; `real` is the same moment by ours."""
    real: float
    day: float

    def __init__(self) -> None:
        self.trace: list[str] = []
        self.first_stored: dict[str, datetime] = {}

    def today(self) -> float:
        """The provider's day, from 0 on."""
        return (self.server.state.now() - self.begun) / 86_400

    def rows(self) -> list[RowRecord]:
        found = self._read(lambda ledger: ledger.read(lookups.rows_of, BATCH))
        for row in found:
            # After the move it is stored a second time, without a link.
            if row.state is State.STORED and row.stored_at is not None:
                self.first_stored.setdefault(row.key, row.stored_at)
        return found

    def attempts(self) -> list[AttemptRecord]:
        return self._read(lambda ledger: ledger.read(lookups.attempts_of, BATCH))

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
                price_list()[billing],
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
        """How near to its link's end the last video came in, by the provider's clock."""
        jobs = {job.id: job for job in self.server.state.jobs()}
        left = []
        for row in rows:
            if row.state is State.STORED:
                job = jobs[row.job_id or ""]
                stored = self.begun + (self.first_stored[row.key].timestamp() - self.real) * 86_400 / self.day
                left.append((job.finished_at or 0) + job.link_seconds - stored)
        self.log.days = self.today()
        # A run that is killed after its video was proven leaves it to another one to be put in place: that has time.
        self.log.closest = min(seconds for seconds in left if seconds > 0) / 3600
        self.log.late = sum(seconds <= 0 for seconds in left)

    def left_over(self) -> str:
        """What became of the rows that should be stored, in the provider's days."""
        jobs = {job.id: job for job in self.server.state.jobs()}
        lines = [f"{Counter(row.state.value for row in self.rows())}; {', '.join(self.trace)}"]
        for row in self.rows():
            if row.state not in {State.STORED, State.UNKNOWN}:
                job = jobs.get(row.job_id or "")
                ends = [] if job is None else [job.finished_at or 0, (job.finished_at or 0) + job.link_seconds]
                days = [f"{(moment - self.begun) / 86_400:.2f}" for moment in ends]
                lines.append(f"{row.key} {row.state.value} job and link ended {days}: {row.error_message}")
        return "\n".join(lines)
