"""The rule on mentions: references that a prompt names, such as `@image1`, must exist."""

from __future__ import annotations

import re
from collections.abc import Iterator

from prefect_seedance.messages import Message, message
from prefect_seedance.routes.problem import Problem, problem
from prefect_seedance.routes.request import Part, VideoRequest
from prefect_seedance.routes.route import Route

SOURCE = "Anyfast: Seedance 2.0 guides (a prompt names @image1, @video1, @audio1, counted from 1 for each kind)"

# An @ after a letter is part of an e-mail address; a longer name (@image1x, @image1.com) is another account or a host.
# Chinese characters may be adjacent on both sides, since Chinese is written without spaces.
_MENTION = re.compile(
    r"(?<![A-Za-z0-9_%+-])[@＠](?P<kind>image|video|audio|图片|视频|音频)(?P<blank>[ \u3000]?)(?P<number>\d{1,9})"
    r"(?![A-Za-z0-9_\d@]|\.[A-Za-z0-9])",
    re.IGNORECASE,
)
_PARTS: dict[str, Part] = {
    "image": "images",
    "video": "reference_videos",
    "audio": "reference_audios",
    "图片": "images",
    "视频": "reference_videos",
    "音频": "reference_audios",
}
_SHOWN = 5


def check_mentions(route: Route, request: VideoRequest) -> Iterator[Problem]:
    """Check that every reference that the prompt names exists.

    A name with a space (`@image 3`) may be plain text, and no document says whether `@image1` can mean a first or last
    image: both are warnings.
    """
    errors: dict[Part, dict[str, None]] = {}
    warnings: dict[Part, dict[str, None]] = {}
    for mention in _MENTION.finditer(request.prompt or ""):
        part, number = _PARTS[mention["kind"].lower()], int(mention["number"])
        count = len(getattr(request, part))
        if 1 <= number <= count:
            continue
        is_frame = part == "images" and 1 <= number <= count + len(request.frames)
        kind = warnings if is_frame or mention["blank"] else errors
        kind.setdefault(part, {})[mention[0]] = None
    for part, names in errors.items():
        given, allowed = _given(request, part), _allowed(request, part)
        reason = message("rule.mention_missing", names=_listing(names), given=given, allowed=allowed)
        yield problem(route, "prompt", request.prompt, reason, source=SOURCE)
    for part, names in warnings.items():
        given, allowed = _given(request, part), _allowed(request, part)
        reason = message("rule.mention_doubtful", names=_listing(names), given=given, allowed=allowed)
        yield problem(route, "prompt", request.prompt, reason, severity="warning", source=SOURCE)


def _listing(names: dict[str, None]) -> Message | tuple[str, ...]:
    first = tuple(names)[:_SHOWN]
    return first if len(names) <= _SHOWN else message("mention.more", names=first, more=len(names) - _SHOWN)


def _given(request: VideoRequest, part: Part) -> Message:
    count = len(getattr(request, part))
    if part == "reference_videos":
        return message("mention.reference_videos", count=count)
    if part == "reference_audios":
        return message("mention.reference_audios", count=count)
    return message("mention.images_beside_frames" if request.frames else "mention.images", count=count)


def _allowed(request: VideoRequest, part: Part) -> Message | str:
    count = len(getattr(request, part))
    name = {"images": "@image", "reference_videos": "@video", "reference_audios": "@audio"}[part]
    if not count:
        return message("mention.none_allowed", name=name, part=part)
    return f"{name}1" if count == 1 else message("mention.range_allowed", name=name, count=count)
