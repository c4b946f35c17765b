"""The options that several commands have."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter

__all__ = ["Choose", "Columns", "Ledger", "Models", "OnInvalid", "Prices", "Routes"]

Routes = Annotated[list[str] | None, Parameter(name=["--route"], help="Name of a saved route block; may be repeated.")]
Models = Annotated[
    list[str] | None,
    Parameter(
        name=["--model"], help="A model; the key is taken from JIMMY_API_KEY or ANYFAST_API_KEY. May be repeated."
    ),
]
Prices = Annotated[
    Path | None, Parameter(help="Prices of --model, as JSON: {currency, prices: {billing model: price}}.")
]
Columns = Annotated[
    list[str] | None,
    Parameter(
        name=["--column"], help="Map a field to your column: FIELD=HEADING, such as prompt=文案. May be repeated."
    ),
]
Ledger = Annotated[str | None, Parameter(help="The ledger's URL or file; default as for generate_videos.")]
OnInvalid = Annotated[
    Literal["stop", "skip"], Parameter(help="Whether rows that break a rule stop the command, or are left out.")
]
Choose = Annotated[
    Literal["first", "in_order", "cheapest"],
    Parameter(help="Which of the routes makes a row that names none: the first, all in order, or the cheapest first."),
]
