"""Checks a create request against the limits of its Jimmy AI route, and prices it."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

from prefect_seedance.sandbox.media.frames import frame_size, nearest_ratio
from prefect_seedance.sandbox.media.limits import check_md
from prefect_seedance.sandbox.models.jimmy import FRAMES, LISTS, RULES, Rules
from prefect_seedance.sandbox.world.draft import Draft, Refusal
from prefect_seedance.sandbox.world.job import Clip
from prefect_seedance.sandbox.world.prices import jimmy_charge
from prefect_seedance.sandbox.world.reference import References
from prefect_seedance.sandbox.world.uploads import MediaFacts

TEXTS = ("model", "prompt", "resolution", "ratio", "orientation", *FRAMES)
_KINDS = {"reference_videos": "video", "reference_audios": "audio"}
FIELDS = frozenset((*TEXTS, *LISTS, "duration"))


def read_request(body: dict[str, Any], references: References) -> Draft:
    """Check a create request and price it.

    Raises:
        Refusal: The documents do not allow it.
    """
    settings = references.state.settings
    _check_shape(body)
    model = body["model"]
    rules = rules_for(model, strict=settings.strict)
    _check_settings(model, rules, body)
    _check_counts(model, rules, body)
    _check_pairs(model, rules, body)
    for field, url in _media(body):
        _check_url(model, rules, field, url, references)
    _check_media(rules, body, references)
    resolution = body.get("resolution", "720p") if rules.resolutions else rules.fixed
    ratio = _ratio(body, references)
    width, height = frame_size(resolution, ratio)
    videos = body.get("reference_videos", [])
    facts = references.facts(videos[0]) if videos else None
    charge = jimmy_charge(
        rules,
        duration=body["duration"],
        resolution=resolution,
        reference_seconds=facts.seconds if facts else None,
        prices=settings.prices,
    )
    has_audio = rules.audios != 0
    clip = Clip(width, height, body["duration"], resolution, ratio, has_audio)
    lost = any(references.is_lost(url) for _, url in _media(body))
    failure = "s3 download failed: Read timed out" if lost else None
    return Draft(model, body, body["prompt"], clip, charge, settings.jimmy_refunds_failures, failure=failure)


def rules_for(model: str, *, strict: bool = False) -> Rules:
    """Return the rules of a model.

    Raises:
        Refusal: The endpoint has no such model.
    """
    if model not in RULES:
        raise Refusal("model", f"不支持的模型参数 {model!r}")
    return replace(RULES[model], **RULES[model].narrower) if strict else RULES[model]


def _check_shape(body: dict[str, Any]) -> None:
    for field in ("model", "prompt", "duration"):
        if field not in body:
            raise Refusal(field, "is required")
    for field, value in body.items():
        if field not in FIELDS:
            raise Refusal(field, "is not a field of this endpoint")
        if field in TEXTS and not (isinstance(value, str) and value.strip()):
            raise Refusal(field, "must be a text")
        if field in LISTS and not (isinstance(value, list) and all(isinstance(url, str) and url for url in value)):
            raise Refusal(field, "must be a list of texts")
    if type(body["duration"]) is not int:
        raise Refusal("duration", "must be an integer")


def _check_settings(model: str, rules: Rules, body: dict[str, Any]) -> None:
    if not rules.shortest <= body["duration"] <= rules.longest:
        raise Refusal("duration", f"must be {rules.shortest}-{rules.longest} for {model}")
    if rules.prompt_limit is not None and len(body["prompt"]) > rules.prompt_limit:
        raise Refusal("prompt", f"must be at most {rules.prompt_limit} characters for {model}")
    # A route of fixed resolution ignores the field, but the schema still lists its three values.
    allowed = rules.resolutions or ("480p", "720p", "1080p")
    if body.get("resolution", "720p") not in allowed:
        raise Refusal("resolution", f"must be one of {', '.join(allowed)} for {model}")
    if body.get("orientation", "portrait") not in {"landscape", "portrait"}:
        raise Refusal("orientation", "must be landscape or portrait")
    ratio = body.get("ratio", "16:9")
    if rules.ratios is not None and ratio not in rules.ratios:
        raise Refusal("ratio", f"must be one of {', '.join(rules.ratios)} for {model}")
    if rules.ratios is None and ratio.lower() != "adaptive" and not _is_ratio(ratio):
        raise Refusal("ratio", "must be like 16:9")


def _is_ratio(ratio: str) -> bool:
    match = re.fullmatch(r"([1-9]\d?):([1-9]\d?)", ratio)
    return match is not None and 1 / 4 <= int(match[1]) / int(match[2]) <= 4


def _check_counts(model: str, rules: Rules, body: dict[str, Any]) -> None:
    counts = {field: len(body.get(field, [])) for field in LISTS}
    limits = {"images": rules.images, "reference_videos": rules.videos, "reference_audios": rules.audios}
    for field, limit in limits.items():
        if limit is not None and counts[field] > limit:
            raise Refusal(field, f"at most {limit} for {model}" if limit else f"not supported by {model}")
    pictures = counts["images"] + sum(field in body for field in FRAMES)
    if rules.pictures is not None and pictures > rules.pictures:
        raise Refusal("images", f"at most {rules.pictures} pictures in all for {model}")


def _check_pairs(model: str, rules: Rules, body: dict[str, Any]) -> None:
    given = {field for field in (*LISTS, *FRAMES) if body.get(field)}
    frames = given & set(FRAMES)
    if frames and "images" in given:
        raise Refusal("images", "images 与 first_image/last_image 不可同时使用 (cannot be used together)")
    if rules.frames == "both" and len(frames) == 1:
        raise Refusal(next(iter(frames)), f"{model} needs first_image and last_image, or neither")
    if "reference_audios" not in given:
        return
    if frames and not rules.audio_with_frames:
        raise Refusal("reference_audios", f"not supported by {model} in frame mode")
    if rules.audio_needs and not given & set(rules.audio_needs):
        raise Refusal("reference_audios", f"must be paired with one of {', '.join(rules.audio_needs)}")


def _media(body: dict[str, Any]) -> list[tuple[str, str]]:
    listed = [(field, url) for field in LISTS for url in body.get(field, [])]
    return listed + [(field, body[field]) for field in FRAMES if field in body]


def _check_url(model: str, rules: Rules, field: str, url: str, references: References) -> None:
    scheme, separator, rest = url.partition("://")
    if not separator or not rest:
        raise Refusal(field, f"{url[:40]!r} is not a URL")
    # The sandbox serves plain http, so its own files need no https.
    if scheme == "http" and references.is_own(url):
        scheme = "https"
    if scheme not in rules.schemes:
        raise Refusal(field, f"must be {' or '.join(name + '://' for name in rules.schemes)} for {model}")
    if field in {"images", *FRAMES} and rules.checks_media and url.partition("?")[0].lower().endswith(".gif"):
        raise Refusal(field, f"GIF is not supported by {model}")
    if scheme == "asset":
        _check_asset(model, rules, field, rest, references)


def _check_asset(model: str, rules: Rules, field: str, name: str, references: References) -> None:
    assets, now = references.state.assets, references.state.now()
    asset = assets.get(name, references.account.name)
    if asset is None:
        not_owned = assets.of_other_account(name, references.account.name)
        if not_owned or references.state.settings.known_assets_only:
            raise Refusal(field, f"asset {name} not found")
    elif asset.library not in rules.libraries:
        raise Refusal(field, f"asset {name} has not passed the review of {model}")
    elif asset.review(now) != "Active":
        raise Refusal(field, f"asset {name} is {asset.review(now)}, not Active")


def _check_media(rules: Rules, body: dict[str, Any], references: References) -> None:
    """Check the media whose properties are known: their kind on every route, more where a document names limits."""
    known: dict[str, list[MediaFacts]] = {}
    for field, url in _media(body):
        facts = references.facts(url)
        wanted = _KINDS.get(field, "image")
        if facts is not None and facts.kind != wanted:
            raise Refusal(field, f"must hold {wanted}s, not {facts.kind}s")
        if facts is not None:
            known.setdefault(field, []).append(facts)
    if rules.checks_media:
        for field, facts_of_field in known.items():
            check_md(field, facts_of_field)


def _ratio(body: dict[str, Any], references: References) -> str:
    ratio: str | None = body.get("ratio")  # a ratio takes precedence over an orientation (OpenAPI, orientation)
    if ratio is not None and ratio.lower() != "adaptive":
        return ratio
    pictures = [url for field, url in _media(body) if field in {"images", *FRAMES}]
    facts = references.facts(pictures[0]) if ratio is not None and pictures else None
    if facts is not None and facts.width and facts.height:
        return nearest_ratio(facts.width, facts.height)
    return "9:16" if body.get("orientation") == "portrait" else "16:9"
