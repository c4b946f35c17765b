"""Refuses misspelt fields of a block: Prefect accepts any name, and would silently ignore a misspelt setting."""

from __future__ import annotations

import difflib
from typing import Any

from pydantic import BaseModel, ConfigDict, model_validator

from prefect_seedance.messages import message

__all__ = ["StrictFields"]


class StrictFields(BaseModel):
    """Refuses an unknown field whose name is close to a known one; accepts others, which a newer version may know.

    An error never repeats what was given: it may be a key in the wrong field.
    """

    model_config = ConfigDict(hide_input_in_errors=True)

    @model_validator(mode="before")
    @classmethod
    def _spelled(cls, given: Any) -> Any:
        known = list(cls.model_fields)
        for name in given.keys() - set(known) if isinstance(given, dict) else ():
            near = difflib.get_close_matches(str(name), known, n=1, cutoff=0.8)
            if near:
                raise ValueError(message("block.misspelt", name=name, near=near[0]))
        return given
