"""What a sandbox knows: its accounts, the jobs it accepted, its bill, and how often it was called."""

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
from prefect_seedance.sandbox.world.assets import AssetShelf
from prefect_seedance.sandbox.world.bill import BillLine
from prefect_seedance.sandbox.world.draft import Draft
from prefect_seedance.sandbox.world.faults import Faults, chance
from prefect_seedance.sandbox.world.job import Job
from prefect_seedance.sandbox.world.store import FileStore, MemoryStore, Store
from prefect_seedance.sandbox.world.uploads import Uploads


@dataclass(frozen=True)
class Account:
    """A paying identity: whom a key belongs to."""

    name: str
    key_tail: str

    @property
    def provider(self) -> str:
        """Return `jimmy` or `anyfast`."""
        return self.name.partition("/")[0]


class State:
    """The memory of a sandbox. Safe to use from any thread.

    Attributes:
        settings: What it was made with.
        faults: What goes wrong; may be changed at any time.
        calls: How often each endpoint was called (`jimmy.create`, `anyfast.query`, `files` …), and what happened there
            (`jimmy.create.refused`, `files.with_authorization` …).
        closing: Whether it is being shut down; answers that wait on purpose wait no longer.
        peak: The most unfinished jobs that each account ever had at once.
        told: When a query was first answered with a job's end, in Unix seconds, by job id.
    """

    def __init__(self, settings: SandboxSettings | None = None, faults: Faults | None = None) -> None:
        self.settings = settings or SandboxSettings()
        self.faults = faults or Faults()
        self.closing = False
        self.calls: Counter[str] = Counter()
        self.peak: Counter[str] = Counter()
        self.told: dict[str, float] = {}
        path = self.settings.state_path
        self._store: Store = MemoryStore() if path is None else FileStore(path)
        self.assets = AssetShelf(self.settings, self._store)
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

    def count(self, call: str, times: int = 1) -> None:
        """Count a call."""
        with self._lock:
            self.calls[call] += times

    def nth(self, point: str, name: str) -> int:
        """Return how often this was asked before, and count it."""
        with self._lock:
            self._seen[point, name] += 1
            return self._seen[point, name] - 1

    def account(self, key: str, provider: str) -> Account | None:
        """Return the account of a key at a provider; None for a key that is not known there."""
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
        """Accept a job, and put it on the bill.

        Args:
            account: Who pays.
            draft: What was asked for, read and priced.
            sha256: Of the request.
            nth: How often the same request came before.
            effects: The faults drawn for it.
            new_id: Makes a job id of the provider's form, by the time.
            link_seconds: How long a result link lives by the provider's documents.

        Returns:
            The job; None when the account has as many unfinished jobs as the hidden limit allows.
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
        """Return a job; with an account, only one of its own."""
        job = self._jobs.get(name)
        return job if job is not None and account in {None, job.account} else None

    def jobs(self) -> list[Job]:
        """Return all jobs, oldest first."""
        with self._lock:
            return list(self._jobs.values())

    def bill(self) -> list[BillLine]:
        """Return the bill as of now: one line for each accepted job, oldest first, and then the assets that cost."""
        now = self.now()
        return [job.bill_line(now, self.settings.currency) for job in self.jobs()] + self.assets.bill()

    def spent(self, account: str) -> Decimal:
        """Return what an account has paid, less what came back."""
        return sum((line.cost for line in self.bill() if line.account == account), Decimal(0))

    def signature(self, job_id: str, expires: int) -> str:
        """Sign a result link."""
        return hmac.new(self._secret, f"{job_id}:{expires}".encode(), hashlib.sha256).hexdigest()[:40]

    def reset(self) -> None:
        """Forget jobs, bill, assets, uploads and counts, and put all faults at rest."""
        with self._lock:
            self._store.clear()
            self._store.put("secret", "link", self._secret)
            self._forget()
            self.calls.clear()
            self.peak.clear()
            self.told.clear()
            self.assets.load()
            self.uploads.forget()
            self.faults.rest()

    def close(self) -> None:
        """Close the state file."""
        self._store.close()
