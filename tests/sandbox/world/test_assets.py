"""Uploads, asset libraries, portraits, and reference media."""

from __future__ import annotations

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from prefect_seedance.sandbox import SandboxSettings
from prefect_seedance.sandbox.http.multipart import read_form
from prefect_seedance.sandbox.world.uploads import inspect

ROOT = "/api/open-api/v1"
SP = f"{ROOT}/seedance/sp"


def upload(client, name, content, field="file", key="sk_sandbox"):
    return client.http.post(
        f"{ROOT}/files/upload", files={field: (name, content)}, headers={"Authorization": f"Bearer {key}"}
    )


def test_an_upload_comes_back_and_may_be_used(client):
    clip = client.http.get("/_media/dance.mp4?seconds=3&w=720&h=720").content
    answer = upload(client, "舞 蹈.mp4", clip).json()
    assert answer["code"] == 20000
    data = answer["data"]
    assert (data["filename"], data["size"], data["mime_type"]) == ("舞 蹈.mp4", len(clip), "video/mp4")
    assert httpx.get(data["url"]).content == clip
    assert httpx.get(data["url"], headers={"Range": "bytes=0-3"}).content == clip[:4]
    client.jimmy_job(model="seedance2.0-mini-video", duration=8, reference_videos=[data["url"]])
    (line,) = client.server.state.bill()
    assert (line.units, line.billing_model) == (11, "seedance2.0-mini-720p-video")
    assert client.server.state.calls["jimmy.upload.bytes"] == len(clip)


def test_a_result_may_be_a_reference(client):
    job = client.jimmy_job(duration=6)
    client.finish()
    link = client.jimmy_view(job)["result"]["video_url"]
    client.jimmy_job(model="seedance2.0-mini-video", duration=4, reference_videos=[link])
    assert client.server.state.bill()[1].units == 10
    # A file that cannot be opened has no length, so the length asked for is billed alone.
    broken = upload(client, "broken.mp4", b"no video").json()["data"]["url"]
    for unknown in (broken, link.replace("vid_", "vid_0"), f"{client.server.url}/_media/a.mp4?seconds=soon"):
        client.jimmy_job(model="seedance2.0-mini-video", duration=4, reference_videos=[unknown])
        assert client.server.state.bill()[-1].units == 4


def test_uploads_are_checked(client):
    assert upload(client, "a.png", b"x", key="sk_wrong").status_code == 401
    for answer in (
        upload(client, "a.exe", b"x"),
        upload(client, "a.png", b"x", field="image"),
        upload(client, "a.png", bytes(100 * 2**20 + 1)),
        client.jimmy({}, f"{ROOT}/files/upload"),
    ):
        assert (answer.status_code, answer.json()["code"]) == (400, 20002)
    assert httpx.get(f"{client.server.url}/_uploads/none/a.png").status_code == 404


@given(
    st.binary(max_size=300),
    st.text(st.characters(codec="utf-8", exclude_characters='"\\\r\n\0'), min_size=1, max_size=12),
)
def test_forms_are_read_as_httpx_writes_them(content, name):
    request = httpx.Request("POST", "http://x/", files={"file": (name, content, "a/b")}, data={"Name": "猫"})
    parts = {part.name: part for part in read_form(request.headers["content-type"], request.read())}
    assert parts["file"].content == content
    assert parts["Name"].content.decode() == "猫"


@given(st.text(max_size=60), st.binary(max_size=120))
def test_broken_forms_are_value_errors(content_type, body):
    with pytest.raises(ValueError, match=r"form|multipart"):
        read_form("multipart/form-data; boundary=x" if "x" in content_type else content_type, body)


def test_the_sp_library_takes_its_time(client):
    url = "https://example.com/cat.png"
    answer = client.jimmy({"name": "cat", "type": "image", "url": url}, f"{SP}/assets/upload").json()
    assert answer["code"] == 0
    asset = answer["data"]["asset_id"]
    body = {"model": "seedance2.0-sp", "prompt": "x", "duration": 4, "images": [f"asset://{asset}"]}
    assert "Processing" in client.jimmy(body).json()["msg"]
    assert client.jimmy({"asset_id": asset}, f"{SP}/assets/detail").json()["data"]["status"] == "Processing"
    client.finish()
    (item,) = client.jimmy({"asset_ids": [asset]}, f"{SP}/assets/status").json()["data"]["items"]
    assert (item["status"], item["image_url"], type(item["created_at"])) == ("Active", url, str)
    assert client.jimmy(body).status_code == 200
    for path, wrong in (
        ("assets/upload", {"name": "cat", "type": "image"}),
        ("assets/upload", {"name": "cat", "type": "song", "url": url}),
        ("assets/detail", {"asset_id": "asset_none"}),
        ("assets/status", {"asset_ids": "all"}),
    ):
        assert client.jimmy(wrong, f"{SP}/{path}").json()["code"] == 20002


class TestStrangers:
    @pytest.fixture
    def sandbox_settings(self, clock):
        return SandboxSettings(clock=clock, keys={"sk_sandbox": "jimmy/one", "sk_two": "jimmy/two"})

    def test_an_asset_is_known_to_its_own_account_only(self, client):
        body = {"name": "cat", "type": "image", "url": "https://example.com/cat.png"}
        asset = {"asset_id": client.jimmy(body, f"{SP}/assets/upload").json()["data"]["asset_id"]}
        assert client.jimmy(asset, f"{SP}/assets/detail").status_code == 200
        assert client.jimmy(asset, f"{SP}/assets/detail", key="sk_two").json()["code"] == 20002


def test_portraits_are_whitelisted_or_fail(client):
    def submit(name):
        body = {"name": name, "url": "https://example.com/face.jpg"}
        return client.jimmy(body, f"{SP}/realperson/submit").json()["data"]

    good, bad = submit("Anna"), submit("Fail-Otto")
    assert (good["status"], good["asset_ref"]) == ("Processing", None)
    client.finish()
    both = {"asset_ids": [good["asset_id"], bad["asset_id"]]}
    items = client.jimmy(both, f"{SP}/realperson/batch-status").json()["data"]["items"]
    assert [(item["status"], item["asset_ref"]) for item in items] == [
        ("Active", f"asset://{good['asset_id']}"),
        ("Failed", None),
    ]
    one = client.jimmy({"asset_id": bad["asset_id"]}, f"{SP}/realperson/status").json()["data"]
    assert one == items[1]
    body = {"model": "seedance2.0-sp", "prompt": "x", "duration": 4, "first_image": f"asset://{bad['asset_id']}"}
    assert "Failed" in client.jimmy(body).json()["msg"]


class TestAnyfastAssets:
    def call(self, client, name, body):
        return client.anyfast(body, f"/volc/asset/{name}")

    @pytest.fixture
    def group(self, client):
        return self.call(client, "CreateAssetGroup", {"model": "volc-asset", "Name": "spring"}).json()["Id"]

    def test_an_asset_is_reviewed_and_used(self, client, group):
        url = f"{client.server.url}/_media/a.mp4?seconds=4"
        body = {"GroupId": group, "Name": "a", "AssetType": "Video", "URL": url, "model": "volc-asset-video"}
        asset = self.call(client, "CreateAsset", body).json()["Id"]
        assert self.call(client, "GetAsset", {"Id": asset}).json()["Status"] == "Processing"
        item = {"type": "video_url", "video_url": {"url": f"asset://{asset}"}, "role": "reference_video"}
        content = {"model": "seedance-2.0-mini", "content": [item], "duration": 4, "ratio": "16:9"}
        assert client.anyfast(content).status_code == 400
        client.finish()
        shown = self.call(client, "GetAsset", {"Id": asset}).json()
        assert (shown["Status"], shown["AssetType"], shown["GroupId"], shown["URL"]) == ("Active", "Video", group, url)
        client.anyfast_job(item, duration=4, ratio="16:9")
        assert client.server.state.jobs()[0].tokens == 173_700
        listed = self.call(client, "ListAssets", {"model": "volc-asset", "Filter": {"GroupIds": [group]}}).json()
        assert (listed["TotalCount"], listed["Items"][0]["Id"]) == (1, asset)
        assert self.call(client, "ListAssetGroups", {}).json()["Items"] == [
            {"Id": group, "Name": "[u-anyfast]-[t-dbox]-spring"}
        ]

    def test_a_form_brings_the_file_itself(self, client, group):
        answer = client.http.post(
            "/volc/asset/CreateAsset",
            data={"model": "volc-asset", "GroupId": group, "Name": "logo"},
            files={"file": ("logo.png", b"png")},
            headers={"Authorization": "Bearer sk-sandbox"},
        )
        asset = self.call(client, "GetAsset", {"Id": answer.json()["Id"]}).json()
        assert httpx.get(asset["URL"]).content == b"png"

    @pytest.mark.parametrize(
        ("change", "status"),
        [
            ({"GroupId": "group-none"}, 404),
            ({"AssetType": "Video"}, 400),  # its model is volc-asset-video
            ({"AssetType": "Song"}, 400),
            ({"URL": ""}, 400),
        ],
    )
    def test_wrong_assets(self, client, group, change, status):
        body = {"GroupId": group, "Name": "a", "AssetType": "Image", "URL": "https://example.com/a.png"}
        assert self.call(client, "CreateAsset", {**body, **change}).status_code == status

    def test_names_are_taken_once_and_failures_say_so(self, client, group):
        body = {"GroupId": group, "Name": "fails", "AssetType": "Image", "URL": "https://example.com/a.png"}
        asset = self.call(client, "CreateAsset", body).json()["Id"]
        assert self.call(client, "CreateAsset", body).status_code == 404
        client.finish()
        shown = self.call(client, "GetAsset", {"Id": asset}).json()
        assert (shown["Status"], shown["Error"]["Code"]) == ("Failed", "InvalidAsset")
        assert self.call(client, "GetAsset", {"Id": "asset-none"}).status_code == 404
        assert self.call(client, "ListAssets", {"Filter": "all"}).status_code == 400


@pytest.mark.parametrize(
    "body",
    [
        b"--x\r\nContent-Disposition: form-data; name=a\r\n\r\n1\r\n",
        b"--x\r\nno headers\r\n--x--",
        b"--x\r\nContent-Type: a/b\r\n\r\n1\r\n--x--",
    ],
)
def test_forms_without_end_headers_or_name_are_value_errors(body):
    with pytest.raises(ValueError, match="form"):
        read_form("multipart/form-data; boundary=x", body)


@pytest.mark.parametrize(
    ("name", "kind", "size", "seconds"),
    [
        ("a.png?w=300&h=500", "image/png", (300, 500), None),
        ("a.jpg?w=640&h=360", "image/jpeg", (640, 360), None),
        ("a.webp", "image/webp", (1280, 720), None),
        ("a.mp4?w=720&h=1280&seconds=2.5", "video/mp4", (720, 1280), 2.5),
        ("a.mov", "video/quicktime", (1280, 720), 3),
        ("a.wav?seconds=4", "audio/wav", (None, None), 4),
        ("a.mp3?seconds=4", "audio/mpeg", (None, None), 4),
    ],
)
def test_reference_media_are_real(client, name, kind, size, seconds):
    answer = client.http.get(f"/_media/{name}")
    assert answer.headers["content-type"] == kind
    facts = inspect(name.partition("?")[0], answer.content)
    assert (facts.width, facts.height) == size
    assert facts.seconds is None if seconds is None else abs(float(facts.seconds) - seconds) < 0.1
    assert client.http.get(f"/_media/{name}").content == answer.content
    assert client.http.get(f"/_media/b{name}").content != answer.content


@pytest.mark.parametrize(
    "name", ["a.exe", "a", "a.png?w=9", "a.png?w=9000", "a.png?w=x", "a.mp4?seconds=61", "a.mp4?seconds=x"]
)
def test_other_media_are_not_found(client, name):
    assert client.http.get(f"/_media/{name}").status_code == 404
