"""How the providers are asked: one dialect each, without I/O, and one client that carries their calls."""

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
