"""Import hook for the module names of 0.1.0, so that pickles of results and tickets can still be loaded.

Prefect stores results as pickles, and a pickle names a class by its module. A ticket of an earlier release must be
readable as long as its job may have been paid.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

_ROOT = "prefect_seedance"

_MODULES: dict[str, str] = {
    "flows.shard": "flows.distributed.shard",
    "jobs": "engine",
    "jobs.badtable": "errors",
    "jobs.by_hand": "runs.single",
    "jobs.events": "core.events",
    "jobs.polling": "errors",
    "jobs.preparing": "planning.plan",
    "jobs.sweeping": "runs.sweep",
    "jobs.traffic": "runs.stats",
    "ledger.standings": "ledger.rows.summaries",
    "reports.result": "reports.results.result",
    "reports.rowresult": "reports.results.row_result",
    "routes.amount": "routes.pricing.amount",
}
"""Former module to the module that has its classes now."""

_NAMES: dict[str, str] = {
    "BadRows": "InvalidRows",
    "BadTable": "TableError",
    "Kind": "SharedFields",
    "Standing": "RowSummary",
    "Traffic": "AccountStats",
}
"""Former class name to the present one; further renames of `errors` are listed there."""


class _Former(MetaPathFinder, Loader):
    def find_spec(self, name: str, _path: Sequence[str] | None, _target: ModuleType | None = None) -> ModuleSpec | None:
        former = name.removeprefix(f"{_ROOT}.")
        if former == name or former not in _MODULES:
            return None
        return ModuleSpec(name, self, is_package=former == "jobs")

    def exec_module(self, module: ModuleType) -> None:
        home = f"{_ROOT}.{_MODULES[module.__name__.removeprefix(f'{_ROOT}.')]}"

        def find(name: str) -> Any:
            if name.startswith("__"):
                raise AttributeError(name)
            return getattr(importlib.import_module(home), _NAMES.get(name, name))

        module.__dict__["__getattr__"] = find


def read_former_pickles() -> None:
    """Install the import hook, after all other finders."""
    if not any(isinstance(finder, _Former) for finder in sys.meta_path):
        sys.meta_path.append(_Former())
