"""Digests that a server sends with a file: the only full proof of compressed video and audio data."""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from collections.abc import Mapping
from pathlib import Path

_REPR_DIGEST = re.compile(r"(?:^|,)\s*(sha-256|sha-512)\s*=\s*:([A-Za-z0-9+/=]+):", re.IGNORECASE)
_GOOGLE_MD5 = re.compile(r"(?:^|,)\s*md5=([A-Za-z0-9+/=]+)")
_LENGTHS = {"sha512": 64, "sha256": 32, "md5": 16}


def announced_digests(headers: Mapping[str, str]) -> dict[str, str]:
    """Read the digests of a whole file from the answer (status 200) that carries it.

    It reads `Repr-Digest` (RFC 9530), `Content-MD5` (RFC 2616, 14.15; sent by several object stores) and
    `x-goog-hash`. An `ETag` is not used: it may look like an MD5 without being one.

    Args:
        headers: The answer's headers, with lower-case or case-insensitive names.

    Returns:
        Hash name, as in `hashlib`, to hexadecimal digest. Malformed digests are left out.
    """
    announced = [
        (name.lower().replace("-", ""), text) for name, text in _REPR_DIGEST.findall(headers.get("repr-digest", ""))
    ]
    announced += [("md5", text) for text in _GOOGLE_MD5.findall(headers.get("x-goog-hash", ""))]
    announced.append(("md5", headers.get("content-md5", "")))
    found: dict[str, str] = {}
    for name, text in announced:
        try:
            raw = base64.b64decode(text, validate=True)
        except (binascii.Error, ValueError):
            continue
        if len(raw) == _LENGTHS[name]:
            found.setdefault(name, raw.hex())
    return found


def strongest(digests: Mapping[str, str]) -> str | None:
    """Return the name of the hash to check, or None if there is none."""
    return next((name for name in _LENGTHS if name in digests), None)


def file_digest(path: Path, name: str) -> str:
    """Return the hexadecimal digest of a file. Blocks."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, name).hexdigest()
