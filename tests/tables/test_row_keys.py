from __future__ import annotations

import base64
import json

from hypothesis import given
from hypothesis import strategies as st

from prefect_seedance.routes.request import VideoRequest
from prefect_seedance.tables.row_keys import base_key, fingerprint, numbered, redacted, signless_address

PIXELS = base64.b64encode(bytes(range(256))).decode()


def test_the_key_of_a_known_row_never_changes():
    """If this fails, every batch in every ledger would be paid for again: raise the version and migrate instead."""
    cells = {
        "prompt": "雨夜街头，女孩回头微笑",
        "duration": 5,
        "images": ("https://a.example/1.png?sig=x",),
        "model": "m",
    }
    assert base_key(cells) == "r-8a2d8eadd575"
    request = VideoRequest(prompt="雨夜街头", duration=5, resolution="720p", generate_audio=False)
    assert fingerprint("jimmy", "seedance2.0-mini", request) == (
        "1:21b15ad20a44e0930df7b908d920ec7b11e08ca44f77c8b671bc0af9e66bfdeb"
    )


def test_what_is_not_set_is_not_part_of_the_key():
    assert base_key({"prompt": "a", "ratio": None, "images": None}) == base_key({"prompt": "a"})
    assert base_key({"prompt": "a", "watermark": False}) != base_key({"prompt": "a"})


def test_a_new_signature_is_the_same_row_and_the_same_request():
    def row(url):
        return {"prompt": "a", "images": (url,), "first_image": url}

    one, two = "https://u:p@a.example/1.png?X-Sig=1", "https://a.example/1.png?X-Sig=2"
    assert base_key(row(one)) == base_key(row(two))
    first, second = (VideoRequest(prompt="a", images=[url], last_image=url) for url in (one, two))
    assert fingerprint("anyfast", "m", first) == fingerprint("anyfast", "m", second)
    assert base_key(row(one)) != base_key(row("https://a.example/2.png?X-Sig=1"))


SIGNED = [
    "X-Amz-Algorithm=A&X-Amz-Credential=k%2Fs3&X-Amz-Date=20261121T1&X-Amz-Expires=600&X-Amz-Signature=1&x-id=GetObject",
    "X-Goog-Algorithm=A&X-Goog-Signature=2&x-id=GetObject",
    "sv=2024&se=2026-11-22&sr=b&sp=r&sig=abc%3D&x-id=GetObject",
    "Expires=1&OSSAccessKeyId=k&Signature=s&security-token=t&x-id=GetObject",
    "Policy=p&Signature=s&Key-Pair-Id=K&x-id=GetObject",
    "e=17&x-id=GetObject&token=k:s",
    "q-sign-algorithm=sha1&q-ak=k&q-sign-time=1;2&q-signature=s&x-id=GetObject",
    "x-id=GetObject&auth_key=17-0-0-abc",
    "ex=6&is=5&hm=abc&x-id=GetObject",
]


def test_signatures_come_and_go_but_another_id_is_another_picture():
    base = "https://a.example/photo"
    assert {signless_address(f"https://u:p@a.example/photo?{query}") for query in SIGNED} == {f"{base}?x-id=GetObject"}
    assert signless_address(f"{base}?token=secret#part") == signless_address(base) == base
    assert signless_address(f"{base}?id=1&size=2&Signature=x") == signless_address(f"{base}?size=2&id=1")
    # Without a signature beside them these say which picture is meant.
    assert signless_address(f"{base}?se=1&e=2&is=3") == f"{base}?e=2&is=3&se=1"

    def text(url):
        return fingerprint("jimmy", "m", VideoRequest(prompt="a", images=[url], first_image=url))

    assert text(f"{base}?id=ann") != text(f"{base}?id=bob")
    assert text(f"{base}?id=ann&sig=1") == text(f"{base}?id=ann&sig=2")
    assert text(f"{base}?sig=1") == text(base)
    # As every ledger so far has it, for an address without a query.
    assert text(base) == "1:9877b0f6f03c1fa5136fda6cb9001b2196bd1d3742c96f3faf1352e50b1314b7"


def test_a_question_mark_in_a_prompt_is_no_query():
    assert base_key({"prompt": "who? a cat"}) != base_key({"prompt": "who? a dog"})
    assert base_key({"prompt": "see https://a/?cat"}) != base_key({"prompt": "see https://a/?dog"})


def test_the_fingerprint_tells_provider_model_and_every_setting_apart():
    request = VideoRequest(prompt="a", duration=5)
    text = {
        fingerprint("jimmy", "m", request),
        fingerprint("anyfast", "m", request),
        fingerprint("jimmy", "n", request),
        *(
            fingerprint("jimmy", "m", request.model_copy(update={name: value}))
            for name, value in {
                "prompt": "b",
                "duration": 6,
                "resolution": "720p",
                "ratio": "16:9",
                "orientation": "portrait",
                "images": ("https://a/1",),
                "first_image": "https://a/1",
                "last_image": "https://a/1",
                "reference_videos": ("https://a/1",),
                "reference_audios": ("https://a/1",),
                "generate_audio": False,
                "watermark": False,
                "web_search": False,
            }.items()
        ),
    }
    assert len(text) == 3 + len(VideoRequest.model_fields)


def test_the_kept_request_has_no_secret_and_no_bulk():
    request = VideoRequest(
        prompt="a",
        images=[f"data:image/png;base64,{PIXELS}", "https://me:secret@a.example/1.png?token=secret", PIXELS * 20],
        first_image="asset://abc?secret",
        watermark=False,
    )
    kept = redacted(request)
    assert set(kept) == {"prompt", "images", "first_image", "watermark"}
    assert "secret" not in json.dumps(kept)
    assert PIXELS not in json.dumps(kept)
    assert kept["images"][0] == "sha256:40aff2e9d2d8922e47afd4648e6967497158785fbd1da870e7110266bf944880"
    assert kept["images"][1] == "https://a.example/1.png"


def test_a_data_uri_is_known_by_its_content():
    def text(uri):
        return redacted(VideoRequest(first_image=uri))["first_image"]

    assert text(f"data:image/png;base64,{PIXELS}") == text(f"data:image/webp;base64,{PIXELS}")
    assert text(f"data:image/png;base64,{PIXELS}") != text(f"data:image/png;base64,{PIXELS[4:]}")
    assert text("data:text/plain,a%20b") == text("data:text/plain;base64,YSBi")
    assert text("data:image/png;base64,é").startswith("sha256:")


def test_identical_rows_are_numbered():
    assert numbered(["a", "b", "a", "a", "b"]) == ["a", "b", "a-2", "a-3", "b-2"]


@given(st.lists(st.sampled_from("abcd")))
def test_numbered_keys_are_unique_and_keep_their_place(keys):
    text = numbered(keys)
    assert len(set(text)) == len(text)
    assert [key.partition("-")[0] for key in text] == keys


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"])))
def test_any_reference_can_be_kept(text):
    request = VideoRequest(images=[text, f"data:{text}"], prompt=text)
    assert json.loads(json.dumps(redacted(request))) == redacted(request)
    assert fingerprint("jimmy", "m", request).startswith("1:")
