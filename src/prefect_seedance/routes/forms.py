"""The form in which a medium reaches the provider, for each route."""

from __future__ import annotations

from typing import Literal, get_args

from prefect_seedance.messages import Message, message
from prefect_seedance.routes.address import Scheme, address_problem, scheme_of
from prefect_seedance.routes.problem import Problem, problem
from prefect_seedance.routes.request import FRAMES
from prefect_seedance.routes.route import MediaRule, Route

Form = Literal["as-is", "link", "data", "asset", "portrait"]
"""`as-is`: the address is sent unchanged. `link`: the file is uploaded first. `data`: its bytes are sent in the
request. `asset`: it is submitted to the provider's library first. `portrait`: to the whitelist of real persons."""

Review = Literal["asset", "portrait"]
"""The review that a user asks for: `asset` for all media, `portrait` for pictures of real people."""

_SCHEME_NAMES: dict[Scheme, Message] = {
    "https": message("address.links"),
    "asset": message("address.assets"),
    "data": message("address.data"),
    "file": message("address.paths"),
    "store": message("address.stores"),
}


def form_of(
    route: Route, field: str, address: str, *, review: Review | None = None, experimental: bool = False
) -> Form | Problem:
    """Return the form in which a medium reaches a route, or the problem that prevents it.

    Args:
        route: The route that the request is sent on.
        field: The field of the request that contains the medium, such as `images` or `first_image`.
        address: The address of the medium in the request.
        review: The review that the user asks for before the create. `portrait` applies to pictures only, and only where
            the provider has a review; otherwise it has no effect.
        experimental: Whether submissions are allowed whose form no document shows (Full).
    """
    rule, scheme = route.medium(field), scheme_of(address)
    if scheme is None:
        taken = allowed(route, field, experimental=experimental)
        reason = message("rule.address", problem=address_problem(address), allowed=taken)
        return problem(route, field, address, reason, source=rule.source)
    if scheme == "asset" and "asset" in rule.schemes:
        return "as-is"
    default = _default_form(route, rule, scheme)
    form = default if review is None or scheme == "asset" else _reviewed_form(route, field, review, default)
    if form is None:
        return problem(
            route, field, address, _why_not(route, field, review, experimental=experimental), source=rule.source
        )
    if form == "asset" and route.library == "audit" and not experimental:
        return problem(route, field, address, message("rule.review_undocumented"), source=rule.source)
    return form


def is_uploaded(route: Route, form: Form | Problem, address: str) -> bool:
    """Return whether a medium goes through the provider's file upload: it does if the provider cannot fetch it."""
    not_fetchable = scheme_of(address) in {"file", "store", "data"}
    return route.capabilities.uploads and not_fetchable and form in {"link", "asset", "portrait"}


def allowed(route: Route, field: str, *, experimental: bool = False) -> tuple[Message, ...]:
    """The kinds of addresses that a field of a route accepts."""
    rule = route.medium(field)
    sure: list[Scheme] = []
    for scheme in get_args(Scheme):
        form = _default_form(route, rule, scheme)
        if form is not None and (form == "as-is" or experimental or route.library != "audit"):
            sure.append(scheme)
    return tuple(_SCHEME_NAMES[scheme] for scheme in sure)


def _default_form(route: Route, rule: MediaRule, scheme: Scheme) -> Form | None:
    by_link = route.capabilities.uploads and "https" in rule.schemes
    # No provider with an upload documents data URIs. A user's own route that does not say gets a link too.
    if scheme in rule.schemes and not (by_link and scheme == "data"):
        return "as-is"
    if scheme == "asset":
        return None
    if by_link:
        return "link"
    if "data" in rule.schemes and scheme != "https":
        return "data"
    return "asset" if "asset" in rule.schemes and route.library else None


def _reviewed_form(route: Route, field: str, review: Review, default: Form | None) -> Form | None:
    has_library = bool(route.library) and "asset" in route.medium(field).schemes
    if review == "asset":
        return "asset" if has_library else None
    is_picture = field == "images" or field in FRAMES
    if not is_picture or not has_library:
        return default
    return "portrait" if route.library == "sp" else "asset"


def _why_not(route: Route, field: str, review: Review | None, *, experimental: bool) -> Message:
    if review == "asset":
        return message("rule.no_review")
    return message("rule.address_not_taken", allowed=allowed(route, field, experimental=experimental))
