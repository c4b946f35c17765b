"""Misspelt fields of a block: Prefect takes any name, and a setting that nobody reads would be lost in silence."""

from __future__ import annotations

import difflib
from typing import Any

from pydantic import BaseModel, model_validator

from prefect_seedance.messages import message

__all__ = ["StrictFields"]


class StrictFields(BaseModel):
    """Refuses a field that looks like one of the block's own; any other stays, since a newer version may know it."""

    @model_validator(mode="before")
    @classmethod
    def _spelled(cls, given: Any) -> Any:
        known = list(cls.model_fields)
        for name in given.keys() - set(known) if isinstance(given, dict) else ():
            near = difflib.get_close_matches(str(name), known, n=1, cutoff=0.8)
            if near:
                raise ValueError(message("block.misspelt", name=name, near=near[0]))
        return given
