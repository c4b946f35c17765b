"""Texts about spreading a batch over other processes."""

from __future__ import annotations

SPREAD: dict[str, str] = {
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
    "spread.shard_done": "{counts}; {portions:portion|portions}",
    "spread.shard_count": "{rows:,} {state}",
    "spread.no_rows_left": "no rows were left",
}
