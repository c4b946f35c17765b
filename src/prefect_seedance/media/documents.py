"""Documents where a medium was expected: whether bytes are text, and the words of an error that may be shown."""

from __future__ import annotations

import json
import re

_TEXT = re.compile(rb"[\t\n\f\r\x1b\x20-\x7e\x80-\xff]+")
_PAGE = (b"<!doctype html", b"<html", b"<head", b"<body", b"<script")
_LONGEST_WORDS = 200

_NAMES = "code|message|msg|error|type|detail|reason|status"
_JSON_WORDS = re.compile(rf'"(?:{_NAMES})"\s*:\s*(?:("(?:[^"\\]|\\.)*")|(-?\d+))', re.IGNORECASE)
_TAG_WORDS = re.compile(r"<(?:code|message|title|h1)\b[^>]*>([^<]+)<", re.IGNORECASE)
_QUERY = re.compile(r"\?[^\s\"'<>]*")


def plain(head: bytes) -> bytes:
    """Return the bytes of a text without its byte-order mark, as UTF-8 where the mark says UTF-16."""
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        return head.decode("utf-16", "ignore").encode()
    return head.removeprefix(b"\xef\xbb\xbf")


def text_format(head: bytes) -> str | None:
    """Return what kind of text a file is, by its first bytes; None if it is no text. Media have control characters.

    Args:
        head: The first bytes of the file, some hundreds.
    """
    text = plain(head)
    if not _TEXT.fullmatch(text):
        return None
    start = text.lstrip().lower()
    if start.startswith(_PAGE):
        return "HTML (a web page)"
    if start.startswith(b"<"):
        return "XML or HTML"
    if start.startswith((b"{", b"[")):
        return "JSON"
    return "text" if _reads_as_text(text) else None


def words_of(body: bytes, secret: str | None = None) -> str:
    """Return what a document says, in a form that is safe to show: short, on one line, without the queries of links.

    Of JSON, XML and HTML only the fields and headings that hold words are taken: the rest may repeat signatures.

    Args:
        body: Its first bytes, some thousands.
        secret: A key that the server may have repeated.

    Returns:
        The words; empty if the bytes are no text or have none.
    """
    kind = text_format(body)
    if kind is None:
        return ""
    text = plain(body).decode("utf-8", "replace")
    if secret:
        text = text.replace(secret, "***")
    if kind == "JSON":
        found = [_unquoted(match[1]) if match[1] else match[2] for match in _JSON_WORDS.finditer(text)]
    elif kind == "text":
        found = [text]
    else:
        found = _TAG_WORDS.findall(text)
    words = " · ".join(dict.fromkeys(line for each in found if (line := " ".join(each.split()))))
    words = _QUERY.sub("?…", "".join(letter for letter in words if letter.isprintable()))
    return words if len(words) <= _LONGEST_WORDS else f"{words[: _LONGEST_WORDS - 1]}…"


def _unquoted(text: str) -> str:
    try:
        return str(json.loads(text, strict=False))
    except ValueError:
        return text.strip('"')


def _reads_as_text(text: bytes) -> bool:
    try:
        text.decode()
    except UnicodeDecodeError as error:
        return error.start >= len(text) - 3 and bool(text[: error.start])  # the head may end within a character
    return True
