from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prefect_seedance.media import clashes, slug
from prefect_seedance.media.storage.names import MAX_BYTES

WINDOWS_FORBIDS = set('<>:"/\\|?*') | {chr(code) for code in range(32)}
WINDOWS_RESERVES = {"con", "prn", "aux", "nul"} | {
    f"{kind}{digit}" for kind in ("com", "lpt") for digit in "0123456789"
}

keys = (
    st.text(max_size=60) | st.text("aA./\\- 猫é\u0301\n", max_size=12) | st.sampled_from(["con", "NUL.txt", "..", ""])
)


@given(keys)
def test_a_slug_is_safe_on_every_file_system(key):
    name = slug(key)
    assert name
    assert len(name.encode()) <= MAX_BYTES
    assert not WINDOWS_FORBIDS & set(name)
    assert name[0] not in ".-"
    assert name[-1] not in ". "
    assert ".." not in name
    assert name.split(".")[0].lower() not in WINDOWS_RESERVES
    assert unicodedata.is_normalized("NFC", name)
    assert slug(name) == name


@given(st.lists(keys, unique=True, max_size=8))
def test_different_keys_have_different_names_unless_clashes_says_so(all_keys):
    names = {slug(key).casefold() for key in all_keys}
    clashing = sum(len(group) - 1 for group in clashes(all_keys))
    assert len(names) >= len(all_keys) - clashing
    assert len({slug(key) for key in all_keys}) == len(all_keys)


@pytest.mark.parametrize("key", ["shot-01", "Shot_01", "r-0123456789ab-2", "镜头一", "v1.2", "ก้าว", "日本語のキー"])
def test_a_key_that_is_a_good_name_stays_as_it_is(key):
    assert slug(key) == key


@pytest.mark.parametrize(
    ("key", "start"),
    [
        ("../../etc/passwd", "etc-passwd-"),
        ("a b", "a-b-"),
        ("CON", "CON-"),
        (".hidden", "hidden-"),
        ("con.txt", "con-txt-"),
    ],
)
def test_a_changed_key_keeps_what_can_be_kept_and_gets_a_mark(key, start):
    assert slug(key).startswith(start)
    assert len(slug(key)) == len(start) + 8


def test_keys_that_differ_in_case_alone_are_told():
    assert clashes(["a", "b", "A", "c", "B", "a"]) == [("a", "A"), ("b", "B")]
    assert clashes(["a", "b", "a"]) == []
