"""The advice of a summary, in the words of the surface that its reader is on."""

from __future__ import annotations

import pytest

from prefect_seedance.ledger import State
from prefect_seedance.messages import Surface, use_surface
from prefect_seedance.reports.summary import status_advice, status_counts, status_words


@pytest.mark.parametrize(
    ("surface", "words"),
    [
        ("python", 'with retry=["failed"].'),
        ("cli", "with --retry failed."),
        ("form", 'with "Make again, and pay again": failed.'),
    ],
)
def test_advice_names_what_the_reader_can_set(surface: Surface, words: str) -> None:
    with use_surface(surface):
        assert words in status_advice(State.FAILED)


def test_every_state_that_leaves_something_to_do_has_advice() -> None:
    settled = {State.STORED, State.SENT}
    assert {state for state in State if not status_advice(state)} == settled


def test_every_state_has_words_of_its_own() -> None:
    words = [status_words(state) for state in State]
    assert len(set(words)) == len(words)
    assert status_counts({State.STORED: 1200, "left_out": 1}) == "1,200 stored, 1 not chosen"
    assert status_counts({}) == ""
