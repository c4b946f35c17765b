"""Jimmy AI's models as data: the documented limits and the price of each. A new model is one entry here.

Written from the Mini, SP and Mini Special pages, the MD, Fast I2V and STD pages, the Full create page, and the shared
OpenAPI schema. Where two documents contradict each other, the wider reading applies unless the sandbox is strict. The
documents publish no prices, except 0.05 yuan a second for `seedance2.0-mini-720p` (an assumption of the Mini page); all
others are invented.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any, Literal

LISTS = ("images", "reference_videos", "reference_audios")
FRAMES = ("first_image", "last_image")


@dataclass(frozen=True)
class Rules:
    """The limits and the price of one model.

    Attributes:
        prices: Unit price by name of the price line.
        line: The price line; `{resolution}` is replaced by the resolution.
        unit: What is counted.
        bills_input: Whether the seconds of the first reference video are billed too.
        shortest: Minimum duration in seconds.
        longest: Maximum duration in seconds.
        resolutions: The allowed resolutions; empty where the model fixes one and ignores the field.
        fixed: The resolution of such a model.
        ratios: The allowed ratios; None where the pages give examples only.
        prompt_limit: Maximum length of the prompt in characters; None is no limit.
        images: Maximum number of images; None is no limit.
        frames: `any`, or `both` where one frame alone is refused.
        pictures: Maximum number of pictures in total, frames included; None is no limit.
        videos: Maximum number of reference videos; None is no limit.
        audios: Maximum number of reference audios; None is no limit.
        audio_needs: Fields of which an audio needs at least one; empty where no document requires any.
        audio_with_frames: Whether audio may be combined with frames.
        schemes: The allowed URL schemes of media.
        libraries: The libraries whose assets it takes.
        checks_media: Whether the limits of the MD page apply to its media.
        narrower: The fields of the narrower reading, which a strict sandbox applies.
    """

    prices: Mapping[str, Decimal]
    line: str
    unit: Literal["second", "job"] = "second"
    bills_input: bool = False
    shortest: int = 4
    longest: int = 15
    resolutions: tuple[str, ...] = ("480p", "720p", "1080p")
    fixed: str = "720p"
    ratios: tuple[str, ...] | None = None
    prompt_limit: int | None = None
    images: int | None = None
    frames: str = "any"
    pictures: int | None = None
    videos: int | None = None
    audios: int | None = None
    audio_needs: tuple[str, ...] = ()
    audio_with_frames: bool = True
    schemes: tuple[str, ...] = ("https",)
    libraries: tuple[str, ...] = ("audit",)
    checks_media: bool = False
    narrower: Mapping[str, Any] = field(default_factory=dict)


ANY_PICTURE_OR_VIDEO = ("images", "reference_videos", *FRAMES)
SMALL_RATIOS = ("16:9", "9:16", "1:1")
ALL_RATIOS = ("21:9", "16:9", "4:3", "1:1", "3:4", "9:16")

_BY_SIZE = {"480p": Decimal("0.03"), "720p": Decimal("0.05"), "1080p": Decimal("0.11")}
_FULL_PRICES = {"720p": Decimal("0.40"), "1080p": Decimal("0.80"), "2k": Decimal("1.20"), "4k": Decimal("2.40")}


def _sized(line: str, prices: Mapping[str, Decimal], factor: int = 1) -> dict[str, Any]:
    """Return the price line and the prices of a model that costs more at a higher resolution."""
    return {"line": line, "prices": {line.format(resolution=size): price * factor for size, price in prices.items()}}


def _job(model: str, price: str) -> dict[str, Any]:
    """Return the price line and the price of a model that costs the same for each job."""
    return {"line": model, "prices": {model: Decimal(price)}, "unit": "job"}


def _full() -> Iterator[tuple[str, Rules]]:
    """Yield the twelve Full (Manxue) models of the create page's schema."""
    for video in ("", "video_"):
        for fast, sizes in (("", tuple(_FULL_PRICES)), ("fast_", ("720p", "1080p"))):
            for size in sizes:
                model = f"sd2_mx_{video}{fast}{size}"
                yield (
                    model,
                    Rules(
                        line=model,
                        prices={model: _FULL_PRICES[size] * (Decimal("0.75") if fast else Decimal(1))},
                        resolutions=(),
                        fixed=size,
                        ratios=(*ALL_RATIOS, "Adaptive", "adaptive"),
                        videos=None if video else 0,
                        schemes=("asset",),
                        narrower={"longest": 12},  # schema 4-12, a newer summary 4-15
                    ),
                )


def _sp(model: str, factor: int, narrower: Mapping[str, Any] | None = None) -> Rules:
    return Rules(
        **_sized(f"{model}-{{resolution}}", _BY_SIZE, factor),
        audio_needs=ANY_PICTURE_OR_VIDEO,
        schemes=("https", "asset"),
        libraries=("sp", "person"),
        narrower=narrower or {},
    )


_MD = Rules(
    **_job("seedance2.0-md", "0.90"),
    shortest=1,
    resolutions=(),
    ratios=SMALL_RATIOS,
    prompt_limit=5000,
    images=4,
    frames="both",
    videos=3,
    audios=0,
    checks_media=True,
    narrower={"shortest": 4},  # MD page 4-15, schema 1-15
)
#: The rules of each model. Where documents disagree, the wider reading.
RULES: dict[str, Rules] = {
    **dict(_full()),
    # SP page with 480p, a summary without; the same summary: no videos on the fast one.
    "seedance2.0-sp": _sp("seedance2.0-sp", 3, {"resolutions": ("720p", "1080p")}),
    "seedance2.0-fast-sp": _sp("seedance2.0-fast-sp", 4, {"resolutions": ("720p", "1080p"), "videos": 0}),
    "seedance2.0-of-sp": _sp("seedance2.0-of-sp", 5),
    "seedance2.0-of-fast-sp": _sp("seedance2.0-of-fast-sp", 6),
    "seedance2.0-mini": Rules(
        **_sized("seedance2.0-mini-{resolution}", _BY_SIZE), videos=0, audio_needs=ANY_PICTURE_OR_VIDEO
    ),
    "seedance2.0-mini-video": Rules(
        **_sized("seedance2.0-mini-{resolution}-video", _BY_SIZE), bills_input=True, audio_needs=ANY_PICTURE_OR_VIDEO
    ),
    "seedance2.0-mini-sp": Rules(
        **_sized("seedance2.0-mini-sp-{resolution}", {"480p": Decimal("0.20"), "720p": Decimal("0.30")}),
        unit="job",
        resolutions=("480p", "720p"),
        audio_needs=ANY_PICTURE_OR_VIDEO,
        narrower={"audio_needs": ("images", "reference_videos")},  # page with frames, summary without
    ),
    "seedance2.0-md": _MD,
    "seedance2.0-fast-md": replace(_MD, **_job("seedance2.0-fast-md", "0.60")),
    "seedance2.0-fast-i2v": replace(
        _MD,
        **_job("seedance2.0-fast-i2v", "0.50"),
        images=9,
        pictures=9,
        frames="any",
        videos=0,
        checks_media=False,
        narrower={},
    ),
    "seedance2.0-std": Rules(
        **_job("seedance2.0-std", "1.00"),
        resolutions=(),
        ratios=ALL_RATIOS,
        images=9,
        audios=3,
        audio_with_frames=False,
    ),
}
