"""The route that a person chose: a saved block, and what the form says beside it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pydantic import ValidationError

from prefect_seedance.blocks import RouteDefaults
from prefect_seedance.errors import UserMistake
from prefect_seedance.flows.forms.fields import AS_ROUTE

__all__ = ["chosen_routes"]


def chosen_routes(route: RouteDefaults, more: Sequence[RouteDefaults] = (), **choices: Any) -> list[RouteDefaults]:
    """The routes of a run, the default one first.

    Args:
        route: The saved block.
        more: Further blocks, among which a row's `model` and `provider` columns pick.
        **choices: What the form's menus say about `model`, `resolution`, `ratio` and `duration`; `as the route says`
            and nought leave the block's own word.

    Raises:
        UserMistake: The account of the block cannot buy that model.
    """
    wanted = {name: value for name, value in choices.items() if value not in {AS_ROUTE, 0, ""}}
    if not wanted:
        return [route, *more]
    fields = {name: getattr(route, name) for name in RouteDefaults.model_fields} | wanted
    if wanted.get("model", route.model) != route.model:
        fields["custom_route"] = None
    if "ratio" in wanted:
        fields["orientation"] = None  # the coarser word must not stand against the menu's
    try:
        return [RouteDefaults(**fields), *more]
    except ValidationError as error:
        reasons = "; ".join(str(problem["msg"]).removeprefix("Value error, ") for problem in error.errors())
        raise UserMistake(f"The route block and the form do not fit together: {reasons}") from None
