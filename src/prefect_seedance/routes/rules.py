"""The table of all rules, and the one question that they answer: can this route honour this request?"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from prefect_seedance.routes import media_rules, setting_rules
from prefect_seedance.routes.problem import Problem
from prefect_seedance.routes.request import VideoRequest
from prefect_seedance.routes.route import Route

Rule = Callable[[Route, VideoRequest], Iterator[Problem]]

RULES: tuple[Rule, ...] = (
    setting_rules.check_prompt,
    setting_rules.check_duration,
    setting_rules.check_resolution,
    setting_rules.check_ratio,
    setting_rules.check_switches,
    setting_rules.check_orientation,
    media_rules.check_kinds,
    media_rules.check_addresses,
    media_rules.check_frames,
    media_rules.check_exclusions,
    media_rules.check_audio_pairing,
    media_rules.check_expectation,
)


def check(route: Route, request: VideoRequest) -> list[Problem]:
    """Compare a request with a route and tell everything that is wrong with it, at once.

    Args:
        route: The route that the request would be sent on.
        request: The request as it would be sent, defaults included (see `resolve`).

    Returns:
        All problems, errors and warnings, in the order of the rules. Without an error among them the request may be
        sent; a setting that the route cannot honour is always an error and never left out in silence.
    """
    return [problem for rule in RULES for problem in rule(route, request)]
