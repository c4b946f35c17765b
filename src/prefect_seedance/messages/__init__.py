"""Messages for people: in goes a slug with parameters, out comes text in the words of the surface the reader is on.

Errors, problems, remarks and next steps carry a `Message`. Their texts stand in `english`, each under its slug, and
are made only when they are shown, so that one error reads `max_charge="5 CNY"` in Python, `--max-charge "5 CNY"` on
the command line and names the field in a form.

    message("budget.no_bound", rows=3, currency="CNY")

A text is a format string over the parameters. Besides Python's own rules:

    {rows:row|rows}            a number with its noun: 1 row, 1,000 rows
    {names}                    a list, divided by commas; {names:clauses} by semicolons, {names:sentences} by spaces
    {names:bullets}            a list, one item a line; {names:lines} keeps a single item within its sentence
    {@max_charge}              a setting of the user: max_charge, --max-charge, "What one row costs at most"
    {@max_charge:5 CNY}        the same with a value
"""

from __future__ import annotations

from prefect_seedance.messages._message import Message, listing, message
from prefect_seedance.messages._surface import Surface, current_surface, use_surface

__all__ = ["Message", "Surface", "current_surface", "listing", "message", "use_surface"]
