"""Assets and portraits that the sandbox's accounts handed in, and their review."""

from __future__ import annotations

import json
import secrets
import threading
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Literal

from prefect_seedance.sandbox.faults import chance
from prefect_seedance.sandbox.settings import SandboxSettings
from prefect_seedance.sandbox.store import Store

Library = Literal["sp", "person", "anyfast"]
Review = Literal["Processing", "Active", "Failed"]

_PREFIX: dict[Library, str] = {"sp": "asset_", "person": "official_id_", "anyfast": "asset-"}


@dataclass(frozen=True)
class Asset:
    """One picture, clip or sound handed in for review.

    Attributes:
        id: What `asset://` names.
        library: `sp` and `person` at Jimmy AI, `anyfast`.
        account: Whose asset it is.
        name: The user's name for it.
        kind: `image`, `video`, `audio` or `text`, lower case.
        url: Where it was taken from.
        group: Anyfast's group; empty elsewhere.
        created_at: Unix seconds.
        review_seconds: How long the review takes.
        fails: Whether it ends as `Failed`. A name or URL with "fail" in it does.
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

    def review(self, now: float) -> Review:
        """Return where its review stands."""
        if now < self.created_at + self.review_seconds:
            return "Processing"
        return "Failed" if self.fails else "Active"


class AssetShelf:
    """All assets of a sandbox."""

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

    def add(self, library: Library, account: str, *, name: str, kind: str, url: str, group: str = "") -> Asset:
        """Take an asset in; its review begins."""
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
            fails="fail" in f"{name} {url}".lower(),
        )
        with self._lock:
            self._assets[asset.id] = asset
        self._store.put("asset", asset.id, json.dumps(asdict(asset)).encode())
        return asset

    def get(self, name: str, account: str) -> Asset | None:
        """Return an asset of an account; a stranger's asset is not found."""
        asset = self._assets.get(name)
        return asset if asset is not None and asset.account == account else None

    def select(self, keep: Callable[[Asset], bool]) -> list[Asset]:
        """Return the assets that a condition keeps."""
        with self._lock:
            return [asset for asset in self._assets.values() if keep(asset)]

    def add_group(self, account: str, name: str) -> str:
        """Make a group of assets and return its id."""
        group = {"id": "group-" + secrets.token_hex(8), "account": account, "name": name}
        with self._lock:
            self._groups[group["id"]] = group
        self._store.put("group", group["id"], json.dumps(group).encode())
        return group["id"]

    def groups(self, account: str) -> dict[str, str]:
        """Return the groups of an account: name by id."""
        with self._lock:
            return {name: group["name"] for name, group in self._groups.items() if group["account"] == account}
