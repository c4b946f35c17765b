"""Folders and files that a person names in a form, as the worker sees them."""

from __future__ import annotations

import glob
import re
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from prefect_seedance.errors import InputError
from prefect_seedance.messages import Message, message
from prefect_seedance.tables.errors import shown

__all__ = ["FoundTable", "find_tables", "is_url", "lasting", "unlisted"]

_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+(?:::[^:]+)?://")
_WILD = re.compile(r"[*?\[]")
_LABEL = 60


@dataclass(frozen=True, slots=True)
class FoundTable:
    """A table that a pattern found.

    Attributes:
        place: Its path or URL.
        label: What tells it from the others: empty where it was named and not found by a pattern.
    """

    place: str
    label: str = ""


def is_url(text: str) -> bool:
    """Whether the text is a URL and no path."""
    return _URL.match(text) is not None


def lasting(text: str, what: Message) -> str:
    """The path or URL that is meant, in a place that outlives the run.

    A process worker without a working directory gives every run a temporary folder, and deletes it with all that lies
    in it: a path that starts there would lose videos that were paid for.

    Raises:
        InputError: The path is relative, and this run works in such a folder.
    """
    if is_url(text):
        return text
    path = Path(text).expanduser()
    if not path.is_absolute() and _fleeting(Path.cwd()):
        raise InputError(message("form.fleeting_path", what=what, path=text))
    return str(path.absolute())


def _fleeting(folder: Path) -> bool:
    # Named as the process worker names it.
    return folder.name.endswith("prefect") and folder.resolve().parent == Path(tempfile.gettempdir()).resolve()


def find_tables(text: str) -> list[FoundTable]:
    """The tables that a path, a URL or a pattern names, in the order of their names.

    Raises:
        InputError: A pattern finds nothing, or two files that cannot be told apart.
    """
    text = text.strip()
    if not _WILD.search(text) or text.startswith(("http://", "https://")):
        return [FoundTable(lasting(text, message("form.the_table")))]
    if is_url(text):
        root, places = text, sorted(_in_store(text))
    else:
        pattern = lasting(text, message("form.the_table"))
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
    # Made from the file's own name alone: it may not change because another file comes along, for then the batch would
    # be another one, and be paid for again.
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
    """A store that cannot be listed, and why."""
    return message("form.unlisted_store", place=shown(place), error=type(error).__name__, reason=shown(error))
