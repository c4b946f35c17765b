from __future__ import annotations

import errno
import os
import tempfile

import pytest

from prefect_seedance.errors import InputError
from prefect_seedance.media import ensure_folder, place
from prefect_seedance.media.storage import folders
from prefect_seedance.media.storage.folders import temporary_folder


def test_a_folder_is_made_with_its_parents_and_left_empty(tmp_path):
    ensure_folder(tmp_path / "a" / "b", need_bytes=1000)
    ensure_folder(tmp_path / "a" / "b")
    assert list((tmp_path / "a" / "b").iterdir()) == []


def test_too_little_space_is_told_with_figures(tmp_path):
    with pytest.raises(InputError, match=r"MB free, and about 1,000,000,000,000 MB are needed"):
        ensure_folder(tmp_path, need_bytes=10**18)


def test_a_file_in_the_way_is_told(tmp_path):
    (tmp_path / "file").write_text("x")
    for path in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(InputError, match="in its way"):
            ensure_folder(path)


def test_a_machine_without_room_for_temporary_files_is_told_what_to_do(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "missing"))
    with pytest.raises(InputError, match="set TMPDIR to a folder"):
        temporary_folder("seedance-")


def test_a_folder_without_permission_is_told(tmp_path):
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o500)
    for parent in tmp_path.parents[:2]:
        parent.chmod(0o755)
    owner = os.geteuid()
    if owner == 0:
        os.seteuid(65534)  # root may write anywhere
    try:
        for path in (closed, closed / "below"):
            with pytest.raises(InputError, match="No permission"):
                ensure_folder(path)
    finally:
        os.seteuid(owner)


def part_in(folder, data=b"video"):
    part = folder / "film.part"
    part.write_bytes(data)
    (folder / "film.part.json").write_text("{}")
    return part


def test_placing_leaves_the_file_alone_in_its_folder(tmp_path):
    place(part_in(tmp_path), tmp_path / "film.mp4")
    assert [path.name for path in tmp_path.iterdir()] == ["film.mp4"]
    assert (tmp_path / "film.mp4").read_bytes() == b"video"


@pytest.fixture(params=["links", "no links"])
def _links(request, monkeypatch):
    if request.param == "no links":

        def refuse(*_):
            raise OSError(errno.EPERM, "Operation not permitted")

        monkeypatch.setattr(folders.os, "link", refuse)


@pytest.mark.usefixtures("_links")
def test_placing_twice_is_harmless_and_another_file_is_never_overwritten(tmp_path):
    final = tmp_path / "film.mp4"
    place(part_in(tmp_path), final)
    place(part_in(tmp_path), final)
    assert [path.name for path in tmp_path.iterdir()] == ["film.mp4"]
    part = part_in(tmp_path, b"other")
    with pytest.raises(InputError, match="another file"):
        place(part, final)
    assert (final.read_bytes(), part.read_bytes()) == (b"video", b"other")


@pytest.mark.usefixtures("_links")
def test_a_folder_or_a_dead_link_of_that_name_is_left_alone(tmp_path):
    (tmp_path / "folder.mp4").mkdir()
    (tmp_path / "link.mp4").symlink_to(tmp_path / "nothing")
    part = part_in(tmp_path)
    for name in ("folder.mp4", "link.mp4"):
        with pytest.raises(InputError, match="another file"):
            place(part, tmp_path / name)
    assert part.read_bytes() == b"video"
    assert (tmp_path / "link.mp4").is_symlink()


def test_a_crash_between_name_and_clean_up_is_mended_by_placing_again(tmp_path):
    part = part_in(tmp_path)
    os.link(part, tmp_path / "film.mp4")
    place(part, tmp_path / "film.mp4")
    assert [path.name for path in tmp_path.iterdir()] == ["film.mp4"]


def test_a_part_that_is_not_there_is_told(tmp_path):
    with pytest.raises(InputError, match="cannot be written"):
        place(tmp_path / "none.part", tmp_path / "film.mp4")


@pytest.mark.parametrize(
    ("number", "says"), [(errno.ENOSPC, "disk is full"), (errno.EDQUOT, "disk is full"), (errno.EROFS, "No permission")]
)
def test_disk_trouble_in_words(tmp_path, number, says):
    assert says in str(folders.disk_trouble(OSError(number, os.strerror(number)), tmp_path))
