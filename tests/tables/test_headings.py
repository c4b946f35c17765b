from __future__ import annotations

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from prefect_seedance.errors import TableError
from prefect_seedance.tables.headings import KNOWN, match_headings
from prefect_seedance.tables.reader import read_table

READ = {
    "id": ["编号", "序号", "No.", "row id"],
    "prompt": ["提示词", "文案", "描述", "prompt_en", "prompt text", "Prompt (English)", "promptText", "text"],
    "duration": [
        *(
            "时长(秒)",
            "时长（秒）",
            "时长",
            "duration in seconds",
            "length (s)",
            "length_s",
            "secs",
            "Seconds",
            "duration (s)",
        ),
        *("durationSec", "视频时长（单位：秒）", "time (s)", "Duration (4-15)", "duration_s", "\ufeffduration\u200b"),
    ],
    "resolution": ["清晰度", "分辨率", "画质", "quality", "res", "resolution (p)"],
    "ratio": ["宽高比", "画面比例（宽高比）", "aspect", "aspect ratio", "Aspect-Ratio", "ratio (w:h)", "比例"],
    "images": [
        "参考图片",
        "image_url",
        "ref image",
        "imageUrl",
        "reference images",
        "images (max 9)",
        "参考图（链接）",
    ],
    "first_image": ["首帧", "first frame", "first_frame_url", "start image"],
    "last_image": ["尾帧", "last frame", "end_frame"],
    "reference_videos": ["reference video url", "参考视频"],
    "generate_audio": ["audio", "有声"],
    "watermark": ["水印"],
    "model": ["模型", "model name"],
    "route": ["线路"],
}
ASKED = {
    "duration": ["length", "duration (min)", "时长(分钟)", "时长（毫秒）", "duration (frames)"],
    "resolution": ["size"],
    "images": ["photo", "image1", "参考图2"],
    "reference_videos": ["video", "video_url"],
    "generate_audio": ["sound"],
}


@pytest.mark.parametrize(("field", "heading"), [(field, each) for field, all_ in READ.items() for each in all_])
def test_a_heading_with_another_word_or_a_unit_is_read_and_this_is_said(field, heading):
    found = match_headings(["note", "prompt", heading] if field != "prompt" else ["note", heading], None, "t")
    assert found.positions[field] == (2 if field != "prompt" else 1)
    own = field not in found.read_as
    said = [str(text).partition(". If")[0] for text in found.warnings]
    assert said == ([] if own else [f"Headings of another name are read: {heading!r} as {field}"])
    # The user has the last word.
    without = {"prompt": heading} if field == "prompt" else {field: ""}
    declined = match_headings(["prompt", heading] if field != "prompt" else [heading], without, "t")
    assert declined.warnings == []
    assert (field in declined.positions) == (field == "prompt")


@pytest.mark.parametrize(("field", "heading"), [(field, each) for field, all_ in ASKED.items() for each in all_])
def test_a_doubtful_heading_is_asked_about(field, heading):
    with pytest.raises(TableError) as caught:
        match_headings(["prompt", heading], None, "t")
    assert f'columns={{"{field}": "{heading}"}}' in str(caught.value)
    assert f'columns={{"{field}": ""}}' in str(caught.value)
    assert match_headings(["prompt", heading], {field: ""}, "t").positions == {"prompt": 0}
    assert match_headings(["prompt", heading], {field: heading}, "t").positions == {"prompt": 0, field: 1}


def test_two_headings_for_one_field_are_asked_about_unless_one_is_the_fields_name():
    for headings in (["prompt_en", "prompt_zh"], ["提示词", "描述"], ["prompt", "时长", "seconds"]):
        with pytest.raises(TableError, match="all mean"):
            match_headings(headings, None, "t")
    found = match_headings(["prompt", "提示词", "duration", "时长(秒)"], None, "t")
    assert found.positions == {"prompt": 0, "duration": 2}
    assert [str(text) for text in found.warnings] == ["Column '时长(秒)' is not read, since column 'duration' is."]


@pytest.mark.parametrize(
    "heading",
    [
        *("title", "scene", "shot", "price", "campaign", "status", "notes", "created_at", "url", "link", "camera"),
        *("style", "sku", "time", "negative prompt", "video_id", "标题", "分镜", "备注", "voice", "music"),
    ],
)
def test_other_columns_are_the_users_own(heading):
    found = match_headings(["prompt", heading], None, "t")
    assert (found.positions, found.warnings) == ({"prompt": 0}, [])


def test_the_column_with_the_longest_texts_is_the_likely_prompt():
    frame = pd.DataFrame(
        {
            "sku": [f"tea-{n}" for n in range(9)],
            "picture_link": [f"https://a.example/a-very-long-address-of-a-picture/{n}.png" for n in range(9)],
            "brand": ["the very long name of a brand that is the same in every row"] * 9,
            "what it shows": [f"a cup of tea, take {n}, steam" for n in range(9)],
        }
    )
    with pytest.raises(TableError, match=r'columns=\{"prompt": "what it shows"\}'):
        read_table(frame)


@given(st.sampled_from(KNOWN), st.sampled_from(["", " ", "\u200b", "\ufeff"]), st.booleans())
def test_the_fields_own_names_mean_the_same_as_ever(field, edge, upper):
    heading = edge + (field.upper() if upper else field.replace("_", " ")) + edge
    found = match_headings(["prompt", heading] if field != "prompt" else [heading], None, "t")
    assert found.positions[field] == (1 if field != "prompt" else 0)
    assert not found.read_as
