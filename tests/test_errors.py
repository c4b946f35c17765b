"""The tree of errors: every class has its place in the docstring and a kind that never changes."""

from __future__ import annotations

import copy
import inspect
import pickle
import re

import pytest

from prefect_seedance import errors
from prefect_seedance.ledger.db.migrations import KINDS
from prefect_seedance.messages import message, use_surface

CLASSES = {
    name: found
    for name, found in vars(errors).items()
    if inspect.isclass(found) and issubclass(found, errors.SeedanceError)
}
TREE = re.findall(r"^    ([│ ]*(?:[├└]── )?)(\w+) +(\w+)(?: |$)", errors.__doc__ or "", re.MULTILINE)


def test_the_docstring_draws_the_tree_as_it_is() -> None:
    drawn = {name: kind for _, name, kind in TREE}
    assert drawn == {name: found.kind for name, found in CLASSES.items()}
    above: list[str] = []
    for lead, name, _ in TREE:
        depth = len(lead) // 4
        above = [*above[:depth], name]
        if depth:
            assert CLASSES[name].__mro__[1] is CLASSES[above[depth - 1]], name


def test_every_kind_stands_for_one_class() -> None:
    kinds = [found.kind for found in CLASSES.values()]
    assert len(kinds) == len(set(kinds))


def test_every_kind_that_a_ledger_may_hold_is_one_of_today() -> None:
    assert set(KINDS.values()) - {"lost"} <= {found.kind for found in CLASSES.values()}


@pytest.mark.parametrize("name", sorted(errors._FORMER))
def test_former_names_still_work(name: str) -> None:
    with pytest.warns(DeprecationWarning, match=f"{name} is now called"):
        assert getattr(errors, name) is CLASSES[errors._FORMER[name]]
    assert KINDS.get(name, CLASSES[errors._FORMER[name]].kind) == CLASSES[errors._FORMER[name]].kind


@pytest.mark.parametrize("found", CLASSES.values(), ids=CLASSES.keys())
def test_an_error_crosses_processes_with_all_that_it_knows(found: type[errors.SeedanceError]) -> None:
    text = message("rows.reason", line=3, key="a", reason="too long")
    error = found(text, provider="jimmy", code="7", request_id="r-1", row="a", http_status=400)
    for again in (pickle.loads(pickle.dumps(error)), copy.copy(error)):
        assert type(again) is found
        assert (str(again), again.slug, vars(again)) == (str(error), "rows.reason", vars(error))


def test_an_error_is_worded_where_it_is_read() -> None:
    error = errors.InputError(message("rows.invalid", invalid=1, valid=0, table="a.csv", shown=["row 2"]))
    with use_surface("cli"):
        assert "--on-invalid skip" in str(error)
    assert 'on_invalid="skip"' in str(error)


def test_a_provider_is_quoted_with_its_code() -> None:
    error = errors.Refused("no such model", provider="jimmy", code="20002", row="a")
    assert (str(error), error.slug) == ("row 'a': no such model [jimmy 20002]", None)
    assert str(errors.InputError("no", code="no_file")) == "no"
