"""The rules of a request's settings: prompt, duration, resolution, ratio and the switches.

Each rule is a small pure function that compares one field of a request with the route's data and yields what is wrong
with it. None of them knows a route by name.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from prefect_seedance.routes.address import shown
from prefect_seedance.routes.problem import Problem, listing, problem
from prefect_seedance.routes.request import VideoRequest
from prefect_seedance.routes.route import SWITCHES, Route

_CHINESE = re.compile(r"[\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]")
_WORD = re.compile(r"[A-Za-z0-9]+(?:['’-][A-Za-z0-9]+)*")


def check_prompt(route: Route, request: VideoRequest) -> Iterator[Problem]:
    """A prompt is there where it must be, and no longer than it may be."""
    rule, prompt = route.prompt, request.prompt
    if prompt is None or not prompt.strip():
        has_pictures = request.has("images") or request.has("frames") or request.has("reference_videos")
        if rule.needed == "always" or (rule.needed == "without_media" and not has_pictures):
            instead = "" if rule.needed == "always" else ", or an image or a video"
            says = f"a text is needed{instead}"
            yield problem(route, "prompt", prompt, says, source=rule.source)
        return
    if rule.maximum is not None and len(prompt) > rule.maximum:
        yield problem(route, "prompt", prompt, f"allowed: up to {rule.maximum:,} characters", source=rule.source)
    yield from _advised_length(route, prompt)


def _advised_length(route: Route, prompt: str) -> Iterator[Problem]:
    for pattern, limit, unit in (
        (_CHINESE, route.prompt.advised_chinese, "Chinese characters"),
        (_WORD, route.prompt.advised_words, "English words"),
    ):
        if limit is None or len(prompt) <= limit:
            continue
        count = sum(1 for _ in pattern.finditer(prompt))
        if count > limit:
            says = f"holds {count:,} {unit}; advised: up to {limit:,}"
            yield problem(route, "prompt", prompt, says, severity="warning", source=route.prompt.source)


def check_duration(route: Route, request: VideoRequest) -> Iterator[Problem]:
    """A duration is within the hard bounds; outside the sure ones it only warns."""
    rule, seconds = route.duration, request.duration
    if seconds is None:
        return
    span = f"{rule.minimum} to {rule.maximum}" if rule.maximum is not None else f"{rule.minimum} or more"
    if seconds < rule.minimum or (rule.maximum is not None and seconds > rule.maximum):
        yield problem(route, "duration", seconds, f"allowed: {span} seconds", source=rule.source)
    elif (rule.sure_minimum is not None and seconds < rule.sure_minimum) or (
        rule.sure_maximum is not None and seconds > rule.sure_maximum
    ):
        says = f"may be refused: {rule.doubt}; allowed at most: {span} seconds"
        yield problem(route, "duration", seconds, says, severity="warning", source=rule.source)


def check_resolution(route: Route, request: VideoRequest) -> Iterator[Problem]:
    """A resolution is one that the route makes."""
    rule, resolution = route.resolution, request.resolution
    if resolution is None or not rule.allowed:
        return
    allowed = f"allowed: {listing(rule.allowed)}"
    if resolution not in rule.allowed:
        yield problem(route, "resolution", resolution, allowed, source=rule.source)
    elif resolution in rule.doubtful:
        says = f"may be refused: {rule.doubt}; {allowed}"
        yield problem(route, "resolution", resolution, says, severity="warning", source=rule.source)


def check_ratio(route: Route, request: VideoRequest) -> Iterator[Problem]:
    """A ratio is on the route's list; where the list is open, another one only warns."""
    rule, ratio = route.ratio, request.ratio
    if ratio is None or not rule.listed or ratio in rule.listed:
        return
    listed = listing(rule.listed)
    if rule.closed:
        yield problem(route, "ratio", ratio, f"allowed: {listed}", source=rule.source)
    else:
        says = f"may be refused: {rule.doubt or 'the documents do not list it'}; listed: {listed}"
        yield problem(route, "ratio", ratio, says, severity="warning", source=rule.source)


def check_switches(route: Route, request: VideoRequest) -> Iterator[Problem]:
    """A switch that is set, to yes or to no, is one that the route has."""
    for switch in SWITCHES:
        value = getattr(request, switch)
        if value is not None and switch not in route.switches:
            says = f"this route has no such setting, leave it unset; of the switches it has {listing(route.switches)}"
            yield problem(route, switch, value, says)


def check_orientation(route: Route, request: VideoRequest) -> Iterator[Problem]:
    """Orientation beside a ratio has no effect, and nobody should think that it had."""
    if "orientation" in route.switches and request.orientation is not None and request.ratio is not None:
        says = f"has no effect, the ratio {shown(request.ratio)} wins over it; allowed: one of the two"
        yield problem(route, "orientation", request.orientation, says, severity="warning")
