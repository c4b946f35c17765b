"""Texts about results, summaries and next steps."""

from __future__ import annotations

REPORTS: dict[str, str] = {
    # What each status means.
    "status.stored": "stored",
    "status.failed": "failed at the provider",
    "status.refused": "refused by the provider",
    "status.unknown": "outcome unknown",
    "status.expired": "made and paid, but expired",
    "status.created": "still running",
    "status.succeeded": "made, not fetched yet",
    "status.deferred": "refused for now",
    "status.planned": "not sent yet",
    "status.over_budget": "over the budget or spending limit",
    "status.sent": "being sent",
    "status.invalid": "left out: breaks a rule",
    "status.left_out": "not chosen",
    "status.counted": "{rows:,} {status}",
    # What a person can do about it.
    "advice.unknown": (
        "The provider never answered. These rows may have been made and paid, so they are not sent again "
        "automatically. Look them up at the provider first."
    ),
    "advice.failed": ("To try these again, run the same batch with {@retry:failed}. That is a new, paid attempt."),
    "advice.refused": (
        "Nothing was made or charged. A prompt that was refused for its content needs other words, as a new row. To "
        "send these rows again unchanged, run the same batch with {@retry:refused}."
    ),
    "advice.expired": (
        "The provider no longer has these videos. To make them again, and pay again, run the same batch with "
        "{@retry:expired}."
    ),
    "advice.created": "Run the same batch again: it picks these jobs up, and does not pay for them again.",
    "advice.succeeded": "Run the same batch again soon: it fetches these videos while their links live.",
    "advice.waiting": "Nothing was made or charged. Run the same batch again: it takes these rows.",
    "advice.over_budget": (
        "Nothing was sent: their worst case does not fit into the budget, or into a spending limit of the account. Run "
        "the same batch with a higher {@budget}, or again once the limit has renewed: their notes say when."
    ),
    "advice.invalid": "Nothing was sent. Correct these rows and run the same batch again.",
    # Links to the forms, filled in.
    "next_step.title": "Next step",
    "next_step.resolve": "Say what became of {row}",
    "next_step.resolve_note": "after you have looked it up at the provider",
    "next_step.failed": "Make {rows:row|rows} again that failed",
    "next_step.failed_note": "a new, paid attempt",
    "next_step.refused": "Send {rows:row|rows} again that the provider refused",
    "next_step.refused_note": "a new attempt; better change the words first",
    "next_step.expired": "Make {rows:row|rows} again that expired",
    "next_step.expired_note": "paid again",
    "next_step.continue": "Continue with {rows:row|rows}",
    "next_step.continue_note": "what is paid is not paid again",
    # The summary of a run.
    "summary.headline": "{stored:,} of {videos:video|videos} stored",
    "summary.in_this_run": "{made:,} of them in this run",
    "summary.batch": "Batch:",
    "summary.take": "take {take}",
    "summary.new": "New in this run:",
    "summary.new_videos": "{made:video|videos}, for {cost}",
    "summary.to_date": "The batch to date:",
    "summary.not_in_sums": "Not known, and not in these sums:",
    "summary.videos": "Videos:",
    "summary.sheet": "Contact sheet, for a browser:",
    "summary.csv": "Table of the results, for a spreadsheet:",
    "summary.parquet": "The same, for programs:",
    "summary.file": "Results ({kind}):",
    "summary.ledger": "Ledger:",
    "summary.records": "Records",
    "summary.warnings": "Good to know",
    "summary.cost": "Cost of this run",
    "summary.nothing_bought": "Nothing was bought in this run.",
    "summary.rows": "{rows:row|rows} {status}",
    "summary.job": "job {job}",
    "summary.row_cost": "cost {cost}",
    "summary.fell_back": "{rows:row|rows} went on to another route",
    "summary.fell_back_note": "Nothing was made or charged by the routes before.",
    "summary.after": "{route}, after",
    "summary.and_more": "and {rows:,} more",
    "summary.differs": (
        "{videos:video has|videos have} a remark: where one differs from what was asked, you may have a claim"
    ),
    "summary.more_rows": "… and {rows:,} more, in the results file.",
    "summary.more_ways": "… and {ways:,} more ways, in the results file.",
    # The artifacts of a run.
    "artifact.cost": "{cost} in this run, batch {batch}.",
    "artifact.cost_to_date": "{cost} to date, over all runs and takes, batch {batch}.",
    "artifact.not_known": "What is not known is listed apart, and is in no sum.",
    "artifact.rows": "{shown:,} of {rows:row|rows}. The complete table: {place}",
    "artifact.no_rows": "the table has no rows",
    "artifact.nothing_bought": "nothing was bought",
    "artifact.refused_before": "refused before: {reasons}",
    # The end of a run in the terminal.
    "terminal.batch": "Batch {batch}: {state}",
    "terminal.more_rows": "… and {rows:,} more rows, in the results file",
    "terminal.not_stored": "Not stored:",
    "terminal.nothing_bought": "{title}: nothing was bought",
    "terminal.not_known": "Not known, and in no sum:",
    "terminal.cost_to_date": "in this run; batch to date: {cost}",
    # What is not known about money.
    "cost.held": "{jobs} unknown: may have been paid",
    "cost.undocumented": "{jobs} failed: charge not documented",
    "cost.unpriced": "{jobs} charged, amount not known",
    "cost.open": "{jobs} not settled yet",
    "cost.bounded": "{doubts:clauses} ({most})",
    "cost.up_to": "up to {amount}",
    "cost.no_limit": "no known limit",
    "cost.amount_without_limit": "an amount without a known limit",
    "cost.attempt_unknown": "may have been made, and may have cost {most}",
    "cost.attempt_undocumented": "charge on failure not documented: {most}",
    "cost.attempt_open": "not settled yet: {most}",
    "cost.attempt_beside": "job {job} of an earlier create may have been paid too, and may have cost {most}",
    "cost.attempt_unpriced": "charged; the amount is not known",
    "cost.attempt_unpriced_up_to": "charged; the amount is not known ({most})",
    # Hints and warnings of a run.
    "result.job_beside": "Row {row}: {reason}",
    "hint.budget": "Budget: {committed} of {budget} are spent or held back for the worst case of what is not settled",
    "hint.balance": "Balance of {account} as the provider shows it, a hint only: {changes}",
    "hint.balance_same": "nothing changed",
    "hint.traffic": "{account}: {facts}",
    "hint.in_flight": "up to {jobs:job|jobs} in flight at once",
    "hint.limit": "its limit seems to be {limit:,} now (the lowest met: {lowest:,})",
    "hint.refused": "{refused:,} of {creates:create|creates} refused as too many",
    "hint.paused": "{account} asks for no further creates until about {until} UTC: run the same call again then",
    "hint.polls": "{polls:status query|status queries} about {jobs:job|jobs} that ended",
    "hint.polls_failed": "{polls:,} of them without a usable answer",
    "sheet.partial": (
        "This page shows {shown:,} of {rows:,} rows, those first that are neither stored nor waiting; the costs are "
        "those of all rows. The results file beside it holds every row."
    ),
    "report.not_written": (
        "{reason} The videos are stored and the ledger knows them; run the same call again once there is enough "
        "space, and it only writes the report."
    ),
    # Quotes.
    "quote.title": "{name}: {rows:row|rows} would cost",
    "quote.sum": "**{amount}** ({rows:row|rows})",
    "quote.unpriced": "**{rows:row|rows} without a known price**: they are in no sum",
    "quote.note": "{note} ({rows:row|rows})",
    "quote.no_rows": "Nothing: there are no rows.",
    "quote.invalid": "Rows that cannot be sent",
    "quote.nothing_spent": "Nothing was sent, and nothing was spent.",
    # Sweeps.
    "sweep.nothing": "Nothing was left behind.",
    "sweep.found": "{rows:paid row|paid rows} without a file",
    "sweep.saved": "{rows:,} saved",
    "sweep.ended": "{rows:,} ended without a video",
    "sweep.left": "{rows:,} left for the next sweep",
    "sweep.unknown": "{rows:,} unknown: a person has to look",
    "sweep.unknown_title": "Unknown: they may have been paid",
    "sweep.ended_title": "Ended without a video",
    "sweep.left_title": "Left for the next sweep",
    "sweep.saved_title": "Saved",
    "sweep.more": "… and {rows:,} more",
    # The cost report over a span of days.
    "period.line": "{cost} for {videos:video|videos} in {batches:batch|batches}",
    "period.line_not_known": "{cost} for {videos:video|videos} in {batches:batch|batches}, and what is not known",
    "period.nothing": "Nothing was bought.",
    "period.waiting": "{rows:row|rows} may have been paid: the outcome is unknown",
    "period.waiting_note": 'Look them up at the provider, and run "Resolve an unknown row" for each.',
    "period.row": "**{batch}** · row {row} · take {take}",
    "period.more_rows": "… and {rows:,} more",
    "period.not_known": "Not known, and in no sum",
    "period.by_batch": "By batch",
    "period.by_route": "By route",
    "period.by_price_line": "By price line",
    # The audit trail and the provider's bill.
    "audit.not_written": "{path} cannot be written: {reason}.",
    "audit.no_job_column": (
        "{path} has no column for the job id; name it with --bill-job. Its columns are: {headings}."
    ),
    "audit.no_amount_column": (
        "{path} has no column for the amount; name it with --bill-amount. Its columns are: {headings}."
    ),
    "audit.no_currency": (
        "{path}, line {line}: {value} of which currency? Neither the line nor a heading says it. Name it with "
        "--bill-currency, such as --bill-currency CNY."
    ),
    "audit.bad_amounts": "{path}: {lines:line has|lines have} no amount that can be read:{problems:lines}",
    "audit.not_an_amount": "line {line}, {column}: {value!r}",
    "audit.no_such_account": "--bill-account {account}: the ledger has no such account. It has: {known}.",
    "bill.no_jobs": "No jobs on either side.",
    "bill.counted": "{counts}.",
    "bill.settles_failures": (
        "No document of the provider says whether failed jobs are charged. This bill does: {charged:,} of "
        "{failed:,} were."
    ),
    "bill.elsewhere": (
        "{jobs:job|jobs} of the ledger need not be on this bill: of another account, or sent before its first or after "
        "its last job."
    ),
    "bill.without_job": "{lines:line|lines} of the bill with an amount name no job, and are left out.",
    "bill.named": "The answer to {place} names {job}. Fetch it: {command}",
    "bill.candidates": "{job} may have been made for {places:clauses}. Look it up at the provider, then: {command}",
    "bill.no_candidate": "{lines:line|lines} of the bill without a row here fit no create of unknown outcome.",
    "bill.place": "row {row} of batch {batch}, sent {time} UTC",
    "bill.place_settled": "row {row} of batch {batch}, sent {time} UTC and resolved as {verdict}",
    "bill.unexplained": (
        "{creates:create|creates} of unknown outcome in the time of this bill fit none of its lines: they were "
        "probably not charged ({rows})."
    ),
    "bill.more": "… and {matches:,} more.",
}
