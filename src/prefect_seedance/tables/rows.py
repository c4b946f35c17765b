"""The rows of a table: turns cells into requests, and gives each row its key."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Any

from prefect_seedance.errors import CellError
from prefect_seedance.messages import Message, message
from prefect_seedance.routes.forms import Review
from prefect_seedance.routes.request import Media, VideoRequest
from prefect_seedance.tables.cells import PARSERS, filled, former_reading
from prefect_seedance.tables.errors import CellProblem, cells_error, shown
from prefect_seedance.tables.formats import Sheet
from prefect_seedance.tables.invisible import has_invisible
from prefect_seedance.tables.row_keys import base_key, former_key, numbered

_NULL_WORDS = frozenset({"nan", "none", "null", "<na>", "n/a"})
_LISTED = 10
_NOT_IN_KEY = frozenset({"media_review", "route"})
_TEXTS = frozenset({"prompt", *Media.model_fields})
"""Fields whose cells earlier versions read with invisible text around them."""


@dataclass(frozen=True, slots=True)
class TableRow:
    """One usable row.

    Attributes:
        position: The row's position in the table, from 0: `table.frame.iloc[position]`.
        key: The row key.
        request: The row's own request, without any defaults.
        model: The model that the row names, else None.
        provider: The provider that the row names, else None.
        line: The row's number as the user sees it, from 1 (see `CellProblem`).
        review: The review for its media that the row names, else None.
        routes: The routes that the row names, in order of preference, or `cheapest`; see `routes.route_expression`.
        former_key: The key of its text as it is written, as version 0.1 made it; None where it is the same.
        former: The row as an earlier version read it, where that was something else: it did not read some headings,
            and kept invisible text. A video that was made of that is the row's video.
    """

    position: int
    key: str
    request: VideoRequest
    model: str | None = None
    provider: str | None = None
    line: int = 0
    review: Review | None = None
    routes: tuple[str, ...] = ()
    former_key: str | None = None
    former: TableRow | None = None

    @property
    def former_keys(self) -> tuple[str, ...]:
        """The keys that earlier versions gave it, by which a ledger may know it."""
        before = () if self.former is None else (self.former.key, self.former.former_key)
        return tuple(dict.fromkeys(key for key in (self.former_key, *before) if key is not None and key != self.key))


class RowReader:
    """Parses the cells of one table into rows.

    Raises:
        TableError: Several rows have the same id.
    """

    def __init__(
        self, sheet: Sheet, cells: dict[str, list[Any]], titles: dict[str, str], read_as: AbstractSet[str] = frozenset()
    ) -> None:
        """Parse all cells.

        Args:
            sheet: The table.
            cells: The cells of each field.
            titles: The user's heading of each field.
            read_as: The fields whose columns earlier versions did not read.
        """
        self._sheet = sheet
        self._titles = titles
        self._raw = cells
        self._size = len(sheet.frame)
        self._problems_at: dict[int, list[tuple[str, Message]]] = defaultdict(list)
        self._parsed = {name: self._column(name, raw) for name, raw in cells.items()}
        self._former: list[str] = []
        self._keys = self._own_keys() if "id" in cells else self._hashed_keys()
        self._before = self._read_before(read_as)

    def rows(self) -> tuple[list[TableRow], dict[int, list[CellProblem]]]:
        """The usable rows, and the problems of the others by position."""
        fields = [name for name in self._parsed if name in VideoRequest.model_fields]
        columns = [self._parsed[name] for name in fields]
        models = self._parsed.get("model") or [None] * self._size
        providers = self._parsed.get("provider") or [None] * self._size
        reviews = self._parsed.get("media_review") or [None] * self._size
        expressions = self._parsed.get("route") or [None] * self._size
        found: list[TableRow] = []
        for position in range(self._size):
            settings = {
                name: column[position]
                for name, column in zip(fields, columns, strict=True)
                if column[position] is not None
            }
            if not settings and position not in self._problems_at:
                self._problems_at[position].append(("prompt", message("cell.row_empty")))
            if position in self._problems_at:
                continue
            request = VideoRequest(**settings)
            line = self._sheet.lines[position]
            key = self._keys[position]
            found.append(
                TableRow(
                    position,
                    key,
                    request,
                    models[position],
                    providers[position],
                    line,
                    reviews[position],
                    expressions[position] or (),
                    self._former[position] if self._former and self._former[position] != key else None,
                    self._before.get(position),
                )
            )
        return found, {position: self._problems(position) for position in sorted(self._problems_at)}

    def warnings(self) -> list[Message]:
        """What the user should check before paying."""
        prompts = self._parsed.get("prompt", [])
        nulls = [position for position, text in enumerate(prompts) if text and text.lower() in _NULL_WORDS]
        warnings = []
        if nulls:
            warnings.append(message("table.null_words", lines=self._lines(nulls)))
        if zeros := self._zeros():
            warnings.append(message("table.alike_ids", lines=self._lines(zeros)))
        if "id" not in self._parsed and (alike := self._alike()):
            warnings.append(message("table.alike_rows", lines=self._lines(alike)))
        return warnings

    def _zeros(self) -> list[int]:
        """The rows whose id differs from another one's only in the zeros before it."""
        numbers = [str(key).lstrip("0") if str(key).isdecimal() else None for key in self._parsed.get("id", [])]
        seen: dict[str, int] = {}
        return [at for at, number in enumerate(numbers) if number is not None and seen.setdefault(number, at) != at]

    def _column(self, name: str, raw: list[Any]) -> list[Any]:
        parse = PARSERS[name]
        values: list[Any] = []
        # Values repeat: a large table has few distinct ratios, resolutions and reference images.
        known: dict[str, Any] = {}
        for position, cell in enumerate(raw):
            short = type(cell) is str and len(cell) < 200
            if short and cell in known:
                values.append(known[cell])
                continue
            try:
                value = parse(cell)
            except CellError as error:
                self._problems_at[position].append((name, error.args[0]))
                value = None
            else:
                if short:
                    known[cell] = value
            values.append(value)
        return values

    def _own_keys(self) -> list[str]:
        seen: dict[str, int] = {}
        twice: dict[int, list[CellProblem]] = {}
        keys = []
        for position, key in enumerate(self._parsed["id"]):
            if key is None:
                if not filled(self._raw["id"][position]):
                    self._problems_at[position].append(("id", message("cell.no_id")))
            elif key in seen:
                problem = message("cell.same_id", line=self._sheet.lines[seen[key]])
                twice[position] = [self._problem(position, key, "id", problem)]
            else:
                seen[key] = position
            keys.append(key or f"row {self._sheet.lines[position]}")
        self._keys = keys
        if twice:
            wrong = sorted({*twice, *self._problems_at})
            found = [problem for position in wrong for problem in (*twice.get(position, ()), *self._problems(position))]
            raise cells_error(self._sheet.name, found)
        return keys

    def _hashed_keys(self) -> list[str]:
        # Review and route are not part of the key: a table that gets a second route during a batch must not be paid for
        # again.
        names = [name for name in self._parsed if name not in _NOT_IN_KEY]
        rows: Iterable[Sequence[Any]] = zip(*(self._parsed[name] for name in names), strict=True)
        cells = [dict(zip(names, row, strict=True)) for row in rows]
        for position, problems in self._problems_at.items():
            # An unreadable cell still distinguishes its row from the others.
            facts = {name: repr(shown(self._raw[name][position])) for name, _ in problems}
            cells[position] = {**{n: c[position] for n, c in self._parsed.items() if n not in facts}, **facts}
        keys = [base_key(row) for row in cells]
        former = [former_key(row) or key for row, key in zip(cells, keys, strict=True)]
        if former != keys:
            self._former = numbered(former)
        return numbered(keys)

    def _read_before(self, read_as: AbstractSet[str]) -> dict[int, TableRow]:
        """The rows that an earlier version read in another way, as it read them, by position."""
        if "prompt" in read_as:
            return {}  # without a prompt column, it refused the table
        before = {name: values for name, values in self._parsed.items() if name not in read_as}
        other = set(range(self._size)) if len(before) < len(self._parsed) else set()
        for name in _TEXTS & before.keys():
            raw = self._raw[name]
            unusual = [at for at, cell in enumerate(raw) if isinstance(cell, str) and has_invisible(cell)]
            values = list(before[name])
            for at in unusual:
                if at not in self._problems_at and (value := former_reading(name, raw[at])) != values[at]:
                    values[at] = value
                    other.add(at)
            before[name] = values
        if not other:
            return {}
        hashed = [name for name in before if name not in _NOT_IN_KEY]
        cells = [{name: before[name][at] for name in hashed} for at in range(self._size)]
        if "id" in before:
            keys, written = self._keys, self._keys
        else:
            keys = numbered(map(base_key, cells))
            written = numbered(former_key(row) or base_key(row) for row in cells)

        def row(at: int) -> TableRow:
            def cell(name: str) -> Any:
                return before[name][at] if name in before else None

            settings = {name: before[name][at] for name in before if name in VideoRequest.model_fields}
            return TableRow(
                at,
                keys[at],
                VideoRequest(**{name: value for name, value in settings.items() if value is not None}),
                cell("model"),
                cell("provider"),
                self._sheet.lines[at],
                cell("media_review"),
                cell("route") or (),
                None if written[at] == keys[at] else written[at],
            )

        return {at: row(at) for at in other if at not in self._problems_at}

    def _alike(self) -> list[int]:
        first: dict[str, list[Any]] = {}
        alike = []
        for position, key in enumerate(self._keys):
            row = [column[position] for column in self._parsed.values()]
            base = "-".join(key.split("-")[:2])
            if row != first.setdefault(base, row):
                alike.append(position)
        return alike

    def _problems(self, position: int) -> list[CellProblem]:
        key = self._keys[position]
        return [self._problem(position, key, name, problem) for name, problem in self._problems_at.get(position, ())]

    def _problem(self, position: int, key: str, name: str, problem: Message) -> CellProblem:
        raw = self._raw[name][position] if name in self._raw else None
        value = shown(raw) if filled(raw) else ""
        return CellProblem(self._sheet.lines[position], key, self._titles.get(name, name), value, problem)

    def _lines(self, positions: Sequence[int]) -> list[int] | Message:
        lines = [self._sheet.lines[position] for position in positions[:_LISTED]]
        more = len(positions) - len(lines)
        return message("table.more_lines", lines=lines, more=more) if more else lines
