"""What is refused and what is charged, route by route, by the documents."""

from __future__ import annotations

import base64
from collections import Counter
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prefect_seedance.routes import CATALOGUE
from prefect_seedance.sandbox import SandboxSettings, State
from prefect_seedance.sandbox.anyfast.rules import read_request as read_anyfast
from prefect_seedance.sandbox.jimmy.rules import read_request as read_jimmy
from prefect_seedance.sandbox.models.jimmy import RULES
from prefect_seedance.sandbox.world.draft import Refusal
from prefect_seedance.sandbox.world.prices import price_list
from prefect_seedance.sandbox.world.reference import References
from prefect_seedance.sandbox.world.state import Account

HOST = "127.0.0.1:8765"
OWN = f"http://{HOST}/_media"
PNG, MP4, WAV = "https://example.com/a.png", "https://example.com/a.mp4", "https://example.com/a.wav"
JIMMY = tuple(RULES)
MANXUE = [model for model in JIMMY if model.startswith("sd2_mx_")]
SP = [model for model in JIMMY if model.endswith("-sp") and "mini" not in model]
MD = ["seedance2.0-md", "seedance2.0-fast-md"]
MINI, MINI_VIDEO, MINI_SP = "seedance2.0-mini", "seedance2.0-mini-video", "seedance2.0-mini-sp"
I2V, STD = "seedance2.0-fast-i2v", "seedance2.0-std"


def references(*, strict=False, known_assets_only=False):
    settings = SandboxSettings(strict=strict, known_assets_only=known_assets_only)
    return References(State(settings), Account("jimmy", "dbox"), HOST)


def jimmy(model, *, strict=False, **fields):
    return read_jimmy({"model": model, "prompt": "x", "duration": 5, **fields}, references(strict=strict))


def refused(model, *, strict=False, **fields):
    with pytest.raises(Refusal) as caught:
        jimmy(model, strict=strict, **fields)
    return caught.value.field


def medium(kind, url, role):
    return {"type": f"{kind}_url", f"{kind}_url": {"url": url}, "role": role}


def anyfast(*items, strict=False, text="x", **fields):
    content = ([{"type": "text", "text": text}] if text else []) + list(items)
    return read_anyfast({"model": "seedance-2.0-mini", "content": content, **fields}, references(strict=strict))


def anyfast_refuses(*items, strict=False, text="x", **fields):
    with pytest.raises(Refusal) as caught:
        anyfast(*items, strict=strict, text=text, **fields)
    return caught.value.field


def test_every_route_of_the_catalogue_makes_a_plain_video():
    assert set(JIMMY) == {route.model for route in CATALOGUE if route.provider == "jimmy"}
    for model in JIMMY:
        draft = jimmy(model)
        assert draft.charge.unit_price > 0, model
        assert draft.charge.billing_model in price_list()
        assert draft.clip.width % 2 == draft.clip.height % 2 == 0


@pytest.mark.parametrize(
    ("model", "fields", "billing_model", "unit", "units"),
    [
        ("sd2_mx_fast_1080p", {}, "sd2_mx_fast_1080p", "second", 5),
        ("sd2_mx_video_4k", {"reference_videos": ["asset://v"]}, "sd2_mx_video_4k", "second", 5),
        ("seedance2.0-of-sp", {}, "seedance2.0-of-sp-720p", "second", 5),
        ("seedance2.0-sp", {"resolution": "1080p"}, "seedance2.0-sp-1080p", "second", 5),
        (MINI, {"resolution": "480p", "duration": 15}, "seedance2.0-mini-480p", "second", 15),
        (MINI_VIDEO, {"reference_videos": [MP4]}, "seedance2.0-mini-720p-video", "second", 5),
        (MINI_VIDEO, {"reference_videos": [f"{OWN}/a.mp4?seconds=3"]}, "seedance2.0-mini-720p-video", "second", 8),
        (MINI_VIDEO, {"reference_videos": [f"{OWN}/a.mp4?seconds=2.5"]}, "seedance2.0-mini-720p-video", "second", 8),
        (MINI_VIDEO, {"reference_videos": [f"{OWN}/a.mp4?seconds=2.4"]}, "seedance2.0-mini-720p-video", "second", 7),
        (MINI_VIDEO, {"reference_videos": [MP4, f"{OWN}/a.mp4"]}, "seedance2.0-mini-720p-video", "second", 5),
        (MINI_VIDEO, {}, "seedance2.0-mini-720p-video", "second", 5),
        (MINI_SP, {"duration": 12}, "seedance2.0-mini-sp-720p", "job", 1),
        (MINI_SP, {"resolution": "480p"}, "seedance2.0-mini-sp-480p", "job", 1),
        ("seedance2.0-fast-md", {"duration": 15}, "seedance2.0-fast-md", "job", 1),
        (I2V, {"duration": 1}, I2V, "job", 1),
        (STD, {}, STD, "job", 1),
    ],
)
def test_billing(model, fields, billing_model, unit, units):
    charge = jimmy(model, **fields).charge
    assert (charge.billing_model, charge.unit, charge.units) == (billing_model, unit, Decimal(units))


def test_the_worked_examples_of_the_mini_page():
    assert jimmy(MINI).charge.amount == Decimal("0.25")
    reference = [f"{OWN}/motion.mp4?seconds=3"]
    assert jimmy(MINI_VIDEO, duration=8, images=[PNG], reference_videos=reference).charge.amount == Decimal("0.55")


@pytest.mark.parametrize("model", JIMMY)
def test_rules_of_every_route(model):
    picture = "asset://a" if model in MANXUE else PNG
    assert refused(model, prompt=" ") == "prompt"
    assert refused(model, duration="5") == "duration"
    assert refused(model, duration=True) == "duration"
    assert refused(model, duration=5.0) == "duration"
    assert refused(model, duration=16) == "duration"
    assert refused(model, duration=0) == "duration"
    assert refused(model, resolution="8k") == "resolution"
    assert refused(model, ratio="wide") == "ratio"
    assert refused(model, orientation="sideways") == "orientation"
    assert refused(model, images=picture) == "images"
    assert refused(model, images=None) == "images"
    assert refused(model, watermark=True) == "watermark"
    assert refused(model, images=[picture], first_image=picture, last_image=picture) == "images"
    assert refused(model, images=["cat.png"]) == "images"
    assert refused(model, images=["http://example.com/a.png"]) == "images"
    jimmy(model, images=[picture])
    jimmy(model, first_image=picture, last_image=picture)
    body = {"model": model, "prompt": "x"}
    with pytest.raises(Refusal, match="duration"):
        read_jimmy(body, references())


def test_an_unknown_model_is_refused_in_the_providers_words():
    with pytest.raises(Refusal, match="不支持的模型参数"):
        jimmy("seedance-2.0-mini")


@pytest.mark.parametrize(
    ("model", "fields", "field"),
    [
        *[(model, {"images": [PNG]}, "images") for model in MANXUE],
        *[(model, {"reference_videos": ["asset://v"]}, "reference_videos") for model in MANXUE if "video" not in model],
        *[(model, {"ratio": "2:3"}, "ratio") for model in MANXUE],
        *[(model, {"duration": 3}, "duration") for model in (*MANXUE, *SP, MINI, MINI_VIDEO, MINI_SP, STD)],
        *[(model, {"reference_audios": [WAV]}, "reference_audios") for model in (*SP, MINI, MINI_VIDEO, MINI_SP)],
        (MINI, {"reference_videos": [MP4]}, "reference_videos"),
        (MINI, {"images": ["asset://a"]}, "images"),
        (MINI_SP, {"resolution": "1080p"}, "resolution"),
        *[(model, {"images": [PNG] * 5}, "images") for model in MD],
        *[(model, {"images": ["https://example.com/a.GIF?x=1"]}, "images") for model in MD],
        *[(model, {"first_image": PNG}, "first_image") for model in MD],
        *[(model, {"last_image": PNG}, "last_image") for model in MD],
        *[(model, {"reference_videos": [MP4] * 4}, "reference_videos") for model in MD],
        *[(model, {"images": [PNG], "reference_audios": [WAV]}, "reference_audios") for model in (*MD, I2V)],
        *[(model, {"reference_videos": [f"{OWN}/a.mp4?seconds=8"] * 2}, "reference_videos") for model in MD],
        *[(model, {"reference_videos": [f"{OWN}/a.mp4?w=640&h=480"]}, "reference_videos") for model in MD],
        *[(model, {"ratio": "4:3"}, "ratio") for model in (*MD, I2V)],
        *[(model, {"prompt": "字" * 5001}, "prompt") for model in (*MD, I2V)],
        *[(model, {"images": ["asset://a"]}, "images") for model in (*MD, I2V, STD)],
        (I2V, {"images": [PNG] * 10}, "images"),
        (I2V, {"reference_videos": [MP4]}, "reference_videos"),
        (STD, {"images": [PNG] * 10}, "images"),
        (STD, {"images": [PNG], "reference_audios": [WAV] * 4}, "reference_audios"),
        (STD, {"first_image": PNG, "reference_audios": [WAV]}, "reference_audios"),
        (STD, {"ratio": "2:3"}, "ratio"),
    ],
)
def test_refusals_of_single_routes(model, fields, field):
    assert refused(model, **fields) == field


@pytest.mark.parametrize(
    ("model", "fields"),
    [
        *[(model, {"duration": 4, "ratio": "Adaptive", "reference_audios": ["asset://s"]}) for model in MANXUE],
        *[(model, {"images": [PNG, "asset://a"], "reference_audios": [WAV, "asset://s"]}) for model in SP],
        *[(model, {"first_image": PNG, "reference_audios": [WAV]}) for model in (*SP, MINI, MINI_VIDEO, MINI_SP)],
        *[(model, {"reference_videos": [MP4]}) for model in (*SP, MINI_VIDEO, MINI_SP, *MD, STD)],
        *[(model, {"images": [PNG] * 4, "prompt": "字" * 5000}) for model in MD],
        *[(model, {"resolution": "1080p"}) for model in (MINI, *SP, *MD, I2V, STD)],
        (MINI, {"ratio": "2:3"}),
        (MINI, {"images": [f"{OWN}/a.png"]}),
        (I2V, {"images": [PNG] * 9}),
        (STD, {"images": [PNG] * 9, "reference_audios": [WAV] * 3, "ratio": "21:9"}),
        (STD, {"last_image": PNG}),
    ],
)
def test_what_single_routes_allow(model, fields):
    jimmy(model, **fields)


@pytest.mark.parametrize(
    ("model", "fields"),
    [
        *[(model, {"duration": 13}) for model in MANXUE],
        *[(model, {"duration": 3}) for model in MD],
        ("seedance2.0-sp", {"resolution": "480p"}),
        ("seedance2.0-fast-sp", {"reference_videos": [MP4]}),
        (MINI_SP, {"first_image": PNG, "reference_audios": [WAV]}),
    ],
)
def test_contradictions_of_the_documents_are_refused_by_a_strict_sandbox_only(model, fields):
    jimmy(model, **fields)
    refused(model, strict=True, **fields)


def test_frames_follow_ratio_before_orientation():
    def size(**fields):
        clip = jimmy(MINI, **fields).clip
        return clip.width, clip.height

    assert size() == (1280, 720)
    assert size(orientation="portrait") == (720, 1280)
    assert size(orientation="portrait", ratio="1:1") == (960, 960)
    assert size(ratio="adaptive", images=[f"{OWN}/a.png?w=300&h=400"]) == (834, 1112)
    assert jimmy("sd2_mx_4k").clip.width == 3840


@pytest.mark.parametrize(
    ("fields", "tokens"),
    [
        ({"duration": 4, "ratio": "16:9"}, 87_300),
        ({"ratio": "16:9"}, 108_900),
        ({"duration": 15, "resolution": "480p", "ratio": "1:1"}, 144_400),
        ({"resolution": "480p", "ratio": "16:9"}, 50_639),  # 50,638.5
        ({"ratio": "4:3"}, 109_586),  # 109,586.3
        ({"ratio": "21:9"}, 109_432),  # 109,431.7
    ],
)
def test_anyfast_tokens(fields, tokens):
    draft = anyfast(**fields)
    assert draft.tokens == tokens
    assert draft.charge.units == Decimal(tokens) / 1_000_000


def test_anyfast_counts_input_video():
    known = medium("video", f"{OWN}/a.mp4?seconds=4", "reference_video")
    assert anyfast(known, duration=4, ratio="16:9").tokens == 173_700
    foreign = medium("video", MP4, "reference_video")  # taken for 4 s, as it cannot be looked into
    assert anyfast(foreign, duration=4, ratio="16:9").tokens == 173_700


DATA_PNG = "data:image/png;base64," + base64.b64encode(b"\x89PNG" + bytes(40)).decode()


@pytest.mark.parametrize(
    ("items", "action"),
    [
        ([], "generate"),
        ([medium("image", PNG, "first_frame")], "referenceGenerate"),
        ([medium("image", DATA_PNG, "first_frame"), medium("image", PNG, "last_frame")], "firstTailGenerate"),
        ([medium("image", PNG, "reference_image")] * 9, "referenceGenerate"),
        ([medium("video", "asset://v", "reference_video")] * 3, "omniGenerate"),
        (
            [medium("image", PNG, "reference_image"), *[medium("audio", WAV, "reference_audio")] * 3],
            "omniGenerate",
        ),
    ],
)
def test_anyfast_modes(items, action):
    assert anyfast(*items).action == action
    if items:
        anyfast(*items, text=None)


@pytest.mark.parametrize(
    ("items", "field"),
    [
        ([medium("audio", WAV, "reference_audio")], "content"),
        ([medium("image", PNG, "last_frame")], "content"),
        ([medium("image", PNG, "first_frame")] * 2, "content"),
        ([medium("image", PNG, "first_frame"), medium("image", PNG, "reference_image")], "content"),
        ([medium("image", PNG, "reference_image")] * 10, "content"),
        ([medium("video", MP4, "reference_video")] * 4, "content"),
        ([medium("video", MP4, "reference_video"), *[medium("audio", WAV, "reference_audio")] * 4], "content"),
        ([medium("image", PNG, "reference_video")], "content[1]"),
        ([{"type": "image_url", "image_url": {"url": PNG}}], "content[1]"),
        ([medium("image", "cat.png", "reference_image")], "content[1]"),
        ([medium("video", DATA_PNG, "reference_video")], "content[1]"),
        ([medium("video", f"{OWN}/a.mp4?seconds=1", "reference_video")], "content[1]"),
        ([medium("video", f"{OWN}/a.mp4?seconds=8", "reference_video")] * 2, "content"),
        ([medium("image", f"{OWN}/a.png?w=200&h=400", "reference_image")], "content[1]"),
        ([medium("image", f"{OWN}/a.png?w=1600&h=400", "reference_image")], "content[1]"),
        ([{"type": "text", "text": "y"}], "content"),
        ([{"type": ["text"]}], "content[1]"),
        (["text"], "content[1]"),
    ],
)
def test_anyfast_refuses_these_contents(items, field):
    assert anyfast_refuses(*items) == field


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("resolution", "1080p"),
        ("ratio", "2:3"),
        ("duration", 3),
        ("duration", -1),
        ("duration", "5"),
        ("duration", None),
        ("watermark", None),
        ("generate_audio", "true"),
        ("tools", [{"type": "calculator"}]),
        ("seed", 4),
    ],
)
def test_anyfast_refuses_these_settings(field, value):
    assert anyfast_refuses(**{field: value}) == field


def test_anyfast_searches_the_web_for_text_only():
    tools = [{"type": "web_search"}]
    anyfast(tools=tools)
    assert anyfast_refuses(medium("image", PNG, "first_frame"), tools=tools) == "tools"


def test_anyfast_order_matters_to_a_strict_sandbox_only():
    items = [medium("video", MP4, "reference_video"), medium("image", PNG, "reference_image")]
    anyfast(*items)
    assert anyfast_refuses(*items, strict=True) == "content"


def test_unknown_assets_are_believed_unless_told_otherwise():
    body = {"model": SP[0], "prompt": "x", "duration": 5, "images": ["asset://from-elsewhere"]}
    read_jimmy(body, references())
    with pytest.raises(Refusal, match="not found"):
        read_jimmy(body, references(known_assets_only=True))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.sampled_from([PNG, "5:4", "4k"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
ITEMS = st.lists(
    st.fixed_dictionaries(
        {"type": st.sampled_from(["text", "image_url", "video_url", "audio_url"]) | JSON},
        optional=dict.fromkeys(("text", "image_url", "video_url", "audio_url", "role"), JSON),
    ),
    max_size=3,
)


@given(
    st.sampled_from(JIMMY) | JSON,
    st.dictionaries(
        st.sampled_from(["prompt", "duration", "resolution", "ratio", "orientation", "images", "first_image", "x"]),
        JSON,
    ),
)
def test_jimmy_rules_answer_or_refuse_whatever_comes(model, fields):
    try:
        draft = read_jimmy({"prompt": "x", "duration": 5, **fields, "model": model}, references())
    except Refusal:
        return
    assert draft.charge.amount > 0


@given(
    ITEMS | JSON,
    st.dictionaries(st.sampled_from(["resolution", "ratio", "duration", "tools", "watermark", "generate_audio"]), JSON),
)
def test_anyfast_rules_answer_or_refuse_whatever_comes(content, fields):
    try:
        draft = read_anyfast({"model": "seedance-2.0-mini", "content": content, **fields}, references())
    except Refusal:
        return
    assert draft.charge.amount > 0
    assert Counter(item["type"] for item in draft.request["content"])["text"] <= 1
