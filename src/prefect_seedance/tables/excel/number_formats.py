"""Number formats of a workbook: what a person sees of a number that a cell stores."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass

__all__ = ["NumberFormat", "moment", "number_format"]

_BRACKETS = re.compile(r"\[(?!(?:h+|m+|s+)\])[^\]]*\]", re.IGNORECASE)
_LITERAL = re.compile(r'"[^"]*"|[\\_*].')
_EXPONENT = re.compile(r"[eE][+-]")
_DATE_LETTERS = re.compile(r"[dmyhsDMYHS]")
_ELAPSED = re.compile(r"\[(?:h+|m+|s+)\]", re.IGNORECASE)
_NO_DATES = frozenset({"", "@", "general", "standard"})
_DATES_BY_NUMBER = frozenset({*range(14, 23), *range(27, 37), 45, 47, *range(50, 59)})
"""The built-in formats of dates and times, those of East Asian languages included; a file need not describe them."""
_ELAPSED_BY_NUMBER = 46
_PADDED = re.compile(r'(?P<before>(?:"[^"]*"|\\.|[-/ ])*)(?P<zeros>0+)(?P<after>(?:"[^"]*"|\\.|[-/ ])*)')
_QUOTES = re.compile(r'"([^"]*)"|\\(.)')
_EPOCH = dt.datetime(1899, 12, 30)  # noqa: DTZ001 - a sheet's dates have no time zone
_DAYS_TO_1904 = 1462
_MILLISECONDS = 86_400_000


@dataclass(frozen=True, slots=True)
class NumberFormat:
    """What a format makes of a number.

    Attributes:
        date: Whether it shows a date or a time.
        elapsed: Whether it shows an elapsed time, such as `[h]:mm`.
        hides: Whether it shows nothing, whatever the value (`;;;`).
        hides_zero: Whether it shows nothing for 0.
        before: Text that it puts before a whole number.
        digits: The least number of digits of a whole number; 0 where it does not only pad them.
        after: Text that it puts behind a whole number.
    """

    date: bool = False
    elapsed: bool = False
    hides: bool = False
    hides_zero: bool = False
    before: str = ""
    digits: int = 0
    after: str = ""

    def shown(self, number: int) -> str | None:
        """A whole number as the format shows it, where that is the number with zeros or text around it."""
        if not self.digits or number < 0:
            return None
        return f"{self.before}{str(number).zfill(self.digits)}{self.after}"


def number_format(number: int, code: str | None) -> NumberFormat:
    """What the number and the code of a format mean. The code of a built-in format may be missing."""
    if code is None:
        return NumberFormat(date=number in _DATES_BY_NUMBER, elapsed=number == _ELAPSED_BY_NUMBER)
    if code.strip().lower() in _NO_DATES:
        return NumberFormat()
    bare = _LITERAL.sub("", _BRACKETS.sub("", code))
    if _ELAPSED.search(bare):
        return NumberFormat(elapsed=True)
    if _DATE_LETTERS.search(_EXPONENT.sub("", bare)):
        return NumberFormat(date=True)
    sections = [section.strip() for section in _BRACKETS.sub("", code).split(";")]
    hides_zero = len(sections) > 2 and not sections[2]
    padded = _PADDED.fullmatch(sections[0])
    if padded is None:
        return NumberFormat(hides=len(sections) == 4 and not any(sections), hides_zero=hides_zero)
    before, after = (_QUOTES.sub(r"\1\2", padded[part]) for part in ("before", "after"))
    return NumberFormat(hides_zero=hides_zero, before=before, digits=len(padded["zeros"]), after=after)


def moment(serial: float, *, elapsed: bool, from_1904: bool) -> dt.datetime | dt.time | dt.timedelta | None:
    """The date, time of day or elapsed time that a number of days stands for; None where there is no such date.

    Args:
        serial: Days since the workbook's first day.
        elapsed: Whether its format shows an elapsed time.
        from_1904: Whether that day is the first of January 1904.
    """
    try:
        milliseconds = round(serial * _MILLISECONDS)
        if elapsed:
            return dt.timedelta(milliseconds=milliseconds)
        if milliseconds < 0:
            return None
        if milliseconds < _MILLISECONDS:
            return (_EPOCH + dt.timedelta(milliseconds=milliseconds)).time()
        if from_1904:
            milliseconds += _DAYS_TO_1904 * _MILLISECONDS
        elif serial < 60:
            milliseconds += _MILLISECONDS  # the first workbooks had a 29 February 1900
        return _EPOCH + dt.timedelta(milliseconds=milliseconds)
    except OverflowError:
        return None
