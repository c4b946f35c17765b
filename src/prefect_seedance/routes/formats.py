"""The rules for formats of media: by name before a medium is probed, by its bytes after."""

from __future__ import annotations

from collections.abc import Iterator

from prefect_seedance.messages import Message, message
from prefect_seedance.routes.facts import MediaFacts, MediaKind
from prefect_seedance.routes.problem import Problem, problem
from prefect_seedance.routes.route import MediaRule, Route
from prefect_seedance.routes.uploads import UPLOAD_FORMATS, UPLOAD_PAGE


def kind_of(field: str) -> MediaKind:
    """The kind of media in a field of a request."""
    if field == "reference_videos":
        return "video"
    return "audio" if field == "reference_audios" else "image"


def check_format(route: Route, field: str, address: str, found: str | None, *, uploaded: bool) -> Iterator[Problem]:
    """Check that the route reads the format and, where the medium is uploaded first, that the upload accepts it.

    Args:
        route: The route.
        field: The field of the request that contains the medium.
        address: The address of the medium.
        found: Its format, by name or by its bytes; None: not known, nothing is checked.
        uploaded: Whether it goes through Jimmy AI's file upload.
    """
    if found is None:
        return
    rule = route.medium(field)
    if found in rule.refused_formats or (rule.formats and found not in rule.formats):
        allowed = rule.formats or message("format.any_but", formats=rule.refused_formats)
        reason = message("rule.format", format=found, allowed=allowed)
        yield problem(route, field, address, reason, source=rule.source)
    elif uploaded and found not in UPLOAD_FORMATS[kind_of(field)]:
        reason = message("rule.format_of_upload", format=found, allowed=UPLOAD_FORMATS[kind_of(field)])
        yield problem(route, field, address, reason, source=UPLOAD_PAGE)
    elif found in rule.doubtful_formats:
        reason = message("rule.format_doubtful", format=found, doubt=rule.doubt, allowed=_sure(rule))
        yield problem(route, field, address, reason, severity="warning", source=rule.source)


def check_kind(route: Route, field: str, address: str, facts: MediaFacts) -> Iterator[Problem]:
    """Check that the medium has the kind that its field takes: image, video or audio."""
    kind = kind_of(field)
    if facts.kind != kind:
        reason = message("rule.kind", kind=facts.kind, format=facts.format[:20], expected=kind)
        yield problem(route, field, address, reason, source=route.medium(field).source)


def _sure(rule: MediaRule) -> Message | tuple[str, ...]:
    if rule.formats:
        return tuple(other for other in rule.formats if other not in rule.doubtful_formats)
    return message("format.any_but", formats=(*rule.doubtful_formats, *rule.refused_formats))
