"""Which local files may be read: those below the table's folder or a folder that the deployment names.

A user of a form in the Prefect UI chooses addresses, but must not read arbitrary files of a worker.
"""

from __future__ import annotations

import os
import re
import stat
import unicodedata
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO
from urllib.parse import unquote, urlsplit

from prefect_seedance.errors import InputError
from prefect_seedance.messages import message
from prefect_seedance.routes.address import shown

ROOT_VARIABLE = "PREFECT_SEEDANCE_MEDIA_ROOT"
_HOME = re.compile(r"~[^/\\]*([/\\]|$)")


@dataclass(frozen=True)
class MediaAccess:
    """Where media may be read from.

    Attributes:
        folder: The folder of the table: relative paths start here, and files below it may be read. None if the rows do
            not come from a file on this machine.
        roots: Further folders that may be read (`media_root`); relative paths start in them if there is no `folder`.
        hosts: Names of hosts that may be requested at private addresses.
        loopback: True where the provider itself is on loopback (the sandbox): media may then be there too.
    """

    folder: Path | None = None
    roots: tuple[Path, ...] = ()
    hosts: frozenset[str] = frozenset()
    loopback: bool = False

    def find(self, address: str) -> Path:
        """Find the file of a local address (a path, or a `file://` URL).

        Symbolic links are resolved before the check. Nothing is revealed about files outside the allowed folders, not
        even whether they exist. Blocks, but not for long.

        Returns:
            The path of a regular file that can be opened, with all links resolved.

        Raises:
            InputError: If it is outside the allowed folders, missing, not a file, or not readable.
        """
        path = _path_of(address)
        bases = [base for base in (self.folder, *self.roots) if base is not None]
        if not bases:
            text = message("media.no_root", address=shown(address), variable=ROOT_VARIABLE)
            raise InputError(text, code="no_media_root")
        starts = [self.folder] if self.folder is not None else bases
        inside = [real for start in starts if (real := _inside(Path(start, path), bases)) is not None]
        if not inside:
            raise InputError(
                message("media.outside_root", address=shown(address), folders=_listed(bases), variable=ROOT_VARIABLE),
                code="outside_media_root",
            )
        for real in inside:
            for spelled in _spellings(real):
                if os.path.lexists(spelled) and _inside(spelled, bases) is not None:
                    with open_file(spelled, address):
                        return spelled
        text = message("media.no_such_file", address=shown(address), folders=_listed(starts))
        raise InputError(text, code="no_such_file")


def open_file(path: Path, address: str) -> BinaryIO:
    """Open a regular file for reading, and nothing else.

    Args:
        path: The result of `MediaAccess.find`.
        address: The address that the user wrote, for messages.

    Raises:
        InputError: If it is not a regular file, or not readable.
    """
    # Opening a pipe would wait for its writer. A link that is created between `find` and this call is not followed.
    flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
    try:
        mode = path.lstat().st_mode
        if stat.S_ISDIR(mode):
            raise InputError(message("media.is_folder", address=shown(address)), code="no_file")
        if stat.S_ISREG(mode):
            handle = os.open(path, flags)
            if stat.S_ISREG(os.fstat(handle).st_mode):
                return os.fdopen(handle, "rb")
            os.close(handle)
    except OSError as error:
        text = message("media.unreadable", address=shown(address), reason=error.strerror or str(error))
        raise InputError(text, code="unreadable_file") from error
    raise InputError(message("media.not_regular", address=shown(address)), code="no_file")


def _path_of(address: str) -> str:
    if not address.strip() or any(unicodedata.category(char) == "Cc" for char in address):
        raise InputError(message("media.no_path", address=shown(address)), code="no_path")
    if _HOME.match(address):
        raise InputError(message("media.home_folder", address=shown(address)), code="no_path")
    if address[:5].lower() != "file:":
        return address
    return _path_of_url(address)


def _path_of_url(address: str) -> str:
    try:
        url = urlsplit(address)
        path, host = unquote(url.path, errors="strict"), url.netloc
    except ValueError:
        path, host = "", ""
    if host not in ("", "localhost") or not path.startswith("/") or any(ord(char) < 32 for char in path):
        raise InputError(message("media.file_url", address=shown(address)), code="no_path")
    return path[1:] if os.name == "nt" and re.match(r"/[A-Za-z]:", path) else path


def _inside(path: Path, bases: list[Path]) -> Path | None:
    # Normalise the dots without the disk first: otherwise `../x/../here.png` would reveal whether x exists.
    real = Path(os.path.realpath(os.path.normpath(path)))
    return real if any(real.is_relative_to(os.path.realpath(base)) for base in bases) else None


def _spellings(path: Path) -> list[Path]:
    # macOS stores accents separately from their letters (NFD), spreadsheets do not (NFC).
    forms = (str(path), *(unicodedata.normalize(form, str(path)) for form in ("NFC", "NFD")))
    return [Path(form) for form in dict.fromkeys(forms)]


def _listed(folders: list[Path]) -> list[str]:
    return [str(folder) for folder in dict.fromkeys(folders)]
