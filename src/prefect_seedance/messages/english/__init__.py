"""The English texts, each under its slug, a file for each area."""

from __future__ import annotations

from prefect_seedance.messages.english.forms import FORMS
from prefect_seedance.messages.english.ledger import LEDGER
from prefect_seedance.messages.english.media import MEDIA
from prefect_seedance.messages.english.planning import PLANNING
from prefect_seedance.messages.english.providers import PROVIDERS
from prefect_seedance.messages.english.quotes import QUOTES
from prefect_seedance.messages.english.reports import REPORTS
from prefect_seedance.messages.english.rows import ROWS
from prefect_seedance.messages.english.rules import RULES
from prefect_seedance.messages.english.runs import RUNS
from prefect_seedance.messages.english.setup import SETUP
from prefect_seedance.messages.english.spending import SPENDING
from prefect_seedance.messages.english.storage import STORAGE
from prefect_seedance.messages.english.tables import TABLES
from prefect_seedance.messages.english.videos import VIDEOS

__all__ = ["TEXTS"]

TEXTS: dict[str, str] = {
    **FORMS,
    **LEDGER,
    **MEDIA,
    **PLANNING,
    **PROVIDERS,
    **QUOTES,
    **REPORTS,
    **ROWS,
    **RULES,
    **RUNS,
    **SETUP,
    **SPENDING,
    **STORAGE,
    **TABLES,
    **VIDEOS,
}
