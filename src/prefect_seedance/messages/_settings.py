"""What a user's setting is called on each surface."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from prefect_seedance.messages._surface import Surface


@dataclass(frozen=True, slots=True)
class Setting:
    """A parameter of the flows, and its names elsewhere.

    Attributes:
        python: The parameter.
        cli: The option of the command line; None where there is none.
        form: The title of the field in the forms; None where there is none.
        takes: What its value is in Python.
        menu: The entries of the form's menu, by the value in Python.
        entry: The one entry of a mapping that the form's field sets.
    """

    python: str
    cli: str | None = None
    form: str | None = None
    takes: Literal["text", "literal", "list", "mapping"] = "text"
    menu: Mapping[str, str] = field(default_factory=dict)
    entry: str = ""

    def words(self, surface: Surface, value: str) -> str:
        """The setting, with a value where one is given, as the reader would write it."""
        if surface == "cli" and self.cli:
            return f"{self.cli} {_shell(value)}" if value else self.cli
        if surface == "form" and self.form and (not value or value.startswith(self.entry)):
            value = value.partition("=")[2] if self.takes == "mapping" else self.menu.get(value, value)
            return f'"{self.form}": {value}' if value else f'"{self.form}"'
        return f"{self.python}={self._literal(value)}" if value else self.python

    def _literal(self, value: str) -> str:
        if self.takes == "list":
            return f'["{value}"]'
        if self.takes == "mapping":
            name, _, mapped = value.partition("=")
            return f'{{"{name}": "{mapped}"}}'
        return value if self.takes == "literal" else f'"{value}"'


def _shell(value: str) -> str:
    plain = all(char.isalnum() or char in "-_./:=," for char in value)
    return value if plain else f'"{value}"'


SETTINGS = {
    setting.python: setting
    for setting in (
        Setting("approve_above", form="Ask me if it may cost more than"),
        Setting("batch", "--batch", "Batch name"),
        Setting("budget", "--budget", "Budget of the batch"),
        Setting("choose", "--choose", "Which route makes a row"),
        Setting("confirm", "--yes", "Settle them all", takes="literal"),
        Setting("columns", "--column", "Heading of the prompts", "mapping", entry="prompt="),
        Setting("cost", "--cost"),
        Setting("file_name"),
        Setting("ledger", "--ledger"),
        Setting("limit", "--limit", "Only the first rows", "literal"),
        Setting("limit_patience", takes="literal"),
        Setting("max_charge", "--max-charge", "What one row costs at most"),
        Setting("max_failures", "--max-failures", takes="literal"),
        Setting("max_in_flight", "--max-in-flight", takes="literal"),
        Setting("media_hosts", takes="list"),
        Setting("media_root"),
        Setting("on_invalid", "--on-invalid", "If a row breaks a rule", menu={"skip": "leave it out"}),
        Setting("only", "--only", "Only these rows", "list"),
        Setting("output", "--output", "Folder for the videos"),
        Setting("patience", "--patience", "Minutes to wait for a video", "literal"),
        Setting("prices", "--prices"),
        Setting("retry", "--retry", "Make again, and pay again", "list"),
        Setting("reuse", "--reuse", "Use stored videos of the same request from other batches", "literal"),
        Setting("route", "--route", "Route"),
        Setting("spread", "--spread", "Spread over other processes"),
        Setting("take", "--take", "Take"),
        Setting("task_runs"),
    )
}
"""By the parameter's name. A test holds them against the flows, the commands and the forms."""
