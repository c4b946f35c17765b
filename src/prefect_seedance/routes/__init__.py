"""The catalogue of routes, the request, the rules, units and prices. Pure: no I/O.

Input: a route, a request and prices. Output: problems, units and quotes.
"""

from __future__ import annotations

from prefect_seedance.routes.address import is_loopback, shown
from prefect_seedance.routes.capabilities import Capabilities, Provider
from prefect_seedance.routes.catalogue.lookup import CATALOGUE, find
from prefect_seedance.routes.forms import Form, Review, form_of
from prefect_seedance.routes.limit import Limit
from prefect_seedance.routes.pricing.price import Price, Prices
from prefect_seedance.routes.pricing.quote import Quote, QuoteKind, billing_model, quote
from prefect_seedance.routes.pricing.total import CurrencySum, QuoteLine, QuoteTotal, total
from prefect_seedance.routes.pricing.units import Units, settle_units, units
from prefect_seedance.routes.problem import Problem
from prefect_seedance.routes.request import VideoRequest
from prefect_seedance.routes.resolve import resolve
from prefect_seedance.routes.route import (
    DurationRule,
    Exclusion,
    Expectation,
    FrameRule,
    MediaRule,
    PairingRule,
    PromptRule,
    RatioRule,
    ResolutionRule,
    Route,
    Unit,
)
from prefect_seedance.routes.rules.check import check
from prefect_seedance.routes.rules.material import MediaFacts, check_material, reference_seconds

__all__ = [
    "CATALOGUE",
    "Capabilities",
    "CurrencySum",
    "DurationRule",
    "Exclusion",
    "Expectation",
    "Form",
    "FrameRule",
    "Limit",
    "MediaFacts",
    "MediaRule",
    "PairingRule",
    "Price",
    "Prices",
    "Problem",
    "PromptRule",
    "Provider",
    "Quote",
    "QuoteKind",
    "QuoteLine",
    "QuoteTotal",
    "RatioRule",
    "ResolutionRule",
    "Review",
    "Route",
    "Unit",
    "Units",
    "VideoRequest",
    "billing_model",
    "check",
    "check_material",
    "find",
    "form_of",
    "is_loopback",
    "quote",
    "reference_seconds",
    "resolve",
    "settle_units",
    "shown",
    "total",
    "units",
]
