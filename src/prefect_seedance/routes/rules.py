"""The table of all rules, and the one question that they answer: can this route honour this request?"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from prefect_seedance.routes import media_rules, setting_rules
from prefect_seedance.routes.forms import Review
from prefect_seedance.routes.mentions import check_mentions
from prefect_seedance.routes.problem import Problem
from prefect_seedance.routes.request import VideoRequest
from prefect_seedance.routes.route import Route

Rule = Callable[[Route, VideoRequest], Iterator[Problem]]

_BEFORE_ADDRESSES: tuple[Rule, ...] = (
    setting_rules.check_prompt,
    setting_rules.check_duration,
    setting_rules.check_resolution,
    setting_rules.check_ratio,
    setting_rules.check_switches,
    setting_rules.check_orientation,
    media_rules.check_kinds,
)
_AFTER_ADDRESSES: tuple[Rule, ...] = (
    check_mentions,
    media_rules.check_frames,
    media_rules.check_exclusions,
    media_rules.check_audio_pairing,
    media_rules.check_expectation,
)


def check_words(route: Route, request: VideoRequest) -> list[Problem]:
    """The part of `check` that reads the prompt. All other rules say the same of every prompt."""
    return [*setting_rules.check_prompt(route, request), *check_mentions(route, request)]


def check(
    route: Route, request: VideoRequest, *, review: Review | None = None, experimental: bool = False
) -> list[Problem]:
    """Compare a request with a route and tell everything that is wrong with it, at once.

    Args:
        route: The route that the request would be sent on.
        request: The request as it would be sent, defaults included (see `resolve`). Its media may lie where the
            provider does not fetch from, as long as `form_of` knows a way to bring them there.
        review: The user's wish to have the media reviewed first.
        experimental: Whether submissions may be made whose form no document shows.

    Returns:
        All problems, errors and warnings, in the order of the rules. Without an error among them the request may be
        sent; a setting that the route cannot honour is always an error and never left out in silence.
    """
    return [
        *(problem for rule in _BEFORE_ADDRESSES for problem in rule(route, request)),
        *media_rules.check_addresses(route, request, review=review, experimental=experimental),
        *(problem for rule in _AFTER_ADDRESSES for problem in rule(route, request)),
    ]
