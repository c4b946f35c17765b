"""The rules on the content of media: the facts about them, compared with what the route allows.

`check` works on names, before media are probed; these rules work on facts. Missing facts are not guessed: an address
without facts, or a value that is None, is not checked.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal
from fractions import Fraction

from prefect_seedance.routes.address import scheme_of
from prefect_seedance.routes.facts import MediaFacts
from prefect_seedance.routes.formats import check_format, check_kind
from prefect_seedance.routes.forms import Review, form_of, is_uploaded
from prefect_seedance.routes.pricing import decimals
from prefect_seedance.routes.problem import Problem
from prefect_seedance.routes.request import VideoRequest
from prefect_seedance.routes.route import Route
from prefect_seedance.routes.rules.measures import check_measures, measure_of, measures_of
from prefect_seedance.routes.uploads import UPLOAD_LIMIT

__all__ = ["MediaFacts", "check_material", "reference_seconds"]

_LONGEST = 10**7


def check_material(
    route: Route,
    request: VideoRequest,
    facts: Mapping[str, MediaFacts],
    *,
    review: Review | None = None,
    experimental: bool = False,
) -> tuple[Problem, ...]:
    """Compare the facts about the media with what the route accepts, and return all problems at once.

    Args:
        route: The route that the request would be sent on.
        request: The resolved request.
        facts: What is known of the media, by the exact address in the request.
        review: As for `check`: it decides how a medium reaches the provider, and so which limits apply.
        experimental: As for `check`.
    """
    found: list[Problem] = []
    inline: list[tuple[str, str, Fraction]] = []
    for field, address in request.media:
        known = facts.get(address)
        if route.medium(field).verdict == "refused":
            continue
        form = form_of(route, field, address, review=review, experimental=experimental)
        if known is not None:
            found += _check_one(route, field, address, known, uploaded=is_uploaded(route, form, address))
        if form == "data" or (form == "as-is" and scheme_of(address) == "data"):
            inline.append((field, address, _base64_length(address, known)))
    found += _check_totals(route, request, facts)
    if route.body is not None and inline:
        field, address, _ = inline[0]
        found += check_measures(route, field, address, route.body, (sum((size for *_, size in inline), Fraction(0)),))
    return tuple(dict.fromkeys(found))


def reference_seconds(route: Route, request: VideoRequest, facts: Mapping[str, MediaFacts]) -> Decimal | None:
    """The length in seconds of the reference videos that the route bills, for `quote` and `settle_units`.

    Returns:
        The length of the first one, or of all together, as the route bills; None where it is not known, or where the
        documents do not say that the route bills any.
    """
    if route.input_seconds not in {"first", "all"}:
        return None
    billed = request.reference_videos[:1] if route.input_seconds == "first" else request.reference_videos
    lengths = [_length(facts.get(address)) for address in billed]
    known = [length for length in lengths if length is not None]
    return decimals.add(known) if known and len(known) == len(lengths) else None


def _check_one(route: Route, field: str, address: str, facts: MediaFacts, *, uploaded: bool) -> Iterator[Problem]:
    wrong_kind = list(check_kind(route, field, address, facts))
    if wrong_kind:
        # The limits of an image mean nothing for a video.
        yield from wrong_kind
        return
    yield from check_format(route, field, address, facts.format[:20], uploaded=uploaded)
    for limit in route.medium(field).limits:
        if not limit.measure.startswith("total_"):
            yield from check_measures(route, field, address, limit, measures_of(limit.measure, facts))
    if uploaded:
        yield from check_measures(route, field, address, UPLOAD_LIMIT, measures_of("bytes", facts))


def _check_totals(route: Route, request: VideoRequest, facts: Mapping[str, MediaFacts]) -> Iterator[Problem]:
    by_field: dict[str, list[str]] = {}
    for field, address in request.media:
        by_field.setdefault(field, []).append(address)
    for field, addresses in by_field.items():
        if route.medium(field).verdict == "refused":
            continue
        for limit in route.medium(field).limits:
            if limit.measure.startswith("total_"):
                # Unknown values can only add to the sum. Only a damaged header gives a negative value.
                known = [
                    max(n, Fraction(0)) for a in addresses if a in facts for n in measures_of(limit.measure, facts[a])
                ]
                yield from check_measures(
                    route, field, addresses[0], limit, (sum(known, Fraction(0)),) if known else ()
                )


def _base64_length(address: str, facts: MediaFacts | None) -> Fraction:
    if scheme_of(address) == "data":
        return Fraction(len(address))
    size = measure_of(facts.bytes) if facts is not None else None
    return Fraction(-(-int(max(size, Fraction(0))) // 3) * 4) if size is not None else Fraction(0)


def _length(facts: MediaFacts | None) -> Decimal | None:
    seconds = facts.seconds if facts is not None else None
    # A damaged header may contain any value.
    return seconds if seconds is not None and seconds.is_finite() and 0 <= seconds <= _LONGEST else None
