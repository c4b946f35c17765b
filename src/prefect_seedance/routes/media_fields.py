"""The media of a request: where each lies, in which field it stands, and what it is."""

from __future__ import annotations

from collections.abc import Iterator

from prefect_seedance.routes import VideoRequest
from prefect_seedance.routes.facts import MediaKind

__all__ = ["KINDS", "addresses", "replaced"]

KINDS: dict[str, MediaKind] = {
    "images": "image",
    "first_image": "image",
    "last_image": "image",
    "reference_videos": "video",
    "reference_audios": "audio",
}
"""What each media field of a request holds."""


def addresses(request: VideoRequest) -> Iterator[tuple[str, str]]:
    """All media of a request, with the field that holds each."""
    for field in KINDS:
        held = getattr(request, field)
        for address in (held,) if isinstance(held, str) else held or ():
            yield field, address


def replaced(request: VideoRequest, references: dict[tuple[str, str], str]) -> VideoRequest:
    """The request with other references in place of some of its media."""
    if not references:
        return request
    changed: dict[str, str | tuple[str, ...]] = {}
    for field in {field for field, _ in references}:
        held = getattr(request, field)
        if isinstance(held, str):
            changed[field] = references[field, held]
        else:
            changed[field] = tuple(references.get((field, address), address) for address in held)
    return request.model_copy(update=changed)
