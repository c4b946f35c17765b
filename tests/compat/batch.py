"""The batch that an earlier release left behind, and the routes that it goes by: shared by maker and test."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from prefect_seedance import AnyfastCredentials, JimmyCredentials, PriceBook, RouteDefaults

DATA = Path(__file__).parent / "data"

BATCH = "spring"
BY_HAND = "by hand"
"""The batch of rows that were carried step by step, by the tasks `create_video`, `poll_video` and `download_video`."""

JIMMY, ANYFAST = "seedance2.0-mini", "seedance-2.0-mini"
CUP, BOWL = "pictures/cup.png", "pictures/bowl.png"

STORED = ("stored", "stored-anyfast", "stored-picture")
PAID = (
    "created",
    "created-anyfast",
    "created-held",
    "created-found",
    "succeeded",
    "succeeded-anyfast",
)
"""Their jobs were made by the earlier release, and their videos were not fetched."""
UNKNOWN = ("unknown-paid", "unknown-unpaid", "sent")
"""`sent` was on the wire when its run was killed: the next run finds that out."""
LEFT = {
    "failed": "failed",
    "failed-moderated": "failed",
    "lost": "failed",
    "refused": "refused",
    "refused-moderated": "refused",
    "expired": "expired",
}
"""Rows that ended badly, with their states."""
TAKEN = (
    "deferred-funds",
    "deferred-key",
    "deferred-limit",
    "deferred-offline",
    "deferred-picture",
    "over-budget",
    "planned",
    "planned-held",
    "planned-again",
    "new",
)
"""Rows that nothing was paid for. The ledger does not know `new`."""

ERROR_KINDS = {
    "unknown-paid": "UnknownOutcome",
    "unknown-unpaid": "UnknownOutcome",
    "failed": "JobFailed",
    "failed-moderated": "Moderated",
    "lost": "Lost",
    "refused": "Refused",
    "refused-moderated": "Moderated",
    "expired": "Gone",
    "deferred-funds": "OutOfFunds",
    "deferred-key": "BadKey",
    "deferred-limit": "RateLimited",
    "deferred-offline": "Unreachable",
    "deferred-picture": "UserMistake",
    "over-budget": "OverBudget",
}
"""What the ledger's column `error_kind` holds: the names of the classes, as they were then. All others hold nothing."""

FIELDS: dict[str, dict[str, Any]] = {
    "stored-picture": {"images": CUP},
    "refused": {"images": "asset://asset-of-somebody"},
    "refused-moderated": {"prompt": "Mickey Mouse"},
    "deferred-limit": {"images": CUP},
    "deferred-picture": {"images": BOWL},
}
OVER_ANYFAST = {"stored-anyfast", "created-anyfast", "succeeded-anyfast", "refused", "refused-moderated"}
OVER_ANYFAST |= {"deferred-offline"}


def row(key: str) -> dict[str, Any]:
    """A line of the table."""
    model = ANYFAST if key in OVER_ANYFAST else JIMMY
    return {"id": key, "prompt": f"a lantern, {key}", "model": model, **FIELDS.get(key, {})}


TABLE = [row(key) for key in (*STORED, *PAID, *UNKNOWN, *LEFT, *TAKEN)]


def route(url: str, model: str = JIMMY, *, key: str | None = None, **settings: Any) -> RouteDefaults:
    """A route over a sandbox, with the defaults that the rows' fingerprints were made with."""
    credentials = (
        AnyfastCredentials(api_key=key or "sk-sandbox", base_url=url)
        if model == ANYFAST
        else JimmyCredentials(api_key=key or "sk_sandbox", base_url=url)
    )
    prices = PriceBook(currency="CNY", prices={"seedance2.0-mini-480p": "0.03", "seedance-2.0-mini": "23"})
    defaults = {"duration": 4, "resolution": "480p", "ratio": "16:9", "poll_seconds": 0.05, **settings}
    return RouteDefaults(model=model, credentials=credentials, prices=prices, **defaults)


def routes(url: str, **settings: Any) -> list[RouteDefaults]:
    """Both routes, the default first."""
    return [route(url, JIMMY, **settings), route(url, ANYFAST, **settings)]
