"""What kind of provider a sandbox pretends to be: keys, pace, prices, strictness."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path

from prefect_seedance.sandbox.world.prices import price_list

#: The keys that a fresh sandbox knows, and the provider (or `provider/account`) that each one opens.
DEFAULT_KEYS: Mapping[str, str] = {"sk_sandbox": "jimmy", "sk-sandbox": "anyfast"}

#: Words whose owners object: a prompt that holds one is refused by the review (any letter case).
TRADEMARKS: tuple[str, ...] = ("mickey mouse", "米老鼠", "donald duck", "唐老鸭", "pikachu", "皮卡丘")


@dataclass(frozen=True, kw_only=True)
class SandboxSettings:
    """The unchanging side of a sandbox; what goes wrong on purpose stands in `Faults`.

    Attributes:
        keys: API key → `provider` or `provider/account`. Two keys of one account see the same jobs.
        job_seconds: Shortest and longest time a job takes, in seconds before `speed`.
        asset_seconds: The same for the review of an asset or a portrait.
        speed: Divides both; 10 makes a job of 30 s last 3 s.
        seed: Decides all chances. A fate hangs on the content of a request and on how often it was sent before, not on
            the order in which requests arrive, so concurrent runs meet the same faults.
        prices: Unit price by billing model name.
        currency: The currency of these prices.
        funds: What each account may spend; None is no limit.
        strict: Also refuse what the provider's documents contradict each other about.
        known_assets_only: Refuse `asset://` ids that were not made here (else an unknown id is believed). One that was
            made here by another account is refused in any case.
        jimmy_refunds_failures: Give the money of failed Jimmy AI jobs back (the documents are silent on this).
        link_seconds: How long a result link lives; None is what the documents say (3 days, 24 hours).
        upload_seconds: How long an uploaded file is served (not on the upload page; known from elsewhere).
        foreign_video_seconds: The length that Anyfast sees in a reference video which the sandbox cannot look into.
        trademarks: Words that the review objects to, lower case.
        state_path: SQLite file that remembers jobs, bill, assets and uploads; None keeps all in memory.
        public_url: The address to write into links; None takes the one that the client called.
        clock: Tells the time in Unix seconds; tests may bring their own.
    """

    keys: Mapping[str, str] = field(default_factory=lambda: dict(DEFAULT_KEYS))
    job_seconds: tuple[float, float] = (20.0, 40.0)
    asset_seconds: tuple[float, float] = (2.0, 6.0)
    speed: float = 1.0
    seed: int = 0
    prices: Mapping[str, Decimal] = field(default_factory=price_list)
    currency: str = "CNY"
    funds: Decimal | None = None
    strict: bool = False
    known_assets_only: bool = False
    jimmy_refunds_failures: bool = False
    link_seconds: float | None = None
    upload_seconds: float = 3 * 86_400.0
    foreign_video_seconds: Decimal = Decimal(4)
    trademarks: tuple[str, ...] = TRADEMARKS
    state_path: Path | None = None
    public_url: str | None = None
    clock: Callable[[], float] = time.time

    def __post_init__(self) -> None:
        if not self.speed > 0:
            raise ValueError(f"speed must be above 0, not {self.speed}")
        for name in ("job_seconds", "asset_seconds"):
            low, high = getattr(self, name)
            if not 0 <= low <= high:
                raise ValueError(f"{name} must be (shortest, longest), not {(low, high)}")
        for account in self.keys.values():
            if account.partition("/")[0] not in DEFAULT_KEYS.values():
                raise ValueError(f"a key opens 'jimmy', 'anyfast' or 'provider/account', not {account!r}")
