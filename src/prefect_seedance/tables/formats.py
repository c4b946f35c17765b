"""The formats of a table: CSV, TSV, JSON, JSON lines, Parquet and Excel, from bytes to a DataFrame.

The suffix of the name selects the format, unless the content shows another one.
"""

from __future__ import annotations

import io
import re
import sys
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

import pandas as pd

from prefect_seedance.errors import TableError
from prefect_seedance.messages import Message, message
from prefect_seedance.tables.errors import shown, table_error
from prefect_seedance.tables.excel.reading import read_excel
from prefect_seedance.tables.grid import Read
from prefect_seedance.tables.objects import arrow_frame
from prefect_seedance.tables.source import TableSource, fetch
from prefect_seedance.tables.text.reading import read_text

_NO_TABLES = (
    (b"\x1f\x8b", message("table.compressed")),
    (b"\xd0\xcf\x11\xe0", message("table.old_workbook")),
    (b"%PDF", message("table.pdf")),
    (b"\x89PNG", message("table.image")),
    (b"\xff\xd8\xff", message("table.image")),
)
_WEB_PAGE = re.compile(rb"(?:\xef\xbb\xbf)?\s*<(?:!doctype|html|\?xml|head|body)", re.IGNORECASE)


@dataclass(frozen=True)
class Sheet:
    """A table as it was read, before its cells are parsed.

    Attributes:
        frame: Its rows and columns; in text formats every cell is text, and an empty one is "".
        lines: The line of each row as the user sees it, from 1.
        name: The file's name.
        folder: The folder of a local file, else None.
        warnings: Warnings about how it was read.
    """

    frame: pd.DataFrame
    lines: Sequence[int]
    name: str
    folder: Path | None = None
    warnings: tuple[Message, ...] = ()


def read_sheet(
    location: str | Path, check_location: Callable[[str], None] | None = None, chosen: Collection[str] = ()
) -> Sheet:
    """Read a table from a file or an address.

    Args:
        location: The path or URL.
        check_location: Called with each path or URL before it is opened; raises for one that must not be.
        chosen: Headings that the user named as those of fields; they are headings wherever they stand.

    Raises:
        TableError: It cannot be read, is empty, or is not a table.
    """
    source = fetch(location, check_location)
    try:
        frame, lines, warnings = _READERS[_format(source)](source, chosen)
    except TableError:
        raise
    except ImportError as error:
        raise table_error(source.name, [message("table.missing_package", extra="parquet")]) from error
    except Exception as error:
        # Third-party readers raise arbitrary exceptions for broken files.
        reason = message("table.unreadable", error=type(error).__name__, reason=shown(error))
        raise table_error(source.name, [reason]) from error
    if (pyarrow := sys.modules.get("pyarrow")) is not None:
        # pyarrow keeps freed memory: after a large file, more than the table itself takes.
        pyarrow.default_memory_pool().release_unused()
    return Sheet(frame, lines, source.name, source.folder, warnings)


def _format(source: TableSource) -> str:
    data = source.data
    for wrong, reason in (
        (not data.strip(), message("table.empty")),
        (_WEB_PAGE.match(data), message("table.web_page")),
        *((data.startswith(mark), reason) for mark, reason in _NO_TABLES),
    ):
        if wrong:
            raise table_error(source.name, [reason])
    if data.startswith(b"PAR1"):
        return "parquet"
    if data.startswith(b"PK\x03\x04"):
        return "xlsx"
    if source.suffix in {".parquet", ".pq", ".xlsx", ".xlsm"}:
        raise table_error(source.name, [message("table.other_format", suffix=source.suffix)])
    return "text"


def _parquet(source: TableSource, _: Collection[str]) -> Read:
    import pyarrow.parquet  # noqa: PLC0415 - an extra, and slow to import

    table = pyarrow.parquet.read_table(io.BytesIO(source.data))
    # Invalid text would otherwise fail only when the results are written, after the videos were paid for.
    table.validate(full=True)
    frame = arrow_frame(table)
    return frame, range(1, len(frame) + 1), ()


_READERS: Mapping[str, Callable[[TableSource, Collection[str]], Read]] = MappingProxyType(
    {"text": read_text, "xlsx": read_excel, "parquet": _parquet}
)
