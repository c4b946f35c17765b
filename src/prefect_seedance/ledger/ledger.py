"""The ledger: the durable record of what was planned, sent, made and stored, and what it cost."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any, Concatenate, ParamSpec, Self, TypeVar

import sqlalchemy as sa

from prefect_seedance.errors import LedgerError, SeedanceError, UnknownOutcome
from prefect_seedance.ledger.db.database import Database
from prefect_seedance.ledger.db.schema import runs
from prefect_seedance.ledger.lease_time import LEASE_ENDED
from prefect_seedance.ledger.records import AssetRequest, Intent, RowRecord
from prefect_seedance.ledger.rows import (
    assets,
    job_answers,
    known_runs,
    late_answers,
    leases,
    lookups,
    maintenance,
    planning,
    resolving,
    row_writes,
    transitions,
)
from prefect_seedance.ledger.rows import budget as commitments
from prefect_seedance.ledger.rows.leases import Run
from prefect_seedance.ledger.rows.resolving import Verdict
from prefect_seedance.ledger.run_files import RunFile
from prefect_seedance.ledger.sharing import allocations
from prefect_seedance.ledger.sharing.allocations import Member
from prefect_seedance.ledger.states import Outcome, State
from prefect_seedance.messages import message
from prefect_seedance.routes.pricing.amount import Amount
from prefect_seedance.routes.pricing.spending_limit import SpendingLimit

__all__ = ["Ledger"]

P = ParamSpec("P")
T = TypeVar("T")


class Ledger:
    """One open ledger: `read` and `write` run the functions of `ledger.rows` and `ledger.sharing` on it.

    Every writing call has committed when it returns. The other methods do more than run one function.
    """

    def __init__(self, url: str) -> None:
        self._database = Database(url)

    @classmethod
    async def open(cls, url: str) -> Self:
        """Open the ledger at an SQLAlchemy URL with an async driver; create or migrate it where needed."""
        ledger = cls(url)
        await ledger._database.open()
        return ledger

    async def close(self) -> None:
        """Finish all pending writes, and disconnect."""
        await self._database.close()

    @property
    def identity(self) -> str:
        """The ledger's id, stored in it; it stays the same when the ledger is moved."""
        return self._database.identity

    @property
    def url(self) -> str:
        """The URL with its password; never show it."""
        return self._database.url

    @property
    def shown_url(self) -> str:
        """The URL without its password."""
        return self._database.shown

    async def read(self, operation: Callable[Concatenate[sa.Connection, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run a function that only reads.

        Args:
            operation: The function; it gets a connection first.
            *args: Its further arguments.
            **kwargs: Its further arguments.

        Example:
            ```python
            rows = await ledger.read(lookups.rows_of, "spring")
            ```
        """
        return await self._database.read(lambda connection: operation(connection, *args, **kwargs))

    async def write(
        self, operation: Callable[Concatenate[sa.Connection, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Run a function that writes, in a transaction of its own; it is committed when this returns.

        Args:
            operation: The function; it gets a connection first.
            *args: Its further arguments.
            **kwargs: Its further arguments.
        """
        return await self._database.write(lambda connection: operation(connection, *args, **kwargs))

    async def begin_run(self, batch: str, flow_run_id: str | None = None) -> Run:
        """Start a new run of a batch; create the batch if it is new.

        Raises:
            InputError: The ledger was moved, or the batch was pruned.
        """

        def operation(connection: sa.Connection) -> Run:
            maintenance.refuse_moved(connection)
            return leases.begin(connection, planning.find_batch(connection, batch), batch, flow_run_id)

        return await self._database.write(operation)

    async def end_run(self, run: Run) -> None:
        """End the run, and release its rows."""
        try:
            await self.write(leases.end, run)
        finally:
            leases.forget(run)

    async def intend(
        self, run: Run, intent: Intent, budget: Amount | None = None, limits: Sequence[SpendingLimit] = ()
    ) -> int | None:
        """Record a create before it is sent; returns the attempt's id, or None where none may be sent.

        Then the row's state says why: `over_budget` by budget or limits, or `created` where a late answer has named its
        job (law 7).

        A caller that is cancelled meanwhile does not get the id and cannot send, so its intent is withdrawn.
        """
        written: list[int | None] = []

        def operation(connection: sa.Connection) -> int | None:
            maintenance.refuse_moved(connection)
            sends = not job_answers.has_job(connection, run, intent.row_id)
            written.append(transitions.intend(connection, run, intent, budget, limits) if sends else None)
            return written[-1]

        try:
            return await self._database.write(operation)
        except asyncio.CancelledError:
            if written and written[-1] is not None:
                with contextlib.suppress(LedgerError):
                    await self.withdraw(run, intent.row_id, written[-1])
            raise

    async def leave(self, run: Run, row_id: int, error: SeedanceError, to: State) -> bool:
        """Record why a row is not sent: refused, or put off to a later run.

        Returns:
            False where a late answer has named its job meanwhile; then nothing is changed.
        """

        def operation(connection: sa.Connection) -> bool:
            if job_answers.has_job(connection, run, row_id):
                return False
            if to is State.REFUSED:
                transitions.reject(connection, run, row_id, error)
            else:
                transitions.put_off(connection, run, row_id, error, to)
            return True

        return await self._database.write(operation)

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
            raise LedgerError(message("ledger.lease_expired_unsent"), code=LEASE_ENDED)

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
            UnknownOutcome: Another row has this job. Both are held until a person says whose it is.
            LedgerError: The run does not hold the row any more; the job is recorded nevertheless. Or the attempt is not
                this run's, or was answered already.
        """

        def operation(connection: sa.Connection) -> job_answers.Named:
            return job_answers.named(
                connection, run, row_id, attempt_id, job_id=job_id, http_status=http_status, request_id=request_id
            )

        named = await self._database.write(operation)
        if named.shared and named.alarm is not None and named.holds:
            raise UnknownOutcome(named.alarm, code=row_writes.SHARED_JOB)
        if not named.holds:
            raise LedgerError(named.alarm or message("ledger.lease_expired_job", job=job_id), code=LEASE_ENDED)

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
            raise LedgerError(message("ledger.lease_expired_answer", answer=error.text), code=LEASE_ENDED)

    async def set_worst_case(self, run: Run, most: Amount | None) -> int:
        """Set the worst-case cost of earlier attempts that have none; returns how many still have none.

        Args:
            run: A run of the batch.
            most: The worst case as the user states it; None only counts.
        """

        def operation(connection: sa.Connection) -> int:
            if most is not None:
                commitments.set_worst_case(connection, run.batch_id, most.currency, most.value)
            return commitments.unbounded(connection, run.batch_id, most.currency if most else None)

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

    async def copy_to(self, other: Ledger, *, backup: bool = False) -> None:
        """Copy everything, including the identity, into another ledger, which must be empty.

        Args:
            other: The copy.
            backup: Whether this ledger stays in use. Otherwise it is marked as moved, and begins no more runs: of two
                copies in use, each would pay for what only the other one has.

        Raises:
            InputError: The copy is not empty; or this ledger is in use, or was moved before. Nothing is marked.
        """
        if not backup:
            await self.write(maintenance.refuse_moved)
            await self.write(maintenance.check_idle)
        content = await self._database.read(maintenance.dump)
        await other.write(maintenance.fill, content)
        if backup:
            return
        try:
            await self.write(maintenance.mark_moved, content, other.shown_url)
        except BaseException:
            await other.write(maintenance.clear)
            raise

    async def adopt(self, missing: Mapping[RunFile, int]) -> int:
        """Go on with this ledger in place of a newer one that is lost; see `known_runs.adopt`.

        It may also be one that was moved, and whose copy is lost.

        Returns:
            How many rows are unknown now.

        Raises:
            InputError: A run works with this ledger now.
        """

        def operation(connection: sa.Connection) -> int:
            maintenance.check_idle(connection)
            maintenance.unmark_moved(connection)
            return known_runs.adopt(connection, missing)

        return await self._database.write(operation)

    async def row(self, row_id: int) -> RowRecord:
        """One row.

        Raises:
            LedgerError: There is no row with this id.
        """
        found = await self.read(lookups.rows_by_id, [row_id])
        if row_id not in found:
            raise LedgerError(message("ledger.no_row", id=row_id))
        return found[row_id]

    async def ask_for_asset(self, run: Run, material_id: int, **given: Any) -> int:
        """Record a billed request for an asset before it is sent; see `assets.ask`.

        A caller that is cancelled meanwhile does not get the id and cannot send, so its request is withdrawn.
        """
        written: list[int] = []

        def operation(connection: sa.Connection) -> int:
            maintenance.refuse_moved(connection)
            written.append(assets.ask(connection, run, material_id, **given))
            return written[-1]

        try:
            return await self._database.write(operation)
        except asyncio.CancelledError:
            if written:
                with contextlib.suppress(LedgerError):
                    await self.write(assets.answer, run, written[-1], Outcome.WITHDRAWN)
            raise

    async def asset_requests_of(self, batch: str) -> list[AssetRequest]:
        """The billed asset requests of a batch, oldest first."""

        def operation(connection: sa.Connection) -> list[AssetRequest]:
            batch_id = lookups.batch_id(connection, batch)
            return [] if batch_id is None else assets.requests_of(connection, batch_id)

        return await self._database.read(operation)

    async def has_live_run(self, batch: str) -> bool:
        """Whether the batch has a live run."""

        def operation(connection: sa.Connection) -> bool:
            batch_id = lookups.batch_id(connection, batch)
            return batch_id is not None and leases.has_live_run(connection, batch_id)

        return await self._database.write(operation)

    async def release_allocation(self, member: Member) -> None:
        """Release this process's allocation at an account."""
        try:
            await self.write(allocations.release, member)
        finally:
            allocations.forget(member)
