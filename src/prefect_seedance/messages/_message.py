"""A message: a slug and its parameters, made into text when it is shown."""

from __future__ import annotations

import logging
import string
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from prefect_seedance.messages._settings import SETTINGS, Setting
from prefect_seedance.messages._surface import current_surface
from prefect_seedance.messages.english import TEXTS

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Message:
    """What is said to a person.

    Attributes:
        slug: The stable name of what is said.
        parameters: What its text is filled with.
    """

    slug: str
    parameters: Mapping[str, Any]

    def __str__(self) -> str:
        try:
            return _FORMATTER.vformat(TEXTS[self.slug], (), self.parameters)
        except Exception:
            # A text that cannot be made must never hide the error itself.
            log.warning("The text of the message %r cannot be made", self.slug, exc_info=True)
            return f"{self.slug} ({', '.join(f'{name}={value}' for name, value in self.parameters.items())})"

    def __hash__(self) -> int:
        try:
            # Without the text: of a large table a warning is counted once for each row.
            return hash((self.slug, frozenset(self.parameters.items())))
        except TypeError:  # a list among the parameters
            return hash((self.slug, str(self)))


def message(slug: str, /, **parameters: Any) -> Message:
    """A message.

    Args:
        slug: The name of its text in `english`; always written out where it is used, so that it can be found.
        parameters: What the text is filled with. Addresses and values of users must be fit to be shown.
    """
    return Message(slug, parameters)


def listing(names: Iterable[object]) -> str:
    """Write names as a list in a sentence."""
    return ", ".join(str(name) for name in names) or "none"


def _bullets(lines: Sequence[str]) -> str:
    return "".join(f"\n- {line}" for line in lines) + "\n"


_LISTS: dict[str, Callable[[Sequence[str]], str]] = {
    "": listing,
    "bullets": _bullets,
    "lines": lambda lines: _bullets(lines) if len(lines) > 1 else f" {listing(lines)} ",
    "sentences": " ".join,
    "clauses": "; ".join,
}


class _Formatter(string.Formatter):
    def get_value(self, key: int | str, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
        if isinstance(key, str) and key.startswith("@"):
            return SETTINGS[key[1:]]
        return super().get_value(key, args, kwargs)

    def format_field(self, value: Any, format_spec: str) -> str:
        if isinstance(value, Setting):
            return value.words(current_surface(), format_spec)
        if "|" in format_spec:
            one, many = format_spec.split("|", 1)
            return f"{value:,} {one if value == 1 else many}"
        if isinstance(value, list | tuple | set | frozenset):
            return _LISTS[format_spec]([str(each) for each in value])
        return str(super().format_field(str(value) if isinstance(value, Message) else value, format_spec))


_FORMATTER = _Formatter()
