"""The status words of jobs, for all providers: a relay passes on the words of whatever it relays to."""

from __future__ import annotations

from typing import NamedTuple

from prefect_seedance.providers.answers import JobState

__all__ = ["Status", "read_status"]

_WORDS = {
    JobState.WAITING: ("not_start", "submitted", "queued", "pending", "waiting", "created"),
    JobState.RUNNING: ("in_progress", "running", "processing", "generating", "rendering"),
    JobState.SUCCEEDED: ("success", "succeed", "succeeded", "complete", "completed", "done", "finished"),
    JobState.FAILED: (
        *("failure", "fail", "failed", "error", "timeout", "rejected"),
        *("cancelled", "canceled", "expired"),
    ),
}
_STATES = {word: state for state, words in _WORDS.items() for word in words}


class Status(NamedTuple):
    """The status of a job.

    Attributes:
        state: What it means.
        word: The provider's word, unchanged; empty where there is none.
        known: Whether the word is known. An unknown one does not count as an end by itself.
    """

    state: JobState
    word: str
    known: bool = True


def read_status(*words: str | None, link: str | None, progress: float | None) -> Status:
    """Return the status by the first known word; the outermost record's comes first.

    A new job may have no word yet. An unknown word or number, with a link and full progress, is a success.

    Args:
        words: The words of the answer's records from the outside in.
        link: The link of the result, if the answer has one.
        progress: 0 to 1, if the answer states it.
    """
    said = [word for word in words if word]
    known = next((word for word in said if _plain(word) in _STATES), None)
    if known is not None:
        return Status(_STATES[_plain(known)], known)
    if not said:
        return Status(JobState.WAITING, "")
    ended = link is not None and progress == 1
    return Status(JobState.SUCCEEDED if ended else JobState.RUNNING, said[0], known=False)


def _plain(word: str) -> str:
    return word.lower().replace(" ", "_").replace("-", "_")
