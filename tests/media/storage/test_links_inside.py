"""Symbolic links: the user may choose one as output; one that lies inside it leads nothing elsewhere."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from prefect_seedance.errors import InputError
from prefect_seedance.media import ensure_folder, open_storage
from prefect_seedance.media.storage.part import Note, PartFile, open_part

pytestmark = pytest.mark.skipif(not hasattr(os, "O_NOFOLLOW"), reason="symbolic links are for POSIX systems")


@pytest.fixture
def elsewhere(tmp_path: Path) -> Path:
    """A folder that must stay as it is."""
    folder = tmp_path / "elsewhere"
    (folder / "a").mkdir(parents=True)
    (folder / "old.txt").write_text("old")
    return folder


@pytest.fixture
def output(tmp_path: Path) -> Path:
    """The user's own output folder, which is a link."""
    (tmp_path / "disk").mkdir()
    (tmp_path / "output").symlink_to(tmp_path / "disk")
    return tmp_path / "output"


def content(folder: Path) -> dict[str, bytes | None]:
    return {str(path.relative_to(folder)): path.read_bytes() if path.is_file() else None for path in folder.rglob("*")}


def part_in(folder: Path) -> Path:
    path = folder / "x.part"
    path.write_bytes(b"video")
    return path


WRITES: dict[str, Callable[[Path, str, Path], object]] = {
    "write": lambda folder, name, _: open_storage(folder).write(name, b"new"),
    "record": lambda folder, name, _: open_storage(folder).record(name, b"new"),
    "create": lambda folder, name, _: open_storage(folder).create(name, b"new"),
    "stream": lambda folder, name, _: open_storage(folder).stream(name, lambda file: file.write(b"new")),
    "remove": lambda folder, name, _: open_storage(folder).remove(name),
    "place": lambda folder, name, part: open_storage(folder).place(part, name),
    "move": lambda folder, name, _: (
        open_storage(folder).write("here", b"x"),
        open_storage(folder).move("here", name),
    ),
    "batch": lambda folder, name, _: open_storage(folder).child(name.partition("/")[0]).ensure(),
    "file of a batch": lambda folder, name, _: open_storage(folder).child(name.partition("/")[0]).write("a/x", b"new"),
}


@pytest.mark.parametrize("write", WRITES.values(), ids=WRITES)
@pytest.mark.parametrize("name", [".previews/old.txt", ".seedance-runs/a/new.txt", "spring/a/b/c/new.txt"])
def test_no_link_on_the_way_is_followed(
    output: Path, elsewhere: Path, tmp_path: Path, write: Callable[[Path, str, Path], object], name: str
) -> None:
    (output / name.partition("/")[0]).symlink_to(elsewhere)
    before = content(elsewhere)
    with pytest.raises(InputError, match="is a symbolic link") as caught:
        write(output, name, part_in(tmp_path))
    assert caught.value.code == "link_inside"
    assert content(elsewhere) == before


@pytest.mark.parametrize("write", [WRITES[name] for name in ("write", "record", "stream", "remove", "create")])
def test_a_link_of_the_files_own_name_is_replaced_and_not_followed(
    output: Path, elsewhere: Path, tmp_path: Path, write: Callable[[Path, str, Path], object]
) -> None:
    for target in (elsewhere / "old.txt", elsewhere / "missing.txt"):
        (output / "results.csv").unlink(missing_ok=True)
        (output / "results.csv").symlink_to(target)
        before = content(elsewhere)
        write(output, "results.csv", part_in(tmp_path))
        assert content(elsewhere) == before


def test_the_users_own_link_and_links_above_it_are_fine(output: Path, tmp_path: Path) -> None:
    storage = open_storage(output / "videos").child("spring")
    storage.ensure()
    storage.write(".previews/a.jpg", b"new")
    storage.place(part_in(tmp_path), "a/b.mp4")
    assert sorted(content(tmp_path / "disk")) == [
        "videos",
        "videos/spring",
        "videos/spring/.previews",
        "videos/spring/.previews/a.jpg",
        "videos/spring/a",
        "videos/spring/a/b.mp4",
    ]


def test_unfinished_downloads_follow_no_link(output: Path, elsewhere: Path) -> None:
    storage = open_storage(output).child("spring")
    storage.ensure()
    storage.parts.symlink_to(elsewhere)
    before = content(elsewhere)
    for part in (storage.parts / "old.txt", storage.parts / "a" / "new.part"):
        with pytest.raises(InputError, match="is a symbolic link"), PartFile(part, keep=0) as file:
            file.add(b"video")
        with pytest.raises(InputError, match="is a symbolic link"):
            Note("https://h/v", None, None).write(part)
    with pytest.raises(InputError, match="is a symbolic link"):
        ensure_folder(storage.parts / "b" / "c")
    assert content(elsewhere) == before
    storage.parts.unlink()
    storage.parts.mkdir()
    for name in ("old.txt", "missing.txt"):
        (storage.parts / "x.part").symlink_to(elsewhere / name)
        with pytest.raises(OSError, match=r"x\.part"):
            open_part(storage.parts / "x.part", "wb")
        (storage.parts / "x.part").unlink()
    assert content(elsewhere) == before
