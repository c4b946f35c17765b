"""The rules of a request's settings: prompt, duration, resolution, ratio and the switches.

Each rule is a small pure function that compares one field of a request with the route's data and yields problems.
No rule depends on the name of a route.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from prefect_seedance.messages import Message, message
from prefect_seedance.routes.address import shown
from prefect_seedance.routes.problem import Problem, problem
from prefect_seedance.routes.request import VideoRequest
from prefect_seedance.routes.route import SWITCHES, PromptRule, Route

_CHINESE = re.compile(r"[\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]")
_WORD = re.compile(r"[A-Za-z0-9]+(?:['’-][A-Za-z0-9]+)*")


def check_prompt(route: Route, request: VideoRequest) -> Iterator[Problem]:
    """Check that a prompt is present where it is needed, and not too long."""
    rule, prompt = route.prompt, request.prompt
    if prompt is None or not prompt.strip():
        has_pictures = request.has("images") or request.has("frames") or request.has("reference_videos")
        if rule.needed == "always" or (rule.needed == "without_media" and not has_pictures):
            always = rule.needed == "always"
            reason = message("rule.prompt_missing" if always else "rule.prompt_or_media_missing")
            yield problem(route, "prompt", prompt, reason, source=rule.source)
        return
    if rule.maximum is not None and len(prompt) > rule.maximum:
        reason = message("rule.prompt_too_long", maximum=rule.maximum)
        yield problem(route, "prompt", prompt, reason, source=rule.source)
    for reason in _advised_length(rule, prompt):
        yield problem(route, "prompt", prompt, reason, severity="warning", source=rule.source)


def _advised_length(rule: PromptRule, prompt: str) -> Iterator[Message]:
    if (count := _count(_CHINESE, prompt, rule.advised_chinese)) is not None:
        yield message("rule.prompt_chinese_advised", count=count, advised=rule.advised_chinese)
    if (count := _count(_WORD, prompt, rule.advised_words)) is not None:
        yield message("rule.prompt_words_advised", count=count, advised=rule.advised_words)


def _count(pattern: re.Pattern[str], prompt: str, limit: int | None) -> int | None:
    """The number of matches of a pattern; None where it is within the limit."""
    if limit is None or len(prompt) <= limit:
        return None
    count = sum(1 for _ in pattern.finditer(prompt))
    return count if count > limit else None


def check_duration(route: Route, request: VideoRequest) -> Iterator[Problem]:
    """Check that the duration is within the hard bounds; outside the sure bounds it is a warning."""
    rule, seconds = route.duration, request.duration
    if seconds is None:
        return
    if rule.maximum is None:
        allowed = message("rule.seconds_or_more", minimum=rule.minimum)
    else:
        allowed = message("rule.seconds_between", minimum=rule.minimum, maximum=rule.maximum)
    if seconds < rule.minimum or (rule.maximum is not None and seconds > rule.maximum):
        yield problem(route, "duration", seconds, message("rule.duration", allowed=allowed), source=rule.source)
    elif (rule.sure_minimum is not None and seconds < rule.sure_minimum) or (
        rule.sure_maximum is not None and seconds > rule.sure_maximum
    ):
        reason = message("rule.duration_doubtful", doubt=rule.doubt, allowed=allowed)
        yield problem(route, "duration", seconds, reason, severity="warning", source=rule.source)


def check_resolution(route: Route, request: VideoRequest) -> Iterator[Problem]:
    """Check that the route makes this resolution."""
    rule, resolution = route.resolution, request.resolution
    if resolution is None or not rule.allowed:
        return
    if resolution not in rule.allowed:
        reason = message("rule.resolution", allowed=rule.allowed)
        yield problem(route, "resolution", resolution, reason, source=rule.source)
    elif resolution in rule.doubtful:
        reason = message("rule.resolution_doubtful", doubt=rule.doubt, allowed=rule.allowed)
        yield problem(route, "resolution", resolution, reason, severity="warning", source=rule.source)


def check_ratio(route: Route, request: VideoRequest) -> Iterator[Problem]:
    """Check that the ratio is on the route's list; where the list is open, another one is a warning."""
    rule, ratio = route.ratio, request.ratio
    if ratio is None or not rule.listed or ratio in rule.listed:
        return
    if rule.closed:
        yield problem(route, "ratio", ratio, message("rule.ratio", allowed=rule.listed), source=rule.source)
        return
    if rule.doubt:
        reason = message("rule.ratio_doubtful", doubt=rule.doubt, listed=rule.listed)
    else:
        reason = message("rule.ratio_not_listed", listed=rule.listed)
    yield problem(route, "ratio", ratio, reason, severity="warning", source=rule.source)


def check_switches(route: Route, request: VideoRequest) -> Iterator[Problem]:
    """Check that the route has every switch that is set, to yes or to no."""
    for switch in SWITCHES:
        value = getattr(request, switch)
        if value is not None and switch not in route.switches:
            yield problem(route, switch, value, message("rule.no_such_setting", switches=route.switches))


def check_orientation(route: Route, request: VideoRequest) -> Iterator[Problem]:
    """Warn that orientation has no effect where a ratio is set too."""
    if "orientation" in route.switches and request.orientation is not None and request.ratio is not None:
        reason = message("rule.orientation_without_effect", ratio=shown(request.ratio))
        yield problem(route, "orientation", request.orientation, reason, severity="warning")
