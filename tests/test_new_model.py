"""A new model of a known provider is an entry of the catalogue and one of the sandbox's table, and nothing else."""

from __future__ import annotations

import ast
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

import prefect_seedance
from prefect_seedance.errors import InputError
from prefect_seedance.providers.dialect import DIALECTS
from prefect_seedance.routes import CATALOGUE, VideoRequest, capabilities
from prefect_seedance.routes.capabilities import PROVIDERS
from prefect_seedance.routes.catalogue import anyfast, jimmy, lookup
from prefect_seedance.routes.request import COLUMNS
from prefect_seedance.routes.route import SWITCHES
from prefect_seedance.sandbox.models import anyfast as limits
from prefect_seedance.sandbox.models import jimmy as limits_jimmy
from prefect_seedance.sandbox.world import assets
from tests.patience import patience

PACKAGE = Path(prefect_seedance.__file__).parent
ROOT = Path(__file__).parents[1]

ENTRIES: list[tuple[ModuleType, str]] = [
    (
        jimmy,
        'JIMMY += (Route(**_COMMON, model="made-up-1.0", unit="job", resolution=_fixed_720p("a test")),)\n',
    ),
    (
        limits_jimmy,
        'RULES["made-up-1.0"] = Rules(**_job("made-up-1.0", "0.70"), resolutions=())\n',
    ),
    (
        anyfast,
        'ANYFAST += (_MINI.model_copy(update={"model": "made-up-2.0", "billing_model": "made-up-2.0"}),)\n',
    ),
    (
        limits,
        'RULES["made-up-2.0"] = Rules(price=Decimal(30), upstream="upstream-2.0")\n',
    ),
]
"""What is added to a copy of the package: for each provider, to a file of the catalogue and to one of the sandbox."""


@pytest.mark.timeout(patience(600))
def test_a_new_model_touches_two_files(tmp_path: Path) -> None:
    copy = tmp_path / "src" / "prefect_seedance"
    shutil.copytree(PACKAGE, copy, ignore=shutil.ignore_patterns("__pycache__"))
    for module, entry in ENTRIES:
        with (copy / Path(str(module.__file__)).relative_to(PACKAGE)).open("a", encoding="utf-8") as file:
            file.write(entry)
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join((str(tmp_path / "src"), str(ROOT))),
        "PREFECT_HOME": str(tmp_path / "prefect"),
        "COLUMNS": "250",
    }
    command = [sys.executable, "-m", "tests.new_model_child", str(tmp_path / "out"), "made-up-1.0", "made-up-2.0"]
    done = subprocess.run(command, env=environment, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-4000:]
    found = json.loads(done.stdout.splitlines()[-1])
    for model, seen in found.items():
        assert len(seen["menus"]) >= 3, model
        assert all(seen["menus"]), model
        assert seen["printed"], model
        assert seen["state"] == "stored", seen
        assert [name for name, _ in seen["bill"]] == [model]
    assert found["made-up-1.0"]["quoted"] == found["made-up-1.0"]["bill"][0][1] == "0.70"
    assert float(found["made-up-2.0"]["quoted"]) > 0


def test_the_sandbox_sells_what_the_catalogue_holds() -> None:
    sold = {"jimmy": limits_jimmy.RULES, "anyfast": limits.RULES}
    assert sold.keys() == {each.provider for each in PROVIDERS} == DIALECTS.keys()
    for provider, models in sold.items():
        assert set(models) == {route.model for route in CATALOGUE if route.provider == provider}


@pytest.mark.parametrize("provider", DIALECTS)
def test_a_provider_is_sent_each_setting_or_refuses_it(provider: str) -> None:
    values = {"generate_audio": True, "watermark": True, "web_search": True, "orientation": "portrait"}
    assert values.keys() == set(SWITCHES), "a new switch needs a value here"
    fields = next(each.fields for each in PROVIDERS if each.provider == provider)
    dialect = DIALECTS[provider]
    for name, value in values.items():
        request = VideoRequest(prompt="a lamp", **{name: value})
        if name in fields:
            plain = dialect.create_call("m", VideoRequest(prompt="a lamp")).json
            assert dialect.create_call("m", request).json != plain, name
        else:
            with pytest.raises(InputError, match=name):
                dialect.create_call("m", request)


def test_an_upload_is_offered_where_the_provider_has_one() -> None:
    for each in PROVIDERS:
        assert each.uploads == (DIALECTS[each.provider].upload_lifetime is not None)
        assert set(each.fields) <= COLUMNS.keys()


# Files in which a provider's name decides something: its own, and the sandbox's emulation of it.
# One of the libraries of `assets` is called as its provider is.
OWN = tuple(Path(str(module.__file__)) for module in (jimmy, anyfast, lookup, capabilities, assets))
NAMES = frozenset(each.provider for each in PROVIDERS)


def may_compare(path: Path) -> bool:
    parts = path.relative_to(PACKAGE).parts
    emulation = parts[0] == "sandbox" and any(name in part for name in NAMES for part in parts[1:])
    return path in OWN or parts[0] == "providers" or emulation


def comparisons(source: str) -> Iterator[int]:
    """The lines on which a provider's name is compared, looked up, or the key of a dict."""
    for node in ast.walk(ast.parse(source)):
        places: list[ast.AST | None] = []
        if isinstance(node, ast.Compare):
            places = [node.left, *node.comparators]
        elif isinstance(node, ast.Dict):
            places = list(node.keys)
        elif isinstance(node, ast.MatchValue):
            places = [node.value]
        elif isinstance(node, ast.Subscript) and not (isinstance(node.value, ast.Name) and node.value.id == "Literal"):
            places = [node.slice]
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            words = {"get", "startswith", "endswith", "removeprefix", "removesuffix", "pop", "setdefault"}
            places = list(node.args) if node.func.attr in words else []
        for place in places:
            parts = place.elts if isinstance(place, ast.Tuple | ast.List | ast.Set) else [place]
            if any(isinstance(part, ast.Constant) and part.value in NAMES for part in parts):
                yield node.lineno


@pytest.mark.parametrize(
    "source",
    [
        'a == "jimmy"',
        'a in {"jimmy", "x"}',
        'x = {"anyfast": 1}',
        'x["jimmy"]',
        'x.get("anyfast")',
        'match a:\n    case "jimmy":\n        pass',
    ],
)
def test_the_scan_sees_a_comparison(source: str) -> None:
    assert list(comparisons(source))


def test_no_code_elsewhere_compares_the_name_of_a_provider() -> None:
    found = [
        f"{path.relative_to(PACKAGE)}:{line}"
        for path in sorted(PACKAGE.rglob("*.py"))
        if not may_compare(path)
        for line in comparisons(path.read_text(encoding="utf-8"))
    ]
    assert not found


def test_no_code_elsewhere_names_a_model_to_decide_by() -> None:
    models = {route.model for route in CATALOGUE}
    tables = {*OWN, *(Path(str(module.__file__)) for module in (limits_jimmy, limits))}
    found = []
    for path in sorted(set(PACKAGE.rglob("*.py")) - tables):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        # An example in a block's form names models too, and decides nothing.
        examples = {
            part
            for node in ast.walk(tree)
            if isinstance(node, ast.keyword) and node.arg == "examples"
            for part in ast.walk(node)
        }
        found += [
            f"{path.relative_to(PACKAGE)}:{node.lineno}"
            for node in ast.walk(tree)
            if isinstance(node, ast.Constant) and node.value in models and node not in examples
        ]
    assert not found
