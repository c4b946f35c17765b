"""The route of Anyfast: `seedance-2.0-mini`.

Anyfast's schema names no price line, so the model's name is the price key. Upstream has a separate price for tokens
with input video; an account that is billed that way sets `billing_model_with_video`.
"""

from __future__ import annotations

from decimal import Decimal

from prefect_seedance.routes.limit import Limit, megabytes, span, span_with_slack
from prefect_seedance.routes.route import (
    DurationRule,
    Exclusion,
    FrameRule,
    MediaRule,
    PairingRule,
    PromptRule,
    RatioRule,
    ResolutionRule,
    Route,
    switches_of,
)

SCHEMA = "Anyfast: create schema of seedance-2.0-mini"
UPSTREAM = "Volcengine Ark: Seedance 2.0 manual (upstream of Anyfast)"
ASSETS = "Anyfast: volc-asset guide"

_IMAGES = ("jpeg", "png", "webp", "bmp", "tiff", "gif")
_HEIC = "the create schema lists six formats without HEIC, the asset guide lists it"

_TOTAL = Limit(
    measure="total_seconds",
    sure_maximum=Decimal(15),
    doubt="the limit of 15 seconds for all together is known from upstream and from integrators, not from Anyfast",
    source=UPSTREAM,
)
_IMAGE_LIMITS = (megabytes(30, SCHEMA), span("side", 300, 6000, ASSETS), span("aspect", "0.4", "2.5", ASSETS))
# The documents contradict each other on a video's frame size (480p and 720p; 407,696 to 8,295,044 pixels): no rule.
_VIDEO_LIMITS = (
    megabytes(50, SCHEMA),
    span_with_slack("seconds", 2, 15, "0.5", SCHEMA),
    span_with_slack("fps", 24, 60, "0.1", ASSETS),
    _TOTAL,
)
_AUDIO_LIMITS = (megabytes(15, SCHEMA), span_with_slack("seconds", 2, 15, "0.5", SCHEMA), _TOTAL)
_BODY = Limit(
    measure="total_bytes",
    sure_maximum=Decimal(64_000_000),
    doubt="a request with its media in Base64 stays below 64 MB upstream; a link or an asset keeps it small",
    source=UPSTREAM,
)

_MINI = Route(
    provider="anyfast",
    model="seedance-2.0-mini",
    title="Seedance 2.0 Mini",
    unit="million_tokens",
    library="volc",
    billing_documented=False,
    input_seconds="all",
    prompt=PromptRule(needed="without_media", advised_chinese=500, advised_words=1000, source=SCHEMA),
    duration=DurationRule(minimum=4, maximum=15, default=5, source=SCHEMA),
    resolution=ResolutionRule(allowed=("480p", "720p"), default="720p", source=SCHEMA),
    ratio=RatioRule(
        listed=("16:9", "4:3", "1:1", "3:4", "9:16", "21:9", "adaptive"),
        closed=True,
        default="adaptive",
        source=SCHEMA,
    ),
    images=MediaRule(
        maximum=9,
        formats=(*_IMAGES, "heic"),
        doubtful_formats=("heic",),
        doubt=_HEIC,
        limits=_IMAGE_LIMITS,
        source=f"{SCHEMA}; {ASSETS}",
    ),
    # The schema lists no input mode with only a last frame.
    frames=FrameRule(
        formats=(*_IMAGES, "heic"),
        doubtful_formats=("heic",),
        doubt=_HEIC,
        limits=_IMAGE_LIMITS,
        last_alone="refused",
        source=f"{SCHEMA}; {ASSETS}",
    ),
    reference_videos=MediaRule(
        maximum=3, schemes=("https", "asset"), formats=("mp4", "mov"), limits=_VIDEO_LIMITS, source=SCHEMA
    ),
    reference_audios=MediaRule(maximum=3, formats=("wav", "mp3"), limits=_AUDIO_LIMITS, source=SCHEMA),
    audio_pairing=PairingRule(
        needs=("images", "reference_videos"),
        doubtful=("frames",),
        doubt="the schema lists image with audio, but its roles suggest that frames are a mode of their own",
        source=SCHEMA,
    ),
    exclusions=(
        Exclusion(part="frames", others=("images", "reference_videos"), source=UPSTREAM),
        Exclusion(
            part="web_search", others=("images", "frames", "reference_videos", "reference_audios"), source=SCHEMA
        ),
    ),
    body=_BODY,
    switches=switches_of("anyfast"),
    sources=(SCHEMA,),
)

ANYFAST: tuple[Route, ...] = (_MINI,)
