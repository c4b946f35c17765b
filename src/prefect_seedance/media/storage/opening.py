"""Opens the storage for the output that the user names."""

from __future__ import annotations

import hashlib
import os
import re
import tempfile
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from urllib.request import url2pathname

from prefect_seedance.errors import InputError
from prefect_seedance.media.storage.base import Storage
from prefect_seedance.media.storage.local import LocalStorage
from prefect_seedance.media.storage.object_store import ObjectStorage
from prefect_seedance.messages import message

__all__ = ["open_storage"]

# At least two letters: `C:\videos` is a folder. A path object loses one of the two slashes.
_URL = re.compile(r"(?P<scheme>[A-Za-z][A-Za-z0-9+.-]+):/{1,3}(?P<rest>[^/].*|)", re.DOTALL)
_NO_STORES = frozenset(
    {"http", "https", "data", "ftp", "zip", "tar", "simplecache", "filecache", "blockcache", "cached"}
)
_EXTRAS = {"s3": "s3", "s3a": "s3", "gs": "gcs", "gcs": "gcs"}


def open_storage(where: str | os.PathLike[str], scratch: Path | None = None) -> Storage:
    """Open the output folder: a local one, or below any URL that fsspec can write to.

    Nothing is created or requested yet; `Storage.ensure` does that.

    Args:
        where: A folder, `file://…`, or a URL such as `s3://bucket/prefix`. For a store's credentials and endpoint, see
            `object_store`.
        scratch: A folder on this machine for the unfinished downloads of stores; None: the system's temporary folder.

    Raises:
        InputError: It is not a place for files, contains a secret, or its driver is not installed.
    """
    text = os.fspath(where)
    if not text.strip() or "\0" in text:
        raise InputError(message("output.not_a_place", where=text.replace("\0", "\\0")))
    if "::" in text and "://" in text:
        raise InputError(message("output.chained_url", where=text.partition("::")[0]))
    found = _URL.fullmatch(text)
    if found is None and not text.startswith("file:/"):
        return LocalStorage(Path(text))
    scheme = text.partition(":")[0].lower()
    if scheme in {"file", "local"}:
        parts = urlsplit(text)
        if parts.netloc not in {"", "localhost"} or not parts.path.startswith("/"):
            raise InputError(message("output.file_url", where=text))
        return LocalStorage(Path(url2pathname(parts.path)))
    assert found is not None  # noqa: S101 - for the type checker
    return _store(scheme, found["rest"].rstrip("/"), scratch)


def _store(scheme: str, rest: str, scratch: Path | None) -> ObjectStorage:
    _refuse_secrets(scheme, rest)
    url = f"{scheme}://{rest}"
    mark = hashlib.sha256(url.encode()).hexdigest()[:8]
    files = _files(scheme, url)
    # One folder per output, since different outputs contain batches of the same name.
    return ObjectStorage(url, (scratch or Path(tempfile.gettempdir()) / "seedance") / "parts" / mark, files)


def _refuse_secrets(scheme: str, rest: str) -> None:
    host = rest.split("/", 1)[0]
    shown = f"{scheme}://{host.rpartition('@')[2]}/…"
    if ":" in host.rpartition("@")[0]:
        raise InputError(message("output.with_password", where=shown))
    if not host or "?" in rest or "#" in rest or any(part in {"", ".", ".."} for part in rest.split("/")):
        raise InputError(message("output.bad_url", where=shown))


def _files(scheme: str, url: str) -> Any:
    # Imported here, since only outputs in a store need it.
    from fsspec.registry import available_protocols, get_filesystem_class  # noqa: PLC0415

    known = scheme in available_protocols()
    if scheme in _NO_STORES or not known:
        raise InputError(message("output.unknown_store", where=url, scheme=scheme))
    try:
        driver = get_filesystem_class(scheme)
        # Cached listings would show an outdated state of a batch.
        options = {"use_listings_cache": False, "skip_instance_cache": True}
        return driver(**driver._get_kwargs_from_urls(url), **options)  # noqa: SLF001 - the only way to parse a URL
    except ImportError as error:
        extra = _EXTRAS.get(scheme)
        if extra:
            raise InputError(message("output.no_extra", where=url, scheme=scheme, extra=extra)) from None
        raise InputError(message("output.no_driver", where=url, scheme=scheme, reason=str(error))) from None
    except Exception as error:
        # A driver may look for credentials when it is created, and each has its own errors.
        raise InputError(message("output.not_opened", where=url, reason=str(error))) from error
