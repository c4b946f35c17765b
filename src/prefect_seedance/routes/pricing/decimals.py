"""Exact arithmetic with money and units, independent of the caller's decimal context."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import ROUND_HALF_UP, Context, Decimal

# Prices have at most 30 digits, and units a few more than their input: 200 digits are enough for any table.
_EXACT = Context(prec=200, rounding=ROUND_HALF_UP)


def multiply(*factors: Decimal) -> Decimal:
    """Multiply without rounding."""
    product = Decimal(1)
    for factor in factors:
        product = _EXACT.multiply(product, factor)
    return product


def divide(number: Decimal, divisor: Decimal) -> Decimal:
    """Divide. Exact for the powers of two and ten that the units need."""
    return _EXACT.divide(number, divisor)


def add(numbers: Iterable[Decimal]) -> Decimal:
    """Add without rounding."""
    total = Decimal(0)
    for number in numbers:
        total = _EXACT.add(total, number)
    return total


def whole(number: Decimal) -> Decimal:
    """Round to the nearest whole number, halves up, as the Chinese documents' 四舍五入 says."""
    return number.to_integral_value(rounding=ROUND_HALF_UP)


def plain(number: Decimal) -> str:
    """Format a number without exponent and without trailing zeros."""
    text = f"{number:f}"
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return text
