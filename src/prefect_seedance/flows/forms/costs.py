"""The form of the cost report: the cost of the last days, over all batches of the ledger."""

# Annotations are no strings here: Prefect reads them to make the form.

from datetime import datetime, timedelta
from typing import Annotated, Any

from prefect.artifacts import acreate_markdown_artifact, acreate_table_artifact
from prefect.logging import get_run_logger
from prefect.states import Completed
from pydantic import Field

from prefect_seedance.core.clock import now
from prefect_seedance.errors import SeedanceError
from prefect_seedance.flows.forms.fields import titled
from prefect_seedance.flows.naming import scheduled_time
from prefect_seedance.flows.outcomes import failed
from prefect_seedance.flows.table_flow import table_flow
from prefect_seedance.flows.twins import of_form
from prefect_seedance.ledger import Ledger, State, add_up, ledger_url
from prefect_seedance.ledger.rows import lookups, spending
from prefect_seedance.reports.period import BatchCost, PeriodCost, period_summary, period_table
from prefect_seedance.tasks.home import prefect_home

__all__ = ["cost_report"]


@table_flow(name="Cost report", flow_run_name="cost of {days} days")
@of_form
async def cost_report(
    days: Annotated[int, Field(ge=1, le=3660)] = titled("Days", 7),
    batch: str = titled("Only batches whose name begins with", ""),
) -> Any:
    """Add up the costs by batch, route and price line. What is not known comes first.

    Args:
        days: Days before now, of 24 hours each.
        batch: Empty: all batches.

    Returns:
        The report in one line.
    """
    until = scheduled_time()
    try:
        report = await _read(until - timedelta(days=days), until, batch.strip())
    except SeedanceError as error:
        return failed(error, "Not reported")
    line = report.line()
    get_run_logger().info(line)
    await acreate_markdown_artifact(markdown=period_summary(report), key="seedance-cost-report", description=line)
    await acreate_table_artifact(
        table=[dict(row) for row in period_table(report)] or [{"batch": "nothing was bought"}],
        key="seedance-cost-report-lines",
        description=line,
    )
    name = "Some unknown" if report.waiting else "Reported"
    return Completed(name=name, message=line, data=line)


async def _read(since: datetime, until: datetime, prefix: str) -> PeriodCost:
    ledger = await Ledger.open(ledger_url(None, prefect_home()))
    try:
        report = PeriodCost(since, until, [], await ledger.read(spending.present, now()))
        for name in await ledger.read(lookups.batch_names):
            if not name.startswith(prefix):
                continue
            attempts = [each for each in await ledger.read(lookups.attempts_of, name) if report.since <= each.sent_at]
            assets = [each for each in await ledger.asset_requests_of(name) if report.since <= each.sent_at]
            waiting = [row for row in await ledger.read(lookups.rows_of, name) if row.state is State.UNKNOWN]
            if attempts or assets or waiting:
                report.batches.append(BatchCost(name, add_up(attempts, assets), waiting))
    finally:
        await ledger.close()
    return report
