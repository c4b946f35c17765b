"""The flows of the deployments: each takes plain JSON parameters, which the Prefect UI shows as a form."""

from prefect_seedance.flows.forms.costs import cost_report
from prefect_seedance.flows.forms.generate import videos_from_table
from prefect_seedance.flows.forms.one import one_video
from prefect_seedance.flows.forms.quote import quote_table
from prefect_seedance.flows.forms.resolve import resolve_unknown
from prefect_seedance.flows.forms.sweep import fetch_left_behind
from prefect_seedance.flows.forms.watch import watch_folder

__all__ = [
    "cost_report",
    "fetch_left_behind",
    "one_video",
    "quote_table",
    "resolve_unknown",
    "videos_from_table",
    "watch_folder",
]
