"""The identity of a row: its key, and the fingerprint of its resolved request.

The key identifies the row within the batch; it does not change with defaults, prices or the chosen route. The
fingerprint covers the request after all of these were applied. Both are versioned: their inputs may only change
together with the version, else a batch would be paid for again.

Both take text in Unicode's composed form (NFC): "é" is one character on one system and two on another. Version 0.1
took it as it was written; such keys and fingerprints are the former ones, and stay valid.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Literal
from urllib.parse import unquote, unquote_to_bytes

from prefect_seedance.routes.request import Media, VideoRequest

_KEY_VERSION = 1
_FINGERPRINT_VERSION = 1
_USERINFO = re.compile(r"^(https?://)[^/?#]*@", re.IGNORECASE)
_LONGEST_ADDRESS = 4096
_ENCODER = json.JSONEncoder(ensure_ascii=True, sort_keys=True, separators=(",", ":"), allow_nan=False)
_MEDIA = frozenset(Media.model_fields)


def base_key(cells: Mapping[str, Any]) -> str:
    """The key of a row without an id: `r-` and twelve hex digits over its own cells.

    Args:
        cells: The known columns that the row sets itself, as the parsers read them: without defaults, and without the
            user's own columns. Spelling makes no difference (`5`, `5.0` and "5", yes and TRUE), nor does the query
            of a URL, since signatures change from day to day.
    """
    return _key(_composed(cells))


def former_key(cells: Mapping[str, Any]) -> str | None:
    """The key over text as it is written, by which a ledger may know the row; None where it is the same."""
    return None if _composed(cells) == cells else _key(cells)


def _key(cells: Mapping[str, Any]) -> str:
    own = {field: _canonical(field, value) for field, value in cells.items() if value is not None}
    return f"r-{_hash({'version': _KEY_VERSION, 'cells': own})[:12]}"


def numbered(keys: Iterable[str]) -> list[str]:
    """The keys in order; the second of several equal keys gets `-2`, the third `-3`."""
    seen: Counter[str] = Counter()
    unique = []
    for key in keys:
        seen[key] += 1
        unique.append(key if seen[key] == 1 else f"{key}-{seen[key]}")
    return unique


def redacted(resolved: VideoRequest) -> dict[str, Any]:
    """The request as plain JSON that may be stored and shown: only fields that are set, no secrets.

    URLs lose user name, password and everything from the `?` on; data URIs are replaced by the hash of their content.
    """
    return {
        field: _canonical(field, value) for field, value in vars(resolved).items() if value is not None and value != ()
    }


def fingerprint(provider: str, model: str, resolved: VideoRequest) -> str:
    """The fingerprint of what would be paid for: `1:` and the sha256 of provider, model and resolved request.

    A new signature of the same URL does not change it; another `?id=` does.
    """
    return _fingerprint(provider, model, _composed(vars(resolved)))


def former_fingerprints(provider: str, model: str, resolved: VideoRequest) -> frozenset[str]:
    """The fingerprints over text as it is written, and in its decomposed form; empty for most requests."""
    fields = vars(resolved)
    composed, decomposed = _composed(fields), _composed(fields, "NFD")
    if composed == fields == decomposed:
        return frozenset()
    return frozenset(_fingerprint(provider, model, each) for each in (fields, decomposed) if each != composed)


def _fingerprint(provider: str, model: str, fields: Mapping[str, Any]) -> str:
    request = {
        field: _canonical(field, value, signless_address)
        for field, value in fields.items()
        if value is not None and value != ()
    }
    asked = {"provider": provider, "model": model, "request": request}
    return f"{_FINGERPRINT_VERSION}:{_hash(asked)}"


def _composed(fields: Mapping[str, Any], form: Literal["NFC", "NFD"] = "NFC") -> dict[str, Any]:
    """The fields with their text in one of Unicode's normal forms."""

    def of(value: Any) -> Any:
        if isinstance(value, str):
            return value if unicodedata.is_normalized(form, value) else unicodedata.normalize(form, value)
        return type(value)(map(of, value)) if isinstance(value, tuple | list) else value

    return {field: of(value) for field, value in fields.items()}


_SIGNERS = ("x-amz-", "x-goog-", "x-oss-", "x-obs-", "x-cos-", "x-tos-", "x-ms-", "q-")
"""Prefixes of the object stores' signature parameters (`q-` is Tencent's)."""

_SIGNING = frozenset(
    {
        *("sig", "sign", "signature", "token", "auth", "authorization", "hmac", "jwt", "nonce"),
        *("expires", "expire", "expiry", "expiration", "credential", "credentials", "policy", "apikey"),
        *("accesskey", "accesskeyid", "awsaccesskeyid", "ossaccesskeyid", "googleaccessid"),
        *("hdnts", "hdnea", "wssecret", "wstime", "txsecret", "txtime"),
    }
)
"""Words in the name of a parameter that gives access, or limits it in time."""

_AZURE = frozenset(
    {
        *("sv", "se", "sp", "sr", "st", "ss", "sip", "spr", "srt", "sdd", "ses"),
        *("skoid", "sktid", "skt", "ske", "sks", "skv", "saoid", "suoid", "scid"),
    }
)
_WITH_OTHERS = {
    "sig": _AZURE,
    "token": frozenset({"e"}),
    "signature": frozenset({"key-pair-id"}),
    "hm": frozenset({"ex", "is", "hm"}),
}
"""Short names that belong to a signature only together with another one: Azure, Qiniu, CloudFront, Discord."""


def signless_address(text: str) -> str:
    """An address without its signature parameters; the rest of its query stays, sorted.

    It may hold secrets that are not recognised here: hash it, never show or store it.
    """
    bare, query = cut_address(text), text.partition("#")[0].partition("?")[2]
    if "://" not in text or not query:
        return bare
    parts = [part for part in query.split("&") if part]
    signing = signing_parameters(map(parameter, parts))
    kept = sorted(part for part in parts if parameter(part) not in signing)
    return f"{bare}?{'&'.join(kept)}" if kept else bare


def signing_parameters(names: Iterable[str]) -> set[str]:
    """Those of the parameters of a query, by their names in lower case, that give access or limit it in time."""
    names = set(names)
    signing = {name for name in names if _signs(name)}
    for mark, others in _WITH_OTHERS.items():
        if mark in names and (mark in signing or others <= names):
            signing |= others
    return signing


def parameter(part: str) -> str:
    """The name of a parameter of a query (`name=value`), in lower case."""
    return unquote(part.partition("=")[0]).lower()


def _signs(name: str) -> bool:
    words = re.split(r"[^a-z0-9]+", name)
    return name.startswith(_SIGNERS) or not _SIGNING.isdisjoint((*words, "".join(words)))


def _canonical(field: str, value: Any, shorten: Callable[[str], str] | None = None) -> Any:
    if field not in _MEDIA:
        return value
    shorten = shorten or cut_address
    return _address(value, shorten) if isinstance(value, str) else [_address(part, shorten) for part in value]


def _address(text: str, shorten: Callable[[str], str]) -> str:
    if text[:5].lower() == "data:":
        return f"sha256:{hashlib.sha256(_content(text)).hexdigest()}"
    if len(text) > _LONGEST_ADDRESS and "://" not in text[:_LONGEST_ADDRESS]:
        return f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"  # Base64 without its `data:`
    return shorten(text)


def cut_address(text: str) -> str:
    """An address without user name, password and everything from the `?` on, which may change or give access."""
    if "://" not in text:
        return text
    return _USERINFO.sub(r"\1", text.partition("?")[0])


def _content(uri: str) -> bytes:
    head, _, body = uri.partition(",")
    if head.lower().endswith(";base64"):
        try:
            return base64.b64decode(body)
        except (binascii.Error, ValueError):
            return uri.encode()
    return unquote_to_bytes(body)


def _hash(value: Any) -> str:
    return hashlib.sha256(_ENCODER.encode(value).encode("ascii")).hexdigest()
