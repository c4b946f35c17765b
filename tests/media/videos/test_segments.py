"""Paths by the user's template: whatever stands in a cell, the path stays below its folder, on every file system."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prefect_seedance.media.storage.names import joined, segment

RESERVED = {"con", "prn", "aux", "nul", "com1", "lpt9"}


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("A lantern, in the rain!", "A-lantern-in-the-rain"),
        ("分镜 1", "分镜-1"),
        ("../../etc/passwd", "etc-passwd"),
        ("C:\\con", "C-con"),
        ("...", "row"),
        ("seedance2.0-mini", "seedance2.0-mini"),
    ],
)
def test_a_cell_in_a_path(text, name):
    assert segment(text) == name


@pytest.mark.parametrize(
    ("parts", "path"),
    [
        (["spring", "a (1) final"], "spring/a (1) final"),
        (["con", "nul.tar"], "con-/nul-tar-"),
        (["results.csv", "a.mp4", "b"], "results-csv/a-mp4/b"),
        ([".previews", ".parts"], "previews/parts"),
    ],
)
def test_parts_of_a_path(parts, path):
    assert joined(parts) == path


@given(st.lists(st.text(max_size=300), min_size=1, max_size=6))
def test_no_text_leads_out_of_the_folder(parts):
    path = joined(parts)
    assert joined(path.split("/")) == path
    for name in path.split("/"):
        assert 0 < len(name.encode()) <= 184
        assert name[0] not in "-. "
        assert name[-1] not in ". "
        assert not set(name) & set('\\:*?"<>|\0\n')
        assert name.split(".")[0].lower().strip() not in RESERVED
    assert segment(segment(parts[0])) == segment(parts[0])
    assert "/" not in segment(parts[0])
