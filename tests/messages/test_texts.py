"""Every message that the code makes has its text, filled with exactly the parameters that it is given."""

from __future__ import annotations

import ast
import inspect
import re
import string
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

import prefect_seedance
from prefect_seedance import generate_videos
from prefect_seedance.cli.app import app
from prefect_seedance.flows import forms
from prefect_seedance.messages import message, use_surface
from prefect_seedance.messages._settings import SETTINGS
from prefect_seedance.messages.english import TEXTS

SOURCE = Path(prefect_seedance.__file__).parent


def calls() -> Iterator[tuple[str, ast.Call]]:
    """Each call of `message` in the source, and where it stands."""
    for file in SOURCE.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "message":
                yield f"{file.relative_to(SOURCE)}:{node.lineno}", node


def slugs(node: ast.expr) -> Iterator[str]:
    """The slugs that an expression may be: a literal, or one of two."""
    match node:
        case ast.Constant(value=str(slug)):
            yield slug
        case ast.IfExp(body=body, orelse=orelse):
            yield from slugs(body)
            yield from slugs(orelse)
        case _:
            raise AssertionError(f"{ast.unparse(node)}: a slug is written out where it is used")


def wanted(template: str) -> Iterator[str]:
    """The parameters and settings of a text, also those within a format."""
    for _, name, spec, _ in string.Formatter().parse(template):
        if name is not None:
            yield re.split(r"[.\[]", name)[0]
            yield from wanted(spec or "")


CALLS = list(calls())
USED = {slug for _, call in CALLS for slug in slugs(call.args[0])}


def test_every_message_has_a_text_and_every_text_a_use() -> None:
    assert USED - TEXTS.keys() == set(), "messages without a text"
    assert TEXTS.keys() - USED == set(), "texts that are never used"


def test_texts_are_filled_with_exactly_what_they_name() -> None:
    for place, call in CALLS:
        if any(keyword.arg is None for keyword in call.keywords):
            continue  # the parameters come as a mapping; such a text is shown by a test of its own
        given = {keyword.arg for keyword in call.keywords}
        for slug in slugs(call.args[0]):
            named = {name for name in wanted(TEXTS[slug]) if not name.startswith("@")}
            assert named == given, f"{place}: {slug}"


def test_no_two_areas_share_a_slug() -> None:
    areas = SOURCE.joinpath("messages/english").glob("[!_]*.py")
    keys = [
        key.value
        for file in areas
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, ast.Dict)
        for key in node.keys
        if isinstance(key, ast.Constant)
    ]
    assert len(keys) == len(set(keys)) == len(TEXTS)


def test_settings_are_called_what_each_surface_calls_them() -> None:
    named = {name[1:] for text in TEXTS.values() for name in wanted(text) if name.startswith("@")}
    assert named <= SETTINGS.keys()
    options = {
        option
        for command in ("run", "quote", "sweep", "resolve", "resolve-all")
        for argument in app[command].assemble_argument_collection()
        for option in argument.names
    }
    parameters = inspect.signature(generate_videos).parameters.keys()
    titles = {
        (default.json_schema_extra or {}).get("title")
        for flow in vars(forms).values()
        if hasattr(flow, "fn")
        for parameter in inspect.signature(flow.fn).parameters.values()
        if hasattr(default := parameter.default, "json_schema_extra")
    }
    for setting in SETTINGS.values():
        assert setting.cli is None or setting.cli in options, setting
        assert setting.form is None or setting.form in titles, setting
        assert setting.python in parameters or setting.cli in options, setting


@pytest.mark.parametrize(
    ("surface", "words"),
    [
        ("python", 'leave them out with on_invalid="skip".'),
        ("cli", "leave them out with --on-invalid skip."),
        ("form", 'leave them out with "If a row breaks a rule": leave it out.'),
    ],
)
def test_one_message_speaks_the_words_of_each_surface(surface, words) -> None:
    said = message("rows.invalid", invalid=1, valid=1200, table="films.csv", shown=["row 2 (id a): too long"])
    with use_surface(surface):
        assert str(said).endswith(words)
        assert str(said).startswith("1 row of films.csv cannot be sent; 1,200 can:\n- row 2")


@pytest.mark.parametrize(
    ("surface", "prompt", "ratio"),
    [
        ("python", 'columns={"prompt": "文案"}', 'columns={"ratio": "shape"}'),
        ("cli", "--column prompt=文案", "--column ratio=shape"),
        # The form has a field for the heading of the prompts only.
        ("form", '"Heading of the prompts": 文案', 'columns={"ratio": "shape"}'),
    ],
)
def test_a_mapping_is_written_as_each_surface_takes_it(surface, prompt, ratio) -> None:
    with use_surface(surface):
        assert str(message("table.no_prompt", found="", heading="文案")).endswith(f"map it: {prompt}.")
        assert str(message("table.no_such_column", field="ratio", heading="shape", found="")).startswith(f"{ratio}: ")


def test_equal_messages_are_counted_as_one_on_every_surface() -> None:
    first, second = (message("run_limit.no_bound", bound="it", currency=name) for name in ("CNY", "CNY"))
    with use_surface("cli"):
        counts = Counter([first, second, message("run_limit.no_bound", bound="it", currency="USD")])
        assert '--max-charge "… CNY"' in str(first)
    assert counts[message("run_limit.no_bound", bound="it", currency="CNY")] == 2
    assert 'max_charge="… CNY"' in str(first)
    assert len({message("rows.only_unknown", table="a", keys=["b"]) for _ in range(2)}) == 1


def test_a_text_that_cannot_be_made_still_says_what_is_known() -> None:
    assert str(message("rows.reason", line=3)) == "rows.reason (line=3)"
