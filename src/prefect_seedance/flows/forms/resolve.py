"""The form for settling one unknown row, or all of a batch at once."""

# Annotations are no strings here: Prefect reads them to make the form.

from typing import Any, Literal

from prefect_seedance.errors import InputError
from prefect_seedance.flows.forms.fields import titled
from prefect_seedance.flows.outcomes import failed
from prefect_seedance.flows.resolve import resolve_video, resolve_videos
from prefect_seedance.flows.table_flow import table_flow
from prefect_seedance.flows.twins import core_of, of_form
from prefect_seedance.ledger import Verdict
from prefect_seedance.messages import message

__all__ = ["resolve_unknown"]

Finding = Literal[
    "nothing was made or charged",
    "it was made: here is its job id",
    "it was made and paid, and is lost",
]

_VERDICTS: dict[Finding, Verdict] = {
    "nothing was made or charged": "not_made",
    "it was made: here is its job id": "job",
    "it was made and paid, and is lost": "lost",
}


@table_flow(name="Resolve an unknown row", flow_run_name="resolve {batch} {row}")
@of_form
async def resolve_unknown(
    batch: str = titled("Batch name", minLength=1),
    row: str = titled("Row", ""),
    finding: Finding = titled("What did you find at the provider?"),
    job_id: str = titled("Job id", ""),
    cost: str = titled("What it cost", ""),
    take: str = titled("Take", "1"),
    reason: str = titled("All rows: only with this error code", ""),
    since: str = titled("All rows: only sent since", ""),
    until: str = titled("All rows: only sent before", ""),
    confirm: bool = titled("Settle them all", default=False),  # noqa: FBT001 - a field of a form
) -> Any:
    """Settle a row whose outcome is unknown, after you have looked it up at the provider. Nothing is sent.

    Without a row it is about all unknown rows of the batch: it says how many there are and what they may have cost, and
    settles them if you say so below.

    Args:
        batch: As in the run's summary.
        row: The row's id, as in the run's summary. Empty: all unknown rows of the batch, or those chosen below.
        finding: If nothing was made, the next run of the batch makes it, and pays. If its job is known, the next run or
            sweep fetches the video. If it is lost, its cost is counted and nothing more is done.
        job_id: The provider's id of the job, if you found one.
        cost: Such as 0.25 CNY, for a lost video. Empty: the quote, where that was exact.
        take: As in the run's summary; 1 if you never asked for another.
        reason: Such as http-524. Empty: whatever the reason.
        since: Such as 2026-11-30 21:00, in UTC. Empty: from the beginning.
        until: Such as 2026-11-30 23:00, in UTC. Empty: until now.
        confirm: Without it, nothing is changed: you see how many rows it would be, and what they may have cost.

    Returns:
        What was done, in words.
    """
    verdict = _VERDICTS[finding]
    if not row.strip():
        if verdict == "job":
            return failed(InputError(message("resolve.job_of_many")), "Not resolved")
        return await core_of(resolve_videos)(
            batch.strip(),
            verdict=verdict,
            reason=reason.strip() or None,
            since=since.strip() or None,
            until=until.strip() or None,
            take=take.strip() or "1",
            confirm=confirm,
        )
    return await core_of(resolve_video)(
        batch.strip(),
        row.strip(),
        verdict=verdict,
        job_id=job_id.strip() or None,
        cost=cost.strip() or None,
        take=take.strip() or "1",
    )
