"""What the sandbox knows of inputs: limits of media, uploads that expire, reviews, their price and their trouble."""

from __future__ import annotations

import base64

import httpx
import pytest

from prefect_seedance.sandbox import SandboxServer, SandboxSettings
from prefect_seedance.sandbox.http.media import TYPES
from prefect_seedance.sandbox.world.uploads import inspect
from tests.patience import patience

ROOT = "/api/open-api/v1"
AUDIT = f"{ROOT}/seedance/assets/audit"
MB = 2**20


def upload(client, name, content):
    return client.http.post(
        f"{ROOT}/files/upload", files={"file": (name, content)}, headers={"Authorization": "Bearer sk_sandbox"}
    )


def media(client, name):
    return f"{client.server.url}/_media/{name}"


def item(kind, url, role="reference_"):
    role = role if role.endswith("frame") else f"reference_{kind}"
    return {"type": f"{kind}_url", f"{kind}_url": {"url": url}, "role": role}


@pytest.mark.parametrize(
    ("kind", "names", "word"),
    [
        ("image", ["a.png?w=298"], "300-6000"),
        ("image", ["a.png?w=1200&h=400"], "0.4-2.5"),
        ("image", [f"a.png?pad={30 * MB + 1}"], "30 MB"),
        ("image", ["a.mp4"], "kind video"),
        ("video", [f"a.mp4?pad={50 * MB + 1}"], "50 MB"),
        ("video", ["a.mp4?seconds=1.5"], "2-15 s"),
        ("video", ["a.mp4?seconds=16"], "2-15 s"),
        ("video", ["a.mp4?seconds=8", "b.mov?seconds=8"], "15 s together"),
        ("audio", [f"a.wav?pad={15 * MB + 1}"], "15 MB"),
        ("audio", ["a.mp3?seconds=8", "b.wav?seconds=8"], "15 s together"),
    ],
)
def test_anyfasts_limits(client, kind, names, word):
    items = [item(kind, media(client, name)) for name in names]
    if kind == "audio":
        items.insert(0, item("image", media(client, "a.png")))
    body = {"model": "seedance-2.0-mini", "content": [{"type": "text", "text": "x"}, *items]}
    answer = client.anyfast(body)
    assert answer.status_code == 400
    assert word in answer.json()["error"]["message"]


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".webp", ".bmp", ".tiff", ".gif"])
def test_anyfasts_six_picture_formats(client, suffix):
    client.anyfast_job(item("image", media(client, f"a{suffix}")))


@pytest.mark.parametrize(
    ("field", "names", "word"),
    [
        ("images", ["a.gif"], "GIF"),
        ("images", ["a.mp4"], "images"),
        ("reference_videos", ["a.mp4?w=640&h=720"], "720px"),
        ("reference_videos", ["a.mp4?w=2400&h=720"], "2160px"),
        ("reference_videos", ["a.mp4?seconds=8", "b.mp4?seconds=8"], "15 s"),
        ("reference_videos", [f"{name}.mp4?seconds=2&pad={101 * MB}" for name in "ab"], "200 MB"),
        ("reference_videos", ["a.png"], "videos"),
    ],
)
def test_mds_limits(client, field, names, word):
    body = {"model": "seedance2.0-md", "prompt": "x", "duration": 5, field: [media(client, name) for name in names]}
    assert word in client.jimmy(body).json()["msg"]


def test_uploads_are_looked_into(client):
    gif = client.http.get("/_media/a.gif").content
    hidden = upload(client, "a.png", gif).json()["data"]["url"]  # the content counts, not the name
    body = {"model": "seedance2.0-md", "prompt": "x", "duration": 5, "images": [hidden]}
    assert "GIF" in client.jimmy(body).json()["msg"]


def test_an_upload_expires_and_then_the_job_fails(client):
    picture = client.http.get("/_media/a.png").content
    url = upload(client, "a.png", picture).json()["data"]["url"]
    client.clock.now += 3 * 86_400 - 1
    assert httpx.get(url).status_code == 200
    good = client.jimmy_job(images=[url])
    client.clock.now += 2
    assert httpx.get(url).status_code == 403
    bad, other = client.jimmy_job(images=[url]), client.anyfast_job(item("image", url))
    client.finish()
    assert client.jimmy_view(good)["status"] == "completed"
    assert "s3" in client.jimmy_view(bad)["error_message"]
    assert "Read timed out" in client.jimmy_view(bad)["error_message"]
    assert "Read timed out" in client.anyfast_view(other)["data"]["fail_reason"]


def audit(client, **body):
    return client.jimmy(body, AUDIT).json()


def audit_status(client, name):
    return client.jimmy_get(f"seedance/assets/status?assetId={name}").json()


def test_the_audit_as_it_is_guessed(client):
    data = audit(client, imageUrls=["https://h/a.png", "data:x", "https://h/fail.png"], audioUrls=[])["data"]
    good, bad = data["items"]
    assert (good["assetType"], good["status"], good["originalUrl"]) == ("Image", "submitted", "https://h/a.png")
    assert [failed["originalUrl"] for failed in data["failedItems"]] == ["data:x"]
    assert audit_status(client, good["assetId"])["data"]["status"] == "processing"
    body = {"model": "sd2_mx_720p", "prompt": "x", "duration": 5, "images": [f"asset://{good['assetId']}"]}
    assert "Processing" in client.jimmy(body).json()["msg"]
    client.finish()
    assert audit_status(client, good["assetId"])["data"]["status"] == "active"
    assert audit_status(client, bad["assetId"])["data"]["status"] == "failed"
    assert client.jimmy(body).status_code == 200
    assert client.server.state.calls["jimmy.assets.audit"] == 1
    assert audit_status(client, "none")["code"] == 20002
    for wrong in ({}, {"imageUrls": "https://h/a.png"}, {"urls": []}):
        assert audit(client, **wrong)["code"] == 20002


def test_an_asset_counts_only_where_it_was_reviewed(client):
    sp = {"name": "a", "type": "image", "url": "https://h/a.png"}
    asset = client.jimmy(sp, f"{ROOT}/seedance/sp/assets/upload").json()["data"]["asset_id"]
    client.finish()
    body = {"model": "sd2_mx_720p", "prompt": "x", "duration": 5, "images": [f"asset://{asset}"]}
    assert "has not passed" in client.jimmy(body).json()["msg"]
    assert client.jimmy({**body, "model": "seedance2.0-sp"}).status_code == 200
    assert client.jimmy({**body, "images": ["asset://of-the-real-provider"]}).status_code == 200


class TestStrangers:
    @pytest.fixture
    def sandbox_settings(self, clock):
        keys = {"sk_sandbox": "jimmy/one", "sk_two": "jimmy/two", "sk-sandbox": "anyfast/one", "sk-two": "anyfast/two"}
        return SandboxSettings(clock=clock, keys=keys)

    def test_a_strangers_asset_is_refused(self, client):
        sp = {"name": "a", "type": "image", "url": "https://h/a.png"}
        asset = client.jimmy(sp, f"{ROOT}/seedance/sp/assets/upload").json()["data"]["asset_id"]
        group = client.anyfast({"model": "volc-asset", "Name": "g"}, "/volc/asset/CreateAssetGroup").json()["Id"]
        body = {"GroupId": group, "Name": "a", "AssetType": "Image", "URL": "https://h/a.png"}
        other = client.anyfast(body, "/volc/asset/CreateAsset").json()["Id"]
        client.finish()
        create = {"model": "seedance2.0-sp", "prompt": "x", "duration": 5, "images": [f"asset://{asset}"]}
        assert client.jimmy(create).status_code == 200
        assert "not found" in client.jimmy(create, key="sk_two").json()["msg"]
        create = {"model": "seedance-2.0-mini", "content": [item("image", f"asset://{other}")]}
        assert client.anyfast(create).status_code == 200
        assert "not found" in client.anyfast(create, key="sk-two").text


class TestAnyfastAssets:
    def call(self, client, name, body):
        return client.anyfast(body, f"/volc/asset/{name}")

    @pytest.fixture
    def group(self, client):
        return self.call(client, "CreateAssetGroup", {"model": "volc-asset", "Name": "g"}).json()["Id"]

    def asset(self, group, url, kind="Image", name="a"):
        model = {"Image": "volc-asset"}.get(kind, f"volc-asset-{kind.lower()}")
        return {"model": model, "GroupId": group, "Name": name, "AssetType": kind, "URL": url}

    def test_each_request_is_billed_and_remembered(self, client, group, tmp_path):
        self.call(client, "CreateAsset", self.asset(group, "https://h/a.mp4", "Video"))
        self.call(client, "CreateAsset", self.asset(group, "https://h/a.mp4", "Video"))  # the name is taken
        lines = client.server.state.bill()
        assert sorted(line.billing_model for line in lines) == ["volc-asset", "volc-asset-video"]
        assert {(line.unit, line.state, line.account_key_tail) for line in lines} == {("request", "succeeded", "dbox")}
        assert client.http.get("/_sandbox/bill").json()[0]["cost"] == "0.05"
        assert str(client.server.state.spent("anyfast")) == "0.06"
        assert "0 jobs" not in client.http.get("/").text

    @pytest.mark.parametrize(
        ("kind", "name", "status"),
        [
            ("Image", "a.png", "Active"),
            ("Image", "a.png?w=200", "Failed"),
            ("Video", "a.mp4?seconds=20", "Failed"),
            ("Image", "a.png?status=403", "Failed"),
            ("Image", "a.mp4", "Failed"),
        ],
    )
    def test_what_is_outside_the_limits_fails_later(self, client, group, kind, name, status):
        asset = self.call(client, "CreateAsset", self.asset(group, media(client, name), kind)).json()["Id"]
        client.finish()
        assert self.call(client, "GetAsset", {"Id": asset}).json()["Status"] == status

    def test_inline_media_are_kept_for_ever(self, client, group):
        content = client.http.get("/_media/a.png?w=400&h=400").content
        inline = base64.b64encode(content).decode()
        urls = [f"data:image/png;base64,{inline}", inline]
        for number, url in enumerate(urls):
            asset = self.call(client, "CreateAsset", self.asset(group, url, name=str(number))).json()["Id"]
            client.clock.now += 4 * 86_400
            shown = self.call(client, "GetAsset", {"Id": asset}).json()
            assert shown["Status"] == "Active"
            assert httpx.get(shown["URL"]).content == content
        for wrong in (
            "data:image/png;base64,???",
            "data:text/plain;base64,AAAA",
            "logo.png",
            "data:video/mp4;base64,AA",
        ):
            assert self.call(client, "CreateAsset", self.asset(group, wrong, name="w")).status_code == 400
        assert client.server.state.calls["anyfast.CreateAsset.bytes"] > 2 * len(content)

    def test_an_asset_may_be_unknown_for_a_while(self, client, group):
        client.server.faults.asset_absent_seconds = 20
        asset = self.call(client, "CreateAsset", self.asset(group, "https://h/a.png")).json()["Id"]
        assert self.call(client, "GetAsset", {"Id": asset}).status_code == 404
        client.clock.now += 21
        assert self.call(client, "GetAsset", {"Id": asset}).json()["Status"] == "Active"

    def test_lists_may_lag_behind(self, client, group):
        client.clock.now += 21
        client.server.faults.asset_list_absent_seconds = 20
        self.call(client, "CreateAsset", self.asset(group, "https://h/a.png"))
        self.call(client, "CreateAssetGroup", {"model": "volc-asset", "Name": "new"})

        def listed():
            return [len(self.call(client, call, {}).json()["Items"]) for call in ("ListAssetGroups", "ListAssets")]

        assert listed() == [1, 0]
        client.clock.now += 21
        assert listed() == [2, 1]


@pytest.mark.parametrize(
    ("fault", "made"),
    [("asset_cut_before", 0), ("asset_limited", 0), ("asset_cut_after", 1), ("asset_error_after", 1)],
)
def test_trouble_with_assets(client, fault, made):
    client.server.faults.queue("asset", fault)
    body = {"model": "volc-asset", "Name": "g"}
    try:
        status = client.anyfast(body, "/volc/asset/CreateAssetGroup").status_code
    except httpx.TransportError:
        status = None
    assert status == {"asset_limited": 429, "asset_error_after": 502}.get(fault)
    assert len(client.server.state.bill()) == made


def test_assets_and_uploads_survive_a_restart(clock, tmp_path):
    settings = SandboxSettings(clock=clock, state_path=tmp_path / "state.db")
    with SandboxServer(settings) as server:
        server.state.assets.add("anyfast", "anyfast", name="a", kind="image", url="u", billing_model="volc-asset")
        server.state.assets.add_group("anyfast", "g", key_tail="dbox")
        server.state.uploads.add("a.png", "image/png", b"x")
    with SandboxServer(settings) as server:
        assert len(server.state.bill()) == 2


@pytest.mark.parametrize("suffix", sorted(TYPES))
def test_every_medium_is_real_and_padded(client, suffix):
    answer = client.http.get(f"/_media/a{suffix}?seconds=2&pad=1000")
    assert answer.headers["content-type"] == TYPES[suffix]
    facts = inspect(f"a{suffix}", answer.content)
    assert facts is not None
    assert facts.format in {suffix[1:], "jpeg", "tiff"}
    assert len(answer.content) == len(client.http.get(f"/_media/a{suffix}?seconds=2").content) + 1000


def test_difficult_servers(client):
    get = client.http.get
    part = {"Range": "bytes=0-3"}
    assert get("/_media/a.png", headers=part).status_code == 206
    assert get("/_media/a.png?ranges=0", headers=part).status_code == 200
    assert get("/_media/a.png?status=503").status_code == 503
    assert get("/_media/a.png?type=text/html").headers["content-type"].startswith("text/html")
    assert get("/_media/a.png?to=https://h/b.png").headers["location"] == "https://h/b.png"
    assert client.http.head("/_media/a.png").headers["content-length"] == str(len(get("/_media/a.png").content))
    assert client.http.head("/_media/a.png?head=0").status_code == 405
    with pytest.raises(httpx.ReadTimeout):
        get("/_media/a.png?delay=60", timeout=httpx.Timeout(patience(), read=0.1))
    for wrong in ("delay=x", "delay=61", "status=99", "pad=-1"):
        assert get(f"/_media/a.png?{wrong}").status_code == 404
