"""The fields of a block or the parameters of a form, where a page says `<!-- fields: module.Name -->`.

`<!-- result columns -->` is the list of the columns of a result.
"""

from __future__ import annotations

import importlib
import re
from typing import Any

from pydantic_core import PydanticUndefined

from prefect_seedance.tables.result_columns import RESULT_COLUMNS

MARK = re.compile(r"<!-- fields: (?P<module>[\w.]+)\.(?P<name>\w+) -->")


def on_page_markdown(markdown: str, **_: Any) -> str:
    """Put each table where it is asked for."""
    markdown = markdown.replace("<!-- result columns -->", ", ".join(f"`{name}`" for name in RESULT_COLUMNS) + ".")
    return MARK.sub(lambda found: table(found["module"], found["name"]), markdown)


def table(module: str, name: str) -> str:
    """The fields of a block as a table, or the parameters of a flow."""
    what = getattr(importlib.import_module(module), name)
    return fields(what) if hasattr(what, "model_fields") else parameters(what)


def fields(block: Any) -> str:
    """The fields of a block."""
    rows = ["| field | meaning | default |", "| --- | --- | --- |"]
    for name, field in block.model_fields.items():
        default = "**needed**" if field.is_required() else shown(field.get_default(call_default_factory=True))
        rows.append(f"| `{name}` | {cell(field.description or '')} | {default} |")
    return "\n".join(rows)


def parameters(flow: Any) -> str:
    """The parameters of a flow, as the form shows them."""
    schema = flow.parameters
    rows = ["| in the form | parameter | help | starts with |", "| --- | --- | --- | --- |"]
    for name, text in sorted(schema.properties.items(), key=lambda item: item[1].get("position", 0)):
        starts = "**needed**" if name in schema.required else shown(text.get("default"))
        rows.append(f"| {cell(text.get('title', name))} | `{name}` | {cell(text.get('description', ''))} | {starts} |")
    return "\n".join(rows)


def shown(value: Any) -> str:
    """A default, as a person reads it."""
    return "–" if value in (None, "", [], {}, PydanticUndefined) else f"`{value}`"


def cell(text: str) -> str:
    """Text that stands in a table's cell."""
    return " ".join(text.split()).replace("|", "\\|").replace("{", "&#123;").replace("<", "&lt;")
