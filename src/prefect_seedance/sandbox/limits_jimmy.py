"""What Jimmy AI's documents allow, route by route.

Written from the Mini, SP and Mini Special pages, the MD, Fast I2V and STD pages, the Full create page, and the shared
OpenAPI schema. Where two documents contradict each other, the wider reading holds unless the sandbox is strict.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from prefect_seedance.sandbox.draft import Refusal
from prefect_seedance.sandbox.prices import MD_MODELS, SP_MODELS, manxue_models

LISTS = ("images", "reference_videos", "reference_audios")
FRAMES = ("first_image", "last_image")


@dataclass(frozen=True)
class Rules:
    """The limits of one route.

    Attributes:
        shortest: Seconds.
        longest: Seconds.
        resolutions: What may be asked for; empty where the route fixes it and ignores the field.
        fixed: The resolution of such a route.
        ratios: What may be asked for; None where the pages give examples only.
        prompt_limit: Characters.
        images: How many.
        frames: `any`, or `both` where one frame alone is refused.
        pictures: How many pictures in all, frames included.
        videos: How many.
        audios: How many.
        audio_company: What must accompany an audio: any of these fields; empty where nothing is said.
        audio_with_frames: Whether audio goes with frames.
        schemes: How media may be addressed.
    """

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
    audio_company: tuple[str, ...] = ()
    audio_with_frames: bool = True
    schemes: tuple[str, ...] = ("https",)


ANY_COMPANY = ("images", "reference_videos", *FRAMES)
SMALL_RATIOS = ("16:9", "9:16", "1:1")
ALL_RATIOS = ("21:9", "16:9", "4:3", "1:1", "3:4", "9:16")


_MD = Rules(
    shortest=1, resolutions=(), ratios=SMALL_RATIOS, prompt_limit=5000, images=4, frames="both", videos=3, audios=0
)
#: The limits of every route. Where documents disagree, the wider reading.
RULES: dict[str, Rules] = {
    **{
        model: Rules(
            resolutions=(),
            fixed=model.rpartition("_")[2],
            ratios=(*ALL_RATIOS, "Adaptive", "adaptive"),
            videos=None if "_video_" in model else 0,
            schemes=("asset",),
        )
        for model in manxue_models()
    },
    **{model: Rules(audio_company=ANY_COMPANY, schemes=("https", "asset")) for model in SP_MODELS},
    "seedance2.0-mini": Rules(videos=0, audio_company=ANY_COMPANY),
    "seedance2.0-mini-video": Rules(audio_company=ANY_COMPANY),
    "seedance2.0-mini-sp": Rules(resolutions=("480p", "720p"), audio_company=ANY_COMPANY),
    **dict.fromkeys(MD_MODELS, _MD),
    "seedance2.0-fast-i2v": replace(_MD, images=9, pictures=9, frames="any", videos=0),
    "seedance2.0-std": Rules(resolutions=(), ratios=ALL_RATIOS, images=9, audios=3, audio_with_frames=False),
}
#: The narrower reading, by which a strict sandbox goes.
NARROWER: dict[str, dict[str, Any]] = {
    **{model: {"longest": 12} for model in manxue_models()},  # schema 4-12, a newer summary 4-15
    "seedance2.0-sp": {"resolutions": ("720p", "1080p")},  # SP page with 480p, a summary without
    "seedance2.0-fast-sp": {"resolutions": ("720p", "1080p"), "videos": 0},  # the same summary: no videos
    "seedance2.0-mini-sp": {"audio_company": ("images", "reference_videos")},  # page with frames, summary without
    **{model: {"shortest": 4} for model in MD_MODELS},  # MD page 4-15, schema 1-15
}


def rules_for(model: str, *, strict: bool = False) -> Rules:
    """Return the rules of a model.

    Raises:
        Refusal: The endpoint has no such model.
    """
    if model not in RULES:
        raise Refusal("model", f"不支持的模型参数 {model!r}")
    return replace(RULES[model], **NARROWER.get(model, {})) if strict else RULES[model]
