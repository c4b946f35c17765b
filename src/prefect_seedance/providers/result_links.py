"""The link of a result, where the documented fields have none: the one link of the answer that may be a video."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from urllib.parse import urlsplit

from prefect_seedance.providers.reading import result_link

__all__ = ["only_link"]

_DEEPEST = 6
_OTHER_FILES = (
    *(".jpg", ".jpeg", ".png", ".gif", ".webp", ".bmp", ".svg", ".heic"),
    *(".mp3", ".wav", ".aac", ".m4a", ".flac", ".ogg", ".json", ".html", ".htm", ".srt"),
)
_OTHER_FIELDS = (
    *("image", "audio", "frame", "cover", "thumb", "poster", "reference", "input", "callback", "webhook", "original"),
)
"""Parts of the names of fields whose links are no result: input media, previews, addresses of the user."""


def only_link(answer: Mapping[str, object]) -> str | None:
    """Return the one http(s) link of an answer that may be its video; None where it has none, or several."""
    found = set(_links(answer, 0))
    return found.pop() if len(found) == 1 else None


def _links(value: object, depth: int) -> Iterator[str]:
    if depth > _DEEPEST:
        return
    if isinstance(value, Mapping):
        for name, inner in value.items():
            if not any(part in str(name).lower() for part in _OTHER_FIELDS):
                yield from _links(inner, depth + 1)
    elif isinstance(value, list):
        for inner in value:
            yield from _links(inner, depth + 1)
    elif (url := result_link(value)) is not None and not urlsplit(url).path.lower().endswith(_OTHER_FILES):
        yield url
