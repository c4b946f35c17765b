from __future__ import annotations

import base64
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prefect_seedance.routes.request import VideoRequest
from prefect_seedance.tables.row_keys import (
    base_key,
    fingerprint,
    former_fingerprints,
    former_key,
    numbered,
    redacted,
    signless_address,
)

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


@pytest.mark.parametrize(
    ("address", "key", "text"),
    [
        ("pictures/cup.png", "r-3e19d276f07b", "1c4464d37b6ad4fdb6ac690aec96556a9a83028b7e1d48dc1f9f55bffe54930c"),
        (
            "asset://asset-20261121-x",
            "r-2253ae0838b4",
            "d90f3a4e41baca4862d0ba26d760bc445bb3feec790c707cc23c9672b59efeed",
        ),
        (
            f"data:image/png;base64,{PIXELS}",
            "r-6f014e7df19d",
            "c3b16f7278e5cd362ae16ab24cac6c3ac9c8e0b79e82e786d0d4726b952b9c44",
        ),
        (PIXELS * 20, "r-d0302a54c664", "9bf2a805486fcc38f5808c1daa3729db59d7b0da3ca462dfff066ae4a74fe5c7"),
        (PIXELS, "r-8868e4443b7a", "3ae28a0e55b334b8b5ed2ab44cd3cc4f38b30070c9786392780a5ab9f9d5b96c"),
        (r"C:\pictures\cup.png", "r-e8e7c934254b", "3768c43f42a98476569c01c909a656e3d3c1d917fec33fe361a084442662f55e"),
    ],
    ids=["local file", "asset", "data URI", "bare base64", "short base64", "Windows path"],
)
def test_the_key_of_a_known_row_with_a_medium_never_changes(address, key, text):
    assert base_key({"prompt": "a cup", "images": (address,)}) == key
    assert fingerprint("jimmy", "m", VideoRequest(prompt="a cup", images=(address,))) == f"1:{text}"


def test_text_is_one_row_in_both_forms_of_unicode_and_its_former_names_are_known():
    composed, decomposed = "café Ångström", "cafe\u0301 A\u030angstro\u0308m"
    mixed = "café A\u030angström"
    keys = {text: base_key({"prompt": text}) for text in (composed, decomposed, mixed)}
    assert set(keys.values()) == {"r-605d083699f0"}
    assert former_key({"prompt": composed}) is None
    assert former_key({"prompt": "雨夜街头", "images": ("a.png",)}) is None
    former = {former_key({"prompt": text}) for text in (decomposed, mixed)}
    assert len(former) == 2
    assert not former & {None, keys[composed]}

    def prints(text):
        return fingerprint("jimmy", "m", VideoRequest(prompt=text)), former_fingerprints(
            "jimmy", "m", VideoRequest(prompt=text)
        )

    assert {prints(text)[0] for text in keys} == {prints(composed)[0]}
    # As ledgers of version 0.1 have them.
    assert len({*prints(mixed)[1], *prints(decomposed)[1]}) == 2
    assert prints(composed)[1] == prints(decomposed)[1] < prints(mixed)[1]
    assert former_fingerprints("jimmy", "m", VideoRequest(prompt="雨夜街头")) == frozenset()


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


# Written out once more: taken from the lists themselves, a word could vanish from both.
SIGNING = (
    "sig sign signature token auth authorization hmac jwt nonce expires expire expiry expiration credential "
    "credentials policy apikey accesskey accesskeyid awsaccesskeyid ossaccesskeyid googleaccessid hdnts hdnea "
    "wssecret wstime txsecret txtime x-amz-a x-goog-a x-oss-a x-obs-a x-cos-a x-tos-a x-ms-a q-a API-Key "
    "access_key Auth_Key"
)
BESIDE = {
    "sig": "sv se sp sr st ss sip spr srt sdd ses skoid sktid skt ske sks skv saoid suoid scid",
    "token": "e",
    "signature": "key-pair-id",
}


@pytest.mark.parametrize("name", SIGNING.split())
def test_each_name_of_a_signature(name):
    base = "https://a.example/photo"
    assert signless_address(f"{base}?{name}=1&id=7") == f"{base}?id=7"
    assert signless_address(f"{base}?{name}=1") == base


@pytest.mark.parametrize(("mark", "name"), [(mark, name) for mark in BESIDE for name in BESIDE[mark].split()])
def test_each_name_that_is_part_of_a_signature_only_beside_another(mark, name):
    base = "https://a.example/photo"
    assert signless_address(f"{base}?{name}=1&id=7&{mark}=2") == f"{base}?id=7"
    assert signless_address(f"{base}?{name}=1&id=7") == f"{base}?{'&'.join(sorted(('id=7', f'{name}=1')))}"


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
