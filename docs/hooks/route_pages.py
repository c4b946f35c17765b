"""A page for each route, generated from the catalogue while the manual is built, so that both always agree."""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from typing import Any

from mkdocs.structure.files import File, Files
from route_parts import UNITS, billing, doubts, limits, media, seconds, settings, takes, together

from prefect_seedance.routes import CATALOGUE, Route

PROVIDERS = {"jimmy": "Jimmy AI", "anyfast": "Anyfast"}
EACH = {"second": "per second", "job": "per job", "million_tokens": "per million tokens"}

HEAD = """A route is one `model` value of one provider, with its rules and its billing. These pages are made from the
catalogue that the program itself checks your rows against, whenever the manual is built; `prefect-seedance routes`
prints the same list.

Prices are not here: the providers publish none. Give yours by the name of the billing model, in a
[price book](../reference/blocks.md)."""
FOOT = """A model that is not in the catalogue can be described in the `custom_route` of a
[route block](../reference/blocks.md), with its rules and its price line."""


def on_config(config: Any) -> Any:
    """Add the pages to the navigation, after the overview."""
    section = next(item["Routes"] for item in config.nav if "Routes" in item)
    for provider, routes in itertools.groupby(CATALOGUE, key=lambda route: route.provider):
        section.append({PROVIDERS[provider]: [{route.model: place(route)} for route in routes]})
    return config


def on_files(files: Files, config: Any) -> Files:
    """Add the pages."""
    files.append(File.generated(config, "routes/index.md", content=overview()))
    for route in CATALOGUE:
        files.append(File.generated(config, place(route), content=page(route)))
    return files


def place(route: Route) -> str:
    """Return the path of a route's page."""
    return f"routes/{route.provider}/{route.model}.md"


def overview() -> str:
    """Return the overview page with a table of all routes."""
    lines = [
        "# Routes",
        "",
        HEAD,
    ]
    for provider, routes in itertools.groupby(CATALOGUE, key=lambda route: route.provider):
        lines += ["", f"## {PROVIDERS[provider]}", "", "| model | seconds | resolution | takes | billed |"]
        lines.append("| --- | --- | --- | --- | --- |")
        for route in routes:
            lines.append(
                f"| [`{route.model}`]({provider}/{route.model}.md) | {seconds(route)} | "
                f"{', '.join(route.resolution.allowed) or 'any'} | {takes(route)} | {EACH[route.unit]} |"
            )
    return "\n".join([*lines, "", FOOT])


def page(route: Route) -> str:
    """Return the page of one route."""
    billed = f"billed by the **{UNITS[route.unit]}**"
    parts: Iterable[str] = (
        f"# {route.title}",
        f"`{route.model}` at {PROVIDERS[route.provider]} · {billed} · takes {takes(route)}",
        "## Settings",
        "\n".join(settings(route)),
        "## Media",
        "\n".join(media(route)),
        "\n\n".join(limits(route)),
        "\n".join(together(route)),
        "## Billing",
        "\n".join(billing(route)),
        "\n".join(doubts(route)),
        "## Where this comes from",
        "\n".join(f"- {source}" for source in route.sources),
    )
    return "\n\n".join(part for part in parts if part) + "\n"
