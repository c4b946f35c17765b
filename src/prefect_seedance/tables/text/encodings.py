"""Decodes the bytes of a text file. What two encodings may have written is refused, and never guessed.

Unicode is read. Of all others only Chinese (GB18030) is, with a warning, and where no other reading makes sense: the
bytes of Korean and Japanese text are Chinese characters too, but seldom those that Chinese text consists of.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Mapping
from itertools import islice

from prefect_seedance.messages import Message, message
from prefect_seedance.tables.errors import shown, table_error
from prefect_seedance.tables.text.readings import CHINESE, READINGS, strange_letters

__all__ = ["decoded"]

_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),  # it starts as UTF-16 does
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_CONTROLS = bytes({*range(32)} - {*b"\x00\t\n\v\f\r\x1a\x1b"})
_ESCAPES = re.compile(rb"\x1b\$[@AB)(]|\x1b\([BJI]|~\{[!-}]{2,}~\}")
_CP1252 = {ord(bytes([byte]).decode("cp1252", "replace")): byte for byte in range(0x80, 0xA0)}
_WHOLE_CELL = re.compile(r"""(?m)(?:^|(?<=[,;\t|"]))[^\x00-\x7f]+(?=$|[,;\t|"\r])""")
_BEYOND_CP1252 = re.compile("[\u2123-\U0010ffff]")
_STRANGE_LINES = re.compile(rb"[^\n]*[\x80-\xff][^\n]*")
_JUDGED = 2000
"""Lines that are looked at to find the encoding."""
_FEW = 6
"""Characters, up to which a text may be valid UTF-8 by chance."""
_LISTED = 10


def decoded(data: bytes, name: str) -> tuple[str, tuple[Message, ...]]:
    """The text of a file, without byte order mark, and warnings about how it was decoded.

    Raises:
        TableError: It is binary, its encoding is doubtful, or it holds bytes that its encoding does not know.
    """
    text, warnings = _decoded(data, name)
    text = text.lstrip("\ufeff").rstrip("\x1a")  # some old programs end a file by Ctrl-Z
    if (place := text.find("\x00")) >= 0:
        raise table_error(name, [message("table.zero_byte", line=text.count("\n", 0, place) + 1)])
    return text, warnings


def _decoded(data: bytes, name: str) -> tuple[str, tuple[Message, ...]]:
    for mark, codec in _MARKS:
        if data.startswith(mark):
            return _strict(data[len(mark) :], codec, name), ()
    if b"\x00" in data[:4096] and (text := _utf16(data)) is not None:
        return text, ()
    controls = len(data[:65536]) - len(data[:65536].translate(None, _CONTROLS))
    if controls * 100 > len(data[:65536]) or data[:4096].count(b"\x00") * 10 > len(data[:4096]):
        raise table_error(name, [message("table.binary")])
    if _ESCAPES.search(data):
        raise table_error(name, [message("table.unknown_encoding")])
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        return _legacy(data, name)
    if not data.isascii():
        _require_meant(data, text, name)
    return text, ()


def _strict(data: bytes, codec: str, name: str) -> str:
    try:
        return data.decode(codec)
    except UnicodeDecodeError as error:
        if codec == "utf-8":
            raise table_error(name, [_bad_bytes(data, codec, "UTF-8")]) from None
        line = data[: error.start].decode(codec, "replace").count("\n") + 1
        raise table_error(name, [message("table.bad_bytes", encoding=codec.upper(), lines=[line])]) from None


def _utf16(data: bytes) -> str | None:
    """The text of UTF-16 without a byte order mark; None where it is something else."""
    for codec in ("utf-16-le", "utf-16-be"):
        try:
            text = data.decode(codec)
        except UnicodeDecodeError:
            continue
        # In the wrong order of bytes a line end or a comma is another character.
        plain = sum(1 for letter in text[:4096] if letter in "\n\r\t,;" or letter.isalnum())
        if "\x00" not in text.rstrip("\x00") and "\n" in text and plain * 2 > len(text[:4096]):
            return text
    return None


def _require_meant(data: bytes, text: str, name: str) -> None:
    """Refuse text that an earlier program decoded wrongly, and text that may be UTF-8 by chance only."""
    if not _BEYOND_CP1252.search(text):
        with_bytes = text.translate(_CP1252)
        try:
            meant = with_bytes.encode("latin-1").decode("utf-8")
        except UnicodeError:
            pass
        else:
            wrong, right = ("".join(strange_letters(found)[:20]) for found in (text, meant))
            raise table_error(name, [message("table.decoded_wrongly", wrong=shown(wrong), meant=shown(right))])
    strange = strange_letters(text)
    if len(strange) > _FEW or max(strange) > "\u07ff" or not _WHOLE_CELL.sub("", text).isascii():
        return
    others = {reading.label: found for reading in READINGS if reading.wide and (found := reading.sample(data))}
    if others:
        raise table_error(name, [_doubtful({"UTF-8": "".join(strange), **others})])


def _legacy(data: bytes, name: str) -> tuple[str, tuple[Message, ...]]:
    replaced = data.decode("utf-8", "replace")
    bad = replaced.count("\ufffd")
    if sum(1 for letter in replaced if letter > "\x7f") - bad >= 2 * bad:
        raise table_error(name, [_bad_bytes(data, "utf-8", "UTF-8")])
    lines = b"\n".join(islice((found[0] for found in _STRANGE_LINES.finditer(data)), _JUDGED))
    fitting = {reading.label: found for reading in READINGS if (found := reading.sample(lines))}
    if list(fitting) != [CHINESE.label]:
        raise table_error(name, [_doubtful(fitting) if fitting else message("table.unknown_encoding")])
    try:
        text = data.decode(CHINESE.codec)
    except UnicodeDecodeError:
        raise table_error(name, [_bad_bytes(data, CHINESE.codec, CHINESE.label)]) from None
    return text, (message("table.read_as_chinese", table=name, sample=fitting[CHINESE.label]),)


def _doubtful(samples: Mapping[str, str]) -> Message:
    shown_samples = [message("table.reading", encoding=label, sample=sample) for label, sample in samples.items()]
    if len(samples) == 1:
        return message("table.other_encoding", reading=shown_samples[0])
    return message("table.doubtful_encoding", readings=shown_samples)


def _bad_bytes(data: bytes, codec: str, encoding: str) -> Message:
    """The lines with bytes that their encoding does not know."""
    lines = []
    for number, line in enumerate(data.split(b"\n"), start=1):
        try:
            line.decode(codec)
        except UnicodeDecodeError:
            lines.append(number)
    more = len(lines) - _LISTED
    some = message("table.more_lines", lines=lines[:_LISTED], more=more) if more > 0 else lines
    return message("table.bad_bytes", encoding=encoding, lines=some)
