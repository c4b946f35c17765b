"""The request: what one video should be, independent of any provider's API."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Annotated, Any, Literal, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, create_model

Part = Literal["images", "frames", "reference_videos", "reference_audios", "web_search"]
"""A part of a request that rules treat as a whole; `frames` is the first and the last image together."""

MEDIA: tuple[Part, ...] = ("images", "frames", "reference_videos", "reference_audios")
FRAMES: tuple[str, ...] = ("first_image", "last_image")
"""The fields of which the part `frames` consists."""


def _list_to_tuple(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


Addresses = Annotated[tuple[str, ...], BeforeValidator(_list_to_tuple)]


@dataclass(frozen=True, slots=True)
class Column:
    """The metadata of a field of a request: everything beyond its type that other parts of the program need.

    Attributes:
        reader: The name of its reader in the module that reads cells.
        headings: Other headings that people use for this column, in lower case, without spaces and plural `s`.
        optional: Whether a route may lack it; `Route.switches` lists those that a route honours.
        in_block: Its help text as a default of a route block.
        in_job: Its help text in a job block.
        job_title: Its title in a job block; empty: the field's name.
    """

    reader: str
    headings: tuple[str, ...] = ()
    optional: bool = False
    in_block: str = ""
    in_job: str = ""
    job_title: str = ""


# To add a setting, add one field to `Shape` or `Options`. Cells, headings, switches, the blocks' fields, row keys and
# fingerprints are derived from it. The order of the fields is that of the bases of `VideoRequest`, last base first.


class Prompt(BaseModel):
    """The text of a request."""

    prompt: Annotated[str | None, Column("prompt", ("text", "提示词", "文案"))] = Field(
        default=None, description="What the video shows."
    )


class Shape(BaseModel):
    """The settings of every route."""

    duration: Annotated[
        int | None,
        Column(
            "duration",
            ("second", "时长"),
            in_block="Seconds of video, where a row does not say.",
            in_job="Seconds of video. Empty: as the route says.",
        ),
    ] = Field(default=None, description="Length of the video in whole seconds.")
    resolution: Annotated[
        str | None,
        Column(
            "resolution",
            ("分辨率",),
            in_block="720p, for example, where a row does not say.",
            in_job="720p, for example. Empty: as the route says.",
        ),
    ] = Field(default=None, description="Such as 480p, 720p or 1080p.")
    ratio: Annotated[
        str | None,
        Column(
            "ratio",
            ("aspectratio", "比例", "画面比例"),
            in_block="16:9, for example, where a row does not say.",
            in_job="16:9, for example. Empty: as the route says.",
        ),
    ] = Field(default=None, description="Width to height, such as 16:9; on some routes adaptive.")
    orientation: Annotated[
        Literal["landscape", "portrait"] | None,
        Column(
            "orientation",
            optional=True,
            in_block="Landscape or portrait, where a row does not say and no ratio is set.",
            in_job="Landscape or portrait, where no ratio is set. Empty: as the route says.",
        ),
    ] = Field(default=None, description="A coarser word than ratio, which wins over it where both are sent.")


class Media(BaseModel):
    """The media of a request."""

    images: Annotated[Addresses, Column("references", ("referenceimage", "imageurl", "参考图"))] = Field(
        default=(), description="Reference images."
    )
    first_image: Annotated[str | None, Column("reference", ("firstframe", "首帧"))] = Field(
        default=None, description="The image that the video starts with."
    )
    last_image: Annotated[str | None, Column("reference", ("lastframe", "尾帧"))] = Field(
        default=None, description="The image that the video ends with."
    )
    reference_videos: Annotated[Addresses, Column("references", ("video", "referencevideourl"))] = Field(
        default=(), description="Videos to take motion or scenes from."
    )
    reference_audios: Annotated[Addresses, Column("references")] = Field(
        default=(), description="Sounds to take voices or music from."
    )


class Options(BaseModel):
    """The settings that only some routes have."""

    generate_audio: Annotated[
        bool | None,
        Column(
            "switch",
            ("audio",),
            optional=True,
            in_block="Whether the video has sound, on routes that can choose.",
            in_job="Whether it has sound. Empty: as the route says.",
            job_title="Sound",
        ),
    ] = Field(default=None, description="Whether the video gets a sound track.")
    watermark: Annotated[
        bool | None,
        Column(
            "switch",
            optional=True,
            in_block="Whether it has a watermark, on routes that can choose.",
            in_job="Whether it has a watermark. Empty: as the route says.",
        ),
    ] = Field(default=None, description="Whether the provider stamps its mark on the video.")
    web_search: Annotated[
        bool | None,
        Column(
            "switch",
            optional=True,
            in_block="Whether the model may search the web: at Anyfast, for rows of text only.",
            in_job="Whether the model may search the web. Empty: as the route says.",
            job_title="Web search",
        ),
    ] = Field(default=None, description="Whether the model may look things up on the web.")


class VideoRequest(Options, Media, Shape, Prompt):
    """What one video should be, independent of provider and route.

    None or an empty list means "not set": the field is not sent, and the provider's default applies. The model is
    strict (`"5"` is not a duration) and contains no rule of any route: `check` compares it with a route.
    """

    model_config = ConfigDict(strict=True, frozen=True, extra="forbid")

    @property
    def frames(self) -> tuple[str, ...]:
        """The first and the last image, as far as they are set."""
        return tuple(image for image in (self.first_image, self.last_image) if image is not None)

    @property
    def media(self) -> tuple[tuple[str, str], ...]:
        """The field and the address of every medium, in the order of the fields."""
        listed = [(part, address) for part in MEDIA if part != "frames" for address in getattr(self, part)]
        framed = [(field, getattr(self, field)) for field in FRAMES if getattr(self, field) is not None]
        return (*listed, *framed)

    def has(self, part: Part) -> bool:
        """Return whether a part is set. `web_search` counts only when it is True."""
        return bool(getattr(self, part))


def _column(name: str) -> Column:
    return next(found for found in VideoRequest.model_fields[name].metadata if isinstance(found, Column))


COLUMNS: Mapping[str, Column] = MappingProxyType({name: _column(name) for name in VideoRequest.model_fields})
"""Every field of a request, in order."""

SETTINGS: tuple[str, ...] = (*Shape.model_fields, *Options.model_fields)
"""The fields that are neither text nor media: a block may set them for rows that do not."""

Group = TypeVar("Group", bound=BaseModel)


def block_fields(block: Literal["route", "job"], group: type[Group]) -> type[Group]:
    """The settings of `Shape` or `Options` as fields of a block, with the help texts of that block."""
    fields: dict[str, Any] = {}
    for name, field in group.model_fields.items():
        column = COLUMNS[name]
        title, text = (None, column.in_block) if block == "route" else (column.job_title or None, column.in_job)
        fields[name] = (field.annotation, Field(default=field.default, title=title, description=text))
    return create_model(group.__name__, __base__=group, __module__=group.__module__, **fields)
