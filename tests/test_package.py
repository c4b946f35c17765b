"""What is built is what was written: the wheel and the sdist are made for real, opened, and installed."""

from __future__ import annotations

import hashlib
import rlcompleter
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from email.parser import BytesParser
from pathlib import Path

import pytest

import prefect_seedance

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "src" / "prefect_seedance"
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
VERSION = PROJECT["project"]["version"]
LINKS = ("blocks", "flows", "tasks")

slow = pytest.mark.slow  # each build takes a while: the build tool is installed first


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def written() -> dict[str, str]:
    """Every file of the package, by its path below `src`, with its hash."""
    files = (path for path in PACKAGE.rglob("*") if path.is_file() and "__pycache__" not in path.parts)
    return {path.relative_to(PACKAGE.parent).as_posix(): sha256(path.read_bytes()) for path in files}


def carried() -> dict[str, str]:
    """What a wheel holds besides: the deployments, for `prefect-seedance setup` where there is no checkout."""
    return {"prefect_seedance/cli/prefect.yaml": sha256((ROOT / "deployments/prefect.yaml").read_bytes())}


def wheel_files(wheel: Path) -> dict[str, str]:
    with zipfile.ZipFile(wheel) as archive:
        return {name: sha256(archive.read(name)) for name in archive.namelist()}


def differing(one: dict[str, str], other: dict[str, str]) -> list[str]:
    """The names that only one side has, or whose content differs: short enough to read in a failure."""
    return sorted({name for name, _ in one.items() ^ other.items()})


def run(*command: str | Path, cwd: Path) -> str:
    done = subprocess.run([str(part) for part in command], cwd=cwd, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{command} failed:\n{done.stdout}\n{done.stderr}"
    return done.stdout


def pip(*arguments: str | Path, cwd: Path) -> None:
    run(sys.executable, "-m", "pip", "--disable-pip-version-check", "--no-input", "-q", *arguments, cwd=cwd)


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """The wheel and the sdist, as a release would make them."""
    folder = tmp_path_factory.mktemp("built")
    pip("install", "--target", folder / "tool", *PROJECT["build-system"]["requires"], cwd=folder)
    start = (
        f"import sys; sys.path.insert(0, {str(folder / 'tool')!r}); from hatchling.cli import hatchling; hatchling()"
    )
    run(sys.executable, "-c", start, "build", "-d", folder / "dist", "-t", "sdist", "-t", "wheel", cwd=ROOT)
    (wheel,) = (folder / "dist").glob("*.whl")
    (sdist,) = (folder / "dist").glob("*.tar.gz")
    return wheel, sdist


@pytest.fixture(scope="module")
def unpacked_sdist(built: tuple[Path, Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sdist")
    with tarfile.open(built[1]) as archive:
        archive.extraction_filter = getattr(tarfile, "data_filter", None)  # since Python 3.11.4
        archive.extractall(folder)
    return folder / f"prefect_seedance-{VERSION}"


@pytest.fixture(scope="module")
def installed(built: tuple[Path, Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("installed")
    pip("install", "--no-deps", "--target", folder, built[0], cwd=folder)
    return folder


@pytest.mark.parametrize("name", LINKS)
def test_the_root_shows_the_rooms_through_relative_links(name: str) -> None:
    link = ROOT / name
    assert link.is_symlink()
    assert link.readlink() == Path("src") / "prefect_seedance" / name
    assert link.resolve() == PACKAGE / name


def test_the_package_says_that_it_is_typed() -> None:
    assert "prefect_seedance/py.typed" in written()


def test_every_public_name_is_listed_and_completed() -> None:
    """As `dir()` lists them, and as the interactive interpreter completes them; IPython goes by `dir()` too."""
    assert set(prefect_seedance.__all__) <= set(dir(prefect_seedance))
    completer = rlcompleter.Completer({"prefect_seedance": prefect_seedance})
    for name in prefect_seedance.__all__:
        completed = completer.attr_matches(f"prefect_seedance.{name[:-1]}")
        assert f"prefect_seedance.{name}" in {each.removesuffix("(") for each in completed}
    with pytest.raises(AttributeError, match="no_such_name"):
        _ = prefect_seedance.no_such_name


@slow
def test_the_wheel_holds_every_file_once(built: tuple[Path, Path]) -> None:
    wheel = wheel_files(built[0])
    info = f"prefect_seedance-{VERSION}.dist-info"
    package = {name: digest for name, digest in wheel.items() if not name.startswith(info)}
    # The demo's table is written once, in examples, and travels with the command line.
    table = {"prefect_seedance/cli/prompts.csv": sha256((ROOT / "examples" / "prompts.csv").read_bytes())}
    assert differing(package, written() | carried() | table) == []
    assert wheel[f"{info}/licenses/LICENSE"] == sha256((ROOT / "LICENSE").read_bytes())


@slow
def test_the_sdist_holds_every_file_and_no_link(built: tuple[Path, Path], unpacked_sdist: Path) -> None:
    src = unpacked_sdist / "src"
    files = {path.relative_to(src).as_posix(): sha256(path.read_bytes()) for path in src.rglob("*") if path.is_file()}
    assert differing(files, written()) == []
    with tarfile.open(built[1]) as archive:
        assert [member.name for member in archive if member.issym() or member.islnk()] == []
    assert not {path.name for path in unpacked_sdist.iterdir()} & set(LINKS)
    for name in (
        "LICENSE",
        "Makefile",
        "README.md",
        "constraints.txt",
        "examples/prompts.csv",
        "tests/test_package.py",
    ):
        assert (unpacked_sdist / name).read_bytes() == (ROOT / name).read_bytes()


@slow
def test_the_sdist_builds_the_same_wheel(built: tuple[Path, Path], unpacked_sdist: Path, tmp_path: Path) -> None:
    pip("wheel", "--no-deps", "-w", tmp_path, unpacked_sdist, cwd=tmp_path)
    (again,) = tmp_path.glob("*.whl")
    assert again.name == built[0].name
    assert differing(wheel_files(again), wheel_files(built[0])) == []


@slow
def test_the_metadata_names_what_others_look_for(installed: Path) -> None:
    (info,) = installed.glob("*.dist-info")
    metadata = BytesParser().parsebytes((info / "METADATA").read_bytes())
    assert metadata["Name"] == "prefect-seedance"
    assert metadata["Version"] == VERSION
    assert metadata["License-Expression"] == "Apache-2.0"
    assert set(metadata.get_all("Provides-Extra")) >= {"parquet"}
    assert (info / "entry_points.txt").read_text(encoding="utf-8").split("\n") == [
        "[console_scripts]",
        "prefect-seedance = prefect_seedance.cli:main",
        "",
        "[prefect.collections]",
        "prefect_seedance = prefect_seedance",
        "",
    ]


@slow
def test_the_installed_wheel_imports_on_its_own(installed: Path, tmp_path: Path) -> None:
    """Without site-packages at all: the package's front door costs and needs nothing else."""
    code = (
        f"import sys; sys.path.insert(0, {str(installed)!r})\n"
        "import importlib.metadata, prefect_seedance\n"
        "print(prefect_seedance.__file__, importlib.metadata.version('prefect-seedance'))"
    )
    printed = run(sys.executable, "-I", "-S", "-c", code, cwd=tmp_path).split()
    assert printed == [str(installed / "prefect_seedance" / "__init__.py"), VERSION]


@slow
def test_every_installed_module_and_entry_point_loads(installed: Path, tmp_path: Path) -> None:
    """With the dependencies of this environment, but never with the files of the working tree."""
    code = (
        f"import sys; sys.path.insert(0, {str(installed)!r})\n"
        "import importlib, importlib.metadata, pkgutil, prefect_seedance\n"
        "walk = pkgutil.walk_packages(prefect_seedance.__path__, 'prefect_seedance.')\n"
        "names = [module.name for module in walk if not module.name.endswith('__main__')]\n"
        "files = {importlib.import_module(name).__file__ for name in names}\n"
        "[prefect_seedance.__getattr__(name) for name in prefect_seedance.__all__]\n"
        f"(here,) = importlib.metadata.distributions(path=[{str(installed)!r}])\n"
        "entries = {entry.group: entry.load() for entry in here.entry_points}\n"
        "assert callable(entries['console_scripts']), entries\n"
        "assert entries['prefect.collections'] is prefect_seedance\n"
        "from prefect_seedance.cli.demo import prompts\n"
        "assert prompts().is_file(), prompts()\n"
        "print('\\n'.join(sorted(files)))"
    )
    files = run(sys.executable, "-W", "error", "-c", code, cwd=tmp_path).splitlines()
    modules = {f"{installed}/{name}" for name in written() if name.endswith(".py") and not name.endswith("__main__.py")}
    assert set(files) | {f"{installed}/prefect_seedance/__init__.py"} == modules
