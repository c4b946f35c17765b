from __future__ import annotations

import os
import socket
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prefect_seedance.errors import InputError
from prefect_seedance.media import MediaAccess


@pytest.fixture
def tree(tmp_path):
    """A table's folder, a further root, and things that lie outside of both."""
    for name in ("table/media", "root", "outside"):
        (tmp_path / name).mkdir(parents=True)
    for name in ("table/logo.png", "table/media/分镜 1🎬.png", "root/shared.png", "outside/secret.png"):
        (tmp_path / name).write_bytes(b"x")
    return tmp_path


@pytest.fixture
def places(tree):
    return MediaAccess(tree / "table", (tree / "root",))


@pytest.mark.parametrize(
    "address",
    ["logo.png", "./media/../logo.png", "media/分镜 1🎬.png", "../root/shared.png", "media//../../table/logo.png"],
)
def test_a_relative_path_starts_at_the_tables_folder(places, tree, address):
    assert places.find(address) == (tree / "table" / address).resolve()


def test_whole_paths_and_file_urls_are_found_below_any_root(places, tree):
    film = tree / "table/media/分镜 1🎬.png"
    assert places.find(str(film)) == places.find(film.as_uri()) == places.find(f"file://localhost{film}") == film
    assert places.find(str(tree / "root/shared.png")) == tree / "root/shared.png"


def test_without_a_table_relative_paths_start_at_the_roots(tree):
    places = MediaAccess(None, (tree / "table", tree / "root"))
    assert places.find("logo.png") == tree / "table/logo.png"
    assert places.find("shared.png") == tree / "root/shared.png"
    with pytest.raises(InputError, match=r"no file 'none\.png'"):
        places.find("none.png")


def test_a_link_is_followed_before_it_is_judged(places, tree):
    (tree / "table/in.png").symlink_to(tree / "root/shared.png")
    (tree / "table/out.png").symlink_to(tree / "outside/secret.png")
    (tree / "table/way").symlink_to(tree / "outside")
    (tree / "table/loop.png").symlink_to(tree / "table/loop.png")
    assert places.find("in.png") == tree / "root/shared.png"
    for address in ("out.png", "way/secret.png"):
        with pytest.raises(InputError, match="outside the folders"):
            places.find(address)
    with pytest.raises(InputError):
        places.find("loop.png")
    assert MediaAccess(tree / "table/way").find("secret.png") == tree / "outside/secret.png"


@pytest.mark.parametrize(
    "address",
    [
        *("../outside/{}.png", "{tree}/outside/{}.png", "file://{tree}/outside/{}.png", "way/{}.png", "way/../{}.png"),
        *("../outside/{}.png/x", "../{}/../outside/a.png", "file://{tree}/table/%2e%2e/outside/{}.png"),
    ],
)
def test_of_what_lies_outside_nothing_is_told(places, tree, address):
    (tree / "outside/way").mkdir()
    (tree / "table/way").symlink_to(tree / "outside/way")
    (tree / "outside/way/secret.png").write_bytes(b"x")
    lines = []
    for name in ("secret", "absent"):
        with pytest.raises(InputError) as caught:
            places.find(address.replace("{tree}", str(tree)).replace("{}", name))
        lines.append(str(caught.value).replace(name, "?"))
    assert lines[0] == lines[1]


def test_a_folder_whose_name_only_begins_alike_is_outside(places, tree):
    (tree / "table2").mkdir()
    (tree / "table2/a.png").write_bytes(b"x")
    with pytest.raises(InputError, match="outside"):
        places.find("../table2/a.png")


@pytest.mark.parametrize("address", ["logo.png", "/etc/passwd", "file:///etc/passwd", "../x.png"])
def test_without_an_open_folder_it_is_told_how_to_name_one(address):
    with pytest.raises(InputError, match=r"in media_root, or in the environment variable PREFECT_SEEDANCE_MEDIA_ROOT"):
        MediaAccess().find(address)


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("", "control characters"),
        ("logo\0.png", "control characters"),
        ("logo.png\n", "control characters"),
        ("file:///tmp/%00.png", "not a URL of a local file"),
        ("file://server/share/a.png", "not a URL of a local file"),
        ("file:logo.png", "not a URL of a local file"),
        ("~/logo.png", "home folder"),
        ("~root/logo.png", "home folder"),
        ("media", "is a folder"),
        (".", "is a folder"),
        ("none.png", "no file 'none.png'"),
        ("logo.png/x", "no file"),
        ("n" * 300 + ".png", "no file|cannot be read"),
        ("pipe", "not a regular file"),
        ("socket", "not a regular file"),
    ],
)
def test_what_is_no_file_is_told(places, tree, address, words, monkeypatch):
    os.mkfifo(tree / "table/pipe")
    monkeypatch.chdir(tree / "table")  # the name of a socket must be short
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind("socket")
        with pytest.raises(InputError, match=words):
            places.find(address)


def test_devices_are_no_media():
    with pytest.raises(InputError, match="not a regular file"):
        MediaAccess(None, (os.path.realpath("/dev"),)).find("/dev/null")


def test_a_file_that_may_not_be_read_is_told(places, tree):
    (tree / "table/logo.png").chmod(0)
    root = os.geteuid() == 0
    if root:
        for folder in (tree, *tree.parents):
            if not folder.stat().st_mode & 1:
                folder.chmod(0o711)
        os.seteuid(65534)
    try:
        with pytest.raises(InputError, match="cannot be read: Permission denied"):
            places.find("logo.png")
    finally:
        if root:
            os.seteuid(0)


def test_accents_may_be_spelled_either_way(places, tree):
    for stored, asked in (("NFC", "NFD"), ("NFD", "NFC")):
        name = f"{stored}-é.png"
        (tree / "table" / unicodedata.normalize(stored, name)).write_bytes(b"x")
        assert places.find(unicodedata.normalize(asked, name)).name == unicodedata.normalize(stored, name)


@given(st.lists(st.sampled_from(["..", ".", "", "media", "way", "secret.png", "table", "outside", "é", "\\", "~"])))
def test_no_path_leads_outside(tmp_path_factory, parts):
    tree = tmp_path_factory.getbasetemp() / "walk"
    if not tree.exists():
        (tree / "table/media").mkdir(parents=True)
        (tree / "outside").mkdir()
        (tree / "outside/secret.png").write_bytes(b"x")
        (tree / "table/secret.png").write_bytes(b"x")
        (tree / "table/way").symlink_to(tree / "outside")
    for address in ("/".join(parts), f"{tree}/" + "/".join(parts)):
        try:
            found = MediaAccess(tree / "table").find(address)
        except InputError:
            continue
        assert found == tree / "table/secret.png"
