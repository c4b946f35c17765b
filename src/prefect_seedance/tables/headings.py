"""Matches the user's headings to the fields that a table may set."""

from __future__ import annotations

import difflib
import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from prefect_seedance.messages import Message, message
from prefect_seedance.routes.request import COLUMNS
from prefect_seedance.tables.cells import PARSERS
from prefect_seedance.tables.errors import shown, table_error
from prefect_seedance.tables.invisible import trimmed

_SHOWN = 20

KNOWN = tuple(PARSERS)
"""The fields that a column can set."""

_OTHER_HEADINGS = {
    "id": (
        "rowid",
        "promptid",
        "no",
        "nr",
        "number",
        "编号",
        "編號",
        "序号",
        "序號",
        "行号",
        "番号",
        "번호",
        "номер",
        "uuid",
    ),
    "model": ("modelname", "modelid", "模型", "模型名称", "模型名", "モデル", "모델", "модель"),
    "provider": ("providername", "供应商", "服务商", "提供商"),
    "route": ("线路", "路线", "路由"),
    **{field: column.headings for field, column in COLUMNS.items()},
}
"""Headings that are read as a field besides its own name."""

_BRACKETED = re.compile(r"[\[({【〔<《][^\])}】〕>》]*[\])}】〕>》]")
_WORDS = re.compile(r"[^\W_]+")
_SUFFIXES: Mapping[str, frozenset[str]] = {
    "prompt": frozenset({"en", "zh", "cn", "ja", "jp", "ko", "de", "fr", "es", "ru", "eng", "english", "chinese"}),
    "duration": frozenset({"s", "sec", "secs", "second", "seconds", "in"}),
    "resolution": frozenset({"p", "px"}),
    **dict.fromkeys(
        ("images", "first_image", "last_image", "reference_videos", "reference_audios"),
        frozenset({"url", "urls", "uri", "link", "links", "path", "paths", "file", "files"}),
    ),
}
"""Words that may follow the name of a field, such as its unit: `length_s`, `image url`, `prompt_en`."""

_HUMP = re.compile(r"(?<=[a-z])(?=[A-Z])")
_OTHER_UNIT = re.compile(
    r"(?<![a-z])(?:ms|msecs?|milli\w*|m|mins?|minutes?|h|hours?|frames?|fps)(?![a-z])|分|毫秒|帧|幀|小时|小時"
)
_SECONDS = re.compile(r"(?<![a-z])s(?:ecs?|econds?)?(?![a-z])|秒")
_LENGTHS = frozenset({"length", "time", "长度", "時間", "时间", "長度"})
_TEXTS = frozenset({"id", "prompt"})
"""Fields beside whose own column other texts and numbers are quite usual: nothing is said of these."""

_OWN, _LISTED, _ASKED = range(3)


@dataclass(frozen=True)
class Headings:
    """The columns of a table's fields.

    Attributes:
        positions: The position of each field's column.
        read_as: The fields whose columns have another name: earlier versions did not read them.
        warnings: How columns were understood, and which are not read.
    """

    positions: dict[str, int]
    read_as: frozenset[str]
    warnings: list[Message]


def match_headings(
    headings: Sequence[object],
    columns: Mapping[str, str] | None,
    name: str,
    cells_of: Callable[[int], Iterable[object]] | None = None,
) -> Headings:
    """Find the column of each known field.

    Case, spaces, hyphens, underscores and a plural `s` are ignored. A column with the field's own name is taken. Where
    there is none, a heading that is listed for the field is, also with something in brackets or with a unit behind it;
    a warning says so. Where several fit, or a heading is doubtful, the error asks. Other columns are the user's own.

    Args:
        headings: The table's headings in order.
        columns: Field to the user's heading, where the names differ. An empty heading says that the table has no such
            field: a column of that name, or of a similar one, is the user's own.
        name: The table's name, for messages.
        cells_of: The first cells of a column, by its position: they show which column may hold the prompts.

    Raises:
        TableError: No prompt column, a heading that looks like a misspelt field or may mean one, two columns for one
            field or with one heading, or wrong `columns`. The error has all problems.
    """
    titles = ["" if heading is None else trimmed(str(heading)) for heading in headings]
    chosen, problems = _chosen(titles, columns or {})
    problems += [
        message("table.same_headings", count=count, heading=shown(title))
        for title, count in Counter(titles).items()
        if count > 1
    ]
    positions = {field: position for field, position in chosen.items() if position is not None}
    spare = [position for position in range(len(titles)) if position not in positions.values()]
    understood = _Understood(titles, spare)
    for field in KNOWN:
        if field not in chosen:
            understood.take(field)
        elif chosen[field] is None:
            understood.leave(field)
    positions |= understood.positions
    problems += understood.problems
    spare = understood.spare
    typos = _typos([titles[position] for position in spare], {*KNOWN} - {*positions} - {*chosen})
    problems += [_misspelt(title, field) for title, field in typos]
    if "prompt" not in positions and not any(field == "prompt" for _, field in typos):
        problems.append(_no_prompt(titles, spare, cells_of))
    if problems:
        raise table_error(name, problems)
    return Headings(positions, frozenset(understood.read_as), understood.said())


class _Understood:
    """The columns that were understood so far, and those that are left."""

    def __init__(self, titles: Sequence[str], spare: list[int]) -> None:
        self._titles = titles
        self._meanings = {position: _meaning(titles[position]) for position in spare}
        self.spare = spare
        self.positions: dict[str, int] = {}
        self.read_as: dict[str, str] = {}
        """By field, the heading of another name that its column has."""
        self.problems: list[Message] = []
        self.warnings: list[Message] = []

    def said(self) -> list[Message]:
        """The warnings, that about other names first."""
        if not self.read_as:
            return self.warnings
        columns = [
            message("table.heading_of", heading=shown(title), field=field) for field, title in self.read_as.items()
        ]
        return [message("table.read_as", columns=columns, field=next(iter(self.read_as))), *self.warnings]

    def leave(self, field: str) -> None:
        """The user says that no column is this field."""
        self.spare = [p for p in self.spare if (self._meanings[p] or ("",))[0] != field]

    def take(self, field: str) -> None:
        """Find the column of a field."""
        kinds = {
            kind: [p for p in self.spare if self._meanings[p] == (field, kind)] for kind in (_OWN, _LISTED, _ASKED)
        }
        kind, found = next(((kind, found) for kind, found in kinds.items() if found), (_OWN, []))
        if not found:
            return
        titles = [self._titles[position] for position in found]
        if len(set(titles)) > 1:
            self.problems.append(message("table.several_columns", columns=_quoted(titles), field=field))
        elif kind == _ASKED:
            self.problems.append(message("table.doubtful_heading", heading=shown(titles[0]), field=field))
        elif kind == _LISTED:
            self.read_as[field] = titles[0]
        self.positions[field] = found[0]
        self.spare = [position for position in self.spare if position not in found]
        if field not in _TEXTS:
            self.warnings += [
                message("table.unread_column", heading=shown(self._titles[p]), other=shown(titles[0]))
                for later in (_LISTED, _ASKED)
                if later > kind
                for p in kinds[later]
            ]


def _chosen(titles: list[str], columns: Mapping[str, str]) -> tuple[dict[str, int | None], list[Message]]:
    chosen: dict[str, int | None] = {}
    problems: list[Message] = []
    for field, heading in columns.items():
        wanted = trimmed(str(heading))
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


def _no_prompt(titles: list[str], spare: list[int], cells_of: Callable[[int], Iterable[object]] | None) -> Message:
    likely = max(spare, key=lambda position: _worded(cells_of(position)), default=None) if cells_of else None
    if likely is None or not titles[likely]:
        likely = next((position for position, title in enumerate(titles) if title), None)
    return message("table.no_prompt", found=_found(titles), heading="…" if likely is None else shown(titles[likely]))


def _worded(cells: Iterable[object]) -> float:
    """How much a column looks like prompts: the length of its texts, times the share of those that differ."""
    texts = [cell.strip() for cell in cells if isinstance(cell, str) and cell.strip() and "://" not in cell]
    return sum(map(len, texts)) / len(texts) * len(set(texts)) / len(texts) if texts else 0


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
        if _meaning(title) is not None:
            continue
        near = difflib.get_close_matches(_squeezed(title), spellings, n=1, cutoff=0.8)
        if near:
            found.append((shown(title), spellings[near[0]]))
    return found


def _meaning(title: str) -> tuple[str, int] | None:
    """The field that a heading names or seems to mean, and how: by the field's own name, by a listed one, in doubt."""
    whole = _squeezed(title)
    if whole in _NAMES:
        return _NAMES[whole], _OWN
    text = unicodedata.normalize("NFKC", _HUMP.sub(" ", title[:200])).casefold()
    words = _WORDS.findall(_BRACKETED.sub(" ", text))
    meaning = _listed(whole) or next(filter(None, (_phrase(words, size) for size in range(len(words), 0, -1))), None)
    if meaning is None and (bare := whole.rstrip("0123456789")) != whole:
        field = _NAMES.get(bare) or (_listed(bare) or (None,))[0]
        meaning = None if field is None else (field, _ASKED)  # one of several columns: `image1`
    if words and words[0] in _LENGTHS and _SECONDS.search(text):
        meaning = "duration", _LISTED  # `length (s)` is a duration, `length` may not be
    if meaning is not None and meaning[0] == "duration" and _OTHER_UNIT.search(text):
        return "duration", _ASKED
    return meaning


def _phrase(words: Sequence[str], size: int) -> tuple[str, int] | None:
    """What the first words mean, where only a unit or its like follows them."""
    spelt = _singular("".join(words[:size]))
    meaning = (_NAMES[spelt], _LISTED) if spelt in _NAMES else _listed(spelt)
    if meaning is None or any(word not in _SUFFIXES.get(meaning[0], ()) for word in words[size:]):
        return None
    return meaning


def _listed(spelt: str) -> tuple[str, int] | None:
    if spelt in _SYNONYMS:
        return _SYNONYMS[spelt], _LISTED
    return (_DOUBTFUL[spelt], _ASKED) if spelt in _DOUBTFUL else None


def field_of(heading: str) -> str | None:
    """The field that a heading names, or seems to mean; None for any other text."""
    meaning = _meaning(heading)
    return None if meaning is None else meaning[0]


def _squeezed(heading: str) -> str:
    text = unicodedata.normalize("NFKC", heading[:200]).casefold()
    return _singular("".join(letter for letter in text if letter.isalnum()))


def _singular(letters: str) -> str:
    # `id` and `ids` differ in meaning; `image` and `images` do not.
    return letters if letters == "ids" else letters.removesuffix("s")


_NAMES = {_squeezed(field): field for field in KNOWN}
_SYNONYMS = {_squeezed(heading): field for field, headings in _OTHER_HEADINGS.items() for heading in headings}
_DOUBTFUL = {_squeezed(heading): field for field, column in COLUMNS.items() for heading in column.doubtful}
