"""A medium of a run: one image, video or audio that is prepared in the form that a route takes."""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

from prefect_seedance.core.clock import now
from prefect_seedance.errors import InputError
from prefect_seedance.media import Content
from prefect_seedance.messages import message
from prefect_seedance.providers import ProviderClient, RouteSettings
from prefect_seedance.providers.library import Library
from prefect_seedance.routes.address import scheme_of, shown
from prefect_seedance.routes.facts import MediaKind
from prefect_seedance.routes.forms import Form
from prefect_seedance.routes.pricing.amount import Amount
from prefect_seedance.tables.row_keys import cut_address, signless_address

if TYPE_CHECKING:
    from prefect_seedance.accounts.circuit_breaker import CircuitBreaker
    from prefect_seedance.engine.session import Session

__all__ = ["Medium"]

LONGEST_NAME = 40

MARGIN = timedelta(hours=6)
"""A reference that is valid for less time is made again: the provider may fetch it only when the job starts."""


class Medium:
    """One medium of a run, for all the rows that use it.

    It is opaque on purpose, as a row is: Prefect inspects the arguments of tasks.

    Attributes:
        form: The form in which the route takes it.
        reference: What the request contains for it; None until a step has made it.
        expires_at: When the reference expires; None where it does not.
        not_found: What was searched for in its library and is not there.
        extra_reserve: What a budget has to hold in addition to the medium's own price: the worst case of the row that
            needs it.
        is_probe: Whether it is submitted for a row that probes a closed account.
    """

    def __init__(self, *, session: Session, settings: RouteSettings, address: str, kind: MediaKind, form: Form) -> None:
        self.session = session
        self.settings = settings
        self.address = address
        self.kind: MediaKind = kind
        self.form: Form = form
        self.reference: str | None = None
        self.expires_at: datetime | None = None
        self.not_found: set[str] = set()
        self.extra_reserve = Decimal(0)
        self.is_probe = False

    @property
    def needed_until(self) -> datetime:
        """Until when a reference that is used now has to be valid."""
        return now() + MARGIN

    @property
    def ends_soon(self) -> bool:
        """Whether its reference has to be made again."""
        return self.expires_at is not None and self.expires_at < self.needed_until

    def __repr__(self) -> str:
        return f"Medium({self.name!r}, {self.form})"

    def __str__(self) -> str:
        return self.name

    @property
    def name(self) -> str:
        """Its name for people: the file name where it has one."""
        if self.address.startswith("data:"):
            return f"inline {self.kind}"
        name = cut_address(self.address).rstrip("/").rpartition("/")[2] or self.kind
        return name if len(name) <= LONGEST_NAME else f"{name[: LONGEST_NAME - 1]}…"

    @property
    def shown(self) -> str:
        """The address as it may be shown."""
        return shown(self.address)

    @property
    def client(self) -> ProviderClient:
        """The client of the account that gets it."""
        return self.session.account_clients[self.settings.account].client

    @property
    def circuit_breaker(self) -> CircuitBreaker:
        """The circuit breaker of that account."""
        return self.session.account_clients[self.settings.account].circuit_breaker

    @property
    def library(self) -> Library:
        """The provider's library that it belongs to.

        Raises:
            InputError: The route has none.
        """
        if self.form == "portrait":
            return "portrait"
        library = self.settings.route.library
        if not library:
            raise InputError(message("review.no_library", route=self.settings.route.name, medium=self.shown))
        return library

    @property
    def billing_model(self) -> str | None:
        """The price line under which the provider bills the submission of this medium; None where it is free."""
        if self.form not in {"asset", "portrait"}:
            return None
        return self.client.dialect.asset_billing_model(self.library, self.kind)

    def price_of(self, billing_model: str) -> Amount | None:
        """The amount of a price line in the user's prices; None where it has no price."""
        prices = self.settings.prices
        price = prices.prices.get(billing_model) if prices else None
        return None if prices is None or price is None else Amount(price.amount, prices.currency)

    @property
    def remote(self) -> bool:
        """Whether it is a link that a provider can fetch."""
        return scheme_of(self.address) == "https"

    async def content(self) -> Content:
        """Its bytes as a local file, fetched once for all rows of this run.

        Raises:
            InputError: It cannot be read.
        """
        return await self.session.media.content(self.address)

    async def identity(self) -> str:
        """The key under which the ledger knows it: the hash of its content, or for a link of its address.

        Two addresses that differ in more than a signature may show two different people.
        """
        if self.remote:
            return f"url:{hashlib.sha256(signless_address(self.address).encode()).hexdigest()}"
        return (await self.content()).sha256
