"""An asset that its provider has lost is made again once, and a medium can be dropped by hand."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from prefect_seedance.cli.ledger import drop_asset_of
from prefect_seedance.engine.steps.media import review
from prefect_seedance.errors import InputError
from prefect_seedance.sandbox.http.media import media_bytes
from prefect_seedance.sandbox.world.faults import Faults
from tests.accounts.faultline import World, world


def rows(folder: Path, *keys: str) -> list[dict[str, Any]]:
    """Rows that share one clip."""
    clip = folder / "dance.mp4"
    if not clip.exists():
        clip.write_bytes(media_bytes(clip.name, width=1280, height=720, seconds=Decimal(2)))
    return [{"id": key, "prompt": f"dance {key}", "reference_videos": str(clip)} for key in keys]


def strict(both: World) -> World:
    """The same world, whose first provider knows its own assets only."""
    state = both.servers[0].state
    state.faults = Faults(retry_after=0.05)
    state.settings = replace(state.settings, known_assets_only=True)
    return both


def bought(both: World) -> int:
    return both.servers[0].state.calls["anyfast.CreateAsset"]


@pytest.mark.parametrize("still_lost", [False, True])
async def test_a_lost_asset_is_made_again_once_for_all_rows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, still_lost: bool
) -> None:
    monkeypatch.setattr(review, "UNKNOWN_AT_FIRST", timedelta(seconds=1))
    with world(tmp_path, "anyfast", "anyfast", review="asset") as both:
        strict(both)
        assert (await both.run(rows(tmp_path, "a"))).records["a"].state.value == "stored"
        assert bought(both) == 1
        assets = both.servers[0].state.assets
        assets._assets.clear()
        if still_lost:
            assets.get = lambda *_: None  # type: ignore[method-assign]
        seen = await both.run(rows(tmp_path, "a", "b", "c", "d"))
        states = {key: record.state.value for key, record in seen.records.items()}
        if still_lost:
            assert bought(both) <= 2, "it is not bought for ever"
            assert both.asked()[0] <= 1 + 2 * 3
            assert "stored" not in {states[key] for key in "bcd"}
        else:
            assert set(states.values()) == {"stored"}
            assert bought(both) == 2


async def test_an_asset_can_be_dropped(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    url = f"sqlite+aiosqlite:///{tmp_path / 'ledger.db'}"
    with world(tmp_path, "anyfast", "anyfast", review="asset") as both:
        strict(both)
        await both.run(rows(tmp_path, "a"))
        (asset,) = both.servers[0].state.assets.select(lambda each: each.kind == "video")
        drop_asset_of(f"asset://{asset.id}", url)
        assert "dance.mp4" in capsys.readouterr().out
        with pytest.raises(InputError, match="knows no asset"):
            drop_asset_of(asset.id, url)
        await both.run(rows(tmp_path, "a", "b"))
        assert bought(both) == 2
