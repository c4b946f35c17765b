"""The media of a request: the address, field and kind of each."""

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
"""The kind of media in each media field of a request."""


def addresses(request: VideoRequest) -> Iterator[tuple[str, str]]:
    """All media of a request: the field and the address of each."""
    for field in KINDS:
        value = getattr(request, field)
        for address in (value,) if isinstance(value, str) else value or ():
            yield field, address


def replaced(request: VideoRequest, references: dict[tuple[str, str], str]) -> VideoRequest:
    """Return the request with some of its addresses replaced, by field and address."""
    if not references:
        return request
    changed: dict[str, str | tuple[str, ...]] = {}
    for field in {field for field, _ in references}:
        value = getattr(request, field)
        if isinstance(value, str):
            changed[field] = references[field, value]
        else:
            changed[field] = tuple(references.get((field, address), address) for address in value)
    return request.model_copy(update=changed)
