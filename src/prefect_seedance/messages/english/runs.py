"""Texts about runs: settings, budgets, shards, sweeps."""

from __future__ import annotations

RUNS: dict[str, str] = {
    "resolve.asset_cost": ("An asset request costs what its price line says: leave the cost out. Nothing was changed."),
    "resolve.asset_lost": (
        "Asset request {request} counts as billed and lost: the next run that needs the medium requests it again."
    ),
    "resolve.asset_made": "Asset request {request} made {asset}: the next run uses it.",
    "resolve.asset_not_made": (
        "Asset request {request} made nothing: the next run that needs the medium requests it again."
    ),
    "resolve.other_currency": (
        "cost={cost!r}: this row is priced in {currency}, and currencies are never converted. Nothing was changed."
    ),
    "resolve.row_has_job": (
        "Row {row!r} now follows job {job}: the next run of batch {batch!r}, or a sweep, fetches it."
    ),
    "resolve.row_lost": "Row {row!r} counts as made and lost, for {amount}.",
    "resolve.row_lost_unpriced": "Row {row!r} counts as made and lost, for an unknown amount.",
    "resolve.row_not_made": "Row {row!r} was not made: the next run of batch {batch!r} makes it.",
    "run.bad_task_runs": "{@task_runs:{value}}: expected one of {known}. Nothing was spent.",
    "run.budget_unbounded": (
        "{requests:earlier request|earlier requests} of this batch may have cost an amount that has no known bound, so "
        "the budget of {budget} cannot be kept. State what one request costs at most: {@max_charge:… {currency}}. "
        "Nothing was spent."
    ),
    "run.create_needs": "create_video needs {@route} and {@batch}. Nothing was spent.",
    "run.ended": "The run that began this work has ended, so no more rows were taken.",
    "run.media_hosts_closed": (
        "{@media_hosts}: {hosts} cannot be used by this deployment. Set {variable} in the environment of the "
        "deployment or its worker. Nothing was spent."
    ),
    "run.media_root_closed": (
        "{@media_root:{folder}} is not open to this deployment. Set {variable} in the environment of the deployment or "
        "its worker: a form must not give access to the worker's files. Nothing was spent."
    ),
    "run.retry_not_possible": "{@retry:{name}}: expected one of {known}. Nothing was spent.",
    "run.retry_unknown": (
        "{@retry:unknown} is refused: such a row may have been paid, and would be paid again. Find out at the provider "
        "what became of it first. Nothing was spent."
    ),
    "run.rows_not_spreadable": (
        "{rows:row|rows} cannot be spread over processes:{shown:bullets}Correct them, or leave out {@spread}. Nothing "
        "was spent."
    ),
    "run.shard_no_output": (
        "The output folder {folder} was not found on this machine, and all shards need the same one. Use a folder that "
        "they share, or a store such as s3://bucket/prefix. This shard spent nothing."
    ),
    "run.shard_other_ledger": (
        "This shard uses the ledger {ledger} ({identity}), and its batch is in another one ({expected}). Give all "
        "workers the same PREFECT_SEEDANCE_LEDGER. This shard spent nothing."
    ),
    "run.shards_failed": (
        "Shards failed repeatedly, and rows are left. {reasons:sentences} Correct the cause, then run the same call "
        "again; nothing is paid for twice."
    ),
    "run.too_many_failures": (
        "{failed:row|rows} failed, which is as many as {@max_failures:{allowed}} allows. No new rows were taken after "
        "that. Nothing was sent for the rows that are left."
    ),
    "spending.at_most": "at most {amounts} by their quotes",
    "spending.made": "{jobs:job of this run is|jobs of this run are} in the ledger, {cost}.",
    "spending.nothing": "This run has sent nothing.",
    "spending.row": "row {row!r}",
    "spending.row_with_job": "row {row!r} (job {job})",
    "spending.total": "{parts:sentences}",
    "spending.unknown_cost": "of unknown cost",
    "spending.unrecorded": ("The outcome of {creates:create|creates} could not be recorded, {cost}: {rows}."),
    "spending.when_unreachable": "{error} {spending}",
}
