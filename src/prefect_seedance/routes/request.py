"""The request: what one video should be, in words that every provider's API can be told in."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

Part = Literal["images", "frames", "reference_videos", "reference_audios", "web_search"]
"""A part of a request that rules speak of as a whole; `frames` is the first and the last image together."""

MEDIA: tuple[Part, ...] = ("images", "frames", "reference_videos", "reference_audios")
FRAMES: tuple[str, ...] = ("first_image", "last_image")
"""The fields of which the part `frames` consists."""


def _list_to_tuple(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


Addresses = Annotated[tuple[str, ...], BeforeValidator(_list_to_tuple)]


class VideoRequest(BaseModel):
    """What one video should be; neutral of provider and route.

    None, or an empty list, means "not set": the field is never sent, and the provider's own default holds. The model
    is strict (`"5"` is no duration) and knows no rule of any route: `check` tells what a route makes of it.
    """

    model_config = ConfigDict(strict=True, frozen=True, extra="forbid")

    prompt: str | None = Field(default=None, description="What the video shows.")
    duration: int | None = Field(default=None, description="Length of the video in whole seconds.")
    resolution: str | None = Field(default=None, description="Such as 480p, 720p or 1080p.")
    ratio: str | None = Field(default=None, description="Width to height, such as 16:9; on some routes adaptive.")
    orientation: Literal["landscape", "portrait"] | None = Field(
        default=None, description="A coarser word than ratio, which wins over it where both are sent."
    )
    images: Addresses = Field(default=(), description="Reference images.")
    first_image: str | None = Field(default=None, description="The image that the video starts with.")
    last_image: str | None = Field(default=None, description="The image that the video ends with.")
    reference_videos: Addresses = Field(default=(), description="Videos to take motion or scenes from.")
    reference_audios: Addresses = Field(default=(), description="Sounds to take voices or music from.")
    generate_audio: bool | None = Field(default=None, description="Whether the video gets a sound track.")
    watermark: bool | None = Field(default=None, description="Whether the provider stamps its mark on the video.")
    web_search: bool | None = Field(default=None, description="Whether the model may look things up on the web.")

    @property
    def frames(self) -> tuple[str, ...]:
        """The first and the last image, as far as they are set."""
        return tuple(image for image in (self.first_image, self.last_image) if image is not None)

    @property
    def media(self) -> tuple[tuple[str, str], ...]:
        """Every medium: the field that names it and its address, in the order of the fields."""
        listed = [(part, address) for part in MEDIA if part != "frames" for address in getattr(self, part)]
        framed = [(field, getattr(self, field)) for field in FRAMES if getattr(self, field) is not None]
        return (*listed, *framed)

    def has(self, part: Part) -> bool:
        """Tell whether a part is set. `web_search` counts only when it is asked for, not when it is declined."""
        return bool(getattr(self, part))
