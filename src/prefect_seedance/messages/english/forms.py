"""Texts about the forms of the Prefect UI, and the tables and folders that they name."""

from __future__ import annotations

FORMS: dict[str, str] = {
    # What a form was filled in with.
    "form.table_and_rows": ("Both a table and typed rows were given: leave one of them empty. Nothing was spent."),
    "form.no_rows": "Neither a table nor rows were given: name a table, or type a prompt. Nothing was spent.",
    "form.table_or_rows": "Give either a table or typed rows, not both. Nothing was spent.",
    "form.many_tables": "{tables:,} tables match; a quote is for one of them. Nothing was spent.",
    "form.block_mismatch": (
        "The route block {block!r} and the form do not fit together: {reasons:clauses}. Nothing was spent."
    ),
    "form.unsaved_block_mismatch": (
        "The route block of {model} and the form do not fit together: {reasons:clauses}. Nothing was spent."
    ),
    # Several tables.
    "tables.completed": "{completed:,} of {tables:table|tables} completed",
    "tables.title": "{title}: {headline}",
    "tables.batch": "Batch {batch}",
    "tables.folder": "Folder {folder}",
    "tables.ended": "{headline}.{failures:bullets}",
    "tables.all_completed": "{headline}.",
    "tables.failed": "{name}: {reason}",
    "tables.made": "{videos:video|videos} made",
    "watch.found": ("{tables:table|tables}, {wanted:,} of them new or unfinished, {unfinished:,} still being written"),
    "watch.nothing_new": "{found}.",
    # How a run begins and ends.
    "run.secret_parameter": (
        "An address with a password or a signature stands in {parameters}. Parameters of a deployment are stored by "
        "Prefect's server and shown in its UI, so it is not used: save the address as a Secret block (Blocks, Secret) "
        "and write secret:NAME instead of it, or hold it in a table or in code; a password of the ledger belongs in "
        "PREFECT_SEEDANCE_LEDGER. Everybody who may read the server's API can read this one: renew it if that matters. "
        "Nothing was read or spent."
    ),
    "run.bad_patience": "{@patience:{value}}: expected a number of seconds, 0 or more. Nothing was spent.",
    "run.default_ledger": (
        "This deployment names no ledger, so the default one on this machine's disk is used. If you lose the ledger "
        "(a container loses its disk), everything is paid for again. Set {@ledger} or PREFECT_SEEDANCE_LEDGER."
    ),
    "run.approve": "This run may cost more than {ceiling}.\n\n{quote}",
    "run.not_approved": "A person did not approve the quote. Nothing was spent.",
    "run.progress": "Batch {batch}: {rows:row|rows}",
    "run.no_rows": "The table has no rows.",
    "run.none_stored": "None of the {rows:,} rows could be stored: {counts}.",
    "run.none_stored_because": "None of the {rows:,} rows could be stored: {counts}. For example: {reason}",
    "form.alike_tables": (
        "{pattern} matches tables whose names are too similar to have a batch each. Rename one, or use a narrower "
        "pattern. Nothing was spent."
    ),
    "form.fleeting_path": (
        "{what} {path!r} starts in a temporary folder that is deleted when this run ends. Give the whole path, such as "
        "/data/videos, or set the working directory of the work pool (prefect-seedance setup does). Nothing was spent."
    ),
    "form.no_driver": "No driver for {place} is installed: {reason}. Nothing was spent.",
    "form.no_table": "No table matches {pattern} on the worker's machine. Nothing was spent.",
    "form.the_folder": "The folder",
    "form.the_table": "The table",
    "form.the_videos": "The folder for the videos",
    "form.unlisted_folder": (
        "The folder {folder} cannot be listed on the worker's machine: {reason}. Nothing was spent."
    ),
    "form.unlisted_store": "{place} cannot be listed ({error}): {reason}. Nothing was spent.",
}
