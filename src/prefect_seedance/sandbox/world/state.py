"""The state of a sandbox: its accounts, the accepted jobs, its bill, and how often it was called."""

from __future__ import annotations

import hashlib
import heapq
import hmac
import math
import secrets
import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal

from prefect_seedance.sandbox.settings import SandboxSettings
from prefect_seedance.sandbox.world.assets import Assets
from prefect_seedance.sandbox.world.bill import BillLine
from prefect_seedance.sandbox.world.draft import Draft
from prefect_seedance.sandbox.world.faults import Faults, chance
from prefect_seedance.sandbox.world.job import Job
from prefect_seedance.sandbox.world.store import FileStore, MemoryStore, Store
from prefect_seedance.sandbox.world.uploads import Uploads


@dataclass(frozen=True)
class Account:
    """The paying identity that a key belongs to."""

    name: str
    key_tail: str

    @property
    def provider(self) -> str:
        """Return `jimmy` or `anyfast`."""
        return self.name.partition("/")[0]


class State:
    """The state of a sandbox. Safe to use from any thread.

    Attributes:
        settings: The settings.
        faults: The faults; they may be changed at any time.
        calls: How often each endpoint was called (`jimmy.create`, `anyfast.query`, `files` …), and with what result
            (`jimmy.create.refused`, `files.with_authorization` …).
        closing: Whether the sandbox is shutting down; delayed answers are then sent at once.
        peak: The largest number of unfinished jobs at one time, by account.
        end_reported_at: When a query first reported that a job had ended, in Unix seconds, by job id.
    """

    def __init__(self, settings: SandboxSettings | None = None, faults: Faults | None = None) -> None:
        self.settings = settings or SandboxSettings()
        self.faults = faults or Faults()
        self.closing = False
        self.calls: Counter[str] = Counter()
        self.peak: Counter[str] = Counter()
        self.end_reported_at: dict[str, float] = {}
        path = self.settings.state_path
        self._store: Store = MemoryStore() if path is None else FileStore(path)
        self.assets = Assets(self.settings, self._store)
        self.uploads = Uploads(self._store, self.settings)
        self._lock = threading.RLock()
        self._secret = self._store.get("secret", "link") or secrets.token_bytes(32)
        self._store.put("secret", "link", self._secret)
        self._forget()
        for body in self._store.all("job"):
            job = Job.from_json(body.decode())
            self._keep(job)
            self._seen["create", f"{job.account} {job.request_sha256}"] += 1

    def _forget(self) -> None:
        self._jobs: dict[str, Job] = {}
        self._seen: Counter[tuple[str, str]] = Counter()
        self._unfinished: dict[str, list[float]] = {}

    def _keep(self, job: Job) -> None:
        self._jobs[job.id] = job
        ends = self._unfinished.setdefault(job.account, [])
        heapq.heappush(ends, math.inf if job.finished_at is None else job.finished_at)
        self.peak[job.account] = max(self.peak[job.account], self.unfinished(job.account))

    def now(self) -> float:
        """Return the sandbox's time in Unix seconds."""
        return self.settings.clock()

    def is_late(self, fault: str, job: Job, since: float | None) -> bool:
        """Return whether a job still has a fault that lasts for `late_seconds` from a time."""
        return fault in job.effects and since is not None and self.now() < since + self.faults.late_seconds

    def count(self, call: str, times: int = 1) -> None:
        """Count a call."""
        with self._lock:
            self.calls[call] += times

    def nth(self, point: str, name: str) -> int:
        """Return how often this was seen before, and count it."""
        with self._lock:
            self._seen[point, name] += 1
            return self._seen[point, name] - 1

    def account(self, key: str, provider: str) -> Account | None:
        """Return the account of a key at a provider; None for an unknown key."""
        name = self.settings.keys.get(key)
        if name is None or name.partition("/")[0] != provider:
            return None
        return Account(name, key[-4:])

    def unfinished(self, account: str) -> int:
        """Return how many jobs of an account have not ended."""
        with self._lock:
            ends = self._unfinished.setdefault(account, [])
            while ends and ends[0] <= self.now():
                heapq.heappop(ends)
            return len(ends)

    def admit(
        self,
        account: Account,
        draft: Draft,
        *,
        sha256: str,
        nth: int,
        effects: frozenset[str],
        new_id: Callable[[float], str],
        link_seconds: float,
    ) -> Job | None:
        """Accept a job and add it to the bill.

        Args:
            account: The account that pays.
            draft: The checked and priced request.
            sha256: The hash of the request.
            nth: How often the same request was sent before.
            effects: The faults of the job.
            new_id: Makes a job id in the provider's format from the time.
            link_seconds: The documented lifetime of a result link.

        Returns:
            The job; None when the account's unfinished jobs have reached the hidden limit.
        """
        settings = self.settings
        low, high = settings.job_seconds
        seconds = (low + (high - low) * chance(settings.seed, "seconds", sha256, nth)) / settings.speed
        with self._lock:
            limit = self.faults.concurrency
            if limit is not None and self.unfinished(account.name) >= limit:
                return None
            lifetime = settings.link_seconds
            job = Job(
                id=self._new_id(new_id),
                provider=account.provider,
                account=account.name,
                key_tail=account.key_tail,
                model=draft.model,
                request=draft.request,
                request_sha256=sha256,
                prompt=draft.prompt,
                action=draft.action,
                created_at=self.now(),
                run_seconds=None if "never_ending" in effects else seconds,
                failure=draft.failure,
                clip=draft.clip,
                tokens=draft.tokens,
                charge=draft.charge,
                refunds=draft.refunds,
                link_seconds=link_seconds if lifetime is None else lifetime,
                effects=tuple(sorted(effects)),
            )
            self._store.put("job", job.id, job.to_json().encode())
            self._keep(job)
            return job

    def _new_id(self, new_id: Callable[[float], str]) -> str:
        while True:
            name = new_id(self.now())
            if name not in self._jobs:
                return name

    def job(self, name: str, account: str | None = None) -> Job | None:
        """Return a job; with an account, only a job of that account."""
        job = self._jobs.get(name)
        return job if job is not None and account in {None, job.account} else None

    def jobs(self) -> list[Job]:
        """Return all jobs, oldest first."""
        with self._lock:
            return list(self._jobs.values())

    def bill(self) -> list[BillLine]:
        """Return the current bill: one line for each accepted job, oldest first, then one for each billed asset."""
        now = self.now()
        return [job.bill_line(now, self.settings.currency) for job in self.jobs()] + self.assets.bill()

    def spent(self, account: str) -> Decimal:
        """Return what an account has paid, less refunds."""
        return sum((line.cost for line in self.bill() if line.account == account), Decimal(0))

    def signature(self, job_id: str, expires: int) -> str:
        """Sign a result link."""
        return hmac.new(self._secret, f"{job_id}:{expires}".encode(), hashlib.sha256).hexdigest()[:40]

    def reset(self) -> None:
        """Clear jobs, bill, assets, uploads and counts, and reset all faults."""
        with self._lock:
            self._store.clear()
            self._store.put("secret", "link", self._secret)
            self._forget()
            self.calls.clear()
            self.peak.clear()
            self.end_reported_at.clear()
            self.assets.load()
            self.uploads.forget()
            self.faults.rest()

    def close(self) -> None:
        """Close the state file."""
        self._store.close()
