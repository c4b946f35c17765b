"""The capabilities of each provider, as data. They hold for all of its routes, also for those that the catalogue lacks.

Other code checks a capability and never compares a provider's name.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Provider = Literal["jimmy", "anyfast"]
Library = Literal["", "sp", "audit", "volc"]


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What a provider offers on every route.

    Attributes:
        provider: The provider's name.
        fields: The settings of a request that its create schema has a field for, in the order of the schema.
        uploads: Whether files are uploaded first and then sent as links. Otherwise their bytes go into the request or
            into a library.
        library: The library in which media of any model are reviewed; empty where it depends on the model.
        exact_sizes: Whether its documents give the pixels of each resolution and ratio. Otherwise a resolution may
            describe only the short side.
    """

    provider: Provider
    fields: tuple[str, ...]
    uploads: bool = False
    library: Library = ""
    exact_sizes: bool = False


PROVIDERS: tuple[Capabilities, ...] = (
    Capabilities("jimmy", fields=("duration", "resolution", "ratio", "orientation"), uploads=True),
    Capabilities(
        "anyfast",
        fields=("generate_audio", "resolution", "ratio", "duration", "watermark", "web_search"),
        library="volc",
        exact_sizes=True,
    ),
)
"""Every known provider."""

_BY_NAME = {each.provider: each for each in PROVIDERS}


def capabilities_of(provider: Provider) -> Capabilities:
    """The capabilities of a provider."""
    return _BY_NAME[provider]
