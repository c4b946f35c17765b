"""Prefect's own command finds the blocks in the package, and shows them to the server."""

from __future__ import annotations

import httpx

from tests.deployments.worker import prefect
from tests.patience import patience

SLUGS = {
    "jimmy-credentials",
    "anyfast-credentials",
    "seedance-price-book",
    "seedance-route-defaults",
    "seedance-video-job",
}


def ours(api: httpx.Client) -> dict[str, str]:
    """The ids of our block types that the server knows, by slug."""
    found = api.post("/block_types/filter", json={}).raise_for_status().json()
    return {each["slug"]: each["id"] for each in found if each["slug"] in SLUGS}


def test_the_package_registers_all_its_blocks(prefect_server: str) -> None:
    with httpx.Client(base_url=f"{prefect_server}/api", timeout=patience()) as api:
        # Another test may have saved some of them on this server.
        for known in ours(api).values():
            api.delete(f"/block_types/{known}").raise_for_status()
        assert ours(api) == {}
        printed = prefect("block", "register", "-m", "prefect_seedance")
        assert f"Successfully registered {len(SLUGS)} blocks" in printed
        types = ours(api)
        assert types.keys() == SLUGS
        schemas = api.post("/block_schemas/filter", json={}).raise_for_status().json()
        assert set(types.values()) <= {each["block_type_id"] for each in schemas}, "a form needs the fields too"
