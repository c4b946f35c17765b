"""The form: how a medium that a user names reaches the provider, route by route."""

from __future__ import annotations

from typing import Literal, get_args

from prefect_seedance.messages import Message, message
from prefect_seedance.routes.address import Scheme, address_problem, scheme_of
from prefect_seedance.routes.problem import Problem, problem
from prefect_seedance.routes.request import FRAMES
from prefect_seedance.routes.route import MediaRule, Route

Form = Literal["as-is", "link", "data", "asset", "portrait"]
"""`as-is`: the address is sent as it stands. `link`: uploaded as a file first. `data`: its bytes go along in the
request. `asset`: submitted to the provider's library first. `portrait`: to the whitelist of real persons."""

Review = Literal["asset", "portrait"]
"""A user's wish: `asset` for all media, `portrait` for pictures of real people."""

_WRITTEN: dict[Scheme, Message] = {
    "https": message("address.links"),
    "asset": message("address.assets"),
    "data": message("address.data"),
    "file": message("address.paths"),
    "store": message("address.stores"),
}


def form_of(
    route: Route, field: str, address: str, *, review: Review | None = None, experimental: bool = False
) -> Form | Problem:
    """Tell how a medium reaches a route, or why it cannot.

    Args:
        route: The route that the request is sent on.
        field: The field of the request that holds the medium, such as `images` or `first_image`.
        address: The medium as the request names it.
        review: The user's wish to have it reviewed first. A portrait is wished for pictures only, and only where
            the provider reviews; elsewhere the wish changes nothing.
        experimental: Whether submissions may be made whose form no document shows (Full).
    """
    rule, scheme = route.medium(field), scheme_of(address)
    if scheme is None:
        taken = allowed(route, field, experimental=experimental)
        reason = message("rule.address", problem=address_problem(address), allowed=taken)
        return problem(route, field, address, reason, source=rule.source)
    if scheme == "asset" and "asset" in rule.schemes:
        return "as-is"
    plain = _without_wish(route, rule, scheme)
    form = plain if review is None or scheme == "asset" else _wished(route, field, review, plain)
    if form is None:
        return problem(
            route, field, address, _why_not(route, field, review, experimental=experimental), source=rule.source
        )
    if form == "asset" and route.library == "audit" and not experimental:
        return problem(route, field, address, message("rule.review_undocumented"), source=rule.source)
    return form


def is_uploaded(route: Route, form: Form | Problem, address: str) -> bool:
    """Tell whether a medium goes through a provider's file upload: all whose bytes the provider cannot fetch itself."""
    lies_here = scheme_of(address) in {"file", "store", "data"}
    return route.capabilities.uploads and lies_here and form in {"link", "asset", "portrait"}


def allowed(route: Route, field: str, *, experimental: bool = False) -> tuple[Message, ...]:
    """The kinds of addresses that a field of a route takes."""
    rule = route.medium(field)
    sure: list[Scheme] = []
    for scheme in get_args(Scheme):
        form = _without_wish(route, rule, scheme)
        if form is not None and (form == "as-is" or experimental or route.library != "audit"):
            sure.append(scheme)
    return tuple(_WRITTEN[scheme] for scheme in sure)


def _without_wish(route: Route, rule: MediaRule, scheme: Scheme) -> Form | None:
    by_link = route.capabilities.uploads and "https" in rule.schemes
    # No document of a provider with an upload takes data URIs; a route of the user's own that leaves the question open
    # gets a link too.
    if scheme in rule.schemes and not (by_link and scheme == "data"):
        return "as-is"
    if scheme == "asset":
        return None
    if by_link:
        return "link"
    if "data" in rule.schemes and scheme != "https":
        return "data"
    return "asset" if "asset" in rule.schemes and route.library else None


def _wished(route: Route, field: str, review: Review, plain: Form | None) -> Form | None:
    has_library = bool(route.library) and "asset" in route.medium(field).schemes
    if review == "asset":
        return "asset" if has_library else None
    is_picture = field == "images" or field in FRAMES
    if not is_picture or not has_library:
        return plain
    return "portrait" if route.library == "sp" else "asset"


def _why_not(route: Route, field: str, review: Review | None, *, experimental: bool) -> Message:
    if review == "asset":
        return message("rule.no_review")
    return message("rule.address_not_taken", allowed=allowed(route, field, experimental=experimental))
