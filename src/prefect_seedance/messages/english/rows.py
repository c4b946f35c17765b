"""Texts about rows on their way: steps, remarks, routes."""

from __future__ import annotations

ROWS: dict[str, str] = {
    "asset.answer_lost": (
        "The {what} was requested at {sent_at} UTC, and the answer was lost; it may have been billed ({model!r}: "
        "{price}). {provider} does not list it, so it is not requested again, and nothing was sent for the row. Each "
        "run looks again. Once you have looked it up at {provider}: `prefect-seedance resolve {batch} asset:{request} "
        "not_made`, or `job` and its id."
    ),
    "asset.duplicate_not_listed": (
        "{provider} says that it already has the {what}, but does not list it yet. Nothing was billed for this, and "
        "nothing was sent for the row. The next run looks again."
    ),
    "asset.group_named": "group of assets {name!r}",
    "asset.lookup_failed": "{text} The last look-up failed: {error}",
    "asset.named": "asset {name!r} of {medium}",
    "asset.of_medium": "asset of {medium}",
    "asset.beyond_budget": (
        "What is left of the budget of {budget} does not hold its price and the row's worst case. Nothing was sent."
    ),
    "asset.no_price": (
        "The price book has no price for it, so no budget and no spending limit can hold it. Nothing was sent."
    ),
    "asset.over_budget": "The {what} is billed per request ({model!r}). {reason}",
    "asset.price_unknown": "unknown price",
    "asset.request_unanswered": "The request ended before the provider's answer arrived ({reason}).",
    "job.no_reason": "The provider gives no reason.",
    "job.no_video_yet": "The row is {state!r} and has no video yet: call wait_for_completion() first.",
    "job.not_recorded": "The ledger knows no job of this row.",
    "job.route_unknown": (
        "The route of this job is not known in this process. Pass {@route}, or create the job with a saved block. "
        "Nothing was spent."
    ),
    "job.still_running": (
        "Job {job} still runs after {seconds:g} s. It is kept and not paid again: the next run of this batch takes it "
        "up."
    ),
    "job.probably_dead": (
        "Job {job} still runs after {hours:.1f} h, far longer than its kind ever took. It is probably dead: some "
        "relays report expired jobs as running for ever. It is kept, and each run asks about it. Look it up at the "
        "provider; if it is gone, settle it: prefect-seedance resolve {batch} {row} lost, or the form for unknown rows."
    ),
    "job.still_running_unclear": "{text} {remark}",
    "job.unknown_status": "{provider} says that the status of the job is {status!r}, which no document explains.",
    "job.unknown_status_why": (
        "{provider} says that the status of the job is {status!r}, which no document explains: {reason}"
    ),
    "job.video_doubtful": (
        "{reason} The bytes are kept in {path}, because they are paid for: look at the file before you delete it."
    ),
    "job.video_unverified": (
        "{reason} The bytes are kept in {path}, because they are paid for. They are not fetched again: each run of "
        "this batch and each sweep tries to verify them again, for free."
    ),
    "job.absent": (
        "The provider does not know job {job} at present: {reason} It was accepted and may be paid for, so it is not "
        "given up: every run of this batch and every sweep asks for it again, for free, until {until} at least."
    ),
    "job.absent_with_other_key": (
        "The provider does not know job {job} with the present key: {reason} Another key made it under the account "
        "{account}. If that key belongs to another account, run with it, and give each account a label of its own. The "
        "job is left alone; nothing was spent."
    ),
    "job.link_absent": (
        "The video of job {job} is made and paid for, and its link does not work at present: {reason} It is not given "
        "up: every run of this batch and every sweep asks the job for its link again, for free, until {until} at least."
    ),
    "account.jobs_absent": (
        "At least {number} paid jobs of the account {account} are unknown to the provider at once, or their links do "
        "not work. That is hardly the jobs: either the key belongs to another account than the label, or the provider "
        "has an outage. No job is given up; each is asked for again by later runs."
    ),
    "account.two_keys": (
        "The account {account} is used with two different keys in one run. A job is known only to the account that "
        "paid for it, so each account needs a label of its own: give the credentials different labels, or the same "
        "key. Nothing was spent."
    ),
    "job.video_expired": "The video was made and paid for, and has expired: {reason} Its job is {job}.",
    "job.video_not_offered": "The provider no longer offers the video (its status is {status!r}).",
    "review.pending": (
        "The review of {medium} (asset {asset}) is not over after {seconds:g} s. It goes on, and the next run takes it "
        "up."
    ),
    "review.pending_after_error": "{review} The last answer was not usable: {error}",
    "review.rejected": ("The {kind} {medium} did not pass the review of {provider}: {reason} No video was requested."),
    "row.no_folder": "The ledger has no folder for its video. Run its batch again, with an output folder.",
    "row.route_not_used": "It is planned for the route {model} of the account {account}, which this run does not use.",
    "row.account_not_used": (
        "Its job was made by the account {account}, which this run does not use. Run it with the account that paid, or "
        "sweep with it."
    ),
    "row.cost_unbounded": (
        "The row's worst case has no known bound, so it does not fit into what is left of the budget of {budget}. "
        "Nothing was sent."
    ),
    "row.create_unanswered": "The create ended before the provider's answer arrived ({reason}).",
    "row.unforeseen": (
        "This program did not foresee an error of this row: {reason}. What was sent for it is in the ledger; the log "
        "has the details."
    ),
    "row.held": "Another run works on this row; nothing was done.",
    "row.held_elsewhere": "Another run works on this row.",
    "row.job_not_recorded": "{error} The provider has made job {job} of this row.",
    "row.key_rejected": "The API key of {account} is not accepted; check the key in its credentials. {words}",
    "row.medium_not_allowed": "{reason} Nothing was sent for it.",
    "row.moved_on": "{route} does not accept the row, which goes on to its next route. {reason}",
    "row.no_route_left": "None of its {routes:,} routes accepted it. {reasons:clauses}",
    "row.not_in_batch": "Batch {batch!r} has no such row in take {take!r}.",
    "row.not_in_ledger": (
        "no other process can send {fields}, because the ledger keeps neither signed links nor the content itself: "
        "name a file, or a link without a query"
    ),
    "row.over_budget": (
        "The row's worst case of {reserve} does not fit into what is left of the budget of {budget}. Nothing was sent."
    ),
    "row.paused": (
        "{account} asked for a pause until about {until} UTC, and this run waits {patience:g} s at most. Nothing was "
        "sent for the row. Run the same call again after that."
    ),
    "row.route_refused": "{route}: {reason}",
    "row.route_skipped": "{route}: not asked, because it accepts nothing now. {reason}",
    "row.still_held": "Another run still works on this row.",
    "row.shared_job": "Another row has the same job, so both wait for a person; see the row's reason in `status`.",
    "row.stuck": "The row is {state!r}. {reason}",
    "row.suspended_before_create": (
        "This process stood still between the row's intent and its create. Nothing was sent."
    ),
    "row.wrong_step": "This step does not apply to it; nothing was done.",
    "rows.and_more": "… and {more:,} more",
    "rows.count": "{rows:,} {state}",
    "upload.no_reference": "The provider accepted {medium} but returned no reference.",
    "upload.not_offered": "{provider} has no file upload: {medium} must be a link or an asset.",
}
