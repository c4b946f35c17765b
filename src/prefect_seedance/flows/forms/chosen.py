"""The routes that a person chose: saved blocks, and what the form says beside them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import ValidationError

from prefect_seedance.blocks import RouteDefaults
from prefect_seedance.blocks.loading import fallen_back_to
from prefect_seedance.errors import InputError
from prefect_seedance.flows.forms.fields import AS_ROUTE
from prefect_seedance.messages import message

__all__ = ["chosen_routes"]

_NAME = "_block_document_name"


async def chosen_routes(
    route: RouteDefaults, more: Sequence[RouteDefaults] = (), **choices: Any
) -> list[RouteDefaults]:
    """The routes of a run, the default one first.

    Args:
        route: The saved block.
        more: Further blocks, among which a row's columns pick, or to which it goes on.
        **choices: What the form's menus say about `model`, `resolution`, `ratio` and `duration`; `as the route says`
            and nought leave the block's own word. The model is the first route's alone. The rest holds for all of them,
            those that blocks fall back to as well: a row that goes on is the video that was asked for.

    Raises:
        InputError: A block does not fit what the menus say, or one that is fallen back to cannot be loaded.
    """
    wanted = {name: value for name, value in choices.items() if value not in {AS_ROUTE, 0, ""}}
    if not wanted:
        return [route, *more]
    first = _with(route, wanted)
    wanted.pop("model", None)
    found = [first, *(_with(block, wanted) for block in more)]
    for block in found:  # it grows meanwhile
        settings = block.to_settings()
        for name in settings.fall_back:
            if all(getattr(known, _NAME, None) != name for known in found):
                found.append(_with(await fallen_back_to(name, settings), wanted))
    return found


def _with(block: RouteDefaults, wanted: Mapping[str, Any]) -> RouteDefaults:
    """The block with other words, under its own name."""
    fields = {name: getattr(block, name) for name in RouteDefaults.model_fields} | dict(wanted)
    if wanted.get("model", block.model) != block.model:
        fields["custom_route"] = None
    if "ratio" in wanted:
        fields["orientation"] = None  # the coarser word must not stand against the menu's
    try:
        changed = RouteDefaults(**fields)
    except ValidationError as error:
        reasons = [str(problem["msg"]).removeprefix("Value error, ") for problem in error.errors()]
        name = getattr(block, _NAME, None)
        if name:
            text = message("form.block_mismatch", block=name, reasons=reasons)
        else:
            text = message("form.unsaved_block_mismatch", model=block.model, reasons=reasons)
        raise InputError(text) from None
    if changed.model == block.model:
        # By its name a cell means it, and another process finds it; what the menus say stands in the rows by then.
        setattr(changed, _NAME, getattr(block, _NAME, None))
    return changed
