"""The parts of a route's page, as lines of Markdown generated from the route's rules."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from prefect_seedance.messages import listing
from prefect_seedance.routes import Limit, MediaRule, Route, VideoRequest, billing_model
from prefect_seedance.routes.forms import allowed
from prefect_seedance.routes.route import SWITCHES, FrameRule

UNITS = {"second": "second of video", "job": "job", "million_tokens": "million tokens"}
LIBRARIES = {
    "": "",
    "sp": "Media may be reviewed in Jimmy AI's SP library; `media_review` says `portrait` for pictures of real people.",
    "audit": (
        "Takes ids of media that passed the provider's own review. How to submit media is not documented: "
        "`experimental=True` on the route block tries it, unconfirmed."
    ),
    "volc": "Media may be reviewed in Anyfast's asset library, where **each request for an asset is billed**.",
}
INPUT = {
    "free": "not billed",
    "first": "the first one is billed by its length",
    "all": "all of them are billed by their length",
    "unstated": "no document says whether their length is billed",
}
KINDS = (
    ("images", "Reference images"),
    ("frames", "First and last image"),
    ("reference_videos", "Reference videos"),
    ("reference_audios", "Reference audios"),
)
FIELDS = {"frames": "`first_image`, `last_image`"}
MEASURES = {
    "bytes": "size of each",
    "total_bytes": "size of all together",
    "seconds": "length of each",
    "total_seconds": "length of all together",
    "side": "each side",
    "one_side": "a side",
    "aspect": "width by height",
    "fps": "frames per second",
}
SUFFIXES = {"bytes": "B", "total_bytes": "B", "seconds": "s", "total_seconds": "s", "side": "px", "one_side": "px"}
NEEDED = {
    "always": "always needed",
    "without_media": "needed where no image and no video is given",
    "never": "may be left out",
}


def settings(route: Route) -> Iterator[str]:
    """Yield the table of settings that a row may have, with their defaults."""
    yield "| column | allowed | default |"
    yield "| --- | --- | --- |"
    prompt = NEEDED[route.prompt.needed]
    if route.prompt.maximum:
        prompt += f"; at most {route.prompt.maximum:,} characters"
    if route.prompt.advised_chinese:
        prompt += (
            f"; advised are up to {route.prompt.advised_chinese:,} Chinese characters or "
            f"{route.prompt.advised_words:,} English words"
        )
    yield f"| `prompt` | {prompt} | |"
    yield f"| `duration` | {seconds(route)} seconds, whole | {route.duration.default} |"
    sizes = [f"{size} ⚠" if size in route.resolution.doubtful else size for size in route.resolution.allowed]
    yield f"| `resolution` | {', '.join(sizes) or 'any'} | {route.resolution.default or '–'} |"
    ratios = ", ".join(f"`{ratio}`" for ratio in route.ratio.listed) or "any"
    more = "" if route.ratio.closed or not route.ratio.listed else "; others warn"
    yield f"| `ratio` | {ratios}{more} | {route.ratio.default or '–'} |"
    words = {"orientation": "`landscape`, `portrait`; no effect with a ratio"}
    for switch in route.switches:
        yield f"| `{switch}` | {words.get(switch, 'yes, no')} | the provider's own |"
    missing = [f"`{name}`" for name in SWITCHES if name not in route.switches]
    if missing:
        yield ""
        yield f"This route has no setting {listing(missing)}: a row that sets one is refused before anything is spent."


def media(route: Route) -> Iterator[str]:
    """Yield the table of media that the route accepts."""
    yield "| column | taken | how many | as | formats |"
    yield "| --- | --- | --- | --- | --- |"
    for part, _ in KINDS:
        rule = getattr(route, part)
        name = FIELDS.get(part, f"`{part}`")
        if rule.verdict == "refused":
            yield f"| {name} | no | | | |"
            continue
        taken = "yes" if rule.verdict == "allowed" else "perhaps ⚠"
        many = "one each" if part == "frames" else f"up to {rule.maximum}" if rule.maximum else "not stated"
        field = "first_image" if part == "frames" else part
        formats = ", ".join(f"{each} ⚠" if each in rule.doubtful_formats else each for each in rule.formats)
        ways = listing(allowed(route, field)).replace("<", "&lt;")
        yield f"| {name} | {taken} | {many} | {ways} | {formats or _any_but(rule)} |"


def _any_but(rule: MediaRule) -> str:
    return f"any but {', '.join(rule.refused_formats)}" if rule.refused_formats else "not stated"


def limits(route: Route) -> Iterator[str]:
    """Yield the table of limits of media: size, length and dimensions."""
    rules = {title: getattr(route, part) for part, title in KINDS}
    lines = [
        f"| {title} | {MEASURES[limit.measure]} | {_span(limit)} | {_sure(limit)} |"
        for title, rule in rules.items()
        if rule.verdict != "refused"
        for limit in rule.limits
    ]
    if route.body is not None:
        lines.append(f"| The whole request with its `data:` URIs | size | {_span(route.body)} | {_sure(route.body)} |")
    if lines:
        yield "\n".join(
            ["| what | measured | refused outside | warned of outside |", "| --- | --- | --- | --- |", *lines]
        )


def together(route: Route) -> Iterator[str]:
    """Yield which media may be combined."""
    rule = route.frames
    if isinstance(rule, FrameRule) and rule.verdict != "refused":
        words = {"allowed": "may go alone", "doubtful": "alone may be refused ⚠", "refused": "never goes alone"}
        yield f"- A first image {words[rule.first_alone]}; a last image {words[rule.last_alone]}."
    names = {"frames": "first or last image", **{part: title.lower() for part, title in KINDS if part != "frames"}}
    for exclusion in route.exclusions:
        others = listing(names.get(other, f"`{other}`") for other in exclusion.others)
        yield f"- {names.get(exclusion.part, f'`{exclusion.part}`').capitalize()}: not together with {others}."
    if route.audio_pairing.needs and route.reference_audios.verdict != "refused":
        needs = listing(names[part] for part in route.audio_pairing.needs)
        yield f"- Reference audios are never used alone; at least one of these is needed with them: {needs}."
    if route.expectation.parts:
        yield f"- Made for {listing(names[part] for part in route.expectation.parts)}; a row without any warns."
    if route.library:
        yield f"- {LIBRARIES[route.library]}"


def billing(route: Route) -> Iterator[str]:
    """Yield the price lines, and what is counted."""
    yield "| resolution | billing model, as your price book names it |"
    yield "| --- | --- |"
    for size in route.resolution.allowed or ("any",):
        known = None if size == "any" else size
        yield f"| {size} | `{billing_model(route, VideoRequest(prompt='x', resolution=known))}` |"
    yield ""
    yield f"- Billed by the {UNITS[route.unit]}."
    if route.reference_videos.verdict != "refused":
        yield f"- Reference videos: {INPUT[route.input_seconds]}."
    if not route.billing_documented:
        yield "- No document names this price line. The name is ours, and only the key of your price."
    if route.billing_doubt:
        yield f"- {route.billing_doubt[0].upper()}{route.billing_doubt[1:]}."


def doubts(route: Route) -> Iterator[str]:
    """Yield the rules that the documents leave open."""
    rules = (
        ("duration", route.duration),
        ("resolution", route.resolution),
        ("ratio", route.ratio),
        *((title.lower(), getattr(route, part)) for part, title in KINDS),
        ("what audio needs", route.audio_pairing),
        ("what it is made for", route.expectation),
    )
    lines = dict.fromkeys(
        f"- **{name}**: {rule.doubt} *({rule.source})*"
        for name, rule in rules
        if rule.doubt and getattr(rule, "verdict", "allowed") != "refused"
    )
    if lines:
        yield '!!! warning "What the documents leave open"'
        yield "    Such a rule gives a warning and never an error; only the provider knows."
        yield ""
        yield from (f"    {line}" for line in lines)


def seconds(route: Route) -> str:
    """Return the video lengths of a route, in seconds."""
    rule = route.duration
    text = f"{rule.minimum}–{rule.maximum}" if rule.maximum else f"{rule.minimum} or more"
    return f"{text} (⚠ above {rule.sure_maximum})" if rule.sure_maximum else text


def takes(route: Route) -> str:
    """Return the inputs of a route in a few words."""
    words = {"images": "images", "frames": "frames", "reference_videos": "videos", "reference_audios": "audios"}
    taken = [word for part, word in words.items() if getattr(route, part).verdict != "refused"]
    return ", ".join(["text", *taken])


def _span(limit: Limit) -> str:
    return _between(limit, limit.minimum, limit.maximum)


def _sure(limit: Limit) -> str:
    return _between(limit, limit.sure_minimum, limit.sure_maximum)


def _between(limit: Limit, low: Decimal | None, high: Decimal | None) -> str:
    texts = [None if bound is None else _figure(bound, limit.measure) for bound in (low, high)]
    if texts[0] and texts[1]:
        return f"{texts[0].partition(' ')[0]} to {texts[1]}"
    return f"at least {texts[0]}" if texts[0] else f"up to {texts[1]}" if texts[1] else "–"


def _figure(bound: Decimal, measure: str) -> str:
    suffix = SUFFIXES.get(measure, "")
    if suffix == "B":
        mebi = 1024 * 1024
        return f"{bound / mebi:,.0f} MiB" if bound % mebi == 0 else f"{bound / 1_000_000:,.0f} MB"
    return f"{bound.normalize():,f} {suffix}".strip()
