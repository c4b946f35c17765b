"""Check a create request against the limits of its Anyfast model, and price it.

Written from the OpenAPI page of `seedance-2.0-mini`; the exclusions between frames and references are those of the
upstream provider.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections import Counter
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from prefect_seedance.sandbox.media.frames import RATIOS, frame_size, nearest_ratio
from prefect_seedance.sandbox.media.limits import BYTES, check_medium, check_total
from prefect_seedance.sandbox.models.anyfast import RULES, Rules
from prefect_seedance.sandbox.world.draft import Draft, Refusal
from prefect_seedance.sandbox.world.job import Clip
from prefect_seedance.sandbox.world.prices import anyfast_charge, video_tokens
from prefect_seedance.sandbox.world.reference import References
from prefect_seedance.sandbox.world.uploads import MediaFacts

ROLES: dict[str, tuple[str, ...]] = {
    "image_url": ("first_frame", "last_frame", "reference_image"),
    "video_url": ("reference_video",),
    "audio_url": ("reference_audio",),
}
LIMITS = {"first_frame": 1, "last_frame": 1, "reference_image": 9, "reference_video": 3, "reference_audio": 3}
ORDER = ("text", "image_url", "video_url", "audio_url")
#: The allowed values of each setting of a model: the check, and its description.
SETTINGS: dict[str, tuple[Callable[[Any, Rules], bool], Callable[[Rules], str]]] = {
    "generate_audio": (lambda value, _: type(value) is bool, lambda _: "a boolean"),
    "watermark": (lambda value, _: type(value) is bool, lambda _: "a boolean"),
    "resolution": (lambda value, rules: value in rules.resolutions, lambda rules: " or ".join(rules.resolutions)),
    "ratio": (lambda value, _: value in (*RATIOS, "adaptive"), lambda _: f"one of {', '.join(RATIOS)}, adaptive"),
    "duration": (
        lambda value, rules: type(value) is int and rules.shortest <= value <= rules.longest,
        lambda rules: f"an integer from {rules.shortest} to {rules.longest}",
    ),
    "tools": (
        lambda value, _: isinstance(value, list) and all(tool == {"type": "web_search"} for tool in value),
        lambda _: 'a list of {"type": "web_search"}',
    ),
}
#: All fields of the body.
FIELDS = frozenset(("model", "content", *SETTINGS))


def read_request(body: dict[str, Any], references: References) -> Draft:
    """Check a create request and price it.

    Raises:
        Refusal: The document does not allow it.
    """
    settings = references.state.settings
    _check_fields(body)
    roles = _check_content(body["content"], references)
    if settings.strict:
        _check_order(body["content"])
    if body.get("tools") and roles:
        raise Refusal("tools", "web_search is for text-to-video only")
    seconds: int = body.get("duration", 5)
    resolution: str = body.get("resolution", "720p")
    ratio = _ratio(body, references)
    width, height = frame_size(resolution, ratio)
    tokens = video_tokens(
        seconds=seconds, width=width, height=height, input_seconds=_input_seconds(body["content"], references)
    )
    return Draft(
        model=body["model"],
        request=body,
        prompt="\n".join(item["text"] for item in body["content"] if item["type"] == "text"),
        clip=Clip(width, height, seconds, resolution, ratio, body.get("generate_audio", True)),
        charge=anyfast_charge(body["model"], tokens=tokens, prices=settings.prices),
        refunds=True,  # "FAILURE: the pre-charged quota is returned" (query guide)
        action=_action(roles),
        tokens=tokens,
        failure=_media_failure(body["content"], references),
    )


def _media_failure(content: list[dict[str, Any]], references: References) -> str | None:
    """Return why a job will fail whose media can no longer be fetched; None if it will not."""
    urls = (item[item["type"]]["url"] for item in content if item["type"] != "text")
    lost = any(references.is_lost(url) for url in urls)
    return "task failed: resource download failed: Read timed out" if lost else None


def _check_fields(body: dict[str, Any]) -> None:
    for field in ("model", "content"):
        if field not in body:
            raise Refusal(field, "is required")
    for field in body:
        if field not in FIELDS:
            raise Refusal(field, "is not a field of this model")
    if body["model"] not in RULES:
        raise Refusal("model", f"no available channel for model {body['model']!r}")
    rules = RULES[body["model"]]
    for field, (allowed, words) in SETTINGS.items():
        if field in body and not allowed(body[field], rules):
            raise Refusal(field, f"must be {words(rules)}")


def _check_content(content: object, references: References) -> Counter[str]:
    if not isinstance(content, list) or not content:
        raise Refusal("content", "must be a list of at least one item")
    roles: Counter[str] = Counter()
    texts = 0
    for index, item in enumerate(content):
        kind = item.get("type") if isinstance(item, dict) else None
        if kind == "text":
            _check_text(index, item)
            texts += 1
        elif isinstance(kind, str) and kind in ROLES:
            roles[_check_medium(index, item, references)] += 1
        else:
            raise Refusal(f"content[{index}]", f"type must be one of {', '.join(ORDER)}")
    if texts > 1:
        raise Refusal("content", "must hold at most one text")
    _check_mode(roles)
    return roles


def _check_text(index: int, item: dict[str, Any]) -> None:
    if set(item) != {"type", "text"} or not isinstance(item["text"], str) or not item["text"].strip():
        raise Refusal(f"content[{index}]", "text must not be empty, and has no role")


def _check_medium(index: int, item: dict[str, Any], references: References) -> str:
    where, kind = f"content[{index}]", item["type"]
    role = item.get("role")
    if set(item) != {"type", kind, "role"} or role not in ROLES[kind]:
        raise Refusal(where, f"role of {kind} must be one of {', '.join(ROLES[kind])}")
    holder = item[kind]
    if not isinstance(holder, dict) or set(holder) != {"url"} or not isinstance(holder["url"], str):
        raise Refusal(where, f'{kind} must be {{"url": text}}')
    _check_url(where, kind, holder["url"], references)
    return str(role)


def _check_url(where: str, kind: str, url: str, references: References) -> None:
    if url.startswith("asset://"):
        name = url.removeprefix("asset://")
        assets, now = references.state.assets, references.state.now()
        asset = assets.get(name, references.account.name)
        not_owned = assets.of_other_account(name, references.account.name) or (
            asset is not None and asset.library != "anyfast"
        )
        if not_owned or (asset is None and references.state.settings.known_assets_only):
            raise Refusal(where, f"[NotFound.asset_id] asset {name} not found")
        if asset is not None and asset.review(now) != "Active":
            raise Refusal(where, f"asset {name} is {asset.review(now)}, not Active")
    elif not re.match(r"https?://[^/\s]+", url):
        _check_inline(where, kind, url)


def _check_inline(where: str, kind: str, url: str) -> None:
    if kind == "video_url":
        raise Refusal(where, "a video must be a URL or asset://")
    name = kind.removesuffix("_url")
    match = re.match(rf"data:{name}/[a-z0-9.+-]+;base64,", url)
    payload = url[match.end() :] if match else url
    try:
        content = base64.b64decode(payload, validate=True)
    except (binascii.Error, ValueError):
        content = b""
    # A short word may be valid Base64; no image or audio is that small.
    if len(content) < 24:
        raise Refusal(where, f"{url[:40]!r} is neither URL, Base64 nor asset://")
    if len(content) > BYTES[kind]:
        raise Refusal(where, f"must be at most {BYTES[kind] // 2**20} MB")


def _check_mode(roles: Counter[str]) -> None:
    for role, limit in LIMITS.items():
        if roles[role] > limit:
            raise Refusal("content", f"at most {limit} {role}")
    frames = roles["first_frame"] + roles["last_frame"]
    references = roles["reference_image"] + roles["reference_video"] + roles["reference_audio"]
    if roles["last_frame"] and not roles["first_frame"]:
        raise Refusal("content", "last_frame needs first_frame")
    if frames and references:
        raise Refusal("content", "first/last frame cannot be mixed with reference media")
    if roles["reference_audio"] and not roles["reference_image"] + roles["reference_video"]:
        raise Refusal("content", "audio needs at least one reference image or video")


def _check_order(content: list[dict[str, Any]]) -> None:
    kinds = [ORDER.index(item["type"]) for item in content]
    if kinds != sorted(kinds):
        raise Refusal("content", "order must be text, image_url, video_url, audio_url")


def _input_seconds(content: list[dict[str, Any]], references: References) -> Decimal:
    """Check the media whose properties are known, and return the total length of the reference videos.

    Raises:
        Refusal: A medium is outside the limits, or the videos or the audios are longer than 15 s in total.
    """
    total = Decimal(0)
    known: dict[str, list[MediaFacts]] = {"video_url": [], "audio_url": [], "image_url": []}
    for index, item in enumerate(content):
        kind = item["type"]
        if kind == "text":
            continue
        facts = references.facts(item[kind]["url"])
        if facts is not None:
            check_medium(f"content[{index}]", kind, facts)
            known[kind].append(facts)
        if kind == "video_url":
            seconds = facts.seconds if facts else None
            total += references.state.settings.foreign_video_seconds if seconds is None else seconds
    check_total("content", "video", known["video_url"])
    check_total("content", "audio", known["audio_url"])
    return total


def _ratio(body: dict[str, Any], references: References) -> str:
    ratio: str = body.get("ratio", "adaptive")
    if ratio != "adaptive":
        return ratio
    for item in body["content"]:
        if item["type"] in {"image_url", "video_url"}:
            facts = references.facts(item[item["type"]]["url"])
            if facts is not None and facts.width and facts.height:
                return nearest_ratio(facts.width, facts.height)
    return "16:9"


def _action(roles: Counter[str]) -> str:
    if roles["last_frame"]:
        return "firstTailGenerate"
    if roles["reference_video"] or roles["reference_audio"]:
        return "omniGenerate"
    return "referenceGenerate" if roles else "generate"
