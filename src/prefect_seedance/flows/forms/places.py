"""Folders and files that a person names in a form, as the worker sees them."""

from __future__ import annotations

import glob
import re
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from prefect_seedance.blocks.references import is_reference
from prefect_seedance.errors import InputError
from prefect_seedance.messages import Message, message
from prefect_seedance.tables.errors import shown

__all__ = ["FoundTable", "durable_path", "find_tables", "is_url", "unlisted"]

_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+(?:::[^:]+)?://")
_WILD = re.compile(r"[*?\[]")
_LABEL = 60


@dataclass(frozen=True, slots=True)
class FoundTable:
    """A table that a pattern found.

    Attributes:
        place: Its path or URL.
        label: What distinguishes it from the other tables; empty where a name was given and no pattern.
    """

    place: str
    label: str = ""


def is_url(text: str) -> bool:
    """Whether the text is a URL, not a path."""
    return _URL.match(text) is not None


def durable_path(text: str, what: Message) -> str:
    """The path, made absolute, or the URL; it must outlive the run.

    A process worker without a working directory gives every run a temporary folder and deletes it with all its files:
    a relative path there would lose videos that were paid for.

    Raises:
        InputError: The path is relative, and this run works in such a folder.
    """
    if is_url(text):
        return text
    path = Path(text).expanduser()
    if not path.is_absolute() and _is_temporary(Path.cwd()):
        raise InputError(message("form.fleeting_path", what=what, path=text))
    return str(path.absolute())


def _is_temporary(folder: Path) -> bool:
    # The process worker names its folders so.
    return folder.name.endswith("prefect") and folder.resolve().parent == Path(tempfile.gettempdir()).resolve()


def find_tables(text: str) -> list[FoundTable]:
    """The tables that a path, a URL, `secret:NAME` or a pattern names, in the order of their names.

    Raises:
        InputError: A pattern finds nothing, or two files with the same label.
    """
    text = text.strip()
    if is_reference(text):
        return [FoundTable(text)]
    if not _WILD.search(text) or text.startswith(("http://", "https://")):
        return [FoundTable(durable_path(text, message("form.the_table")))]
    if is_url(text):
        root, places = text, sorted(_in_store(text))
    else:
        pattern = durable_path(text, message("form.the_table"))
        if Path(pattern).is_file():  # a file whose name has brackets
            return [FoundTable(pattern)]
        root, places = pattern, sorted(place for place in glob.glob(pattern, recursive=True) if Path(place).is_file())  # noqa: PTH207 - a whole pattern
    if not places:
        raise InputError(message("form.no_table", pattern=shown(text)))
    start = len(root[: _WILD.search(root).start()].rpartition("/")[0]) + 1  # type: ignore[union-attr]
    labels = [_label(place[start:]) for place in places]
    if len(set(labels)) < len(labels):
        raise InputError(message("form.alike_tables", pattern=shown(text)))
    return [FoundTable(place, label) for place, label in zip(places, labels, strict=True)]


def _label(name: str) -> str:
    # Made from the file's own name only: if other files changed it, the batch would be a new one, and paid for again.
    plain = re.sub(r"[{}\s/\\]+", "-", name).strip("-")
    return plain if len(plain) <= _LABEL else plain[-_LABEL:]


def _in_store(pattern: str) -> Iterator[str]:
    import fsspec  # noqa: PLC0415 - slow to import, and few tables need it

    try:
        files, paths = fsspec.core.url_to_fs(pattern)
        for path in files.glob(paths):
            yield str(files.unstrip_protocol(path))
    except ImportError as error:
        raise InputError(message("form.no_driver", place=shown(pattern), reason=str(error))) from None
    except Exception as error:  # noqa: BLE001 - each driver has errors of its own
        raise InputError(unlisted(pattern, error)) from None


def unlisted(place: str, error: Exception) -> Message:
    """The message for a store that cannot be listed."""
    return message("form.unlisted_store", place=shown(place), error=type(error).__name__, reason=shown(error))
