"""Matches the user's headings to the fields that a table may set."""

from __future__ import annotations

import difflib
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from prefect_seedance.messages import Message, message
from prefect_seedance.routes.request import COLUMNS
from prefect_seedance.tables.cells import PARSERS
from prefect_seedance.tables.errors import shown, table_error

_SHOWN = 20

KNOWN = tuple(PARSERS)
"""The fields that a column can set."""

_SYNONYMS = {
    **{heading: name for name, column in COLUMNS.items() for heading in column.headings},
    "模型": "model",
    "线路": "route",
}
"""Headings that often mean one of the fields: they are not read, but cause a warning. Spelled as by `_squeezed`."""


def match_headings(
    headings: Sequence[object], columns: Mapping[str, str] | None, name: str
) -> tuple[dict[str, int], list[Message]]:
    """Find the column of each known field.

    Case, spaces, hyphens, underscores and a plural `s` are ignored. Other columns are the user's own.

    Args:
        headings: The table's headings in order.
        columns: Field to the user's heading, where the names differ. An empty heading says that the table has no such
            field: a column of that name, or of a similar one, is the user's own.
        name: The table's name, for messages.

    Returns:
        The position of each field's column, and warnings about columns that seem to mean a field but are not read.

    Raises:
        TableError: No prompt column, a heading that looks like a misspelt field, two columns for one field or with
            one heading, or wrong `columns`. The error has all problems.
    """
    titles = ["" if heading is None else str(heading).strip() for heading in headings]
    chosen, problems = _chosen(titles, columns or {})
    problems += [
        message("table.same_headings", count=count, heading=shown(title))
        for title, count in Counter(titles).items()
        if count > 1
    ]
    positions = {field: position for field, position in chosen.items() if position is not None}
    spare = [position for position in range(len(titles)) if position not in positions.values()]
    for field in KNOWN:
        if field in chosen:
            continue
        same = [position for position in spare if _squeezed(titles[position]) == _squeezed(field)]
        if len({titles[position] for position in same}) > 1:
            problems.append(message("table.several_columns", columns=_quoted(titles[p] for p in same), field=field))
        if same:
            positions[field] = same[0]
            spare = [position for position in spare if position not in same]
    typos = _typos([titles[position] for position in spare], {*KNOWN} - {*positions} - {*chosen})
    problems += [_misspelt(title, field) for title, field in typos]
    if "prompt" not in positions and not any(field == "prompt" for _, field in typos):
        problems.append(_no_prompt(titles))
    if problems:
        raise table_error(name, problems)
    return positions, _unread([titles[position] for position in spare], {*positions} | {*chosen})


def _chosen(titles: list[str], columns: Mapping[str, str]) -> tuple[dict[str, int | None], list[Message]]:
    chosen: dict[str, int | None] = {}
    problems: list[Message] = []
    for field, heading in columns.items():
        wanted = str(heading).strip()
        if field not in PARSERS:
            problems.append(_no_field(field, wanted))
        elif not wanted:
            chosen[field] = None
        elif titles.count(wanted) != 1:
            problems.append(
                message(
                    "table.doubtful_column" if wanted in titles else "table.no_such_column",
                    field=field,
                    heading=shown(heading),
                    found=_found(titles),
                )
            )
            chosen[field] = None
        elif titles.index(wanted) in chosen.values():
            problems.append(message("table.column_used_twice", heading=shown(wanted)))
        else:
            chosen[field] = titles.index(wanted)
    return chosen, problems


def _no_field(field: str, heading: str) -> Message:
    if heading in PARSERS:
        return message("table.columns_reversed", field=heading, heading=shown(field))
    if near := difflib.get_close_matches(field, KNOWN, n=1):
        return message("table.misspelt_field", field=shown(field), near=near[0])
    return message("table.no_field", field=shown(field), fields=KNOWN)


def _no_prompt(titles: list[str]) -> Message:
    meant = next((title for title in titles if _SYNONYMS.get(_squeezed(title)) == "prompt"), None)
    example = meant or next((title for title in titles if title), "…")
    return message("table.no_prompt", found=_found(titles), heading=shown(example))


def _misspelt(title: str, field: str) -> Message:
    # Every table needs prompts; any other field may be missing on purpose.
    if field == "prompt":
        return message("table.misspelt_prompt", heading=title)
    return message("table.misspelt_heading", heading=title, field=field)


def _found(titles: list[str]) -> Message:
    columns = _quoted(titles[:_SHOWN])
    if more := len(titles) - len(columns):
        return message("table.more_columns_found", columns=columns, more=more)
    return message("table.columns_found", columns=columns)


def _quoted(titles: Iterable[str]) -> list[str]:
    return [repr(shown(title)) for title in titles]


def _typos(titles: list[str], missing: set[str]) -> list[tuple[str, str]]:
    # Only a field that the table lacks can be misspelt: in a table with a `model` column, `mode` is the user's own.
    # `id` is too short to distinguish a misspelling from another word.
    spellings = {_squeezed(field): field for field in KNOWN if field in missing and field != "id"}
    found = []
    for title in titles:
        if _squeezed(title) in _SYNONYMS:
            continue
        near = difflib.get_close_matches(_squeezed(title), spellings, n=1, cutoff=0.8)
        if near:
            found.append((shown(title), spellings[near[0]]))
    return found


def _unread(titles: list[str], settled: set[str]) -> list[Message]:
    meant = [(title, _SYNONYMS.get(_squeezed(title))) for title in titles]
    return [
        message("table.unread_column", heading=shown(title), field=field)
        for title, field in meant
        if field and field not in settled
    ]


def _squeezed(heading: str) -> str:
    text = unicodedata.normalize("NFKC", heading[:200]).casefold()
    letters = "".join(letter for letter in text if letter.isalnum())
    # `id` and `ids` differ in meaning; `image` and `images` do not.
    return letters if letters == "ids" else letters.removesuffix("s")


def field_of(heading: str) -> str | None:
    """The field that a heading names, or seems to mean; None for any other text."""
    return _MEANINGS.get(_squeezed(heading))


_MEANINGS = {**_SYNONYMS, **{_squeezed(field): field for field in KNOWN}}
