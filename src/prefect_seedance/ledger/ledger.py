"""The ledger: the durable record of what was planned, sent, made and stored, and what it cost."""

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
        """Start a new run of a batch; create the batch if it is new."""

        def operation(connection: sa.Connection) -> Run:
            return leases.begin(connection, planning.find_batch(connection, batch), batch, flow_run_id)

        return await self._database.write(operation)

    async def beat(self, run: Run) -> None:
        """Record a heartbeat of the run, for other hosts; on this host its process id is checked."""
        await self._write(leases.beat, run)

    async def end_run(self, run: Run) -> None:
        """End the run, and release its rows."""
        try:
            await self._write(leases.end, run)
        finally:
            leases.forget(run)

    async def plan(self, run: Run, take: str, plans: Sequence[Plan]) -> dict[str, int]:
        """Record new rows; see `planning.plan`."""

        def operation(connection: sa.Connection) -> dict[str, int]:
            return planning.plan(connection, run.batch_id, run.batch, take, plans)

        return await self._database.write(operation)

    async def change_folder(self, run: Run, take: str, folder: str) -> None:
        """Change the folder of the batch's unfinished rows; see `planning.change_folder`."""
        await self._write(planning.change_folder, run, take, folder)

    async def claim(self, run: Run, ids: Collection[int], retry: frozenset[State] = frozenset()) -> set[int]:
        """Claim the rows that no live run holds; see `planning.claim`."""

        def operation(connection: sa.Connection) -> set[int]:
            return planning.claim(connection, run, ids, retry)

        return await self._database.write(operation)

    async def intend(self, run: Run, intent: Intent, limit: Amount | None = None) -> int | None:
        """Record a create before it is sent; returns the attempt's id, or None where the budget forbids it.

        A caller that is cancelled meanwhile does not get the id and cannot send, so its intent is withdrawn.
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
        """Record that the request of this attempt never left this process.

        Raises:
            LedgerError: The run does not hold the row any more, or the attempt was answered already.
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
        """Record the job that the provider created.

        Raises:
            LedgerError: The run does not hold the row any more; the job is recorded nevertheless. Or the attempt is not
                this run's, or was answered already.
        """

        def operation(connection: sa.Connection) -> bool:
            return transitions.created(
                connection, run, row_id, attempt_id, job_id=job_id, http_status=http_status, request_id=request_id
            )

        if not await self._database.write(operation):
            raise LedgerError(message("ledger.lease_expired_job", job=job_id))

    async def refuse(self, run: Run, row_id: int, attempt_id: int, error: SeedanceError, to: State) -> None:
        """Record a create without a job: `refused`, `deferred`, or `unknown`.

        Raises:
            LedgerError: The run does not hold the row any more (the answer is recorded nevertheless), or the attempt
                was answered already.
        """

        def operation(connection: sa.Connection) -> bool:
            if late_answers.refused(connection, run, row_id, attempt_id, error, to):
                return False
            transitions.refuse(connection, run, row_id, attempt_id, error, to)
            return True

        if not await self._database.write(operation):
            raise LedgerError(message("ledger.lease_expired_answer", answer=error.text))

    async def reject(self, run: Run, row_id: int, error: SeedanceError) -> None:
        """Refuse a row before anything was sent: one of its media did not pass the provider's review."""
        await self._write(transitions.reject, run, row_id, error)

    async def put_off(self, run: Run, row_id: int, error: SeedanceError, to: State = State.DEFERRED) -> None:
        """Leave a row to a later run, as `deferred` or `over_budget`."""
        await self._write(transitions.put_off, run, row_id, error, to)

    async def succeed(self, run: Run, row_id: int, charge: Charge, *, link_expires_at: datetime | None) -> None:
        """Record that the job succeeded, and its charge."""
        await self._write(transitions.succeed, run, row_id, charge, link_expires_at=link_expires_at)

    async def fail(self, run: Run, row_id: int, charge: Charge, error: SeedanceError) -> None:
        """Record that the job failed at the provider, and its charge."""
        await self._write(transitions.fail, run, row_id, charge, error)

    async def fail_gone(self, run: Run, row_id: int, charge: Charge, error: SeedanceError) -> None:
        """Record that the provider no longer knows the job, whose result was never reported."""
        await self._write(transitions.fail_gone, run, row_id, charge, error)

    async def expire(self, run: Run, row_id: int, error: SeedanceError) -> None:
        """Record that a paid video is no longer available at the provider."""
        await self._write(transitions.expire, run, row_id, error)

    async def prove(self, run: Run, row_id: int, proof: Proof) -> None:
        """Record a verified file, before it is renamed into place."""
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
        """Record that the verified file is in place.

        Args:
            run: The run that holds the row.
            row_id: The row.
            modified_ns: The file's modification time in nanoseconds, to detect later changes.
            etag: The object's ETag, for the same purpose.
            since: When it was stored, if before now.
        """
        await self._write(transitions.store, run, row_id, modified_ns=modified_ns, etag=etag, since=since)

    async def refetch(self, run: Run, row_id: int) -> None:
        """Record that a stored file is missing or changed, so that it is downloaded again."""
        await self._write(transitions.refetch, run, row_id)

    async def set_worst_case(self, run: Run, most: Amount | None) -> int:
        """Set the worst-case cost of earlier attempts that have none; returns how many still have none.

        Args:
            run: A run of the batch.
            most: The worst case as the user states it; None only counts.
        """

        def operation(connection: sa.Connection) -> int:
            if most is not None:
                budget.set_worst_case(connection, run.batch_id, most.currency, most.value)
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
        """Settle an unknown row as a person states it; see `resolving.resolve`."""

        def operation(connection: sa.Connection) -> None:
            row = resolving.find(connection, batch, take, key)
            resolving.resolve(connection, row, verdict, job_id=job_id, charge=charge)

        await self._database.write(operation)

    async def note_balances(self, run: Run, balances: Mapping[str, Any]) -> None:
        """Record the accounts' balances, for information only: costs are never computed from them."""

        def operation(connection: sa.Connection) -> None:
            connection.execute(sa.update(runs).where(runs.c.id == run.id).values(balances=dict(balances)))

        await self._database.write(operation)

    async def copy_to(self, other: Ledger) -> None:
        """Copy everything, including the identity, into another ledger, which must be empty."""
        content = await self._database.read(maintenance.dump)
        await other._database.write(lambda connection: maintenance.fill(connection, content))

    async def prune(self, before: datetime) -> list[str]:
        """Delete the rows of settled batches that have not changed since; see `maintenance.prune`."""
        return await self._database.write(lambda connection: maintenance.prune(connection, before))
