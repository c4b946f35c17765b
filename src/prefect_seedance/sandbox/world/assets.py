"""Assets, portraits and groups of the sandbox's accounts, their review, and their cost."""

from __future__ import annotations

import json
import math
import secrets
import threading
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Literal

from prefect_seedance.sandbox.settings import SandboxSettings
from prefect_seedance.sandbox.world.bill import BillLine
from prefect_seedance.sandbox.world.faults import chance
from prefect_seedance.sandbox.world.prices import asset_charge
from prefect_seedance.sandbox.world.store import Store

Library = Literal["sp", "person", "audit", "anyfast"]
Review = Literal["Processing", "Active", "Failed"]

#: Billing model of a group.
GROUP_MODEL = "volc-asset"

_PREFIX: dict[Library, str] = {"sp": "asset_", "person": "official_id_", "audit": "mx_", "anyfast": "asset-"}


@dataclass(frozen=True)
class Asset:
    """One image, video or audio submitted for review.

    Attributes:
        id: The id in an `asset://` URL.
        library: `sp`, `person` and `audit` at Jimmy AI, `anyfast`.
        account: The account that owns it.
        name: The user's name for it.
        kind: `image`, `video`, `audio` or `text`, lower case.
        url: Its source URL.
        group: Anyfast's group; empty elsewhere.
        created_at: Unix seconds.
        review_seconds: Duration of the review.
        fails: Whether its review ends as `Failed`: its name or URL contains "fail", or the medium is outside the
            provider's limits or cannot be fetched.
        billing_model: The billing model; empty where it is free.
        key_tail: The last four characters of the key that created it.
        request_sha256: Of the request body in canonical JSON.
    """

    id: str
    library: Library
    account: str
    name: str
    kind: str
    url: str
    group: str
    created_at: float
    review_seconds: float
    fails: bool
    billing_model: str = ""
    key_tail: str = ""
    request_sha256: str = ""

    def review(self, now: float) -> Review:
        """Return the state of its review."""
        if now < self.created_at + self.review_seconds:
            return "Processing"
        return "Failed" if self.fails else "Active"


class Assets:
    """All assets and groups of a sandbox."""

    def __init__(self, settings: SandboxSettings, store: Store) -> None:
        self._settings = settings
        self._store = store
        self._lock = threading.Lock()
        self.load()

    def load(self) -> None:
        """Read all assets and groups from the store."""
        with self._lock:
            self._assets = {asset.id: asset for asset in (Asset(**json.loads(b)) for b in self._store.all("asset"))}
            self._groups = {group["id"]: group for group in map(json.loads, self._store.all("group"))}

    def add(
        self,
        library: Library,
        account: str,
        *,
        name: str,
        kind: str,
        url: str,
        group: str = "",
        fails: bool = False,
        billing_model: str = "",
        key_tail: str = "",
        request_sha256: str = "",
    ) -> Asset:
        """Add an asset and start its review."""
        low, high = self._settings.asset_seconds
        asset = Asset(
            id=_PREFIX[library] + secrets.token_hex(8),
            library=library,
            account=account,
            name=name,
            kind=kind.lower(),
            url=url,
            group=group,
            created_at=self._settings.clock(),
            review_seconds=(low + (high - low) * chance(self._settings.seed, "asset", name, url))
            / self._settings.speed,
            fails=fails or "fail" in f"{name} {url[:1000]}".lower(),
            billing_model=billing_model,
            key_tail=key_tail,
            request_sha256=request_sha256,
        )
        with self._lock:
            self._assets[asset.id] = asset
        self._store.put("asset", asset.id, json.dumps(asdict(asset)).encode())
        return asset

    def get(self, name: str, account: str) -> Asset | None:
        """Return an asset of an account; None for an unknown asset or one of another account."""
        asset = self._assets.get(name)
        return asset if asset is not None and asset.account == account else None

    def of_other_account(self, name: str, account: str) -> bool:
        """Return whether another account owns the asset."""
        asset = self._assets.get(name)
        return asset is not None and asset.account != account

    def select(self, keep: Callable[[Asset], bool]) -> list[Asset]:
        """Return the assets that meet a condition."""
        with self._lock:
            return [asset for asset in self._assets.values() if keep(asset)]

    def add_group(self, account: str, name: str, *, key_tail: str = "", request_sha256: str = "") -> str:
        """Create a group of assets and return its id."""
        name_of_group = "group-" + secrets.token_hex(8)
        group = {
            "id": name_of_group,
            "account": account,
            "name": name,
            "created_at": self._settings.clock(),
            "key_tail": key_tail,
            "request_sha256": request_sha256,
        }
        with self._lock:
            self._groups[name_of_group] = group
        self._store.put("group", name_of_group, json.dumps(group).encode())
        return name_of_group

    def groups(self, account: str, *, made_before: float = math.inf) -> dict[str, str]:
        """Return the names of an account's groups by id, of those made before a time (Unix seconds)."""
        with self._lock:
            return {
                name: group["name"]
                for name, group in self._groups.items()
                if group["account"] == account and group.get("created_at", 0) < made_before
            }

    def bill(self) -> list[BillLine]:
        """Return one line for each billed asset and group."""
        with self._lock:
            assets, groups = list(self._assets.values()), list(self._groups.values())
        lines = [
            self._line(a.account, a.key_tail, a.id, a.billing_model, a.created_at, a.request_sha256, a.name)
            for a in assets
            if a.billing_model
        ]
        return lines + [
            self._line(
                g["account"], g["key_tail"], g["id"], GROUP_MODEL, g["created_at"], g["request_sha256"], g["name"]
            )
            for g in groups
            if "created_at" in g
        ]

    def _line(
        self, account: str, key_tail: str, name: str, billing_model: str, created_at: float, sha256: str, title: str
    ) -> BillLine:
        charge = asset_charge(billing_model, prices=self._settings.prices)
        return BillLine(
            provider=account.partition("/")[0],
            account=account,
            account_key_tail=key_tail,
            job_id=name,
            model=billing_model,
            billing_model=billing_model,
            unit=charge.unit,
            units=charge.units,
            unit_price=charge.unit_price,
            amount=charge.amount,
            currency=self._settings.currency,
            state="succeeded",
            refunded=False,
            created_at=created_at,
            request_sha256=sha256,
            prompt=title,
        )
