"""Settings of a sandbox: keys, speed, prices, strictness."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path

from prefect_seedance.sandbox.world.prices import price_list

#: The keys of a new sandbox, each with its provider (or `provider/account`).
DEFAULT_KEYS: Mapping[str, str] = {"sk_sandbox": "jimmy", "sk-sandbox": "anyfast"}

#: Trademarks: the review refuses a prompt that contains one, in any letter case.
TRADEMARKS: tuple[str, ...] = ("mickey mouse", "米老鼠", "donald duck", "唐老鸭", "pikachu", "皮卡丘")


@dataclass(frozen=True, kw_only=True)
class SandboxSettings:
    """The fixed settings of a sandbox. Faults are in `Faults`, and may change while it runs.

    Attributes:
        keys: API key → `provider` or `provider/account`. Two keys of one account see the same jobs.
        job_seconds: Shortest and longest duration of a job, in seconds, before `speed` is applied.
        asset_seconds: The same for the review of an asset or a portrait.
        speed: Divides both; 10 makes a job of 30 s last 3 s.
        seed: Seed of all random decisions. They depend on a request's content and on how often it was sent before, not
            on the order in which requests arrive, so concurrent runs get the same faults.
        prices: Unit price by billing model name.
        currency: The currency of these prices.
        funds: How much each account may spend; None is no limit.
        strict: Also refuse what only some of the provider's documents allow.
        known_assets_only: Refuse `asset://` ids that this sandbox did not make; otherwise an unknown id is accepted.
            An id that another account made here is always refused.
        jimmy_refunds_failures: Refund failed Jimmy AI jobs (the documents do not say whether they are).
        link_seconds: Lifetime of a result link; None is the documented one (3 days, 24 hours).
        upload_seconds: How long an uploaded file is served (not stated on the upload page).
        foreign_video_seconds: Assumed length of a reference video at Anyfast whose length the sandbox cannot read.
        trademarks: Words that the review refuses, lower case.
        state_path: SQLite file that keeps jobs, bill, assets and uploads; None keeps them in memory.
        results: Folder of the files that the fault `given_result` serves; None serves the sandbox's own videos.
        public_url: The base URL of links; None uses the one that the client called.
        clock: Returns the time in Unix seconds; tests may replace it.
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
    results: Path | None = None
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
                raise ValueError(f"a key belongs to 'jimmy', 'anyfast' or 'provider/account', not {account!r}")
