"""Compares the measures of a medium with a limit, exactly, by its hard and its sure bounds."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal
from fractions import Fraction

from prefect_seedance.messages import Message, message
from prefect_seedance.routes.facts import MediaFacts
from prefect_seedance.routes.limit import MEBIBYTE, Limit, Measure
from prefect_seedance.routes.pricing import decimals
from prefect_seedance.routes.problem import Problem, problem
from prefect_seedance.routes.route import Route

_UNITS: dict[Measure, str] = {
    "seconds": " s",
    "total_seconds": " s",
    "side": " px",
    "one_side": " px",
    "fps": " fps",
}
# No real medium reaches this. It bounds the work on values from damaged headers.
_LARGEST = 10**15


def measure_of(value: int | Decimal | None) -> Fraction | None:
    """Return a fact as an exact number; None where it is not known or not a number."""
    if value is None:
        return None
    if isinstance(value, Decimal):
        if not value.is_finite():
            return None
        if value and abs(value.adjusted()) > 15:
            return Fraction(0 if value.adjusted() < 0 else _LARGEST if value > 0 else -_LARGEST)
    return Fraction(max(-_LARGEST, min(_LARGEST, value)))


def measures_of(measure: Measure, facts: MediaFacts) -> tuple[Fraction, ...]:
    """Return the values of a measure for one medium: none where it is not known, two for its sides, else one."""
    if measure in {"bytes", "total_bytes"}:
        return _known(measure_of(facts.bytes))
    if measure in {"seconds", "total_seconds"}:
        return _known(measure_of(facts.seconds))
    if measure == "fps":
        return _known(measure_of(facts.fps))
    width, height = measure_of(facts.width), measure_of(facts.height)
    if width is None or height is None:
        return ()
    if measure == "aspect":
        return (width / height,) if width > 0 and height > 0 else ()
    return (width, height)


def check_measures(
    route: Route, field: str, value: object, limit: Limit, found: Sequence[Fraction]
) -> Iterator[Problem]:
    """Compare measured values with a limit.

    `one_side` is an error only where both sides are outside the limit, since then no interpretation of the rule allows
    it. Where one side is inside, it is a warning.
    """
    if not found:
        return
    outside = [number for number in found if not _within(number, limit.minimum, limit.maximum)]
    doubtful = [number for number in found if not _within(number, limit.sure_minimum, limit.sure_maximum)]
    measured = _measured(limit.measure, found)
    if outside and (limit.measure != "one_side" or len(outside) == len(found)):
        low = limit.minimum if limit.sure_minimum is None else limit.sure_minimum
        high = limit.maximum if limit.sure_maximum is None else limit.sure_maximum
        reason = message("rule.measure", found=measured, allowed=_span(limit.measure, low, high))
        yield problem(route, field, value, reason, source=limit.source)
    elif outside or doubtful:
        bounds = (limit.minimum, limit.maximum) if outside else (limit.sure_minimum, limit.sure_maximum)
        sure = _span(limit.measure, *bounds)
        reason = message("rule.measure_doubtful", found=measured, doubt=limit.doubt, allowed=sure)
        yield problem(route, field, value, reason, severity="warning", source=limit.source)


def _known(number: Fraction | None) -> tuple[Fraction, ...]:
    return () if number is None else (number,)


def _within(number: Fraction, low: Decimal | None, high: Decimal | None) -> bool:
    return (low is None or number >= Fraction(low)) and (high is None or number <= Fraction(high))


def _measured(measure: Measure, found: Sequence[Fraction]) -> Message:
    if measure in {"side", "one_side"}:
        return message("measure.sides", width=_plain(found[0]), height=_plain(found[1]))
    if measure in {"bytes", "total_bytes"}:
        size = int(found[0])
        return message("measure.bytes" if measure == "bytes" else "measure.total_bytes", bytes=size)
    if measure in {"seconds", "total_seconds"}:
        seconds = _plain(found[0])
        return message("measure.seconds" if measure == "seconds" else "measure.total_seconds", seconds=seconds)
    number = _plain(found[0])
    return message("measure.aspect", aspect=number) if measure == "aspect" else message("measure.fps", fps=number)


def _span(measure: Measure, low: Decimal | None, high: Decimal | None) -> Message:
    unit = _UNITS.get(measure, "")
    written = _megabytes if measure in {"bytes", "total_bytes"} else decimals.plain
    if high is None:
        span = message("measure.at_least", low=written(low or Decimal(0)), unit=unit)
    elif low is None:
        span = message("measure.at_most", high=written(high), unit=unit)
    else:
        span = message("measure.between", low=written(low), high=written(high), unit=unit)
    if measure.startswith("total_"):
        return message("measure.together", span=span)
    if measure == "aspect":
        return message("measure.ratio", span=span)
    return message("measure.each_side", span=span) if measure == "side" else span


def _megabytes(bound: Decimal) -> Message:
    for size in (MEBIBYTE, 1_000_000):
        if bound % size == 0:
            return message("measure.megabytes", megabytes=f"{bound / size:f}", bytes=bound)
    return message("measure.bare_bytes", bytes=bound)


def _plain(number: Fraction) -> str:
    # Six decimal places show 15.000001 as different from 15. Real files do not differ by less.
    return f"{float(number):.6f}".rstrip("0").rstrip(".")
