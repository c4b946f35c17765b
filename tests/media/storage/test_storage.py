"""The same promises on every kind of shelf: a disk, a real server that speaks S3, a store in memory, and renames."""

from __future__ import annotations

import asyncio
import hashlib
import itertools
import os
import threading
from pathlib import Path

import fsspec
import pytest

from prefect_seedance.errors import InputError, Unreachable
from prefect_seedance.ledger import MANIFEST, check_manifest
from prefect_seedance.media import Stamp, open_storage
from prefect_seedance.media.storage.object_store import ObjectStorage
from prefect_seedance.media.storage.part import sidecar

numbers = itertools.count()


@pytest.fixture(params=["disk", "s3", "memory", "renamed"])
def storage(request, tmp_path):
    match request.param:
        case "disk":
            found = open_storage(tmp_path / "out")
        case "s3":
            found = open_storage(request.getfixturevalue("s3") + "/some prefix/文件", tmp_path / "scratch")
        case "memory":
            found = open_storage(f"memory://test-{next(numbers)}", tmp_path / "scratch")
        case "renamed":
            # A file system that is no object store: files are written under another name there, and renamed.
            files = fsspec.filesystem("file", skip_instance_cache=True)
            found = ObjectStorage(f"file://{tmp_path}/renamed", tmp_path / "scratch", files)
    found.ensure()
    return found


@pytest.fixture
def part(storage):
    def make(data: bytes, name: str = "a.part") -> Path:
        path = storage.parts / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        sidecar(path).write_text("{}")
        return path

    return make


def digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def test_a_part_is_put_in_place_whole_and_its_traces_are_gone(storage, part):
    data = os.urandom(300_000)
    path = part(data)
    stamp = storage.place(path, "client 1/a.mp4")
    assert stamp.bytes == 300_000
    assert storage.read("client 1/a.mp4") == data
    assert (path.exists(), sidecar(path).exists()) == (False, False)
    assert storage.stamp("client 1/a.mp4") == stamp
    assert storage.stamps()["client 1/a.mp4"] == stamp
    assert storage.digest("client 1/a.mp4") == digest(data)
    assert storage.holds("client 1/a.mp4", 300_000, digest(data))
    assert not storage.holds("client 1/a.mp4", 300_000, digest(b""))
    assert storage.name_of(storage.address("client 1/a.mp4")) == "client 1/a.mp4"
    assert set(storage.stamps()) == {"client 1/a.mp4"}, "a probe or a draft is left"


def test_what_is_not_there(storage):
    assert (storage.stamp("none.mp4"), storage.digest("none.mp4"), storage.read("none.mp4")) == (None, None, None)
    assert storage.name_of("s3://elsewhere/a.mp4") is None
    assert not storage.stamps()


def test_another_file_is_never_overwritten_and_the_same_one_is_no_trouble(storage, part):
    storage.place(part(b"first"), "a.mp4")
    second = part(b"other")
    with pytest.raises(InputError, match="another file"):
        storage.place(second, "a.mp4")
    assert second.read_bytes() == b"other"
    assert storage.read("a.mp4") == b"first"
    same = part(b"first")
    storage.place(same, "a.mp4")
    assert not same.exists()


def test_of_two_that_place_one_name_at_once_one_wins(storage, part):
    if storage.shown.startswith(("memory:", "file:")):
        pytest.skip("these stores cannot tell")
    parts = [part(bytes([number]) * 50_000, f"{number}.part") for number in range(6)]
    text, gate = [], threading.Barrier(6)

    def run(path):
        gate.wait()
        try:
            storage.place(path, "a.mp4")
            text.append(path)
        except InputError:
            pass

    threads = [threading.Thread(target=run, args=(path,)) for path in parts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(text) == 1
    assert storage.read("a.mp4") == bytes([parts.index(text[0])]) * 50_000
    assert sum(path.exists() for path in parts) == 5


def test_small_files_are_replaced_created_once_and_moved(storage):
    storage.write("results.csv", b"1")
    storage.write("results.csv", b"22")
    assert storage.read("results.csv") == b"22"
    assert storage.create("m.json", b"first")
    assert not storage.create("m.json", b"second")
    assert storage.read("m.json") == b"first"
    storage.move("m.json", "n.json")
    assert (storage.read("m.json"), storage.read("n.json")) == (None, b"first")
    assert set(storage.stamps()) == {"results.csv", "n.json"}


def test_small_files_of_a_folder_are_read_together_and_removed(storage):
    assert storage.read_all(".notes") == {}
    storage.record(".notes/a.json", b"1")
    storage.record(".notes/b.json", b"2")
    storage.record(".notes/a.json", b"3")
    storage.write(".notes/deeper/c.json", b"4")
    assert storage.read_all(".notes") == {"a.json": b"3", "b.json": b"2"}
    storage.remove(".notes/a.json")
    storage.remove(".notes/a.json")
    assert storage.read_all(".notes") == {"b.json": b"2"}


def test_a_touched_file_has_another_stamp(storage):
    storage.write("a", b"1")
    before = storage.stamp("a")
    assert isinstance(before, Stamp)
    storage.write("a", b"2")
    assert storage.stamp("a") != before


def test_a_shelf_remembers_its_ledger(storage):
    check_manifest(storage, "one", "sqlite:///one.db")
    check_manifest(storage, "one", "sqlite:///moved.db")
    with pytest.raises(InputError, match=r"belongs to another ledger.*Nothing was spent"):
        check_manifest(storage, "two", "sqlite:///two.db")
    storage.write(MANIFEST, b"{")
    with pytest.raises(InputError, match=r"cannot be read.*Nothing was spent"):
        check_manifest(storage, "one", "sqlite:///one.db")


@pytest.mark.slow
def test_a_large_part_goes_up_in_pieces_and_is_seen_only_when_it_is_whole(s3, tmp_path, monkeypatch):
    storage = open_storage(f"{s3}/big", tmp_path)
    data = os.urandom(11 << 20)
    (tmp_path / "big.part").write_bytes(data)
    original = storage._files.put_file
    seen = []

    def small_pieces(*args, **options):
        original(*args, chunksize=5 << 20, **options)

    def cut(*args, **options):
        # The last call of an upload, without which the store keeps nothing that could be seen.
        seen.append(dict(storage.stamps()))
        raise OSError("connection lost")

    monkeypatch.setattr(storage._files, "put_file", small_pieces)
    with monkeypatch.context() as patch:
        patch.setattr(storage._files, "_call_s3", _cutting(storage._files._call_s3, cut))
        with pytest.raises(Unreachable):
            storage.place(tmp_path / "big.part", "a.mp4")
    assert seen == [{}]
    assert storage.stamp("a.mp4") is None
    assert (tmp_path / "big.part").stat().st_size == len(data)
    assert storage.place(tmp_path / "big.part", "a.mp4").bytes == len(data)
    assert storage.digest("a.mp4") == digest(data)


def _cutting(call, cut):
    async def cutting(method, *args, **options):
        if method == "complete_multipart_upload":
            await asyncio.to_thread(cut)
        return await call(method, *args, **options)

    return cutting


@pytest.mark.slow
def test_a_store_that_refuses_is_told_before_anything_is_spent(s3, tmp_path, monkeypatch):
    with pytest.raises(InputError, match=r"Does the bucket exist\? Nothing was spent"):
        open_storage("s3://no-such-bucket/x", tmp_path).ensure()
    with pytest.raises(InputError, match=r"MB are needed. Nothing was spent"):
        open_storage(f"{s3}/x", tmp_path).ensure(need_bytes=10**18)
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))
    with pytest.raises(InputError, match=r"AWS_ACCESS_KEY_ID.*Nothing was spent"):
        open_storage(f"{s3}/x", tmp_path).ensure()


@pytest.mark.parametrize(
    ("where", "text"),
    [
        ("s3://id:hush@bucket/x", "password"),
        ("s3://bucket/x?token=hush", "without '\\?'"),
        ("s3://bucket/../x", "'..'"),
        ("s3://", "expected a URL such as s3://bucket/prefix"),
        ("simplecache::s3://bucket/x", "expected"),
        ("https://example.com/x", "nothing can be written"),
        ("nonsense://x/y", "nothing can be written"),
        ("gs://bucket/x", r'pip install "prefect-seedance\[gcs\]"'),
        ("abfs://box/x", "adlfs"),
        ("file://host/x", "three slashes"),
        ("", "expected a folder"),
    ],
)
def test_what_is_no_output(where, text):
    with pytest.raises(InputError, match=text) as caught:
        open_storage(where)
    assert "hush" not in str(caught.value)
    assert "Nothing was spent" in str(caught.value)


def test_folders_in_all_their_spellings(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    expected = str(tmp_path / "my videos")
    for where in ("my videos", Path("my videos"), "~/my videos", (tmp_path / "my videos").as_uri(), expected):
        assert open_storage(where).shown == expected
    assert open_storage("a:b").shown == str(tmp_path / "a:b")
    # A path object swallows a slash; what was meant is plain all the same.
    assert open_storage(Path("memory://x/y")).shown == "memory://x/y"
    assert open_storage("memory://x/y/").shown == "memory://x/y"
