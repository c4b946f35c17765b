"""Texts about accounts, limits and polling."""

from __future__ import annotations

ACCOUNTS: dict[str, str] = {
    "poll.answer_not_processed": "The answer could not be processed: {reason}",
    "poll.job_left_out": "The answer about many jobs leaves out job {job}.",
    "poll.no_answer": "No answer about job {job} arrived in the time that the run waits for it.",
    "poll.query_failed": "The query failed inside this program: {reason}",
}
