"""Text that nobody sees: spaces of every kind, control and format characters, and letters without a shape."""

from __future__ import annotations

import re

__all__ = ["has_invisible", "is_blank", "trimmed"]

# The categories Zs, Zl, Zp, Cc and Cf of Unicode, without the few format characters that have a shape (Arabic number
# signs and their like). A test compares the list with Unicode's own.
_SPACES = "\x00-\x20\x7f-\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000"
_FORMATS = (
    "\xad\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u206f\ufeff\ufff9-\ufffb"
    "\U0001bca0-\U0001bca3\U0001d173-\U0001d17a"
)
# Empty by themselves, but part of the letter or the emoji that stands before them.
_FILLERS = (
    "\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180d\u180f\u2800\u3164\ufe00-\ufe0f\uffa0"
    "\U000e0001\U000e0020-\U000e007f\U000e0100-\U000e01ef"
)

_BLANK = re.compile(f"[{_SPACES}{_FORMATS}{_FILLERS}]*")
_EDGES = "".join(
    chr(code)
    for first, last in re.findall("(.)(?:-(.))?", _SPACES + _FORMATS, re.DOTALL)
    for code in range(ord(first), ord(last or first) + 1)
)
_UNUSUAL = re.compile(f"[{_FORMATS}{_FILLERS}\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f]")


def is_blank(text: str) -> bool:
    """Whether there is nothing to see."""
    return _BLANK.fullmatch(text) is not None


def trimmed(text: str) -> str:
    """The text without what nobody sees before and behind it; inside it everything stays."""
    return text.strip(_EDGES)


def has_invisible(text: str) -> bool:
    """Whether it has invisible characters besides the spaces that `str.strip` takes off."""
    return _UNUSUAL.search(text) is not None
