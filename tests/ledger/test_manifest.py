from __future__ import annotations

import json
import os
import threading
from pathlib import Path

import pytest

from prefect_seedance.errors import InputError
from prefect_seedance.ledger import MANIFEST, check_manifest


def left_behind(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def test_a_folder_remembers_its_ledger(tmp_path: Path) -> None:
    check_manifest(tmp_path, "one", "sqlite:///one.db")
    check_manifest(tmp_path, "one", "sqlite:///moved.db")  # it may be moved: its identity counts
    assert left_behind(tmp_path) == {MANIFEST}
    with pytest.raises(InputError) as text:
        check_manifest(tmp_path, "two", "sqlite:///two.db")
    assert "(one, last seen at sqlite:///one.db). The ledger in use is two at sqlite:///two.db" in str(text.value)
    assert "paid for again" in str(text.value)
    assert json.loads((tmp_path / MANIFEST).read_text())["ledger"] == "one"


def start(folder: Path, identity: str, gate: threading.Barrier, passed: list[str]) -> None:
    gate.wait()
    try:
        check_manifest(folder, identity, identity)
    except InputError:
        return
    passed.append(identity)


@pytest.mark.parametrize("links", [True, False], ids=["links", "no links"])
def test_of_two_ledgers_that_start_at_once_one_is_refused(
    tmp_path: Path, links: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not links:

        def refuse(source: Path, target: Path) -> None:
            raise PermissionError(1, "Operation not permitted")

        monkeypatch.setattr(os, "link", refuse)
    for round_ in range(15):
        folder = tmp_path / str(round_)
        folder.mkdir()
        gate = threading.Barrier(6)
        passed: list[str] = []

        threads = [
            threading.Thread(target=start, args=(folder, f"ledger {number % 3}", gate, passed)) for number in range(6)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        winner = json.loads((folder / MANIFEST).read_text())["ledger"]
        assert set(passed) == {winner}
        assert left_behind(folder) == {MANIFEST}


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "7", '"x"', "{}", '{"ledger": 1, "url"', "[" * 100_000, "\udcff"], ids=lambda text: text[:8]
)
def test_a_manifest_that_cannot_be_read_stops_the_run_and_stays(tmp_path: Path, text: str) -> None:
    path = tmp_path / MANIFEST
    path.write_text(text, encoding="utf-8", errors="surrogateescape")
    before = path.read_bytes()
    with pytest.raises(InputError, match=r"cannot be read.*Restore it.*Nothing was spent"):
        check_manifest(tmp_path, "one", "x")
    assert path.read_bytes() == before


def test_a_manifest_that_cannot_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(InputError, match=r"cannot be written.*Nothing was spent"):
        check_manifest(tmp_path / "nowhere", "one", "x")

    def full(number: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(InputError, match=r"cannot be written.*No space left.*Nothing was spent"):
        check_manifest(tmp_path, "one", "x")
    assert left_behind(tmp_path) == set()
