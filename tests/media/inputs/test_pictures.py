"""Pictures as the world makes them: known by their size as shown, refused where they are cut, whoever is hostile."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from PIL import Image, ImageFile

from prefect_seedance.errors import InputError
from prefect_seedance.media import MediaAccess, Prober
from prefect_seedance.media.inputs import probe
from tests.media.heif_files import heic, libheif, natural
from tests.media.hostile_pictures import hostile_files
from tests.media.picture_files import BUILT_HEICS, TALL, WIDE, heics, pictures, reference_size, turned
from tests.media.samples import saved


async def look(folder: Path, files: dict[str, bytes]) -> dict[str, object]:
    """The result for each file: size, or the slugs of the warning or of the reason for a refusal."""
    found: dict[str, object] = {}
    async with Prober(MediaAccess(folder)) as prober:
        for number, (name, data) in enumerate(files.items()):
            (folder / str(number)).write_bytes(data)
            try:
                probed = await prober.probe(str(number))
                size = (probed.facts.width, probed.facts.height)
                found[name] = probed.warning.slug if probed.warning else size
            except InputError as error:
                reason = error.text.parameters.get("reason")
                found[name] = getattr(reason, "slug", error.text.slug)
    return found


@pytest.mark.filterwarnings("ignore:Corrupt EXIF")  # Pillow's word on notes that are broken
async def test_each_picture_has_the_size_that_its_own_decoder_shows(tmp_path):
    made = {name: (data, size) for name, _, data, size in pictures()}
    assert len(made) > 220
    found = await look(tmp_path, {name: data for name, (data, _) in made.items()})
    rare = [name for name in made if name.startswith("tiff > True")]  # a BigTIFF that no decoder reads
    assert {name: found[name] for name in rare} == dict.fromkeys(rare, "media.look_undecoded")
    expected = {name: size for name, (_, size) in made.items() if name not in rare}
    assert {name: found[name] for name in expected} == expected
    assert {name: reference_size(made[name][0]) for name in expected} == expected


async def test_a_cut_picture_is_noticed_also_where_the_user_lets_pillow_load_them(tmp_path, monkeypatch):
    monkeypatch.setattr(ImageFile, "LOAD_TRUNCATED_IMAGES", True)
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", None)
    dice, cut = random.Random(14), {}
    for name, _, data, _ in pictures():
        if "tail" not in name and not name.startswith("tiff > True"):
            end = len(data) - (16 if name == "tiff pages" else 4)  # that one ends in padding
            for place in (end, len(data) * 9 // 10, dice.randrange(16, end)):
                cut[f"{name} {place}"] = data[:place]
    cut = {name: data for name, data in cut.items() if "bmp packed" not in name}  # a mark of the end is all that goes
    assert len(cut) > 600
    found = await look(tmp_path, cut)
    assert {name: size for name, size in found.items() if isinstance(size, tuple)} == {}
    assert ImageFile.LOAD_TRUNCATED_IMAGES
    assert Image.MAX_IMAGE_PIXELS is None


async def test_a_lower_limit_of_the_users_own_is_neither_used_nor_changed(tmp_path, monkeypatch):
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 1000)  # Pillow would warn, and a warning is an error here
    files = {form: saved(natural(*WIDE), form) for form in ("png", "jpeg", "gif", "bmp")}
    assert await look(tmp_path, files) == dict.fromkeys(files, WIDE)
    assert Image.MAX_IMAGE_PIXELS == 1000


async def test_a_heic_picture_is_shown_as_its_items_say(tmp_path):
    found = await look(tmp_path, {name: heic(**settings) for name, (settings, _) in BUILT_HEICS.items()})
    assert found == {name: size for name, (_, size) in BUILT_HEICS.items()}
    # A camera's note about turning has no effect in HEIF: only `irot` turns.
    noted = libheif(natural(*WIDE), exif=turned(6))
    plain = noted.replace(b"irot", b"frot")
    assert await look(tmp_path, {"turned": noted, "noted only": plain}) == {"turned": TALL, "noted only": WIDE}


async def test_items_beyond_the_end_of_a_heic_file_are_missing(tmp_path):
    cut = {}
    for name, _, data, _ in heics():
        if "tail" not in name:
            cut |= {f"{name} {part}": data[: len(data) * part // 100] for part in range(10, 100, 15)}
    found = await look(tmp_path, cut)
    assert {name: size for name, size in found.items() if isinstance(size, tuple)} == {}


@pytest.mark.parametrize("name", hostile_files())
@pytest.mark.skipif(not Path("/proc/self/clear_refs").exists(), reason="needs Linux")
async def test_a_hostile_picture_takes_little_memory(name, tmp_path):
    data = hostile_files()[name]()
    await look(tmp_path, {"small": saved(natural(*WIDE), "png")})
    Path("/proc/self/clear_refs").write_text("5")
    before = _peak()
    found = (await look(tmp_path, {"hostile": data}))["hostile"]
    assert _peak() - before < 450_000
    assert found == {
        "a small whole picture": WIDE,
        "png of 16,000 x 16,000": "media.look_undecoded",
        "png of 6,000 x 6,000": (6_000, 6_000),
        "png of 6,300 x 6,300": (6_300, 6_300),
        "png with a profile of 1 GB": "media.not_decoded",
        "png with 60 texts of 1 MB": WIDE,
        "png with a text of 1 GB": "media.not_decoded",
        "jpeg of 7,000 x 7,000 in 90 passes": (7_000, 7_000),
        "jpeg of 7,000 x 7,000 in 5,000 passes": "media.look_undecoded",
        "webp of 16,383 x 16,383": "media.look_undecoded",
        "webp of 4,500 x 4,500": (4_500, 4_500),
        "avif of 4,500 x 4,500": (4_500, 4_500),
        "tiff of 6,000 x 6,000, turned": (6_000, 6_000),
        "tiff of 900,000 strips": "media.look_too_far",
        "gif of 2 MB in blocks of a byte": WIDE,
        "tiff of 16 bytes": "media.cut_short",
        "heic with a meta of 64 MB": "media.damaged_header",
        "heic with a table of items without end": "media.damaged_header",
        "heic of a million boxes": "media.damaged_header",
    }.get(name, "media.too_many_pixels")


def _peak() -> int:
    return int(Path("/proc/self/status").read_text().partition("VmHWM:")[2].split()[0])


async def test_what_nobody_foresaw_is_a_problem_of_that_medium(tmp_path, monkeypatch):
    def fail(*_):
        raise ZeroDivisionError

    (tmp_path / "a.png").write_bytes(saved(natural(*WIDE), "png"))
    monkeypatch.setattr(probe, "format_from", fail)
    async with Prober(MediaAccess(tmp_path)) as prober:
        with pytest.raises(
            InputError, match=r"'a.png' cannot be used.*unforeseen error \(ZeroDivisionError\).*Nothing"
        ):
            await prober.probe("a.png")
