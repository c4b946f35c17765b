"""Texts about set-up, servers, the command line, saved blocks and keys."""

from __future__ import annotations

SETUP: dict[str, str] = {
    # The check of routes.
    "check.all_ok": "All of it can be used. Nothing was created, and nothing was spent.",
    "check.balance": "{fields}, as the provider shows it",
    "check.failed": "{failures:sentences} Nothing was created, and nothing was spent.",
    "check.host": "{provider} answers in its own form at {url}",
    "check.key": "the key is accepted",
    "check.ledger": "{place} can be reached; it has {batches:batch|batches}",
    "check.line": "{about}: {text}",
    "check.no_balance": "{provider} shows none",
    "check.no_route": "Name a saved route block or a model, as in: prefect-seedance check seedance2.0-mini",
    "check.not_asked": "not asked, because the host did not answer in its provider's form",
    "check.not_started": (
        "The account {account} cannot be used: {reason} Correct the base URL or the key in the credentials block. "
        "Nothing was spent."
    ),
    "check.output": "{place} can be written to; no ledger uses it yet",
    "check.output_known": "{place} can be written to, and belongs to this ledger",
    "check.some_failed": "{failures:check|checks} failed. Nothing was created, and nothing was spent.",
    # The command line.
    "cli.interrupted": (
        "Interrupted. What is paid for is in the ledger: run the same command again, and it continues."
    ),
    "cli.asset_dropped": (
        "The ledger forgets the asset {asset} of {media}: the next row that needs it submits the medium again."
    ),
    "cli.bad_column": "--column {pair!r}: expected FIELD=HEADING, as in prompt=文案.",
    "cli.bad_age": "--older-than {age!r}: expected days or weeks, as in 90d or 12w. Nothing was changed.",
    "cli.option_of_model": (
        "{option} goes with --model: the saved route {block!r} has its own. Change the block, or leave the option "
        "out. Nothing was spent."
    ),
    "cli.no_route": (
        "No route was named: give --model (and a key in JIMMY_API_KEY or ANYFAST_API_KEY), or --route with the name "
        "of a saved block. Nothing was spent."
    ),
    "cli.no_key": (
        "There is no key for {provider}: set {variable}, or name a saved route block with --route. Nothing was spent."
    ),
    "cli.no_such_batch": "The ledger has no batch {batch!r}. It has: {known}.",
    "cli.no_batches": "The ledger has no batch yet.",
    "cli.batches": "Batches",
    "cli.more_rows": "… and {rows:,} more rows",
    "cli.names_job": (
        "The answer to row {row!r} names job {job}, which may have been made and billed. If it is the row's: "
        "prefect-seedance {command}"
    ),
    "cli.cost_of_batch": "Cost of batch {batch} to date",
    "cli.nothing_bought": "Nothing was bought yet.",
    "cli.known_cost": "Known cost: {cost}",
    "cli.not_known": "Not known, and not in it: {billing_model}: {doubts}",
    "cli.quoted": "{total}. Nothing was sent, and nothing was spent.",
    "cli.audit_of_all": "{attempts:attempt|attempts} of all batches are in {path}",
    "cli.audit_written": "{attempts:attempt|attempts} of batch {batch} are in {path}",
    "cli.ledger_copied": (
        "The ledger was moved to {place}; it is the same ledger there. The one here can still be read, and begins no "
        "more runs."
    ),
    "cli.ledger_backed_up": (
        "The ledger was copied to {place}. The one here stays in use; do not use the copy beside it."
    ),
    "cli.nothing_to_adopt": "The ledger at {ledger} knows all that was sent from {folder}: there is nothing to adopt.",
    "cli.adopt_moved": "This ledger was moved to {copy}. What was made with that copy since is not known here.",
    "cli.rows_in_doubt": "{rows:row|rows} of these batches may be paid already, and would become unknown:",
    "cli.not_adopted": (
        "Nothing was changed. Put the newer ledger back if there is any way to. Only if it is lost for good, give the "
        "same command with --lost."
    ),
    "cli.in_use_again": "This ledger is in use again. It knows all that was sent from this folder.",
    "cli.adopted": (
        "This ledger is in use from now on. {rows:row is|rows are} unknown now, and rows that are new to a batch with "
        "missing runs ({batches}) become unknown when they are planned. They may be paid already: look each one up at "
        "the provider, and settle it with prefect-seedance resolve."
    ),
    "cli.report_of_what": "Name a batch. Without one, only --bill and --audit work: over the whole ledger.",
    "cli.nothing_pruned": "No batch is that old and settled; nothing was changed.",
    "cli.pruned": "Pruned: {batches}. Their names are kept, and refused from now on.",
    "cli.routes": "{routes:route|routes}",
    "cli.own_name": "* No document names this price line; the name is ours. Give your price under it.",
    # The demo.
    "demo.title": "no key, no cost: everything happens on this machine",
    "demo.starting": "Starting the sandbox and a local Prefect server …",
    "demo.saving_blocks": "Registering the blocks …",
    "demo.ui_stays": "The Prefect UI is at {server} until you press Ctrl-C.",
    "demo.look": "To look at the runs and their artifacts in the Prefect UI ({server}): make demo KEEP=1",
    "demo.nothing_new": "Nothing new was made, and nothing was paid: the ledger knows every row of this batch.",
    "demo.sandbox_failed": "The sandbox did not start; its log is {log}.",
    # The live view.
    "live.stored": "stored",
    "live.succeeded": "fetching",
    "live.created": "generating",
    "live.sent": "sending",
    "live.media": "preparing media",
    "live.held": "in another run",
    "live.planned": "waiting",
    "live.deferred": "put off",
    "live.over_budget": "over budget",
    "live.failed": "failed",
    "live.refused": "refused",
    "live.expired": "expired",
    "live.unknown": "unknown",
    "live.checking": "checking the table …",
    "live.more": "… and {rows:,} more",
    # Prefect servers.
    "server.no_port": "No port is free on 127.0.0.1.",
    "server.not_started": "The local server did not start at {url}. Its log {log} ends with:\n{tail}",
    "server.no_answer": (
        "The Prefect server at {url} does not answer ({reason}). Start it, or unset PREFECT_API_URL to use a local "
        "one for this run. Nothing was spent."
    ),
    # Set-up of a server.
    "setup.no_server": (
        "No Prefect server is connected: set PREFECT_API_URL, such as http://127.0.0.1:4200/api, and run it again."
    ),
    "setup.title": "Set-up",
    "setup.next": "Next: prefect worker start --pool {pool}",
    "setup.registered": "registered",
    "setup.made": "made",
    "setup.replaced": "replaced",
    "setup.found": "found, left as it is",
    "setup.no_key": "left out: {variable} is not set",
    "setup.no_prices": "left out: give your prices with --prices, else costs stay unknown",
    "setup.route": "{done} ({provider}, {model})",
    "setup.limit_made": "made: at most {runs:run|runs} spend at the same time",
    "setup.limit_found": "found: {limit}",
    "setup.other_pool": "found, of type {type}: left as it is; set its working directory yourself",
    "setup.pool": "{done}: type process, works in {folder}",
    "setup.no_ledger": (
        "not named: set PREFECT_SEEDANCE_LEDGER, for workers too; if you lose the ledger, everything is paid for again"
    ),
    "setup.ledger_in_pool": "kept in the work pool",
    "setup.ledger_secret": "its URL holds a secret: set it in each worker's environment",
    "setup.schedule_off": "{done}; its schedule is off until you switch it on",
    "block.none_given": (
        "{@route} is empty: give a RouteDefaults block, the name of a saved one, or several. Nothing was spent."
    ),
    "block.fall_back_of_block": "The block {block!r} falls back to {name!r}. {reason}",
    "block.fall_back_of_route": "The route {route} falls back to {name!r}. {reason}",
    "block.wrong_type": (
        "{@route} is of type {type}; expected a RouteDefaults block or the name of a saved one. Nothing was spent."
    ),
    "block.no_secret": (
        "There is no saved Secret block {name!r}. Save the address in the Prefect UI (Blocks, Secret) or with "
        "prefect.blocks.system.Secret(value=...).save({name!r}), and write secret:{name}. Nothing was spent."
    ),
    "block.secret_no_address": (
        "The Secret block {name!r} does not hold an address such as https://… or s3://…, and nothing else is read from "
        "one. Nothing was spent."
    ),
    "block.not_found": (
        "There is no saved route block {name!r} that can be used ({reason}). Save one in the Prefect UI (Blocks, "
        "Seedance Route Defaults) or with RouteDefaults(...).save(name). Nothing was spent."
    ),
    "block.bad_custom_route": "custom_route is not a valid route: {reasons}. Nothing was spent.",
    "block.misspelt": "{name!r} looks like {near!r} misspelt",
    "block.bad_price_book": "{path} is not a valid price book: {reasons}. Nothing was spent.",
    "block.unreadable_price_book": "{path} cannot be read as a price book: {reason}. Nothing was spent.",
    "block.invalid": "{reasons:clauses}",
}
