"""The routes of a form: saved blocks, with the settings of the form's menus."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import ValidationError

from prefect_seedance.blocks import RouteDefaults
from prefect_seedance.blocks.loading import load_fallback
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
        more: Further blocks, for rows that name them, or as routes to fall back to.
        **choices: The form's `model`, `resolution`, `ratio` and `duration`; `as the route says` and 0 keep the block's
            own value. The model applies to the first route only. The others apply to all routes, including those that
            blocks fall back to, so that a further route makes the same video.

    Raises:
        InputError: A block does not fit the menus' settings, or one to fall back to cannot be loaded.
    """
    wanted = {name: value for name, value in choices.items() if value not in {AS_ROUTE, 0, ""}}
    if not wanted:
        return [route, *more]
    first = _with(route, wanted)
    wanted.pop("model", None)
    found = [first, *(_with(block, wanted) for block in more)]
    for block in found:  # the list grows during the loop
        settings = block.to_settings()
        for name in settings.fall_back:
            if all(getattr(known, _NAME, None) != name for known in found):
                found.append(_with(await load_fallback(name, settings), wanted))
    return found


def _with(block: RouteDefaults, wanted: Mapping[str, Any]) -> RouteDefaults:
    """The block with other settings, under its own name."""
    fields = {name: getattr(block, name) for name in RouteDefaults.model_fields} | dict(wanted)
    if wanted.get("model", block.model) != block.model:
        fields["custom_route"] = None
    if "ratio" in wanted:
        fields["orientation"] = None  # the coarser setting must not contradict the menu's
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
        # Cells and other processes find the block by its name. The rows have the menus' settings by then.
        setattr(changed, _NAME, getattr(block, _NAME, None))
    return changed
