"""A shard: one of several processes that work on the rows of a batch, which they claim from the ledger.

It needs no table. It claims a few of the free rows, carries them by the same worker as any run, and claims the next
ones meanwhile, until nothing is left. So a slow shard does not hold many rows, a shard that is added gets its share at
once, and the others take over the rows of a killed one.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import dataclass, field

from prefect_seedance.engine import worker
from prefect_seedance.engine.run_spec import Parent, RunContext, RunSpec
from prefect_seedance.engine.session import Session, open_session
from prefect_seedance.engine.step_runner import StepRunner
from prefect_seedance.errors import InputError, RunEnded, TooManyFailures
from prefect_seedance.ledger import MANIFEST
from prefect_seedance.media import open_storage
from prefect_seedance.media.storage.local import LocalStorage
from prefect_seedance.messages import message
from prefect_seedance.runs.distributed.shared_claims import SharedClaims
from prefect_seedance.runs.ledger_check import check_ledger

__all__ = ["ShardOutcome", "carry"]


@dataclass
class ShardOutcome:
    """The result of a shard.

    Attributes:
        counts: How many of its rows are in which state.
        claims: How often it claimed rows.
        stopped: Why it claimed no more rows before nothing was left; None where nothing was left.
    """

    counts: Counter[str] = field(default_factory=Counter)
    claims: int = 0
    stopped: BaseException | None = None

    @property
    def orderly(self) -> bool:
        """Whether it finished, or stopped for a reason that stops all shards."""
        return self.stopped is None or isinstance(self.stopped, TooManyFailures | RunEnded)


async def carry(spec: RunSpec, context: RunContext, steps: StepRunner) -> ShardOutcome:
    """Work on rows of the batch until no shard has anything left to do.

    Args:
        spec: What the run is asked to do; it has a parent and an output.
        context: The routes with their keys, and the ledger.
        steps: How the steps are carried out.

    Raises:
        InputError: This machine reaches another ledger, or another output folder. Nothing was spent.
        LedgerError: Nothing more could be recorded.
    """
    if spec.parent is None or spec.output is None:
        raise InputError(message("run.shard_without_parent"))
    async with open_session(spec, context, shared=True) as session:
        await _check_place(spec.output, spec.parent, session)
        session.failures_allowed = spec.parent.failures_allowed
        claims = SharedClaims(session, spec.parent)
        try:
            await worker.carry(session, claims, steps)
        finally:
            claims.close()
        return ShardOutcome(claims.counts, claims.number, session.stopped)


async def _check_place(output: str, parent: Parent, session: Session) -> None:
    """Make sure that this machine uses the same ledger and the same output folder."""
    ledger = session.ledger
    if ledger.identity != parent.identity:
        text = message(
            "run.shard_other_ledger", ledger=ledger.shown_url, identity=ledger.identity, expected=parent.identity
        )
        raise InputError(text)
    storage = open_storage(output, session.context.parts)
    if isinstance(storage, LocalStorage) and not await asyncio.to_thread((storage.folder / MANIFEST).exists):
        raise InputError(message("run.shard_no_output", folder=storage.shown))
    await check_ledger(session, storage)
