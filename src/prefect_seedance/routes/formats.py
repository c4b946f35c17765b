"""The formats of media: by their names before anything was looked into, by their bytes after."""

from __future__ import annotations

from collections.abc import Iterator

from prefect_seedance.routes.facts import MediaFacts, MediaKind
from prefect_seedance.routes.problem import Problem, listing, problem
from prefect_seedance.routes.route import MediaRule, Route
from prefect_seedance.routes.uploads import UPLOAD_FORMATS, UPLOAD_PAGE


def kind_of(field: str) -> MediaKind:
    """The kind of media that a field of a request holds."""
    if field == "reference_videos":
        return "video"
    return "audio" if field == "reference_audios" else "image"


def check_format(route: Route, field: str, address: str, found: str | None, *, uploaded: bool) -> Iterator[Problem]:
    """A format is one that the route reads and, where the medium is uploaded first, that the upload takes.

    Args:
        route: The route.
        field: The field that holds the medium.
        address: The medium.
        found: Its format, by name or by its bytes; None tells nothing.
        uploaded: Whether it goes through Jimmy AI's file upload.
    """
    if found is None:
        return
    rule = route.medium(field)
    if found in rule.refused_formats or (rule.formats and found not in rule.formats):
        taken = listing(rule.formats) if rule.formats else f"any but {listing(rule.refused_formats)}"
        yield problem(route, field, address, f"is {found}; allowed formats: {taken}", source=rule.source)
    elif uploaded and found not in UPLOAD_FORMATS[kind_of(field)]:
        taken = listing(UPLOAD_FORMATS[kind_of(field)])
        says = f"is {found}, which the file upload does not take; allowed formats: {taken}"
        yield problem(route, field, address, says, source=UPLOAD_PAGE)
    elif found in rule.doubtful_formats:
        says = f"is {found} and may be refused: {rule.doubt}; allowed for certain: {_sure(rule)}"
        yield problem(route, field, address, says, severity="warning", source=rule.source)


def check_kind(route: Route, field: str, address: str, facts: MediaFacts) -> Iterator[Problem]:
    """A field for images holds an image, one for videos a video, one for audios an audio."""
    kind = kind_of(field)
    if facts.kind != kind:
        says = f"is {facts.kind} ({facts.format[:20]}), whatever its name says; allowed: {kind}"
        yield problem(route, field, address, says, source=route.medium(field).source)


def _sure(rule: MediaRule) -> str:
    if rule.formats:
        return listing(other for other in rule.formats if other not in rule.doubtful_formats)
    return f"any but {listing((*rule.doubtful_formats, *rule.refused_formats))}"
