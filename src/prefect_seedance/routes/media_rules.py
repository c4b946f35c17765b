"""The rules of a request's media: kinds, counts, addresses, frames, and what goes with what.

Like the rules of the settings, these are small pure functions over the route's data.
"""

from __future__ import annotations

from collections.abc import Iterator

from prefect_seedance.routes.address import format_of
from prefect_seedance.routes.formats import check_format
from prefect_seedance.routes.forms import Review, form_of, is_uploaded
from prefect_seedance.routes.problem import Problem, listing, problem
from prefect_seedance.routes.request import MEDIA, Part, VideoRequest
from prefect_seedance.routes.route import Route

_FIELDS: dict[Part, str] = {"frames": "first_image/last_image"}


def check_kinds(route: Route, request: VideoRequest) -> Iterator[Problem]:
    """The route takes the kinds of media that are given, and not too many of each."""
    for part in MEDIA:
        if not request.has(part):
            continue
        rule = route.media_rule(part)
        count = f"{len(getattr(request, part))} given"
        if rule.verdict == "refused":
            taken = _fields(*(other for other in MEDIA if route.media_rule(other).verdict != "refused"))
            says = f"{count}; this route takes none; media it takes: {taken}"
            yield problem(route, *_first(part, request), says, source=rule.source)
            continue
        if rule.verdict == "doubtful":
            says = f"{count}; may be refused: {rule.doubt}; allowed for certain: none"
            yield problem(route, *_first(part, request), says, severity="warning", source=rule.source)
        if rule.maximum is not None and len(getattr(request, part)) > rule.maximum:
            says = f"{count}; allowed: up to {rule.maximum}"
            yield problem(route, *_first(part, request), says, source=rule.source)


def check_addresses(
    route: Route, request: VideoRequest, *, review: Review | None = None, experimental: bool = False
) -> Iterator[Problem]:
    """Every medium can be brought to the provider, and is of a format that it reads, as far as its name tells."""
    for field, address in request.media:
        if route.medium(field).verdict == "refused":
            continue
        form = form_of(route, field, address, review=review, experimental=experimental)
        if isinstance(form, Problem):
            yield form
        else:
            uploaded = is_uploaded(route, form, address)
            yield from check_format(route, field, address, format_of(address), uploaded=uploaded)


def check_frames(route: Route, request: VideoRequest) -> Iterator[Problem]:
    """One frame goes without the other only where the route lets it."""
    rule = route.frames
    if len(request.frames) != 1 or rule.verdict == "refused":
        return
    if request.first_image is not None:
        field, other, verdict = "first_image", "last_image", rule.first_alone
    else:
        field, other, verdict = "last_image", "first_image", rule.last_alone
    if verdict == "refused":
        yield problem(
            route, field, request.frames[0], f"goes only with {other}; allowed: both together", source=rule.source
        )
    elif verdict == "doubtful":
        says = f"may be refused: the documents do not say whether it goes alone; allowed for certain: with {other}"
        yield problem(route, field, request.frames[0], says, severity="warning", source=rule.source)


def check_exclusions(route: Route, request: VideoRequest) -> Iterator[Problem]:
    """Parts that exclude each other do not meet in one request."""
    for rule in route.exclusions:
        clashes = [other for other in rule.others if request.has(other)]
        if clashes and request.has(rule.part):
            says = f"cannot be combined with {_fields(*clashes)}; allowed: one or the other"
            yield problem(route, *_first(rule.part, request), says, source=rule.source)


def check_audio_pairing(route: Route, request: VideoRequest) -> Iterator[Problem]:
    """Reference audio comes with what it needs beside it."""
    rule = route.audio_pairing
    audio = route.reference_audios
    if not request.reference_audios or audio.verdict == "refused" or not rule.needs:
        return
    if any(request.has(part) for part in rule.needs):
        return
    needs = f"at least one of {_fields(*rule.needs)}"
    if any(request.has(part) for part in rule.doubtful):
        says = f"may be refused: {rule.doubt}; allowed for certain: with {needs}"
        yield problem(
            route, "reference_audios", request.reference_audios[0], says, severity="warning", source=rule.source
        )
    else:
        says = f"cannot go alone; allowed: with {_fields(*rule.needs, *rule.doubtful)}"
        yield problem(route, "reference_audios", request.reference_audios[0], says, source=rule.source)


def check_expectation(route: Route, request: VideoRequest) -> Iterator[Problem]:
    """A route that is made for a kind of media is not paid for without any."""
    rule = route.expectation
    if rule.parts and not any(request.has(part) for part in rule.parts):
        says = f"may be refused: {rule.doubt}; allowed for certain: with {_fields(*rule.parts)}"
        yield problem(route, rule.parts[0], None, says, severity="warning", source=rule.source)


def _fields(*parts: Part) -> str:
    return listing(_FIELDS.get(part, part) for part in parts)


def _first(part: Part, request: VideoRequest) -> tuple[str, object]:
    # A part is told by the field that a person wrote, and by its first value.
    if part == "web_search":
        return part, request.web_search
    if part == "frames":
        return ("last_image" if request.first_image is None else "first_image"), request.frames[0]
    return part, getattr(request, part)[0]
