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
        headings: Other headings that are read as this column, in lower case, without spaces and plural `s`.
        doubtful: Headings that mean this column in one table and something else in another: the user is asked.
        optional: Whether a route may lack it; `Route.switches` lists those that a route honours.
        in_block: Its help text as a default of a route block.
        in_job: Its help text in a job block.
        job_title: Its title in a job block; empty: the field's name.
    """

    reader: str
    headings: tuple[str, ...] = ()
    doubtful: tuple[str, ...] = ()
    optional: bool = False
    in_block: str = ""
    in_job: str = ""
    job_title: str = ""


# To add a setting, add one field to `Shape` or `Options`. Cells, headings, switches, the blocks' fields, row keys and
# fingerprints are derived from it. The order of the fields is that of the bases of `VideoRequest`, last base first.


class Prompt(BaseModel):
    """The text of a request."""

    prompt: Annotated[
        str | None,
        Column(
            "prompt",
            (
                *(
                    "text",
                    "prompttext",
                    "textprompt",
                    "videoprompt",
                    "promptcontent",
                    "description",
                    "videodescription",
                ),
                *(
                    "promptdescription",
                    "scenedescription",
                    "提示词",
                    "视频提示词",
                    "提示語",
                    "提示语",
                    "提示詞",
                    "文案",
                ),
                *(
                    "描述",
                    "视频描述",
                    "画面描述",
                    "场景描述",
                    "内容",
                    "文本",
                    "プロンプト",
                    "프롬프트",
                    "промпт",
                    "промт",
                ),
            ),
        ),
    ] = Field(default=None, description="What the video shows.")


class Shape(BaseModel):
    """The settings of every route."""

    duration: Annotated[
        int | None,
        Column(
            "duration",
            (
                *(
                    "second",
                    "sec",
                    "durationsecond",
                    "durationsec",
                    "durationinsecond",
                    "durationinsec",
                    "videoduration",
                ),
                *("lengthsecond", "lengthsec", "lengthinsecond", "lengthinsec", "videolength", "cliplength"),
                *(
                    "clipduration",
                    "时长",
                    "視頻時長",
                    "時長",
                    "视频时长",
                    "时长秒",
                    "时长秒数",
                    "秒",
                    "秒数",
                    "秒數",
                    "长度秒",
                ),
                *("длительность", "dauer", "durée", "duración", "duração", "durata", "길이", "재생시간"),
            ),
            ("length", "长度", "長度"),
            in_block="Seconds of video, where a row does not say.",
            in_job="Seconds of video. Empty: as the route says.",
        ),
    ] = Field(default=None, description="Length of the video in whole seconds.")
    resolution: Annotated[
        str | None,
        Column(
            "resolution",
            (
                *("res", "quality", "videoquality", "videoresolution", "picturequality"),
                *("分辨率", "解析度", "清晰度", "画质", "畫質", "視頻分辨率", "视频分辨率", "解像度", "画質", "해상도"),
                *("разрешение", "auflösung", "résolution", "resolución", "resolução", "risoluzione"),
            ),
            ("size", "videosize", "尺寸"),
            in_block="720p, for example, where a row does not say.",
            in_job="720p, for example. Empty: as the route says.",
        ),
    ] = Field(default=None, description="Such as 480p, 720p or 1080p.")
    ratio: Annotated[
        str | None,
        Column(
            "ratio",
            (
                *(
                    "aspectratio",
                    "aspect",
                    "videoratio",
                    "videoaspectratio",
                    "screenratio",
                    "比例",
                    "画面比例",
                    "视频比例",
                ),
                *(
                    "宽高比",
                    "寬高比",
                    "长宽比",
                    "長寬比",
                    "畫面比例",
                    "画幅",
                    "画幅比例",
                    "横纵比",
                    "纵横比",
                    "アスペクト比",
                ),
                *("縦横比", "화면비", "비율", "соотношениесторон", "seitenverhältni"),
            ),
            in_block="16:9, for example, where a row does not say.",
            in_job="16:9, for example. Empty: as the route says.",
        ),
    ] = Field(default=None, description="Width to height, such as 16:9; on some routes adaptive.")
    orientation: Annotated[
        Literal["landscape", "portrait"] | None,
        Column(
            "orientation",
            ("videoorientation", "screenorientation", "画面方向", "方向", "横竖屏", "横屏竖屏"),
            optional=True,
            in_block="Landscape or portrait, where a row does not say and no ratio is set.",
            in_job="Landscape or portrait, where no ratio is set. Empty: as the route says.",
        ),
    ] = Field(default=None, description="A coarser word than ratio, which wins over it where both are sent.")


class Media(BaseModel):
    """The media of a request."""

    images: Annotated[
        Addresses,
        Column(
            "references",
            (
                *(
                    "referenceimage",
                    "refimage",
                    "imageref",
                    "imagereference",
                    "inputimage",
                    "sourceimage",
                    "img",
                    "refimg",
                ),
                *(
                    "picture",
                    "pic",
                    "referencepicture",
                    "参考图",
                    "参考图片",
                    "参考图像",
                    "参考照片",
                    "參考圖",
                    "參考圖片",
                ),
                *(
                    "图片",
                    "图像",
                    "圖片",
                    "垫图",
                    "図",
                    "参考画像",
                    "画像",
                    "이미지",
                    "참고이미지",
                    "изображение",
                    "картинка",
                ),
            ),
            ("reference", "photo", "照片"),
        ),
    ] = Field(default=(), description="Reference images.")
    first_image: Annotated[
        str | None,
        Column(
            "reference",
            (
                *("firstframe", "firstframeimage", "startframe", "startimage", "startframeimage", "startingframe"),
                *(
                    "startingimage",
                    "firstpicture",
                    "首帧",
                    "首帧图",
                    "首帧图片",
                    "首幀",
                    "首图",
                    "起始帧",
                    "开始帧",
                    "第一帧",
                ),
            ),
        ),
    ] = Field(default=None, description="The image that the video starts with.")
    last_image: Annotated[
        str | None,
        Column(
            "reference",
            (
                *("lastframe", "lastframeimage", "endframe", "endimage", "endframeimage", "endingframe", "finalframe"),
                *(
                    "endingimage",
                    "lastpicture",
                    "尾帧",
                    "尾帧图",
                    "尾帧图片",
                    "尾幀",
                    "尾图",
                    "结束帧",
                    "末帧",
                    "最后一帧",
                ),
            ),
        ),
    ] = Field(default=None, description="The image that the video ends with.")
    reference_videos: Annotated[
        Addresses,
        Column(
            "references",
            ("refvideo", "videoref", "videoreference", "inputvideo", "参考视频", "參考視頻"),
            ("video", "sourcevideo", "视频"),
        ),
    ] = Field(default=(), description="Videos to take motion or scenes from.")
    reference_audios: Annotated[
        Addresses,
        Column(
            "references",
            ("refaudio", "audioref", "audioreference", "inputaudio", "referencesound", "参考音频", "參考音頻"),
            ("音频", "音頻"),
        ),
    ] = Field(default=(), description="Sounds to take voices or music from.")


class Options(BaseModel):
    """The settings that only some routes have."""

    generate_audio: Annotated[
        bool | None,
        Column(
            "switch",
            ("audio", "withaudio", "withsound", "hasaudio", "audioon", "生成音频", "有声", "是否有声"),
            ("sound", "声音", "聲音"),
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
            ("addwatermark", "withwatermark", "haswatermark", "水印", "是否水印", "添加水印", "浮水印"),
            optional=True,
            in_block="Whether it has a watermark, on routes that can choose.",
            in_job="Whether it has a watermark. Empty: as the route says.",
        ),
    ] = Field(default=None, description="Whether the provider stamps its mark on the video.")
    web_search: Annotated[
        bool | None,
        Column(
            "switch",
            ("联网", "联网搜索", "網路搜尋"),
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
