"""The rules of a request's media: kinds, counts, addresses, frames and combinations.

Each rule is a small pure function of the request and the route's data.
"""

from __future__ import annotations

from collections.abc import Iterator

from prefect_seedance.messages import message
from prefect_seedance.routes.address import format_of
from prefect_seedance.routes.formats import check_format
from prefect_seedance.routes.forms import Review, form_of, is_uploaded
from prefect_seedance.routes.problem import Problem, problem
from prefect_seedance.routes.request import MEDIA, Part, VideoRequest
from prefect_seedance.routes.route import Route

_FIELDS: dict[Part, str] = {"frames": "first_image/last_image"}


def check_kinds(route: Route, request: VideoRequest) -> Iterator[Problem]:
    """Check that the route accepts the kinds of media in the request, and the number of each."""
    for part in MEDIA:
        if not request.has(part):
            continue
        rule = route.media_rule(part)
        count = len(getattr(request, part))
        if rule.verdict == "refused":
            taken = _fields(*(other for other in MEDIA if route.media_rule(other).verdict != "refused"))
            reason = message("rule.media_refused", count=count, taken=taken)
            yield problem(route, *_first(part, request), reason, source=rule.source)
            continue
        if rule.verdict == "doubtful":
            reason = message("rule.media_doubtful", count=count, doubt=rule.doubt)
            yield problem(route, *_first(part, request), reason, severity="warning", source=rule.source)
        if rule.maximum is not None and count > rule.maximum:
            reason = message("rule.media_too_many", count=count, maximum=rule.maximum)
            yield problem(route, *_first(part, request), reason, source=rule.source)


def check_addresses(
    route: Route, request: VideoRequest, *, review: Review | None = None, experimental: bool = False
) -> Iterator[Problem]:
    """Check that every medium can reach the provider, and that its name suggests a format that the provider reads."""
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
    """Check that one frame is used without the other only where the route allows it."""
    rule = route.frames
    if len(request.frames) != 1 or rule.verdict == "refused":
        return
    if request.first_image is not None:
        field, other, verdict = "first_image", "last_image", rule.first_alone
    else:
        field, other, verdict = "last_image", "first_image", rule.last_alone
    if verdict == "refused":
        reason = message("rule.frame_alone", other=other)
        yield problem(route, field, request.frames[0], reason, source=rule.source)
    elif verdict == "doubtful":
        reason = message("rule.frame_alone_doubtful", other=other)
        yield problem(route, field, request.frames[0], reason, severity="warning", source=rule.source)


def check_exclusions(route: Route, request: VideoRequest) -> Iterator[Problem]:
    """Check that the request does not combine parts that exclude each other."""
    for rule in route.exclusions:
        clashes = [other for other in rule.others if request.has(other)]
        if clashes and request.has(rule.part):
            reason = message("rule.excluded", others=_fields(*clashes))
            yield problem(route, *_first(rule.part, request), reason, source=rule.source)


def check_audio_pairing(route: Route, request: VideoRequest) -> Iterator[Problem]:
    """Check that reference audio comes with the other media that it needs."""
    rule = route.audio_pairing
    audio = route.reference_audios
    if not request.reference_audios or audio.verdict == "refused" or not rule.needs:
        return
    if any(request.has(part) for part in rule.needs):
        return
    first = request.reference_audios[0]
    if any(request.has(part) for part in rule.doubtful):
        reason = message("rule.audio_pairing_doubtful", doubt=rule.doubt, parts=_fields(*rule.needs))
        yield problem(route, "reference_audios", first, reason, severity="warning", source=rule.source)
    else:
        reason = message("rule.audio_alone", parts=_fields(*rule.needs, *rule.doubtful))
        yield problem(route, "reference_audios", first, reason, source=rule.source)


def check_expectation(route: Route, request: VideoRequest) -> Iterator[Problem]:
    """Warn where a route is made for a kind of media and the request has none of it."""
    rule = route.expectation
    if rule.parts and not any(request.has(part) for part in rule.parts):
        reason = message("rule.expected_missing", doubt=rule.doubt, parts=_fields(*rule.parts))
        yield problem(route, rule.parts[0], None, reason, severity="warning", source=rule.source)


def _fields(*parts: Part) -> tuple[str, ...]:
    return tuple(_FIELDS.get(part, part) for part in parts)


def _first(part: Part, request: VideoRequest) -> tuple[str, object]:
    # A problem names the field that the user wrote, and its first value.
    if part == "web_search":
        return part, request.web_search
    if part == "frames":
        return ("last_image" if request.first_image is None else "first_image"), request.frames[0]
    return part, getattr(request, part)[0]
