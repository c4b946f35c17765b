"""Input: a request or a question about a job. Output: typed answers, or an error that says what is proven.

Each provider has a dialect without I/O. One client sends the calls.
"""

from prefect_seedance.providers.account import Account
from prefect_seedance.providers.answers import Answer, Balance, Call, Created, JobState, JobView
from prefect_seedance.providers.client import ProviderClient, Timeouts
from prefect_seedance.providers.dialect import DIALECTS, Dialect, dialect_of
from prefect_seedance.providers.library import AssetState, AssetView, Library, Uploaded
from prefect_seedance.providers.route_settings import RouteSettings

__all__ = [
    "DIALECTS",
    "Account",
    "Answer",
    "AssetState",
    "AssetView",
    "Balance",
    "Call",
    "Created",
    "Dialect",
    "JobState",
    "JobView",
    "Library",
    "ProviderClient",
    "RouteSettings",
    "Timeouts",
    "Uploaded",
    "dialect_of",
]
