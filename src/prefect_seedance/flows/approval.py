"""Asks a person before more than a given amount is spent."""

from __future__ import annotations

from prefect.flow_runs import apause_flow_run
from prefect.input import RunInput
from pydantic import Field

from prefect_seedance.messages import message
from prefect_seedance.planning.plan import BatchPlan
from prefect_seedance.reports.quotes import quote_summary
from prefect_seedance.routes.pricing.amount import Amount

__all__ = ["Approval", "approved", "needs_approval"]

WAIT_SECONDS = 3 * 24 * 3600
"""How long the run waits for a person. After that it fails, and nothing is spent."""


class Approval(RunInput):
    """A person's answer to a quote."""

    approve: bool = Field(default=False, description="Spend this? If not, the run ends and nothing is spent.")


def needs_approval(plan: BatchPlan, ceiling: Amount) -> bool:
    """Whether the rows may cost more than `ceiling`.

    A quote without an upper bound, without a price, or in another currency may be more than any amount.
    """
    total = plan.total()
    if total.counts["unknown price"]:
        return True
    return any(
        money.currency != ceiling.currency or money.high is None or money.high > ceiling.value for money in total.sums
    )


async def approved(batch: str, plan: BatchPlan, ceiling: Amount) -> bool:
    """Pause the run and show the quote, if it may be above `ceiling`. Returns whether the run may go on."""
    if not needs_approval(plan, ceiling):
        return True
    quote = quote_summary(str(message("tables.batch", batch=batch)), plan)
    question = str(message("run.approve", ceiling=ceiling, quote=quote))
    answer = await apause_flow_run(
        wait_for_input=Approval.with_initial_data(description=question), timeout=WAIT_SECONDS, key="approval"
    )
    return answer.approve
