"""Real pictures in the cells of a table: checked against the route before spending, and sent as they are."""

from __future__ import annotations

import base64

import pytest

from prefect_seedance.errors import InvalidRows
from prefect_seedance.media import MediaAccess
from prefect_seedance.planning.media_check import survey
from prefect_seedance.sandbox.world.faults import Faults
from tests.accounts.faultline import world
from tests.media.heif_files import heic, libheif, natural
from tests.media.picture_files import turned
from tests.media.samples import saved

HEICS = {
    "iphone.heic": heic(grid=(2, 3), turns=[(b"irot", b"\3")]),
    "libheif.heic": libheif(natural(640, 480), exif=turned(6)),
    "idat.heic": heic((480, 320), idat=True, iloc=2, pitm=1, ipma=1, wide=True, brand=b"mif1"),
}


def rows(folder, files):
    for name, data in files.items():
        (folder / name).write_bytes(data)
    return [{"id": name, "prompt": f"the cup of {name}", "images": name} for name in files]


async def test_a_real_heic_reaches_anyfast_unchanged(tmp_path):
    with world(tmp_path, "anyfast", "anyfast") as both:
        table = rows(tmp_path, HEICS)
        plan = both.prepare(table)
        await survey(plan, MediaAccess(tmp_path))
        assert plan.invalid == []
        both.servers[0].state.faults = Faults()
        seen = await both.run(table)
        assert {key: record.state.value for key, record in seen.records.items()} == dict.fromkeys(HEICS, "stored")
        sent = {job.prompt.removeprefix("the cup of "): str(job.request) for job in both.servers[0].state.jobs()}
        for name, data in HEICS.items():
            assert f"'data:image/heic;base64,{base64.b64encode(data).decode()}'" in sent[name]


async def test_a_route_that_does_not_take_heic_refuses_it_with_its_cell(tmp_path):
    with world(tmp_path, "jimmy", "jimmy") as both:
        with pytest.raises(InvalidRows, match=r"row 1 \(id iphone.heic\).*images 'iphone.heic': is heic"):
            both.prepare(rows(tmp_path, HEICS))
        # A phone's picture under a wrong name: the bytes decide.
        renamed = {name.replace("heic", "jpg"): data for name, data in HEICS.items()}
        plan = both.prepare(rows(tmp_path, renamed | {"fine.png": saved(natural(640, 480), "png")}))
        await survey(plan, MediaAccess(tmp_path))
        assert [row.key for row in plan.rows] == ["fine.png"]
        for row in plan.invalid:
            assert any(f"images '{row.key}': is heic" in str(reason) for reason in row.reasons)
        assert len(plan.invalid) == len(HEICS)
        assert both.asked() == (0, 0)


@pytest.mark.parametrize("form", ["jpeg", "webp", "tiff", "png"])
async def test_the_limits_of_a_route_hold_for_a_picture_as_it_is_shown(form, tmp_path):
    files = {f"{number}.{form}": saved(natural(900, 300), form, exif=turned(number)) for number in (1, 6)}
    with world(tmp_path, "anyfast", "anyfast") as both:
        plan = both.prepare(rows(tmp_path, files))
        await survey(plan, MediaAccess(tmp_path))
        lying, standing = (str(row.reasons[0]) for row in plan.invalid)
        assert "has a width/height of 3;" in lying
        assert "has a width/height of 0.33" in standing
