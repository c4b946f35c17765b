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
from prefect_seedance.ledger import (
    assets,
    budget,
    holders,
    keeping,
    late,
    lookups,
    materials,
    moves,
    planning,
    portions,
    resolving,
    seats,
    standings,
)
from prefect_seedance.ledger.database import Database
from prefect_seedance.ledger.holders import Run
from prefect_seedance.ledger.portions import Glimpse, Remainder
from prefect_seedance.ledger.records import (
    AssetRequest,
    AttemptRecord,
    Charge,
    Intent,
    Mark,
    MaterialKey,
    MaterialRecord,
    Plan,
    Proof,
    RowRecord,
)
from prefect_seedance.ledger.resolving import Verdict
from prefect_seedance.ledger.schema import runs
from prefect_seedance.ledger.seats import Said, Seat, Share
from prefect_seedance.ledger.standings import Standing
from prefect_seedance.ledger.states import Outcome, State
from prefect_seedance.routes.amount import Amount

__all__ = ["Ledger"]

_TAKEN_FOR_DEAD = "This run was taken for dead while it waited for the answer, and has lost the row."


class Ledger:
    """One open ledger. Every writing method has committed when it returns."""

    def __init__(self, url: str) -> None:
        self._database = Database(url)

    @classmethod
    async def open(cls, url: str) -> Ledger:
        """Open the ledger at an SQLAlchemy URL with an async driver; it is made or migrated where needed."""
        ledger = cls(url)
        await ledger._database.open()
        return ledger

    async def close(self) -> None:
        """Finish what waits to be written, and disconnect."""
        await self._database.close()

    @property
    def identity(self) -> str:
        """The ledger's own name, kept in it: the same wherever the ledger is moved to."""
        return self._database.identity

    @property
    def url(self) -> str:
        """The URL, with its password: never to be shown."""
        return self._database.url

    @property
    def shown_url(self) -> str:
        """The URL without its password."""
        return self._database.shown

    async def begin_run(self, batch: str, flow_run_id: str | None = None) -> Run:
        """A new run over a batch (which is made if it is new)."""

        def operation(connection: sa.Connection) -> Run:
            return holders.begin(connection, planning.find_batch(connection, batch), batch, flow_run_id)

        return await self._database.write(operation)

    async def beat(self, run: Run) -> None:
        """Say that the run still lives (for other hosts; on this one its process tells)."""
        await self._write(holders.beat, run)

    async def end_run(self, run: Run) -> None:
        """Let go of the run's rows."""
        try:
            await self._write(holders.end, run)
        finally:
            holders.forget(run)

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

    async def take_portion(self, run: Run, take: str, **wanted: Any) -> set[int]:
        """Take free rows of a batch, and leave the rest to others; see `portions.take`."""
        return await self._database.write(lambda connection: portions.take(connection, run, take, **wanted))

    async def let_go(self, run: Run, ids: Collection[int]) -> None:
        """Hold rows no longer that this run brings no further."""
        await self._write(portions.let_go, run, ids)

    async def address(self, run: Run, meant: Sequence[Mapping[str, Any]]) -> None:
        """Write down how rows that may be sent are meant today; see `portions.address`."""
        await self._write(portions.address, run, meant)

    async def meant(self, ids: Collection[int]) -> dict[int, Any]:
        """What `address` wrote down beside the rows' requests."""
        return await self._database.read(lambda connection: portions.meant(connection, ids))

    async def remainder(self, run: Run, take: str, **since: Any) -> Remainder:
        """What is left of a batch for a run that takes portions of it; see `portions.remainder`."""
        return await self._database.read(lambda connection: portions.remainder(connection, run, take, **since))

    async def gone(self, run: Run, flow_run_ids: Collection[str]) -> set[str]:
        """Of these flow runs, those that hold no rows of the batch any more; see `portions.gone`."""
        return await self._database.write(lambda connection: portions.gone(connection, run, flow_run_ids))

    async def glimpses(self, run: Run, take: str) -> list[Glimpse]:
        """How all rows of a take stand, in few words."""
        return await self._database.read(lambda connection: portions.glimpses(connection, run, take))

    async def sit(self, seat: Seat, said: Said) -> Share:
        """Say how this process stands at an account, and be told what it may do; see `seats.sit`."""
        return await self._database.write(lambda connection: seats.sit(connection, seat, said))

    async def leave_seat(self, seat: Seat) -> None:
        """This process is through with an account."""
        try:
            await self._write(seats.leave, seat)
        finally:
            seats.forget(seat)

    async def intend(self, run: Run, intent: Intent, limit: Amount | None = None) -> int | None:
        """Write down a create that is about to be sent; returns the attempt's id, or None where the budget forbids it.

        A caller that is cancelled meanwhile never learns the id and cannot send: its intent is withdrawn.
        """
        written: list[int | None] = []

        def operation(connection: sa.Connection) -> int | None:
            written.append(moves.intend(connection, run, intent, limit))
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
            if late.withdrawn(connection, run, row_id, attempt_id):
                return False
            moves.withdraw(connection, run, row_id, attempt_id)
            return True

        if not await self._database.write(operation):
            raise LedgerError(f"{_TAKEN_FOR_DEAD} Nothing was sent for it. Run the same call again.")

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
            return moves.created(
                connection, run, row_id, attempt_id, job_id=job_id, http_status=http_status, request_id=request_id
            )

        if not await self._database.write(operation):
            raise LedgerError(f"{_TAKEN_FOR_DEAD[:-1]}; its job {job_id} is in the ledger. Run the same call again.")

    async def refuse(self, run: Run, row_id: int, attempt_id: int, error: SeedanceError, to: State) -> None:
        """The create brought no job: refused for good or for now, or its outcome is unknown.

        Raises:
            LedgerError: The run has lost the row (the answer is in the ledger all the same), or the attempt waits for
                no answer.
        """

        def operation(connection: sa.Connection) -> bool:
            if late.refused(connection, run, row_id, attempt_id, error, to):
                return False
            moves.refuse(connection, run, row_id, attempt_id, error, to)
            return True

        if not await self._database.write(operation):
            raise LedgerError(
                f"{_TAKEN_FOR_DEAD} The provider's answer is in the ledger: {error.message} Run the same call again."
            )

    async def reject(self, run: Run, row_id: int, error: SeedanceError) -> None:
        """The row is refused before anything was sent: one of its media did not pass the provider's review."""
        await self._write(moves.reject, run, row_id, error)

    async def put_off(self, run: Run, row_id: int, error: SeedanceError, to: State = State.DEFERRED) -> None:
        """The row is not sent now (`deferred`, or `over_budget`); a later run takes it."""
        await self._write(moves.put_off, run, row_id, error, to)

    async def succeed(self, run: Run, row_id: int, charge: Charge, *, link_expires_at: datetime | None) -> None:
        """The job has made a video."""
        await self._write(moves.succeed, run, row_id, charge, link_expires_at=link_expires_at)

    async def fail(self, run: Run, row_id: int, charge: Charge, error: SeedanceError) -> None:
        """The job failed at the provider."""
        await self._write(moves.fail, run, row_id, charge, error)

    async def fail_gone(self, run: Run, row_id: int, charge: Charge, error: SeedanceError) -> None:
        """The provider no longer knows the job, and never said how it ended."""
        await self._write(moves.fail_gone, run, row_id, charge, error)

    async def expire(self, run: Run, row_id: int, error: SeedanceError) -> None:
        """Made and paid, but the provider no longer has it."""
        await self._write(moves.expire, run, row_id, error)

    async def prove(self, run: Run, row_id: int, proof: Proof) -> None:
        """The file is whole; written before it is renamed into place."""
        await self._write(moves.prove, run, row_id, proof)

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
        await self._write(moves.store, run, row_id, modified_ns=modified_ns, etag=etag, since=since)

    async def refetch(self, run: Run, row_id: int) -> None:
        """A stored file is gone or changed: it is to be fetched again."""
        await self._write(moves.refetch, run, row_id)

    async def take_material(self, run: Run, key: MaterialKey, name: str, *, needed_until: datetime) -> MaterialRecord:
        """Take a medium to bring it into a provider's form; see `materials.take`."""

        def operation(connection: sa.Connection) -> MaterialRecord:
            return materials.take(connection, run, key, name, needed_until=needed_until)

        return await self._database.write(operation)

    async def ask_for_asset(self, run: Run, material_id: int, **terms: Any) -> int | None:
        """Write down a billed request for an asset before it is sent; None where the budget forbids it: `assets.ask`.

        A caller that is cancelled meanwhile never learns the id and cannot send: its request is withdrawn.
        """
        written: list[int | None] = []

        def operation(connection: sa.Connection) -> int | None:
            written.append(assets.ask(connection, run, material_id, **terms))
            return written[-1]

        try:
            return await self._database.write(operation)
        except asyncio.CancelledError:
            if written and written[-1] is not None:
                with contextlib.suppress(LedgerError):
                    await self.asset_answered(run, written[-1], Outcome.WITHDRAWN)
            raise

    async def asset_answered(self, run: Run, request_id: int, outcome: Outcome, **evidence: str | None) -> None:
        """What became of a billed request for an asset."""
        await self._write(assets.answer, run, request_id, outcome, **evidence)

    async def asset_found(self, run: Run, material_id: int, asset_id: str) -> None:
        """What a billed request has made was found in the provider's list; see `assets.found`."""
        await self._write(assets.found, run, material_id, asset_id)

    async def asset_waiting(self, material_id: int) -> AssetRequest | None:
        """The billed request for a medium whose outcome is not known, if there is one."""
        return await self._database.read(lambda connection: assets.waiting(connection, material_id))

    async def resolve_asset(
        self, batch: str, request_id: int, verdict: Verdict, *, asset_id: str | None = None
    ) -> None:
        """Settle a billed request for an asset by a person's word; see `assets.resolve`."""
        await self._write(assets.resolve, batch, request_id, verdict, asset_id=asset_id)

    async def note_material(self, run: Run, material_id: int, **values: Any) -> None:
        """How a medium stands now."""
        await self._write(materials.note, run, material_id, **values)

    async def asset_requests_of(self, batch: str) -> list[AssetRequest]:
        """The billed asset requests of a batch, oldest first."""

        def operation(connection: sa.Connection) -> list[AssetRequest]:
            batch_id = lookups.batch_id(connection, batch)
            return [] if batch_id is None else assets.requests_of(connection, batch_id)

        return await self._database.read(operation)

    async def states_of(self, batch: str, take: str) -> dict[str, State]:
        """The state of each row of a take, by key; empty where the batch is new."""
        return await self._database.read(lambda connection: lookups.states_of(connection, batch, take))

    async def marks_of(self, batch: str, take: str, keys: Collection[str]) -> dict[str, Mark]:
        """What tells whether there is anything to do for rows, by key; see `lookups.marks_of`. May hold more rows."""
        return await self._database.read(lambda connection: lookups.marks_of(connection, batch, take, keys))

    async def rows(self, ids: Collection[int]) -> dict[int, RowRecord]:
        """The rows with these ids."""
        return await self._database.read(lambda connection: lookups.rows_by_id(connection, ids))

    async def row(self, row_id: int) -> RowRecord:
        """One row."""
        found = await self.rows([row_id])
        if row_id not in found:
            raise LedgerError(f"The ledger has no row with the id {row_id}.")
        return found[row_id]

    async def find(self, batch: str, take: str, key: str) -> RowRecord | None:
        """The row of this key, if there is one."""
        return await self._database.read(lambda connection: lookups.row_by_key(connection, batch, take, key))

    async def rows_of(self, batch: str, take: str | None = None) -> list[RowRecord]:
        """All rows of a batch, in the order in which they were planned."""
        return await self._database.read(lambda connection: lookups.rows_of(connection, batch, take))

    async def standings_of(self, batch: str) -> list[Standing]:
        """How all rows of a batch stand, all takes, in the order in which they were planned: leaner than `rows_of`."""
        return await self._database.read(lambda connection: standings.standings_of(connection, batch))

    async def attempts_of_rows(self, ids: Collection[int]) -> list[AttemptRecord]:
        """All attempts of some rows, oldest first."""
        return await self._database.read(lambda connection: lookups.attempts_of_rows(connection, ids))

    async def attempts_of(self, batch: str) -> list[AttemptRecord]:
        """All attempts of a batch, oldest first."""
        return await self._database.read(lambda connection: lookups.attempts_of(connection, batch))

    async def earlier_attempts_of(self, batch: str) -> list[AttemptRecord]:
        """The attempts of a batch that are not the latest of their rows, oldest first."""
        return await self._database.read(lambda connection: lookups.earlier_attempts_of(connection, batch))

    async def batches(self) -> list[str]:
        """The names of all batches, oldest first."""
        return await self._database.read(lookups.batch_names)

    async def committed(self, run: Run, currency: str) -> Decimal:
        """What the batch has committed itself to in one currency: known charges, and the worst case of the rest."""
        return await self._database.read(lambda connection: budget.committed(connection, run.batch_id, currency))

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

    async def unfinished_batches(self) -> Sequence[tuple[str, str]]:
        """Batch and take of all rows that are paid for and have no file yet; see `keeping.unfinished_batches`."""
        return await self._database.read(keeping.unfinished_batches)

    async def copy_to(self, other: Ledger) -> None:
        """Copy everything, identity included, into another ledger, which must be new."""
        content = await self._database.read(keeping.dump)
        await other._database.write(lambda connection: keeping.fill(connection, content))

    async def prune(self, before: datetime) -> list[str]:
        """Take out the rows of settled batches that have not changed since; see `keeping.prune`."""
        return await self._database.write(lambda connection: keeping.prune(connection, before))

    async def _write(self, move: Any, *args: Any, **values: Any) -> None:
        await self._database.write(lambda connection: move(connection, *args, **values))
