"""Texts about the ledger."""

from __future__ import annotations

LEDGER: dict[str, str] = {
    "ledger.bad_lease": "{variable}={value!r}: expected a number of seconds, such as 120. Nothing was spent.",
    "ledger.cannot_open": (
        "The ledger at {ledger} cannot be opened: {reason}. Check the path or the server, and its permissions. "
        "Nothing was spent."
    ),
    "ledger.changed_while_copied": (
        "A run has worked with this ledger while it was copied, so the copy is not complete, and was emptied. Stop all "
        "runs, and copy it again. Nothing was changed here."
    ),
    "ledger.closed": "The ledger at {ledger} was closed before this was written.",
    "ledger.copy_target_in_use": (
        "The ledger to copy to already has batches. Copy to a new ledger. Nothing was changed."
    ),
    "ledger.disk_full": (
        "The ledger at {ledger} could not be read or written: {reason}. Its disk is full or failing. Free some space "
        "and run the same call again."
    ),
    "ledger.failed": "The ledger at {ledger} could not be read or written: {reason}",
    "ledger.job_not_awaited": "A job id arrived for attempt {attempt}, which awaits no answer.",
    "ledger.later_version": (
        "The ledger was written by a later version of prefect-seedance: its schema is {schema}, and this version knows "
        "{known}. Upgrade this installation. Nothing was spent."
    ),
    "ledger.lease_expired_answer": (
        "This run's lease expired; another run may own the row. The provider's answer is in the ledger: {answer} Run "
        "the same call again."
    ),
    "ledger.lease_expired_job": (
        "This run's lease expired; another run may own the row. Its job {job} is in the ledger. Run the same call "
        "again."
    ),
    "ledger.lease_expired_unsent": (
        "This run's lease expired; another run may own the row. Nothing was sent for it. Run the same call again."
    ),
    "ledger.manifest_note": (
        "This folder is written by prefect-seedance. The ledger named here knows what was paid for."
    ),
    "ledger.manifest_unreadable": (
        "The manifest {path} cannot be read ({reason}). It names the ledger of this folder. Restore it, or use another "
        "output folder. Nothing was spent."
    ),
    "ledger.manifest_unwritable": (
        "The manifest {path} cannot be written ({reason}). Without it, this folder could later be used with another "
        "ledger, and everything would be paid for again. Nothing was spent."
    ),
    "ledger.medium_taken_over": "Another run has taken over the medium {medium!r}.",
    "ledger.missing_run": "run {run} of batch {batch!r}: {attempts} sent from this folder, {known} known to the ledger",
    "ledger.moved": (
        "This ledger was moved to {copy}, and only its copy is in use. With this one, everything that was made since "
        "would be paid for again. Name the copy ({@ledger} or PREFECT_SEEDANCE_LEDGER). Reading this one stays "
        "possible. If the copy is lost: prefect-seedance ledger adopt, with the output folder. Nothing was spent."
    ),
    "ledger.no_backup": (
        "The ledger has to be migrated, and the backup {copy} cannot be written: {reason}. Free some space for it, or "
        "allow writing to that folder. Nothing was changed, and nothing was spent."
    ),
    "ledger.no_new_id": "The database did not return the id of a new line.",
    "ledger.no_row": "The ledger has no row with the id {id}.",
    "ledger.not_latest_attempt": "Attempt {attempt} is not the row's latest.",
    "ledger.not_refused": "A create without a job does not lead to {state!r}.",
    "ledger.older": (
        "The ledger at {ledger} is older than the folder {folder}: it does not know all that was sent from there."
        "{runs:bullets}With it, this would be paid for again. Put the newer ledger back, or name it ({@ledger} or "
        "PREFECT_SEEDANCE_LEDGER). Only if it is lost for good: prefect-seedance ledger adopt {folder} lists what is "
        "missing, and goes on without paying for it blindly. Nothing was spent."
    ),
    "ledger.other_ledger": (
        "The folder {folder} belongs to another ledger ({known}, last seen at {url}). The ledger in use is {identity} "
        "at {ledger}. With it, everything in this folder would be paid for again. Use the folder's own ledger "
        "({@ledger} or PREFECT_SEEDANCE_LEDGER), or another output folder. Nothing was spent."
    ),
    "ledger.prune_live_run": (
        "A run works on batch {batch!r}: run {run}, process {pid} on {host}, since {started}. Without its rows it "
        "would pay for them again. Wait until it has ended, or end it, and prune again. Nothing was changed."
    ),
    "ledger.run_file_unreadable": (
        "The file {path} cannot be read. It counts what a run has sent from this folder, and shows whether the ledger "
        "is an older copy. Restore it. If you are certain that the ledger in use is the latest one, delete it. Nothing "
        "was spent."
    ),
    "ledger.run_file_unwritable": (
        "The file {path}, which counts the creates of this run, cannot be written ({reason}). Without it, an older "
        "copy of the ledger could later be believed, and everything would be paid for again. Nothing is sent without "
        "it. Free some space, or allow writing there, and run the same call again."
    ),
    "ledger.runs_are_live": (
        "A run works with this ledger now, on {batches}. Stop it, or wait for its end. One that died "
        "on another machine counts as live until its lease is over, two minutes. Nothing was changed."
    ),
    "ledger.row_taken_over": (
        "The row is no longer held by this run: its lease ended, and another run has taken it over."
    ),
    "ledger.unlawful_move": "A row cannot go from {state!r} to {to!r} in this way.",
    "ledger.unreachable": (
        "The ledger at {ledger} did not answer for {seconds:.0f} s ({reason}). Nothing can be recorded, so nothing "
        "more is sent. Once its server answers again, run the same call again: what was made is in the ledger and is "
        "not paid for twice."
    ),
    "ledger.url_in_memory": "a ledger in memory would lose the record of what was paid",
    "ledger.url_unreadable": "it cannot be read; special characters in a password are written as %XX",
    "ledger.url_unusable": (
        "{url} cannot be used as a ledger URL ({reason}). Expected something like sqlite+aiosqlite:///ledger.db or "
        "postgresql+asyncpg://user:password@host/name. Nothing was spent."
    ),
    "ledger.writer_stopped": "The ledger at {ledger}: its writer was stopped before this was written.",
    "asset.awaits_no_answer": "An answer arrived for the asset request {request}, which awaits none.",
    "asset.id_expected": (
        "The verdict 'job' needs the provider's id of the asset, and no other verdict takes one. Nothing was changed."
    ),
    "asset.in_use": "A run works on the medium {medium!r} now. Nothing was changed.",
    "asset.drop_in_use": "A run works with the asset {asset} now. Nothing was changed.",
    "asset.no_request": "Batch {batch!r} has no asset request {request}. Nothing was changed.",
    "asset.not_in_ledger": "The ledger knows no asset {asset!r}. Nothing was changed.",
    "asset.not_unknown": (
        "The asset request {request} is {outcome!r}, not 'unknown': there is nothing to resolve. Nothing was changed."
    ),
    "asset.unknown_outcome": (
        "The asset request {request} for {medium!r} has an unknown outcome. It is not sent again, because it may have "
        "been billed."
    ),
    "attempt.answered_late": "{before} Its answer came later: {answer}",
    "attempt.another_job": (
        "The provider's answer came late and names job {job}. The row has another job or create by now, so job {job} "
        "is not followed. It may have been paid; its cost counts as unknown. If the row needs a further create, job "
        "{job} is used instead."
    ),
    "attempt.other_job": (
        "A person named job {named} for this row, and the provider's answer, which came late, names job {job}. The row "
        "keeps job {named}; job {job} may have been paid too, and its cost counts as unknown. Look up both at the "
        "provider."
    ),
    "attempt.other_job_used": (
        "A person named job {named} for this row, which brought no video. The provider's answer, which came late, "
        "names job {job}, and the row goes on with that."
    ),
    "attempt.ledger_lost": (
        "The ledger that knew the latest attempts of this batch is lost: the row may have been made and paid."
    ),
    "attempt.not_sent": "The request was not sent.",
    "attempt.run_ended": "The run died or was stopped before the provider's answer was written down.",
    "attempt.shared_job": (
        "The provider named job {job} for two rows: row {row!r} of batch {batch!r} and row {other!r} of batch "
        "{other_batch!r}. Neither is fetched or sent again, except that a stored video stays. Look up job {job} at the "
        "provider. Then run `prefect-seedance resolve` for each row that is unknown: `job {job}` for the row whose "
        "video it is, and `not_made` (the next run makes it), or `job` and its own id, for the other."
    ),
    "batch.changed_rows": (
        "{rows:row was|rows were} planned with another request before, in batch {batch!r} (take {take!r}):"
        "{changes:bullets}To make them again beside the earlier ones, run only these rows ({@only}) as a new take "
        "({@take:2}). To keep the earlier ones out of it, use a new batch name. Nothing was spent."
    ),
    "batch.duplicate_keys": "{keys:row key occurs|row keys occur} more than once: {shown}. Nothing was spent.",
    "batch.field_changed": "{field} was {before}, is {after}",
    "batch.field_not_set": "not set",
    "batch.fingerprint_changed": "row {row!r}: the way in which requests are compared has changed",
    "batch.pruned": (
        "Batch {batch!r} was pruned on {date}: the ledger no longer knows its rows, and all of them would be paid for "
        "again. Use another batch name. Nothing was spent."
    ),
    "batch.row_changed": "row {row!r}: {changes:clauses}",
    "resolve.job_id_missing": "The verdict 'job' needs the provider's id of the job. Nothing was changed.",
    "resolve.job_is_there": "{provider} knows it, and says {state!r} ({time}).",
    "resolve.job_not_answered": (
        "{provider} could not be asked about it ({reason}). If the id turns out to be wrong, name the right one in the "
        "same way."
    ),
    "resolve.job_not_asked": (
        "The provider was not asked about it, since no route with the account {account} was given ({@route}). If the "
        "id turns out to be wrong, name the right one in the same way."
    ),
    "resolve.job_not_there": (
        "{provider} does not know job {job}: {reason} Check the id, and that the route's key belongs to the account "
        "that paid. Nothing was changed."
    ),
    "resolve.job_taken": "Job {job} already belongs to row {owner!r}. Nothing was changed.",
    "resolve.lost": "A person settled it as made and lost. Its cost is counted.",
    "resolve.no_row": "Batch {batch!r} has no row {key!r} in take {take!r}. Nothing was changed.",
    "resolve.not_unknown": "The row is {state!r}, not 'unknown': there is nothing to resolve. Nothing was changed.",
    "resolve.row_in_use": "A run works on this row now. Nothing was changed.",
}
