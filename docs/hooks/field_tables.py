"""The fields of a block or the parameters of a form, where a page says `<!-- fields: module.Name -->`.

`<!-- result columns -->` is the list of the columns of a result; `<!-- lifetimes -->` is how long each provider keeps
jobs and links.
"""

from __future__ import annotations

import importlib
import re
from datetime import timedelta
from typing import Any

from pydantic_core import PydanticUndefined

from prefect_seedance.providers.dialect import DIALECTS
from prefect_seedance.tables.result_columns import RESULT_COLUMNS

MARK = re.compile(r"<!-- fields: (?P<module>[\w.]+)\.(?P<name>\w+) -->")


def on_page_markdown(markdown: str, **_: Any) -> str:
    """Replace each marker by its table."""
    markdown = markdown.replace("<!-- result columns -->", ", ".join(f"`{name}`" for name in RESULT_COLUMNS) + ".")
    markdown = markdown.replace("<!-- lifetimes -->", lifetimes())
    return MARK.sub(lambda found: table(found["module"], found["name"]), markdown)


def table(module: str, name: str) -> str:
    """Return the fields of a block, or the parameters of a flow, as a table."""
    target = getattr(importlib.import_module(module), name)
    return fields(target) if hasattr(target, "model_fields") else parameters(target)


def lifetimes() -> str:
    """Return how long each provider knows a job, and how long the link of a result works, as a table."""
    rows = ["| provider | job | link |", "| --- | --- | --- |"]
    for name, dialect in sorted(DIALECTS.items()):
        rows.append(f"| {name} | {days(dialect.job_lifetime)} | {days(dialect.result_lifetime)} |")
    return "\n".join(rows)


def days(life: timedelta) -> str:
    """Return a length of time in days."""
    return "1 day" if life.days == 1 else f"{life.days} days"


def fields(block: Any) -> str:
    """Return the fields of a block as a table."""
    rows = ["| field | meaning | default |", "| --- | --- | --- |"]
    for name, field in block.model_fields.items():
        default = "**needed**" if field.is_required() else shown(field.get_default(call_default_factory=True))
        rows.append(f"| `{name}` | {cell(field.description or '')} | {default} |")
    return "\n".join(rows)


def parameters(flow: Any) -> str:
    """Return the parameters of a flow, with the titles that the form shows, as a table."""
    schema = flow.parameters
    rows = ["| in the form | parameter | help | starts with |", "| --- | --- | --- | --- |"]
    for name, field in sorted(schema.properties.items(), key=lambda item: item[1].get("position", 0)):
        title, description = cell(field.get("title", name)), cell(field.get("description", ""))
        default = "**needed**" if name in schema.required else shown(field.get("default"))
        rows.append(f"| {title} | `{name}` | {description} | {default} |")
    return "\n".join(rows)


def shown(value: Any) -> str:
    """Return a default value for display."""
    return "–" if value in (None, "", [], {}, PydanticUndefined) else f"`{value}`"


def cell(text: str) -> str:
    """Return a text escaped for a table cell."""
    return " ".join(text.split()).replace("|", "\\|").replace("{", "&#123;").replace("<", "&lt;")
