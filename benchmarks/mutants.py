"""Change the code where money is decided, one place at a time, and see whether its tests notice: `make mutants`.

At least 90 % of the changes must be caught; what is not is listed, with its reason where one is known (`SURVIVORS`).
Each module gets a fixed sample, so that two runs of one version compare. Nothing is written into the tree: a process
that has imported pytest and Prefect forks, and the child loads the one module in its changed form.

Published tools (mutmut, cosmic-ray) change operators and constants, and start the tests anew for each change. Here much
of what decides is data: a word of a set, an alternative of a pattern, a condition of a statement to the ledger.
"""

from __future__ import annotations

import argparse
import ast
import copy
import importlib.abc
import importlib.machinery
import importlib.util
import os
import random
import re
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import CodeType, ModuleType
from typing import TypeVar

ROOT = Path(__file__).resolve().parent.parent
SOURCE = ROOT / "src" / "prefect_seedance"
sys.path[:0] = [str(ROOT), str(ROOT / "src")]

from benchmarks.mutants_known import SURVIVORS, TESTS  # noqa: E402 - the path comes first
from tests.patience import patience  # noqa: E402

LIMIT = patience(300)
"""Seconds until a mutant counts as caught because its tests hang."""

T = TypeVar("T")
Node = ast.AST
COMPARED: dict[type[ast.cmpop], ast.cmpop] = {
    ast.Eq: ast.NotEq(), ast.NotEq: ast.Eq(), ast.Lt: ast.LtE(), ast.LtE: ast.Lt(), ast.Gt: ast.GtE(),
    ast.GtE: ast.Gt(), ast.Is: ast.IsNot(), ast.IsNot: ast.Is(), ast.In: ast.NotIn(), ast.NotIn: ast.In(),
}  # fmt: skip
CALCULATED: dict[type[ast.operator], ast.operator] = {
    ast.Add: ast.Sub(), ast.Sub: ast.Add(), ast.Mult: ast.Div(), ast.Div: ast.Mult(),
}  # fmt: skip
UNCHANGED = {"annotation", "returns", "decorator_list", "bases", "type_params"}
TEXTS = {"message", "field", "getLogger", "get_logger", "debug", "info", "warning", "TypeVar", "cast"}
CONDITIONS = {"where", "and_", "or_", "values", "replace", "any", "all", "filter"}


@dataclass(frozen=True)
class Mutant:
    """One change: `old` becomes `new` in the `number`th place of its module."""

    module: str
    number: int
    line: int
    what: str

    @property
    def key(self) -> tuple[str, str]:
        return self.module, self.what


def variants(node: Node) -> Iterator[Node]:  # noqa: C901, PLR0912 - a table
    """What a node may become."""
    match node:
        case ast.Compare(left, [operator], right) if type(operator) in COMPARED:
            yield ast.Compare(left, [COMPARED[type(operator)]], right)
        case ast.BoolOp(operator, values):
            yield ast.BoolOp(ast.Or() if isinstance(operator, ast.And) else ast.And(), values)
            yield from (ast.BoolOp(operator, rest) if len(rest) > 1 else rest[0] for rest in without_one(values))
        case ast.UnaryOp(ast.Not(), operand):
            yield operand
        case ast.If() | ast.IfExp() | ast.While():
            yield changed(node, test=ast.UnaryOp(ast.Not(), node.test))
        case ast.comprehension(ifs=[_, *_]):
            yield changed(node, ifs=[])
        case ast.Constant(bool(value)):
            yield ast.Constant(not value)
        case ast.Constant(int(value) | float(value)):
            yield ast.Constant(value + 1)
        case ast.Call(ast.Attribute(ast.Name("re"), "compile"), [ast.Constant(str(pattern)), *rest]):
            yield from (changed(node, args=[ast.Constant(one), *rest]) for one in fewer_alternatives(pattern))
        case ast.Call(ast.Attribute(inner, "where"), _):
            yield inner
        case ast.Call(func, args, keywords) if last_name(func) in CONDITIONS:
            if len(args) > 1:
                yield from (changed(node, args=rest) for rest in without_one(args))
            yield from (changed(node, keywords=rest) for rest in without_one(keywords))
        case ast.Set(elements) | ast.Tuple(elements) if len(elements) > 1 and all(map(is_word, elements)):
            yield from (changed(node, elts=rest) for rest in without_one(elements))
        case ast.BinOp(left, operator, right) if type(operator) in CALCULATED:
            yield ast.BinOp(left, CALCULATED[type(operator)], right)
        case ast.Return(value) if value is not None and not (isinstance(value, ast.Constant) and value.value is None):
            yield ast.Return(ast.Constant(None))
        case ast.Expr(ast.Call() | ast.Await()) | ast.Raise() | ast.AugAssign():
            yield ast.Pass()
        case ast.Match():
            yield from (changed(node, cases=rest) for rest in without_one(node.cases) if rest)


def changed(node: Node, **fields: object) -> Node:
    twin = copy.copy(node)
    for name, value in fields.items():
        setattr(twin, name, value)
    return twin


def without_one(values: Sequence[T]) -> Iterator[list[T]]:
    return ([*values[:number], *values[number + 1 :]] for number in range(len(values)))


def fewer_alternatives(pattern: str) -> Iterator[str]:
    """The pattern without one of its innermost alternatives, wherever it still is a pattern."""
    for found in re.finditer(r"(?<=[(|:])[^()|]+\||\|[^()|]+(?=[)|])|^[^()|]+\||\|[^()|]+$", pattern):
        shorter = pattern[: found.start()] + pattern[found.end() :]
        try:
            re.compile(shorter, re.VERBOSE)
        except re.error:
            continue
        yield shorter


def last_name(func: Node) -> str:
    return str(getattr(func, "attr", getattr(func, "id", "")))


def is_word(node: Node) -> bool:
    return isinstance(node, ast.Attribute | ast.Name) or (isinstance(node, ast.Constant) and node.value is not None)


def places(tree: Node) -> Iterator[tuple[Node, Callable[[Node], None]]]:
    """Each node that may change, with what puts another in its place."""
    for name, value in ast.iter_fields(tree):
        if name in UNCHANGED or (isinstance(tree, ast.Call) and last_name(tree.func) in TEXTS):
            continue
        for index, child in enumerate(value if isinstance(value, list) else [value]):
            if not isinstance(child, ast.AST):
                continue
            if isinstance(value, list):
                yield child, lambda new, at=index, inside=value: inside.__setitem__(at, new)  # type: ignore[misc]
            else:
                yield child, lambda new, name=name: setattr(tree, name, new)  # type: ignore[misc]
            yield from places(child)


def mutants(module: str) -> list[Mutant]:
    """All changes of a module, in the order of its text."""
    found: list[Mutant] = []
    for node, _ in places(ast.parse((SOURCE / module).read_text(encoding="utf-8"))):
        for new in variants(node):
            number, line = len(found), getattr(node, "lineno", 0)
            found.append(Mutant(module, number, line, shown(node, new)))
    return found


def shown(node: Node, new: Node) -> str:
    """A change in one line: `… before [old → new] after …`."""
    one, two = (" ".join(ast.unparse(each).split()) for each in (node, new))
    start = len(os.path.commonprefix([one, two]))  # noqa: RUF071 - letter by letter
    end = len(os.path.commonprefix([one[start:][::-1], two[start:][::-1]]))  # noqa: RUF071 - letter by letter
    old, now = one[start : len(one) - end], two[start : len(two) - end]
    return f"{one[max(0, start - 40) : start]}[{old[:60]} → {now[:60]}]{one[len(one) - end :][:40]}"


def mutated(mutant: Mutant) -> CodeType:
    """The code of a module after one change."""
    path = SOURCE / mutant.module
    tree = ast.parse(path.read_text(encoding="utf-8"))
    number = 0
    for node, put in places(tree):
        for new in variants(node):
            if number == mutant.number:
                put(ast.copy_location(new, node))
                return compile(ast.fix_missing_locations(tree), str(path), "exec")
            number += 1
    raise LookupError(mutant)


class Changed(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Loads one module in its changed form."""

    def __init__(self, mutant: Mutant) -> None:
        self.name = "prefect_seedance." + mutant.module.removesuffix(".py").replace("/", ".")
        self.path, self.code = str(SOURCE / mutant.module), mutated(mutant)

    def find_spec(self, name: str, _path: object, _target: object = None) -> importlib.machinery.ModuleSpec | None:
        if name != self.name:
            return None
        return importlib.util.spec_from_file_location(name, self.path, loader=self)

    def exec_module(self, module: ModuleType) -> None:
        exec(self.code, vars(module))


def preload() -> None:
    """What takes long to import, and is not ours."""
    os.environ["PREFECT_HOME"] = tempfile.mkdtemp(prefix="seedance-mutants-")
    for name in ("pytest", "httpx", "pydantic", "sqlalchemy", "aiosqlite", "av", "prefect", "prefect.blocks.core"):
        importlib.import_module(name)


def run_tests(mutant: Mutant | None, tests: list[str], log: Path) -> None:
    """The child: runs the tests, and ends with pytest's exit code."""
    os.setsid()
    with log.open("wb") as file:
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
    if mutant is not None:
        sys.meta_path.insert(0, Changed(mutant))
    import pytest  # noqa: PLC0415 - as late as in any run

    options = ["-x", "-q", "-n0", "-pno:cacheprovider", "-Wignore::pytest.PytestAssertRewriteWarning", "-m"]
    os.chdir(ROOT)
    code = 3
    try:
        code = int(pytest.main([*options, "not slow and not ui", *tests]))
    finally:
        os._exit(code)


def run_all(work: list[tuple[Mutant | None, list[str]]], jobs: int) -> Iterator[tuple[Mutant | None, str, float, Path]]:
    """Each mutant with how its tests ended: survived, caught or hung."""
    folder, running = Path(tempfile.mkdtemp(prefix="seedance-mutants-")), {}
    queue = list(enumerate(work))
    while queue or running:
        while queue and len(running) < jobs:
            number, (mutant, tests) = queue.pop(0)
            log = folder / f"{number}.txt"
            if not (pid := os.fork()):
                run_tests(mutant, tests, log)
            running[pid] = (mutant, log, time.monotonic())
        for pid, (mutant, log, began) in list(running.items()):
            took = time.monotonic() - began
            ended, status = os.waitpid(pid, os.WNOHANG)
            if ended or took > LIMIT:
                if not ended:
                    os.killpg(pid, signal.SIGKILL)
                    os.waitpid(pid, 0)
                del running[pid]
                yield mutant, ("hung" if not ended else "caught" if status else "survived"), took, log
        time.sleep(0.05)


def main() -> int:
    """Exit code 1 where fewer than 90 % are caught, 2 where the tests fail without any change."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--each", type=int, default=12, help="changes of each module (0: all)")
    parser.add_argument("--only", default="", help="the modules whose path matches this pattern")
    parser.add_argument("--seed", default="1", help="another sample")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--list", action="store_true", help="only show the changes")
    options = parser.parse_args()
    chosen: dict[str, list[Mutant]] = {}
    for module in (name for name in TESTS if re.search(options.only, name)):
        every = mutants(module)
        number = min(options.each or len(every), len(every))
        chosen[module] = random.Random(f"{options.seed} {module}").sample(every, number)
    if options.list:
        print(*(f"{one.module}:{one.line}: {one.what}" for several in chosen.values() for one in several), sep="\n")
        return 0
    preload()
    began = time.monotonic()
    for _, end, _, log in run_all([(None, list(dict.fromkeys(test for each in chosen for test in TESTS[each])))], 1):
        if end != "survived":
            print(f"The tests fail without any change:\n{log.read_text()}")
            return 2
    total, left = 0, []
    for mutant, end, took, _ in run_all([(one, TESTS[each]) for each in chosen for one in chosen[each]], options.jobs):
        assert mutant is not None
        reason = SURVIVORS.get(mutant.key, "")
        print(f"{end:8} {took:4.0f} s  {mutant.module}:{mutant.line}: {mutant.what}", flush=True)
        if end == "survived":
            left.append((mutant, reason))
        total += not (end == "survived" and reason.startswith("equivalent"))
    missed = sum(not reason.startswith("equivalent") for _, reason in left)
    print(f"\n{total} changes, {total - missed} caught ({(total - missed) / max(total, 1):.0%}),", end=" ")
    print(f"{len(left) - missed} equivalents apart; {(time.monotonic() - began) / 60:.0f} minutes. Not caught:")
    for mutant, reason in left:
        print(f"  {mutant.module}:{mutant.line}: {mutant.what}\n      {reason or 'no reason is known: write a test'}")
    return 0 if (total - missed) >= 0.9 * total else 1


if __name__ == "__main__":
    sys.exit(main())
