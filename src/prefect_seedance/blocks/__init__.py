"""Prefect blocks: who pays, what it costs, and where rows go."""

from prefect_seedance.blocks.credentials import AnyfastCredentials, JimmyCredentials
from prefect_seedance.blocks.price_book import PriceBook
from prefect_seedance.blocks.route_defaults import RouteDefaults

__all__ = ["AnyfastCredentials", "JimmyCredentials", "PriceBook", "RouteDefaults"]
