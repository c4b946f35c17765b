"""From a row and the defaults of its block to the request that will be sent."""

from __future__ import annotations

from typing import Any

from prefect_seedance.routes.request import VideoRequest
from prefect_seedance.routes.route import Route

# Where the row sets one of these, a default for the others would contradict it.
_RIVALS: dict[str, tuple[str, ...]] = {
    "ratio": ("orientation",),
    "orientation": ("ratio",),
    "images": ("first_image", "last_image"),
    "first_image": ("images",),
    "last_image": ("images",),
}


def resolve(route: Route, request: VideoRequest, defaults: VideoRequest | None = None) -> VideoRequest:
    """Fill what a row leaves unset.

    The row's own settings win. A default gives way, too, where the row sets its rival: a ratio against an orientation,
    images against frames. The duration ends as the route's default, since Jimmy AI wants one; resolution and ratio stay
    unset where nobody set them, so that the provider's own default holds.

    Args:
        route: The route that the request will be sent on.
        request: The row's own request.
        defaults: What the block sets for rows that do not.

    Returns:
        The request to check, quote and send; the same object where there was nothing to fill.
    """
    filled = _from_defaults(request, defaults) if defaults is not None else {}
    if request.duration is None and "duration" not in filled:
        filled["duration"] = route.duration.default
    return request.model_copy(update=filled) if filled else request


def _from_defaults(request: VideoRequest, defaults: VideoRequest) -> dict[str, Any]:
    # By `vars`, since iterating over a model costs ten times as much, and this is done for each row of a table.
    given = {field: value for field, value in vars(defaults).items() if value is not None and value != ()}
    if not given:
        return {}
    own = {field for field, value in vars(request).items() if value is not None and value != ()}
    return {
        field: value for field, value in given.items() if field not in own and own.isdisjoint(_RIVALS.get(field, ()))
    }
