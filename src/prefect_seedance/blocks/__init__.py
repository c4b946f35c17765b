"""Prefect blocks: credentials, prices and route defaults. Each of them turns itself into plain settings."""

from prefect_seedance.blocks.credentials import AnyfastCredentials, JimmyCredentials
from prefect_seedance.blocks.price_book import PriceBook
from prefect_seedance.blocks.route_defaults import RouteDefaults

__all__ = ["AnyfastCredentials", "JimmyCredentials", "PriceBook", "RouteDefaults"]
