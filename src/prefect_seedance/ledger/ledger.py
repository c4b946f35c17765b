"""The ledger: the durable record of what was meant, sent, made, stored, and what it cost."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

import sqlalchemy as sa

from prefect_seedance.errors import LedgerError, SeedanceError
from prefect_seedance.ledger._media import LedgerMedia
from prefect_seedance.ledger._reads import LedgerReads
from prefect_seedance.ledger._sharing import LedgerSharing
from prefect_seedance.ledger.db.schema import runs
from prefect_seedance.ledger.records import Charge, Intent, Plan, Proof
from prefect_seedance.ledger.rows import (
    budget,
    late_answers,
    leases,
    maintenance,
    planning,
    resolving,
    transitions,
)
from prefect_seedance.ledger.rows.leases import Run
from prefect_seedance.ledger.rows.resolving import Verdict
from prefect_seedance.ledger.states import State
from prefect_seedance.messages import message
from prefect_seedance.routes.pricing.amount import Amount

__all__ = ["Ledger"]


class Ledger(LedgerReads, LedgerMedia, LedgerSharing):
    """One open ledger. Every writing method has committed when it returns."""

    async def begin_run(self, batch: str, flow_run_id: str | None = None) -> Run:
        """A new run over a batch (which is made if it is new)."""

        def operation(connection: sa.Connection) -> Run:
            return leases.begin(connection, planning.find_batch(connection, batch), batch, flow_run_id)

        return await self._database.write(operation)

    async def beat(self, run: Run) -> None:
        """Say that the run still lives (for other hosts; on this one its process tells)."""
        await self._write(leases.beat, run)

    async def end_run(self, run: Run) -> None:
        """Let go of the run's rows."""
        try:
            await self._write(leases.end, run)
        finally:
            leases.forget(run)

    async def plan(self, run: Run, take: str, plans: Sequence[Plan]) -> dict[str, int]:
        """Write down rows that are new; see `planning.plan`."""

        def operation(connection: sa.Connection) -> dict[str, int]:
            return planning.plan(connection, run.batch_id, run.batch, take, plans)

        return await self._database.write(operation)

    async def follow(self, run: Run, take: str, folder: str) -> None:
        """The batch's folder is another one now; see `planning.follow`."""
        await self._write(planning.follow, run, take, folder)

    async def claim(self, run: Run, ids: Collection[int], retry: frozenset[State] = frozenset()) -> set[int]:
        """Take the rows that nobody alive holds; see `planning.claim`."""

        def operation(connection: sa.Connection) -> set[int]:
            return planning.claim(connection, run, ids, retry)

        return await self._database.write(operation)

    async def intend(self, run: Run, intent: Intent, limit: Amount | None = None) -> int | None:
        """Write down a create that is about to be sent; returns the attempt's id, or None where the budget forbids it.

        A caller that is cancelled meanwhile never learns the id and cannot send: its intent is withdrawn.
        """
        written: list[int | None] = []

        def operation(connection: sa.Connection) -> int | None:
            written.append(transitions.intend(connection, run, intent, limit))
            return written[-1]

        try:
            return await self._database.write(operation)
        except asyncio.CancelledError:
            if written and written[-1] is not None:
                with contextlib.suppress(LedgerError):
                    await self.withdraw(run, intent.row_id, written[-1])
            raise

    async def withdraw(self, run: Run, row_id: int, attempt_id: int) -> None:
        """The request of this attempt never left this process.

        Raises:
            LedgerError: The run has lost the row, or the attempt waits for no answer.
        """

        def operation(connection: sa.Connection) -> bool:
            if late_answers.withdrawn(connection, run, row_id, attempt_id):
                return False
            transitions.withdraw(connection, run, row_id, attempt_id)
            return True

        if not await self._database.write(operation):
            raise LedgerError(message("ledger.lease_expired_unsent"))

    async def created(
        self,
        run: Run,
        row_id: int,
        attempt_id: int,
        *,
        job_id: str,
        http_status: int | None,
        request_id: str | None,
    ) -> None:
        """The provider accepted; the job is known.

        Raises:
            LedgerError: The run has lost the row. The job is in the ledger all the same.
        """

        def operation(connection: sa.Connection) -> bool:
            return transitions.created(
                connection, run, row_id, attempt_id, job_id=job_id, http_status=http_status, request_id=request_id
            )

        if not await self._database.write(operation):
            raise LedgerError(message("ledger.lease_expired_job", job=job_id))

    async def refuse(self, run: Run, row_id: int, attempt_id: int, error: SeedanceError, to: State) -> None:
        """The create brought no job: refused for good or for now, or its outcome is unknown.

        Raises:
            LedgerError: The run has lost the row (the answer is in the ledger all the same), or the attempt waits for
                no answer.
        """

        def operation(connection: sa.Connection) -> bool:
            if late_answers.refused(connection, run, row_id, attempt_id, error, to):
                return False
            transitions.refuse(connection, run, row_id, attempt_id, error, to)
            return True

        if not await self._database.write(operation):
            raise LedgerError(message("ledger.lease_expired_answer", answer=error.text))

    async def reject(self, run: Run, row_id: int, error: SeedanceError) -> None:
        """The row is refused before anything was sent: one of its media did not pass the provider's review."""
        await self._write(transitions.reject, run, row_id, error)

    async def put_off(self, run: Run, row_id: int, error: SeedanceError, to: State = State.DEFERRED) -> None:
        """The row is not sent now (`deferred`, or `over_budget`); a later run takes it."""
        await self._write(transitions.put_off, run, row_id, error, to)

    async def succeed(self, run: Run, row_id: int, charge: Charge, *, link_expires_at: datetime | None) -> None:
        """The job has made a video."""
        await self._write(transitions.succeed, run, row_id, charge, link_expires_at=link_expires_at)

    async def fail(self, run: Run, row_id: int, charge: Charge, error: SeedanceError) -> None:
        """The job failed at the provider."""
        await self._write(transitions.fail, run, row_id, charge, error)

    async def fail_gone(self, run: Run, row_id: int, charge: Charge, error: SeedanceError) -> None:
        """The provider no longer knows the job, and never said how it ended."""
        await self._write(transitions.fail_gone, run, row_id, charge, error)

    async def expire(self, run: Run, row_id: int, error: SeedanceError) -> None:
        """Made and paid, but the provider no longer has it."""
        await self._write(transitions.expire, run, row_id, error)

    async def prove(self, run: Run, row_id: int, proof: Proof) -> None:
        """The file is whole; written before it is renamed into place."""
        await self._write(transitions.prove, run, row_id, proof)

    async def store(
        self,
        run: Run,
        row_id: int,
        *,
        modified_ns: int | None,
        etag: str | None = None,
        since: datetime | None = None,
    ) -> None:
        """The proven file stands in its place; what that place tells of it is kept, to see if it is touched later.

        `since` is given where it has stood there before.
        """
        await self._write(transitions.store, run, row_id, modified_ns=modified_ns, etag=etag, since=since)

    async def refetch(self, run: Run, row_id: int) -> None:
        """A stored file is gone or changed: it is to be fetched again."""
        await self._write(transitions.refetch, run, row_id)

    async def bind(self, run: Run, most: Amount | None) -> int:
        """Give earlier attempts without a worst case the one that the user states; returns how many have none still."""

        def operation(connection: sa.Connection) -> int:
            if most is not None:
                budget.bind(connection, run.batch_id, most.currency, most.value)
            return budget.unbounded(connection, run.batch_id, most.currency if most else None)

        return await self._database.write(operation)

    async def resolve(
        self,
        batch: str,
        take: str,
        key: str,
        verdict: Verdict,
        *,
        job_id: str | None = None,
        charge: Decimal | None = None,
    ) -> None:
        """Settle an unknown row by a person's word; see `resolving.resolve`."""

        def operation(connection: sa.Connection) -> None:
            row = resolving.find(connection, batch, take, key)
            resolving.resolve(connection, row, verdict, job_id=job_id, charge=charge)

        await self._database.write(operation)

    async def note_balances(self, run: Run, balances: Mapping[str, Any]) -> None:
        """Keep what the accounts' balances looked like: a hint for a person, never an account."""

        def operation(connection: sa.Connection) -> None:
            connection.execute(sa.update(runs).where(runs.c.id == run.id).values(balances=dict(balances)))

        await self._database.write(operation)

    async def copy_to(self, other: Ledger) -> None:
        """Copy everything, identity included, into another ledger, which must be new."""
        content = await self._database.read(maintenance.dump)
        await other._database.write(lambda connection: maintenance.fill(connection, content))

    async def prune(self, before: datetime) -> list[str]:
        """Take out the rows of settled batches that have not changed since; see `keeping.prune`."""
        return await self._database.write(lambda connection: maintenance.prune(connection, before))
