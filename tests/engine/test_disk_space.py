"""What is about to be bought has to fit."""

from __future__ import annotations

import pytest

from prefect_seedance.engine.disk_space import check_space, expected_bytes
from prefect_seedance.errors import InputError
from prefect_seedance.media import open_storage
from prefect_seedance.routes import VideoRequest


def test_how_large_a_video_will_be():
    assert expected_bytes(VideoRequest(duration=5, resolution="720p")) == 3_750_000
    assert expected_bytes(VideoRequest()) == expected_bytes(VideoRequest(duration=15, resolution="1080p"))
    assert expected_bytes(VideoRequest(resolution="9k")) == expected_bytes(VideoRequest())


async def test_rows_that_do_not_fit_are_refused_before_anything_is_spent(tmp_path):
    storage = open_storage(tmp_path)
    await check_space(storage, [])
    await check_space(storage, [VideoRequest(duration=5, resolution="480p")])
    rows = storage.free_bytes() // expected_bytes(VideoRequest()) + 1
    with pytest.raises(InputError, match=rf"{rows:,} videos need about .*limit. Nothing was spent"):
        await check_space(storage, [VideoRequest()] * rows)


async def test_a_store_has_room_and_this_machine_needs_some(tmp_path):
    storage = open_storage("memory://room", tmp_path)
    await check_space(storage, [VideoRequest()] * 1_000_000)
    with pytest.raises(InputError, match=r"downloaded to .* first.*Nothing was spent"):
        await check_space(storage, [VideoRequest(duration=10**9, resolution="4k")])
