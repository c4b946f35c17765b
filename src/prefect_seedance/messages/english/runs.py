"""Texts about runs: settings, budgets, limits, sweeps, and runs in several processes."""

from __future__ import annotations

RUNS: dict[str, str] = {
    "gate.no_answer": (
        "Nothing is sent to {model}: a free question was not answered in its provider's own form for {seconds:g} s. "
        "{reason}"
    ),
    "gate.not_now": "Creates of {model} end without proof of what became of them. The last one: {reason}",
    "gate.opened": (
        "Creates of {model} end without proof of what became of them, and each may have been paid. From now on a free "
        "question comes first, and at most {probes:try|tries} more may end so in this run; the other rows wait, or go "
        "on to their next route. The last one: {reason}"
    ),
    "gate.paused": "The rows that are left are not sent, and cost nothing. {reason}",
    "gate.probes_used_up": (
        "Nothing more is sent to {model}: {probes:try|tries} ended without proof after its circuit had opened. The "
        "last one: {reason}"
    ),
    "gate.resolve_first": (
        "What to do: look up the unknown rows in the provider's records, and settle them, all at once if they are "
        "alike (`prefect-seedance resolve-all {batch}`, or the form that resolves rows)."
    ),
    "gate.what_to_do": (
        "What to do: find the cause (`prefect-seedance check ROUTE` is free), and start the same run again: it sends "
        "what was not sent."
    ),
    "reuse.copy_lost": (
        "Its file is gone. It was a copy of a stored video of another batch, so no job can be asked for it. "
        "{@retry:expired} makes it as a new video, and pays."
    ),
    "reuse.done": (
        "{rows:new row has|new rows have} a copy of a stored video of the same request, at no cost. Their remarks say "
        "where it is from."
    ),
    "reuse.offer": (
        "{rows:row asks|rows ask} for the same as a stored video of another batch ({batches}). With {@reuse} set, a "
        "run copies these videos at no cost. As it is, it makes new ones and pays for them."
    ),
    "reuse.remark": "reused: the stored video of row {row!r}, batch {batch!r}, take {take}",
    "resolve.asset_cost": ("An asset request costs what its price line says: leave the cost out. Nothing was changed."),
    "resolve.asset_lost": (
        "Asset request {request} counts as billed and lost: the next run that needs the medium requests it again."
    ),
    "resolve.asset_made": "Asset request {request} made {asset}: the next run uses it.",
    "resolve.asset_not_made": (
        "Asset request {request} made nothing: the next run that needs the medium requests it again."
    ),
    "resolve.all_lost": (
        "{unknowns} {settled:row counts|rows count} as made and lost, at the quote where that was exact, else for an "
        "unknown amount; {left:,} were left alone, because a live run holds them or they were settled meanwhile."
    ),
    "resolve.all_not_made": (
        "{unknowns} {settled:row was|rows were} not made: the next run of batch {batch!r} makes them, and pays. "
        "{left:,} were left alone, because a live run holds them or they were settled meanwhile."
    ),
    "resolve.bad_time": (
        "{name}={text!r}: expected a time such as 2026-11-30 21:00 (UTC), or one with its zone, such as "
        "2026-11-30T21:00+08:00. Nothing was changed."
    ),
    "resolve.job_of_many": "A job belongs to one row: name the row and its job. Nothing was changed.",
    "resolve.no_batch": "The ledger has no batch {batch!r}. Nothing was changed.",
    "resolve.no_unknowns": "Batch {batch!r} has no such unknown row. Nothing was changed.",
    "resolve.only_shown": (
        "{unknowns} Nothing was changed. Look some of them up in the provider's records; if all of them are alike, "
        "repeat this with {@confirm} set."
    ),
    "resolve.reason": "{code}: {rows:row|rows}, such as: {words}",
    "resolve.unknowns": (
        "{rows:unknown row|unknown rows} of batch {batch!r} may have been paid, {cost}:{reasons:bullets}"
    ),
    "resolve.other_currency": (
        "cost={cost!r}: this row is priced in {currency}, and currencies are never converted. Nothing was changed."
    ),
    "resolve.row_has_job": (
        "Row {row!r} now follows job {job}: the next run of batch {batch!r}, or a sweep, fetches it. {asked}"
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
    "run.shard_without_parent": (
        "These are not the parameters of a shard: they name no run that has begun the work. Nothing was spent."
    ),
    "run.shard_no_route": (
        "{rows:row is|rows are} left for {routes}, and the blocks of this shard are {ours}: another account's label, "
        "or another model. Save the blocks where the workers load them as this run has them, and run the same call "
        "again. Nothing was sent for these rows."
    ),
    "run.shard_other_version": (
        "This shard cannot read the parameters of the run that began the work: {reason}. Install the same version of "
        "prefect-seedance on all workers. This shard spent nothing."
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
    "poll.answer_not_processed": "The answer could not be processed: {reason}",
    "poll.job_left_out": "The answer about many jobs leaves out job {job}.",
    "poll.no_answer": "No answer about job {job} arrived in the time that the run waits for it.",
    "poll.query_failed": "The query failed inside this program: {reason}",
    "spread.unreadable": "{@spread:{spread}}: {expected}. Nothing was spent.",
    "spread.expected": (
        'expected "workers:3" (a deployment of shards), "dask:2" (processes of this machine), "dask '
        'tcp://host:8786" (a cluster), "ray:2", or similar'
    ),
    "spread.shards": "{@spread:{spread}}: expected 1 to {most:,} shards. Nothing was spent.",
    "spread.deployment_name": "{@spread:{spread}}: a deployment is named flow/deployment. Nothing was spent.",
    "spread.bad_address": (
        "{@spread:{spread}}: {address!r} is not the address of a cluster; {expected}. Nothing was spent."
    ),
    "spread.unsaved_blocks": (
        "{@spread} hands names to other processes, never keys, and the block of {routes} is not saved. Save it and "
        'give its name: block.save("main", overwrite=True), then {@route:main}. Nothing was spent.'
    ),
    "spread.changed_block": (
        "The block {block!r} was changed and not saved, and other processes would use its saved version. Save it: "
        "block.save({block!r}, overwrite=True). Nothing was spent."
    ),
    "spread.local_ledger": (
        "{@spread:{spread}} runs on other machines, and the ledger {ledger} is a file of this one. Use a PostgreSQL "
        "ledger ({@ledger} or {variable}), or spread over this machine. Nothing was spent."
    ),
    "spread.file_ledger": (
        "The ledger {ledger} is a file: all shards must run on this machine. Over several machines, use PostgreSQL."
    ),
    "spread.ledger_password": (
        "The ledger {ledger} was given with its password, which is never sent to another process. Set it in the "
        "environment of this run and of all workers as {variable}, and leave {@ledger} out. Nothing was spent."
    ),
    "spread.local_output": (
        "{@spread:{spread}} runs on other machines, and {@output:{output}} is a folder of this one. Use a store such "
        "as s3://bucket/prefix. Nothing was spent."
    ),
    "spread.local_media": (
        "Row {line} (id {key}) names a file of this machine ({address}), and {@spread:{spread}} makes the row "
        "elsewhere. Put the media where all processes can read them (a link without a query), or set {variable} in "
        "the environment of this run and of all workers. Nothing was spent."
    ),
    "spread.no_cluster": "{@spread:{spread}}: the cluster does not answer ({reason}). Nothing was spent.",
    "spread.no_package": (
        "{@spread} over {extra} needs a package that is not installed ({reason}): "
        'pip install "prefect-seedance[{extra}]". Nothing was spent.'
    ),
    "spread.no_deployment": (
        "{@spread:{spread}} needs the deployment {deployment!r}, and there is none: make it with `prefect-seedance "
        "setup --deploy`, and start workers for its pool. Nothing was spent."
    ),
    "spread.no_worker": (
        "No worker has taken a shard of the deployment {deployment!r} for {seconds} s. Start workers for its pool. If "
        "this run itself holds the only slot of that pool, give the shards another pool or raise its limit."
    ),
    "spread.no_worker_in_time": ("{reason} This run waited as long as {@patience} allows. No shard sent anything."),
    "spread.nothing_left": "Nothing is left for this shard.",
    "spread.process_gone": "Its process is gone; the other shards took its rows.",
    "spread.shard_gone": "shard {number}: its process is gone",
    "spread.shard_ended": "shard {number}: {state}: {reason}",
    "spread.task_ended": "{state}: {reason}",
    "spread.engine_failed": "{spread}: {kind}: {reason}",
    "spread.shard_done": "{counts}; {claims:claim|claims}",
    "spread.shard_count": "{rows:,} {state}",
    "spread.no_rows_left": "no rows were left",
}
