"""What takes days or minutes in life: documented lives of jobs and links, and how long an absence has to last."""

from __future__ import annotations

from datetime import timedelta

import pytest

from prefect_seedance.engine.steps import absence
from prefect_seedance.providers.anyfast.dialect import Anyfast
from prefect_seedance.providers.jimmy.dialect import Jimmy


def hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    """A run asks only once for what is absent, and believes it."""
    monkeypatch.setattr(absence, "ABSENCE", 0.0)
    monkeypatch.setattr(absence, "ASKED_AGAIN", 0.0)


def end_of_life(monkeypatch: pytest.MonkeyPatch) -> None:
    """The documented lives of jobs and links are over as soon as they begin, and so are the minutes of absence."""
    hurry(monkeypatch)
    for dialect in (Jimmy, Anyfast):
        monkeypatch.setattr(dialect, "job_lifetime", timedelta(days=-1))
        monkeypatch.setattr(dialect, "result_lifetime", timedelta(days=-1))
