"""Text of others in a CSV file. A spreadsheet runs a cell as a formula if its text starts like one."""

from __future__ import annotations

import re

__all__ = ["as_text"]

# A cell starts with the text, and behind a semicolon, tab or line break too: which of them separates cells depends on
# the country that the spreadsheet is set to. Blanks, invisible characters and quotation marks before a formula are
# dropped, and the wide signs of East Asia are read like the narrow ones.
_FORMULA = re.compile(
    r"(^|[;\t\r\n\v\f])(?=[\s\"\x00-\x1f\xad\u200b-\u200f\u2028-\u202e\u2060-\u2064\ufeff]*[=+\-@\u2212＝＋－＠﹦﹢﹣﹫⁼⁺⁻])"
)


def as_text(text: str) -> str:
    """Return a text for a cell that no spreadsheet takes for a formula: with an apostrophe where one would start."""
    return _FORMULA.sub(r"\1'", text)
