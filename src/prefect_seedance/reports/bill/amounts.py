"""An amount as bills write it: `0.25`, `0,25`, `¥0.25`, `0.25 CNY`, `(0.25)`, full-width digits, or nothing."""

from __future__ import annotations

import re
import unicodedata
from decimal import Decimal

from prefect_seedance.tables.cells import plain

__all__ = ["currency_of", "read_amount"]

_NOTHING = frozenset({"nan", "-", "--", "–", "—", "null", "none", "n/a", "无"})
_CURRENCIES = {
    "¥": "CNY",
    "元": "CNY",
    "人民币": "CNY",
    "rmb": "CNY",
    "cn¥": "CNY",
    "$": "USD",
    "us$": "USD",
    "€": "EUR",
}
"""What stands for a currency beside its code. The providers are Chinese: their ¥ is not the yen."""

_FORM = re.compile(
    r"(?P<sign>[-+]?)\s*(?P<before>[^\W\d_]{1,10}|[^\s\d.,'()+-]{1,3})?\s*(?P<sign2>[-+]?)\s*"
    r"(?P<number>\d[\d.,'\s]*(?:e[-+]?\d{1,3})?)\s*(?P<after>[^\W\d_]{1,10}|[^\s\d.,'()+-]{1,3})?",
    re.IGNORECASE,
)
_COMMAS_GROUP = re.compile(r"\d{1,3}(?:,\d{3})+\.\d+|\d{1,3}(?:,\d{3}){2,}")
_POINTS_GROUP = re.compile(r"\d{1,3}(?:\.\d{3})+,\d+")
_DECIMAL_COMMA = re.compile(r"(?![1-9]\d{0,2},\d{3}$)\d+,\d+")
"""Not `1,234`, which may be a thousand or a fraction."""
_PLAIN = re.compile(r"\d+(?:\.\d+)?(?:e[-+]?\d+)?", re.IGNORECASE)


def read_amount(cell: object) -> tuple[Decimal | None, str | None]:
    """The amount of a cell, and its currency where the cell names one. No amount is None: it is not zero.

    Raises:
        ValueError: It is not an amount, or could be read as two.
    """
    value = plain(cell)
    text = unicodedata.normalize("NFKC", "" if value is None else str(value)).replace("−", "-").strip()
    if not text or text.casefold() in _NOTHING:
        return None, None
    inside = re.fullmatch(r"\((.*)\)", text)
    found = None if isinstance(value, bool) else _FORM.fullmatch(inside[1].strip() if inside else text)
    if found is None:
        raise ValueError(text)
    currencies = {currency_of(name) for name in (found["before"], found["after"]) if name}
    signs = [found["sign"], found["sign2"]]
    if len(currencies) > 1 or None in currencies or sum(map(bool, signs)) + bool(inside) > 1:
        raise ValueError(text)
    number = _number(found["number"])
    return -number if inside or "-" in signs else number, next(iter(currencies), None)


def currency_of(text: object) -> str | None:
    """The currency that a cell, a heading or a person names; None where it is none."""
    name = unicodedata.normalize("NFKC", str(plain(text) or "")).strip().casefold()
    if name in _CURRENCIES:
        return _CURRENCIES[name]
    return name.upper() if re.fullmatch(r"[a-z]{3}", name) else None


def _number(text: str) -> Decimal:
    digits = re.sub(r"[\s']", "", text)
    if _COMMAS_GROUP.fullmatch(digits):
        return Decimal(digits.replace(",", ""))
    if _POINTS_GROUP.fullmatch(digits):
        return Decimal(digits.replace(".", "").replace(",", "."))
    if _DECIMAL_COMMA.fullmatch(digits):
        return Decimal(digits.replace(",", "."))
    if _PLAIN.fullmatch(digits):
        return Decimal(digits)
    raise ValueError(text)
