"""What starting costs: heavy modules are loaded when they are needed, and not before."""

from __future__ import annotations

import subprocess
import sys

import pytest

HEAVY = frozenset(
    {"av", "fsspec", "httpx", "numpy", "openpyxl", "pandas", "PIL", "prefect", "pyarrow", "pydantic", "sqlalchemy"}
)

HELP = """
import sys
from prefect_seedance.cli import main
sys.argv = ["prefect-seedance", *sys.argv[1:]]
try:
    main()
except SystemExit as end:
    assert not end.code, end.code
"""


def loaded(code: str, *arguments: str) -> set[str]:
    """The top-level modules that a program of its own has loaded at its end."""
    text = 'import sys; print("\\nLOADED", *{name.partition(".")[0] for name in sys.modules})'
    command = [sys.executable, "-c", f"{code}\n{text}", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return set(done.stdout.rpartition("LOADED")[2].split())


def test_import_loads_nothing_heavy():
    assert loaded("import prefect_seedance") & HEAVY == set()


def test_listing_the_names_loads_nothing_heavy():
    assert loaded("import prefect_seedance; assert 'generate_videos' in dir(prefect_seedance)") & HEAVY == set()


@pytest.mark.parametrize("arguments", [["--help"], ["run", "--help"], ["ledger", "--help"]])
def test_help_is_answered_without_prefect(arguments):
    assert loaded(HELP, *arguments) & HEAVY == set()


def test_flows_need_no_codecs():
    """Prefect itself brings SQLAlchemy; what looks into videos and pictures is ours, and waits until there are some."""
    assert loaded("from prefect_seedance import generate_videos") & {"av", "openpyxl", "PIL"} == set()
