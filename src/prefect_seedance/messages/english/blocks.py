"""Texts about saved blocks and keys."""

from __future__ import annotations

BLOCKS: dict[str, str] = {
    "block.none_given": (
        "{@route} is empty: give a RouteDefaults block, the name of a saved one, or several. Nothing was spent."
    ),
    "block.fall_back_of_block": "The block {block!r} falls back to {name!r}. {reason}",
    "block.fall_back_of_route": "The route {route} falls back to {name!r}. {reason}",
    "block.wrong_type": (
        "{@route} is of type {type}; expected a RouteDefaults block or the name of a saved one. Nothing was spent."
    ),
    "block.not_found": (
        "There is no saved route block {name!r} that can be used ({reason}). Save one in the Prefect UI (Blocks, "
        "Seedance Route Defaults) or with RouteDefaults(...).save(name). Nothing was spent."
    ),
    "block.bad_custom_route": "custom_route is not a valid route: {reasons}. Nothing was spent.",
    "block.misspelt": "{name!r} looks like {near!r} misspelt",
    "block.bad_price_book": "{path} is not a valid price book: {reasons}. Nothing was spent.",
    "block.unreadable_price_book": "{path} cannot be read as a price book: {reason}. Nothing was spent.",
    "block.invalid": "{reasons:clauses}",
}
