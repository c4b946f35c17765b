"""All rules in one table, and `check`, which applies them: can this route honour this request?"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from prefect_seedance.routes.forms import Review
from prefect_seedance.routes.problem import Problem
from prefect_seedance.routes.request import VideoRequest
from prefect_seedance.routes.route import Route
from prefect_seedance.routes.rules import media, settings
from prefect_seedance.routes.rules.mentions import check_mentions

Rule = Callable[[Route, VideoRequest], Iterator[Problem]]

_BEFORE_ADDRESSES: tuple[Rule, ...] = (
    settings.check_prompt,
    settings.check_duration,
    settings.check_resolution,
    settings.check_ratio,
    settings.check_switches,
    settings.check_orientation,
    media.check_kinds,
)
_AFTER_ADDRESSES: tuple[Rule, ...] = (
    check_mentions,
    media.check_frames,
    media.check_exclusions,
    media.check_audio_pairing,
    media.check_expectation,
)


def check_words(route: Route, request: VideoRequest) -> list[Problem]:
    """The part of `check` that depends on the text of the prompt."""
    return [*settings.check_prompt(route, request), *check_mentions(route, request)]


def check(
    route: Route, request: VideoRequest, *, review: Review | None = None, experimental: bool = False
) -> list[Problem]:
    """Compare a request with a route, and return all problems at once.

    Args:
        route: The route that the request would be sent on.
        request: The request as it would be sent, defaults included (see `resolve`). The provider need not be able to
            fetch its media, as long as `form_of` has a form for them.
        review: The review of media that the user asks for.
        experimental: Whether submissions are allowed whose form no document shows.

    Returns:
        All problems, errors and warnings, in the order of the rules. The request may be sent if none is an error. A
        setting that the route cannot honour is always an error; it is never dropped silently.
    """
    return [
        *(problem for rule in _BEFORE_ADDRESSES for problem in rule(route, request)),
        *media.check_addresses(route, request, review=review, experimental=experimental),
        *(problem for rule in _AFTER_ADDRESSES for problem in rule(route, request)),
    ]
