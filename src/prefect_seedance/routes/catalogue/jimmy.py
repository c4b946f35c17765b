"""The routes of Jimmy AI.

They share one endpoint, one schema and these rules: a prompt is always needed, `images` exclude the two frames, and the
only switch is `orientation`. Where a route's own page says more than the shared schema, the page applies. Where no page
names the price line, its key is the model, followed by `-{resolution}` where the price differs by resolution.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from prefect_seedance.routes.limit import Limit, megabytes, span_with_slack
from prefect_seedance.routes.route import (
    DurationRule,
    Exclusion,
    Expectation,
    FrameRule,
    MediaRule,
    PairingRule,
    PromptRule,
    RatioRule,
    ResolutionRule,
    Route,
    switches_of,
)

SCHEMA = "Jimmy AI: shared create schema of POST /seedance/videos"
FULL_PAGE = "Jimmy AI: Full (Manxue) create page"
SP_PAGE = "Jimmy AI: SP create page"
MINI_PAGE = "Jimmy AI: Mini create page"
MINI_SP_PAGE = "Jimmy AI: Mini Special create page"
MD_PAGE = "Jimmy AI: MD create page"
I2V_PAGE = "Jimmy AI: Fast I2V create page"
STD_PAGE = "Jimmy AI: STD create page"
NOTES = "integrators' notes on Jimmy AI (unofficial)"

_COMMON: dict[str, Any] = {
    "provider": "jimmy",
    "prompt": PromptRule(needed="always", source=SCHEMA),
    "switches": switches_of("jimmy"),
}
_IMAGES_OR_FRAMES = Exclusion(part="images", others=("frames",), source=SCHEMA)
_AUDIO_NOT_IN_SCHEMA = "the route's page takes reference audio, the shared schema names only Full, SP economy and STD"


def _full(model: str, resolution: str, *, title: str, video: bool) -> Route:
    # Only audited assets are accepted: a plain link makes the request fail.
    asset: dict[str, Any] = {"schemes": ("asset",), "source": FULL_PAGE}
    return Route(
        **_COMMON,
        model=model,
        title=f"{title} {resolution}",
        unit="second",
        library="audit",
        duration=DurationRule(
            minimum=4,
            maximum=15,
            sure_maximum=12,
            doubt="the shared schema ends at 12 seconds, newer notes at 15",
            source=f"{SCHEMA}; {NOTES}",
        ),
        resolution=ResolutionRule(
            allowed=(resolution,),
            doubtful=(resolution,),
            default=resolution,
            doubt="the model's name fixes the resolution, and no document says that the field may be sent with it",
            source=SCHEMA,
        ),
        ratio=RatioRule(listed=("16:9", "9:16", "1:1", "4:3", "3:4", "21:9", "Adaptive"), source=SCHEMA),
        images=MediaRule(**asset),
        frames=FrameRule(**asset, last_alone="doubtful"),
        reference_videos=MediaRule(**asset) if video else MediaRule(verdict="refused", source=SCHEMA),
        reference_audios=MediaRule(**asset),
        exclusions=(_IMAGES_OR_FRAMES,),
        expectation=_expects_video(SCHEMA) if video else Expectation(),
        sources=(FULL_PAGE, SCHEMA),
    )


def _expects_video(source: str) -> Expectation:
    doubt = "no document says whether this video-reference model runs without a reference video"
    return Expectation(parts=("reference_videos",), doubt=doubt, source=source)


def _sp(model: str, *, title: str, economy: bool, videos: MediaRule | None = None) -> Route:
    links: dict[str, Any] = {"schemes": ("https", "asset"), "source": SP_PAGE}
    return Route(
        **_COMMON,
        model=model,
        title=title,
        unit="second",
        library="sp",
        billing_model=f"{model}-{{resolution}}",
        duration=DurationRule(minimum=4, maximum=15, source=SP_PAGE),
        resolution=ResolutionRule(
            allowed=("480p", "720p", "1080p"),
            doubtful=("480p",) if economy else (),
            default="720p",
            doubt="the SP page takes 480p, unofficial notes say that the economy models refuse it" if economy else "",
            source=f"{SP_PAGE}; {NOTES}" if economy else SP_PAGE,
        ),
        ratio=_open_ratio(SP_PAGE),
        images=MediaRule(**links),
        frames=FrameRule(**links, last_alone="doubtful"),
        reference_videos=videos or MediaRule(**links),
        reference_audios=MediaRule(**links)
        if economy
        else MediaRule(verdict="doubtful", doubt=_AUDIO_NOT_IN_SCHEMA, **links),
        audio_pairing=_audio_with_pictures(SP_PAGE),
        exclusions=(_IMAGES_OR_FRAMES,),
        sources=(SP_PAGE, SCHEMA),
    )


def _open_ratio(source: str) -> RatioRule:
    doubt = "the page gives examples and no full list"
    return RatioRule(listed=("16:9", "9:16", "1:1"), doubt=doubt, source=source)


def _audio_with_pictures(source: str) -> PairingRule:
    return PairingRule(needs=("images", "frames", "reference_videos"), source=source)


def _mini(model: str, *, title: str, video: bool) -> Route:
    links: dict[str, Any] = {"schemes": ("https",), "source": MINI_PAGE}
    return Route(
        **_COMMON,
        model=model,
        title=title,
        unit="second",
        billing_model="seedance2.0-mini-{resolution}-video" if video else "seedance2.0-mini-{resolution}",
        billing_documented=True,
        input_seconds="first" if video else "free",
        duration=DurationRule(minimum=4, maximum=15, source=MINI_PAGE),
        resolution=ResolutionRule(allowed=("480p", "720p", "1080p"), default="720p", source=MINI_PAGE),
        ratio=_open_ratio(MINI_PAGE),
        images=MediaRule(**links),
        frames=FrameRule(**links, last_alone="doubtful"),
        reference_videos=MediaRule(**links) if video else MediaRule(verdict="refused", source=MINI_PAGE),
        reference_audios=MediaRule(
            verdict="doubtful", doubt=_AUDIO_NOT_IN_SCHEMA, schemes=("https",), source=f"{MINI_PAGE}; {SCHEMA}"
        ),
        audio_pairing=_audio_with_pictures(MINI_PAGE),
        exclusions=(_IMAGES_OR_FRAMES,),
        expectation=_expects_video(MINI_PAGE) if video else Expectation(),
        sources=(MINI_PAGE, SCHEMA),
    )


def _mini_special() -> Route:
    links: dict[str, Any] = {"schemes": ("https",), "source": MINI_SP_PAGE}
    return Route(
        **_COMMON,
        model="seedance2.0-mini-sp",
        title="Mini Special",
        unit="job",
        billing_model="seedance2.0-mini-sp-{resolution}",
        billing_documented=True,
        billing_doubt="the page bills this route per job, unofficial notes say per second",
        input_seconds="free",
        duration=DurationRule(minimum=4, maximum=15, source=MINI_SP_PAGE),
        resolution=ResolutionRule(allowed=("480p", "720p"), default="720p", source=MINI_SP_PAGE),
        ratio=_open_ratio(MINI_SP_PAGE),
        images=MediaRule(**links),
        frames=FrameRule(**links, first_alone="doubtful", last_alone="doubtful"),
        reference_videos=MediaRule(**links),
        reference_audios=MediaRule(
            verdict="doubtful", doubt=_AUDIO_NOT_IN_SCHEMA, schemes=("https",), source=f"{MINI_SP_PAGE}; {SCHEMA}"
        ),
        audio_pairing=PairingRule(
            needs=("images", "reference_videos"),
            doubtful=("frames",),
            doubt="the page lets audio go with frames, unofficial notes only with images or videos",
            source=f"{MINI_SP_PAGE}; {NOTES}",
        ),
        exclusions=(_IMAGES_OR_FRAMES,),
        sources=(MINI_SP_PAGE, SCHEMA),
    )


def _fixed_720p(source: str) -> ResolutionRule:
    # The pages say that the field has no effect: the result is always 720p, so no other value is allowed.
    return ResolutionRule(allowed=("720p",), default="720p", source=source)


# "720px-2160px", without saying which side.
_MD_VIDEOS = (
    Limit(
        measure="one_side",
        minimum=Decimal(720),
        maximum=Decimal(2160),
        doubt="the shared schema asks for 720 to 2160 px and does not say of which side",
        source=SCHEMA,
    ),
    span_with_slack("total_seconds", None, 15, "0.5", SCHEMA),
    megabytes(200, SCHEMA, "total_bytes"),
)


def _md(model: str, *, title: str) -> Route:
    links: dict[str, Any] = {"schemes": ("https",), "source": MD_PAGE}
    return Route(
        **{**_COMMON, "prompt": PromptRule(needed="always", maximum=5000, source=f"{MD_PAGE}; {SCHEMA}")},
        model=model,
        title=title,
        unit="job",
        input_seconds="free",
        duration=DurationRule(
            minimum=1,
            maximum=15,
            sure_minimum=4,
            doubt="the MD page begins at 4 seconds, the shared schema at 1",
            source=f"{MD_PAGE}; {SCHEMA}",
        ),
        resolution=_fixed_720p(MD_PAGE),
        ratio=RatioRule(listed=("16:9", "9:16", "1:1"), closed=True, default="16:9", source=MD_PAGE),
        images=MediaRule(**links, maximum=4, refused_formats=("gif",)),
        frames=FrameRule(
            **links,
            doubtful_formats=("gif",),
            doubt="the MD page refuses GIF among images and does not speak of frames",
            first_alone="refused",
            last_alone="refused",
        ),
        reference_videos=MediaRule(**links, maximum=3, limits=_MD_VIDEOS),
        reference_audios=MediaRule(verdict="refused", source=MD_PAGE),
        exclusions=(_IMAGES_OR_FRAMES,),
        sources=(MD_PAGE, SCHEMA),
    )


def _fast_i2v() -> Route:
    links: dict[str, Any] = {"schemes": ("https",), "source": I2V_PAGE}
    return Route(
        **{**_COMMON, "prompt": PromptRule(needed="always", maximum=5000, source=I2V_PAGE)},
        model="seedance2.0-fast-i2v",
        title="Fast I2V",
        unit="job",
        billing_documented=True,
        input_seconds="free",
        duration=DurationRule(minimum=1, maximum=15, source=I2V_PAGE),
        resolution=_fixed_720p(I2V_PAGE),
        ratio=RatioRule(listed=("16:9", "9:16", "1:1"), closed=True, default="16:9", source=I2V_PAGE),
        # The limit of nine counts images and frames together. They exclude each other, so it is nine images.
        images=MediaRule(**links, maximum=9),
        frames=FrameRule(**links, first_alone="doubtful", last_alone="doubtful"),
        reference_videos=MediaRule(verdict="refused", source=I2V_PAGE),
        reference_audios=MediaRule(verdict="refused", source=I2V_PAGE),
        exclusions=(_IMAGES_OR_FRAMES,),
        expectation=Expectation(
            parts=("images", "frames"),
            doubt="no document says whether this image-to-video model runs on a text alone",
            source=I2V_PAGE,
        ),
        sources=(I2V_PAGE, SCHEMA),
    )


def _std() -> Route:
    links: dict[str, Any] = {"schemes": ("https",), "source": STD_PAGE}
    return Route(
        **_COMMON,
        model="seedance2.0-std",
        title="STD standard",
        unit="job",
        input_seconds="free",
        duration=DurationRule(minimum=4, maximum=15, source=STD_PAGE),
        resolution=_fixed_720p(STD_PAGE),
        ratio=RatioRule(
            listed=("16:9", "9:16", "1:1", "4:3", "3:4", "21:9"), closed=True, default="16:9", source=STD_PAGE
        ),
        images=MediaRule(**links, maximum=9),
        frames=FrameRule(**links),
        reference_videos=MediaRule(**links, formats=("mp4", "mov", "avi", "webm", "mkv", "m4v", "flv")),
        reference_audios=MediaRule(**links, maximum=3),
        exclusions=(_IMAGES_OR_FRAMES, Exclusion(part="reference_audios", others=("frames",), source=SCHEMA)),
        sources=(STD_PAGE, SCHEMA),
    )


_FAST_SP_VIDEOS = MediaRule(
    verdict="doubtful",
    schemes=("https", "asset"),
    doubt="the SP page takes reference videos, unofficial notes say that this model does not",
    source=f"{SP_PAGE}; {NOTES}",
)

JIMMY: tuple[Route, ...] = (
    _mini("seedance2.0-mini", title="Mini", video=False),
    _mini("seedance2.0-mini-video", title="Mini video", video=True),
    _mini_special(),
    _sp("seedance2.0-sp", title="SP economy", economy=True),
    _sp("seedance2.0-fast-sp", title="SP economy fast", economy=True, videos=_FAST_SP_VIDEOS),
    _sp("seedance2.0-of-sp", title="SP official", economy=False),
    _sp("seedance2.0-of-fast-sp", title="SP official fast", economy=False),
    _md("seedance2.0-md", title="MD"),
    _md("seedance2.0-fast-md", title="MD fast"),
    _fast_i2v(),
    _std(),
    *(_full(f"sd2_mx_{size}", size, title="Full", video=False) for size in ("720p", "1080p", "2k", "4k")),
    *(_full(f"sd2_mx_fast_{size}", size, title="Full fast", video=False) for size in ("720p", "1080p")),
    *(_full(f"sd2_mx_video_{size}", size, title="Full video", video=True) for size in ("720p", "1080p", "2k", "4k")),
    *(_full(f"sd2_mx_video_fast_{size}", size, title="Full video fast", video=True) for size in ("720p", "1080p")),
)
