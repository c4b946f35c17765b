"""The limits of input media that the documents name, checked against the properties that the sandbox knows.

Written from Anyfast's model page (sizes, lengths, formats) and asset guide (pixels), and from Jimmy AI's MD page and
schema. The documents of Jimmy AI's other routes name none.
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

from prefect_seedance.sandbox.world.draft import Refusal
from prefect_seedance.sandbox.world.uploads import MediaFacts

_MB = 2**20
#: Anyfast: the maximum size of one medium in bytes, and its formats, by the type of the content item.
BYTES = {"image_url": 30 * _MB, "video_url": 50 * _MB, "audio_url": 15 * _MB}
FORMATS = {
    "image_url": ("jpeg", "png", "webp", "bmp", "tiff", "gif", "heic", "heif"),
    "video_url": ("mp4", "mov"),
    "audio_url": ("wav", "mp3"),
}
LONGEST_TOGETHER = Decimal(15)
#: Containers round a length up to their own ticks; a video of 15 s may be stored as 15.02 s.
_TICK = Decimal("0.1")
MD_BYTES_TOGETHER = 200 * _MB


def check_medium(where: str, kind: str, facts: MediaFacts) -> None:
    """Check one medium against Anyfast's limits.

    Args:
        where: The field to name in a refusal.
        kind: `image_url`, `video_url` or `audio_url`.
        facts: What is known of the medium.

    Raises:
        Refusal: It is of another kind, of another format, too large, too small, too short or too long.
    """
    wanted = kind.removesuffix("_url")
    if facts.kind != wanted:
        raise Refusal(where, f"is of kind {facts.kind}, not {wanted}")
    if facts.format and facts.format not in FORMATS[kind]:
        raise Refusal(where, f"must be one of {', '.join(FORMATS[kind])}, not {facts.format}")
    if facts.size is not None and facts.size > BYTES[kind]:
        raise Refusal(where, f"must be at most {BYTES[kind] // _MB} MB")
    if facts.kind == "image":
        _check_picture(where, facts)
    if facts.seconds is not None and not 2 - _TICK <= facts.seconds <= 15 + _TICK:
        raise Refusal(where, "must be 2-15 s long")


def _check_picture(where: str, facts: MediaFacts) -> None:
    width, height = facts.width or 300, facts.height or 300
    if not (min(width, height) >= 300 and max(width, height) <= 6000 and 0.4 <= width / height <= 2.5):
        raise Refusal(where, "a picture must have sides of 300-6000 px, and width/height of 0.4-2.5")


def check_total(where: str, kind: str, facts: Iterable[MediaFacts]) -> None:
    """Check the total length of the media of one kind against Anyfast's limit.

    Raises:
        Refusal: They are longer than 15 s.
    """
    if _seconds(facts) > LONGEST_TOGETHER + _TICK:
        raise Refusal(where, f"reference {kind}s must be at most 15 s together")


def check_md(field: str, facts: list[MediaFacts]) -> None:
    """Check the known media of one field against the limits of Jimmy AI's MD routes.

    Raises:
        Refusal: An image is a GIF, or the videos are too long, too large or of a wrong size in pixels.
    """
    if any(medium.format == "gif" for medium in facts):
        raise Refusal(field, "GIF is not supported")
    if field != "reference_videos":
        return
    if _seconds(facts) > LONGEST_TOGETHER + _TICK:
        raise Refusal(field, "combined duration must be at most 15 s")
    if sum(medium.size or 0 for medium in facts) > MD_BYTES_TOGETHER:
        raise Refusal(field, "combined size must be at most 200 MB")
    for medium in facts:
        sides = (medium.width or 720, medium.height or 720)
        if min(sides) < 720 or max(sides) > 2160:
            raise Refusal(field, "each must be 720px-2160px")


def _seconds(facts: Iterable[MediaFacts]) -> Decimal:
    return sum((medium.seconds or Decimal(0) for medium in facts), Decimal(0))
