from __future__ import annotations

import base64
import hashlib
import os
import threading

import fsspec
import pytest

from prefect_seedance.errors import InputError
from prefect_seedance.media import MediaAccess, fetch_content
from tests.media.samples import all_samples
from tests.patience import eventually_async

SAMPLES = all_samples()
PNG = SAMPLES["png"][0]
SHA = hashlib.sha256(PNG).hexdigest()


async def test_a_local_file_is_hashed_where_it_lies(tmp_path):
    path = tmp_path / "分镜 1🎬.PNG"
    path.write_bytes(PNG)
    content = await fetch_content(path.name, MediaAccess(tmp_path), tmp_path / "scratch")
    assert (content.path, content.sha256, content.bytes, content.mime_type) == (path, SHA, len(PNG), "image/png")
    assert content.filename.startswith("分镜-1-")
    assert content.filename.endswith(".png")
    assert not (tmp_path / "scratch").exists()
    assert content.unchanged()
    path.write_bytes(PNG + b"\0")
    assert not content.unchanged()
    path.unlink()
    assert not content.unchanged()


async def test_stores_and_data_uris_are_copied_once_per_content(tmp_path):
    with fsspec.open("memory://content/logo.jpeg", "wb") as file:
        file.write(PNG)
    uri = "data:image/jpeg;base64," + base64.b64encode(PNG).decode()
    names = []
    for address in ("memory://content/logo.jpeg", uri, uri):
        content = await fetch_content(address, MediaAccess(), tmp_path / "a/scratch")
        assert content.path.read_bytes() == PNG
        assert (content.path.name, content.sha256, content.mime_type) == (f"{SHA}.png", SHA, "image/png")
        assert content.unchanged()
        names.append(content.filename)
    assert names == ["logo.png", "media.png", "media.png"]
    assert [path.name for path in (tmp_path / "a/scratch").iterdir()] == [f"{SHA}.png"]


@pytest.mark.parametrize(
    ("name", "ending", "mime"),
    [
        ("jpeg", "jpg", "image/jpeg"),
        ("mov", "mov", "video/quicktime"),
        ("mp4", "mp4", "video/mp4"),
        ("mp4 of sound", "m4a", "audio/mp4"),
        ("mp3 with a cover", "mp3", "audio/mpeg"),
        ("svg", "svg", "image/svg+xml"),
    ],
)
async def test_name_and_type_follow_the_bytes(tmp_path, name, ending, mime):
    (tmp_path / "con.gif").write_bytes(SAMPLES[name][0])
    content = await fetch_content("con.gif", MediaAccess(tmp_path), tmp_path)
    assert (content.filename.rpartition(".")[2], content.mime_type) == (ending, mime)
    assert content.filename.partition(".")[0] != "con"


async def test_what_is_too_large_or_no_medium_leaves_nothing_behind(tmp_path):
    scratch = tmp_path / "scratch"
    (tmp_path / "a.png").write_bytes(PNG)
    for name, data in (("a.png", PNG), ("page.png", b"<html>"), ("empty.png", b"")):
        with fsspec.open(f"memory://content/{name}", "wb") as file:
            file.write(data)
    for address, words in (
        ("a.png", "larger than"),
        ("memory://content/a.png", "larger than"),
        ("memory://content/page.png", "web page"),
        ("memory://content/empty.png", "empty"),
        ("memory://content/none.png", "no file"),
        ("data:image/png;base64,AAA", "not Base64"),
        ("none.png", "no file"),
        ("../a.png", "outside"),
    ):
        with pytest.raises(InputError, match=words):
            await fetch_content(address, MediaAccess(tmp_path), scratch, max_bytes=len(PNG) - 1)
    assert not scratch.exists() or not list(scratch.iterdir())
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(InputError, match="cannot be written"):
        await fetch_content("memory://content/a.png", MediaAccess(tmp_path), tmp_path / "file/scratch")


@pytest.mark.parametrize("address", ["https://example.com/a.png?sig=secret", "asset://abc"])
async def test_what_the_provider_fetches_itself_has_no_content(tmp_path, address):
    with pytest.raises(ValueError, match="Only a file, a store address or a data URI") as caught:
        await fetch_content(address, MediaAccess(tmp_path), tmp_path)
    assert "secret" not in str(caught.value)


async def test_a_file_that_is_still_written_is_not_taken(tmp_path):
    path = tmp_path / "a.png"
    path.write_bytes(PNG + bytes(8 << 20))
    done = threading.Event()

    def write():
        with path.open("ab", buffering=0) as file:
            while not done.is_set():
                file.write(b"\0")
                os.utime(path)

    writer = threading.Thread(target=write)
    writer.start()
    try:
        size = path.stat().st_size
        await eventually_async(lambda: path.stat().st_size > size, "the writer")
        with pytest.raises(InputError, match="changed while it was read"):
            await fetch_content("a.png", MediaAccess(tmp_path), tmp_path)
    finally:
        done.set()
        writer.join()
