"""Whether the files of stored rows still exist: found by few requests, however many rows there are."""

from __future__ import annotations

import hashlib
from dataclasses import fields
from pathlib import Path
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prefect_seedance.engine.stored_files import missing_files, storage_of
from prefect_seedance.ledger import RowRecord
from prefect_seedance.media import open_storage
from prefect_seedance.media.storage.local import LocalStorage

DATA = b"a film"


def stored(storage, number: int, name: str | None = None):
    name = name or f"{number}.mp4"
    storage.write(name, DATA)
    stamp = storage.stamp(name)
    known = {
        "id": number,
        "folder": storage.shown,
        "path": storage.address(name),
        "bytes": stamp.bytes,
        "sha256": hashlib.sha256(DATA).hexdigest(),
        "modified_ns": stamp.modified_ns,
        "etag": stamp.etag,
    }
    assert known.keys() <= {field.name for field in fields(RowRecord)}
    return SimpleNamespace(**known)


@pytest.mark.parametrize("kind", ["folder", "store"])
async def test_what_is_gone_or_changed_is_found(tmp_path, s3, kind):
    storage = open_storage(tmp_path / "out" if kind == "folder" else f"{s3}/out", tmp_path)
    records = [stored(storage, number, f"x/{number}.mp4") for number in range(6)]
    assert await missing_files(records, storage) == set()
    storage.move("x/0.mp4", "y.mp4")
    storage.write("x/1.mp4", b"longer than it was")
    storage.write("x/2.mp4", b"A film")  # as long as before
    storage.write("x/3.mp4", DATA)  # touched, and the same
    assert await missing_files(records, storage) == {0, 1, 2}
    # A run with another output looks where the files stand.
    other = open_storage(tmp_path / "other")
    assert await missing_files(records, other) == {0, 1, 2}
    home, name = storage_of(records[3], other, tmp_path)
    assert home.holds(name, records[3].bytes, records[3].sha256)


async def test_a_store_is_asked_for_its_list_and_not_for_each_file(tmp_path, s3, monkeypatch):
    storage, calls = open_storage(f"{s3}/out", tmp_path), []
    records = [stored(storage, number) for number in range(40)]
    inner = storage._files._call_s3

    async def counted(method, *args, **options):
        calls.append(method)
        return await inner(method, *args, **options)

    monkeypatch.setattr(storage._files, "_call_s3", counted)
    assert await missing_files(records, storage) == set()
    assert len(calls) <= 1, "each file was asked for"


PIECES = st.lists(st.sampled_from(["a", ".", "..", "", "b.mp4", "out", "x y", "\\"]), max_size=5)


@given(PIECES, PIECES)
def test_a_name_on_a_shelf_is_the_one_that_pathlib_finds(folder, address):
    storage = LocalStorage(Path("/", *folder))
    for path in (f"{storage.shown}/{'/'.join(address)}", "/" + "/".join(address), "/".join(address)):
        plain = Path(path)
        expected = plain.relative_to(storage.folder).as_posix() if plain.is_relative_to(storage.folder) else None
        assert storage.name_of(path) == expected
