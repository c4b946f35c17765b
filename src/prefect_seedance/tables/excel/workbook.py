"""The file of a workbook: a zip archive of XML, read in pieces and within bounds.

It accepts what any program writes that speaks Office Open XML, in its transitional and its strict form: any prefix of
a namespace, absolute and relative names of parts, any case.
"""

from __future__ import annotations

import io
import posixpath
import re
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import unquote
from xml.parsers import expat

from prefect_seedance.errors import TableError
from prefect_seedance.messages import Message, message
from prefect_seedance.tables.errors import table_error
from prefect_seedance.tables.excel.number_formats import NumberFormat, number_format

__all__ = ["SheetPart", "Workbook", "unescaped"]

MAX_UNPACKED = 1024**3
"""Bytes of all parts that are read, unpacked."""
_MAX_HELD = 512 * 1024**2
"""Bytes of memory that cells and texts may take, counted roughly."""
_MAX_PARTS = 10_000
_MAX_TAG = 16 * 1024**2
"""Bytes of one tag or comment. The parser holds it as a whole."""
_MAX_DEPTH = 64
_CHUNK = 1024**2
_PART_MARK = b"PK\x01\x02"
_METHODS = frozenset({zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED})
_OTHER_FILES: tuple[tuple[str, Message], ...] = (
    ("xl/workbook.bin", message("table.binary_workbook")),
    ("content.xml", message("table.open_document")),
    ("index/document.iwa", message("table.numbers_document")),
)
_ESCAPE = re.compile("_x([0-9A-Fa-f]{4})_")

OnStart = Callable[[str, dict[str, str]], None]
OnEnd = Callable[[str], None]
OnText = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class SheetPart:
    """A sheet of cells: its name, its part, and whether it is hidden."""

    name: str
    part: str
    hidden: bool


def unescaped(text: str) -> str:
    """Text as a person sees it: `_x000D_` stands for a character that XML does not carry."""
    if "_x" not in text:
        return text
    found = _ESCAPE.sub(lambda escape: chr(int(escape[1], 16)), text)
    # Two escapes may make one character.
    return found.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


class Workbook:
    """A workbook that was opened: its sheets, its texts, and its number formats.

    Attributes:
        name: The name of the file, for messages.
        sheets: The sheets of cells, in order. Charts and dialogs are none.
        from_1904: Whether dates count from 1904.
        recalculated: Whether a program is to compute all formulas when it opens the file, since their stored values
            are none.

    Raises:
        TableError: It is no workbook, or is larger than a table may be.
    """

    def __init__(self, data: bytes, name: str) -> None:
        self.name = name
        self._unpacked = self._held = 0
        if data.count(_PART_MARK) > _MAX_PARTS:
            raise self._unsafe()
        self._zip = zipfile.ZipFile(io.BytesIO(data))
        self._parts = {part.replace("\\", "/").strip("/").lower(): part for part in self._zip.namelist()}
        self.sheets: list[SheetPart] = []
        self.from_1904 = self.recalculated = False
        main = next(iter(self._related("", "/officedocument")), "xl/workbook.xml")
        if main not in self._parts or main.endswith(".bin"):
            reason = next(
                (reason for part, reason in _OTHER_FILES if part in self._parts), message("table.no_workbook")
            )
            raise table_error(name, [reason])
        self._read_main(main)
        self.texts = [text for part in self._related(main, "/sharedstrings") for text in self._texts(part)]
        self.formats = [style for part in self._related(main, "/styles") for style in self._formats(part)]

    def parse(self, part: str, start: OnStart, end: OnEnd | None = None, text: OnText | None = None) -> None:
        """Read a part piece by piece. Names of elements and attributes come without the prefix of their namespace.

        Args:
            part: Its name, as in `SheetPart` and `related`.
            start: Called with each element's name and attributes.
            end: Called with its name at its end.
            text: Called with pieces of text.
        """
        info = self._zip.getinfo(self._parts[part])
        if info.compress_type not in _METHODS:
            raise self._unsafe()
        parser = self._parser(start, end, text)
        fed = 0
        with self._zip.open(info) as file:
            while chunk := file.read(_CHUNK):
                fed += len(chunk)
                self._unpacked += len(chunk)
                if self._unpacked > MAX_UNPACKED:
                    raise self.too_large()
                parser.Parse(chunk, False)  # noqa: FBT003 - takes no keyword
                if fed - parser.CurrentByteIndex > _MAX_TAG:
                    raise self._unsafe()
        parser.Parse(b"", True)  # noqa: FBT003

    def related(self, part: str, kind: str) -> dict[str, str]:
        """The parts of a kind that a part refers to, by the id of the reference. The kind is the end of its type."""
        place, file = posixpath.split(part)
        references = posixpath.join(place, "_rels", f"{file}.rels")
        found: dict[str, str] = {}

        def start(name: str, attributes: dict[str, str]) -> None:
            inside = name == "Relationship" and attributes.get("TargetMode", "").lower() != "external"
            if inside and attributes.get("Type", "").lower().endswith(kind):
                target = unquote(attributes.get("Target", "")).replace("\\", "/")
                whole = posixpath.normpath(posixpath.join("/", place, target)).strip("/").lower()
                if whole in self._parts:
                    found[attributes.get("Id", "")] = whole

        if references in self._parts:
            self.parse(references, start)
        return found

    def hold(self, size: int) -> None:
        """Count memory that the caller keeps.

        Raises:
            TableError: It is more than a table may take.
        """
        self._held += size
        if self._held > _MAX_HELD:
            raise self.too_large()

    def _parser(self, start: OnStart, end: OnEnd | None, text: OnText | None) -> expat.XMLParserType:
        depth = 0

        def opened(name: str, attributes: dict[str, str]) -> None:
            nonlocal depth
            depth += 1
            if depth > _MAX_DEPTH:
                raise self._unsafe()
            start(name if ":" not in name else name.rpartition(":")[2], attributes)

        def closed(name: str) -> None:
            nonlocal depth
            depth -= 1
            if end is not None:
                end(name if ":" not in name else name.rpartition(":")[2])

        def refuse(*_: object) -> None:
            # Entities are declared in a document type. No spreadsheet program writes one.
            raise self._unsafe()

        parser = expat.ParserCreate()
        parser.buffer_text = True
        parser.StartDoctypeDeclHandler = refuse
        parser.StartElementHandler = opened
        parser.EndElementHandler = closed
        parser.CharacterDataHandler = text
        return parser

    def _related(self, part: str, kind: str) -> list[str]:
        return list(self.related(part, kind).values())

    def _read_main(self, main: str) -> None:
        parts = self.related(main, "/worksheet")

        def start(name: str, attributes: dict[str, str]) -> None:
            if name == "sheet":
                key = next((value for label, value in attributes.items() if label.rpartition(":")[2] == "id"), "")
                if key in parts:
                    hidden = attributes.get("state", "visible") != "visible"
                    self.sheets.append(SheetPart(attributes.get("name", ""), parts[key], hidden))
            elif name == "workbookPr":
                self.from_1904 = attributes.get("date1904") in {"1", "true"}
            elif name == "calcPr":
                self.recalculated = attributes.get("fullCalcOnLoad") in {"1", "true"}

        self.parse(main, start)

    def _texts(self, part: str) -> list[str]:
        texts: list[str] = []
        pieces: list[str] = []
        reading = phonetic = False

        def start(name: str, _: dict[str, str]) -> None:
            nonlocal reading, phonetic
            if name == "si":
                pieces.clear()
            phonetic = phonetic or name == "rPh"
            reading = name == "t" and not phonetic

        def end(name: str) -> None:
            nonlocal reading, phonetic
            reading = False
            if name == "si":
                self.hold(64)
                texts.append(unescaped("".join(pieces)))
            elif name == "rPh":
                phonetic = False

        def text(piece: str) -> None:
            if reading:
                self.hold(len(piece))
                pieces.append(piece)

        self.parse(part, start, end, text)
        return texts

    def _formats(self, part: str) -> list[NumberFormat]:
        codes: dict[int, str] = {}
        used: list[int] = []
        inside = False

        def start(name: str, attributes: dict[str, str]) -> None:
            nonlocal inside
            if name == "numFmt" and not used:
                codes[int(attributes.get("numFmtId", "0"))] = attributes.get("formatCode", "")
            elif name == "cellXfs":
                inside = True
            elif name == "xf" and inside:
                used.append(int(attributes.get("numFmtId", "0")))

        def end(name: str) -> None:
            nonlocal inside
            if name == "cellXfs":
                inside = False

        self.parse(part, start, end)
        known = {number: number_format(number, codes.get(number)) for number in set(used)}
        return [known[number] for number in used]

    def too_large(self) -> TableError:
        """The error for a workbook that is larger than a table may be."""
        return table_error(self.name, [message("table.unpacked_too_large", limit=MAX_UNPACKED // 1024**2)])

    def _unsafe(self) -> TableError:
        return table_error(self.name, [message("table.odd_workbook")])
