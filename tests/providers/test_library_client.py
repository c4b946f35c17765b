"""Uploads, assets and reviews over real HTTP, against the sandbox and against a wire that misbehaves."""

from __future__ import annotations

import asyncio
import base64
import tracemalloc
from collections.abc import AsyncIterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import pytest
from pydantic import SecretStr

from prefect_seedance.errors import (
    AuthenticationError,
    DuplicateName,
    InputError,
    InsufficientFunds,
    InvalidResponse,
    NotFound,
    RateLimited,
    Refused,
    SeedanceError,
    UnknownOutcome,
    Unreachable,
)
from prefect_seedance.providers import Account, AssetState, AssetView, ProviderClient
from prefect_seedance.routes import VideoRequest
from prefect_seedance.sandbox import SandboxServer, SandboxSettings
from prefect_seedance.sandbox.http.media import media_bytes

KEYS = {"jimmy": "sk_sandbox", "anyfast": "sk-sandbox"}
PNG = b"\x89PNG\r\n\x1a\n" + bytes(2000)


@pytest.fixture
def sandbox_settings() -> SandboxSettings:
    return SandboxSettings(speed=20.0, asset_seconds=(2.0, 2.0))


@pytest.fixture
async def jimmy(sandbox: SandboxServer) -> AsyncIterator[ProviderClient]:
    async with client_of(sandbox.url, "jimmy") as client:
        yield client


@pytest.fixture
async def anyfast(sandbox: SandboxServer) -> AsyncIterator[ProviderClient]:
    async with client_of(sandbox.url, "anyfast") as client:
        yield client


def client_of(url: str, provider: str, key: str | None = None) -> ProviderClient:
    return ProviderClient(Account(provider, "default", url, SecretStr(key or KEYS[provider])))


async def reviewed(client: ProviderClient, library: Any, asset_id: str) -> AssetView:
    view = await client.asset(library, asset_id)
    while not view.state.final:
        await asyncio.sleep(0.02)
        view = await client.asset(library, asset_id)
    return view


@pytest.mark.parametrize("envelope", ["documented", "0", "20000", "int20000", "bare"])
async def test_an_upload_is_served(
    sandbox: SandboxServer, jimmy: ProviderClient, tmp_path: Path, envelope: str
) -> None:
    sandbox.faults.update(jimmy_envelope=envelope)
    path = tmp_path / "分镜 1.png"
    path.write_bytes(PNG)
    uploaded = await jimmy.upload_file(path, filename='分镜 "1"\r\n.png', mime_type="image/png")
    assert uploaded.bytes == len(PNG)
    async with httpx.AsyncClient() as http:
        answer = await http.get(uploaded.url)
    assert (answer.content, answer.headers["content-type"]) == (PNG, "image/png")
    assert sandbox.state.calls["jimmy.upload.bytes"] == len(PNG)


async def test_a_large_upload_is_not_held_in_memory(wire: Any, tmp_path: Path) -> None:
    size = 60 * 2**20
    path = tmp_path / "clip.mp4"
    with path.open("wb") as file:
        file.truncate(size)
    got = 0

    async def sink(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal got
        head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
        length = int(head.partition("content-length: ")[2].partition("\r\n")[0])
        assert "transfer-encoding" not in head
        while got < length:
            got += len(await reader.read(2**20))
        body = b'{"code": 20000, "data": {"url": "https://h/clip.mp4"}}'
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(sink, "127.0.0.1", 0)
    async with server, client_of(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", "jimmy") as client:
        tracemalloc.start()
        uploaded = await client.upload_file(path, filename="clip.mp4", mime_type="video/mp4")
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert uploaded.url == "https://h/clip.mp4"
    assert got > size
    assert peak < 10 * 2**20


@pytest.mark.parametrize(
    ("fault", "kind"), [("upload_cut", Unreachable), ("upload_error", InvalidResponse), ("upload_limited", RateLimited)]
)
async def test_uploads_in_trouble_may_be_repeated(
    sandbox: SandboxServer, jimmy: ProviderClient, tmp_path: Path, fault: str, kind: type[SeedanceError]
) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(PNG)
    sandbox.faults.queue("upload", fault)
    with pytest.raises(SeedanceError) as caught:
        await jimmy.upload_file(path, filename="a.png", mime_type="image/png")
    assert type(caught.value) is kind
    await jimmy.upload_file(path, filename="a.png", mime_type="image/png")
    assert (sandbox.state.calls["jimmy.upload"], sandbox.state.calls["jimmy.upload.bytes"]) == (2, len(PNG))


async def test_files_that_cannot_be_uploaded(sandbox: SandboxServer, jimmy: ProviderClient, tmp_path: Path) -> None:
    (tmp_path / "empty.png").touch()
    (tmp_path / "a.exe").write_bytes(PNG)
    (tmp_path / "folder.png").mkdir()
    for name in ("missing.png", "empty.png", "a.exe", "folder.png", "a\0.png"):
        with pytest.raises(InputError):
            await jimmy.upload_file(tmp_path / name, filename=name, mime_type="image/png")
    assert sandbox.state.calls["jimmy.upload"] == 0


async def test_a_file_that_changes_while_it_is_sent(jimmy: ProviderClient, tmp_path: Path, monkeypatch: Any) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(PNG)
    upload = jimmy._transport.upload
    for promised in (len(PNG) - 1, len(PNG) + 1):
        call = jimmy.dialect.upload_call("a.png", "image/png", promised)
        with pytest.raises(InputError, match="changed"):
            await upload(call, path, promised)


async def test_an_upload_may_be_refused_before_it_is_read(wire: Any, tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    path.write_bytes(bytes(8 * 2**20))

    async def hasty(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b'HTTP/1.1 401 No\r\nContent-Length: 15\r\n\r\n{"code": 20001}')
        await writer.drain()
        await reader.read()
        writer.close()

    server = await asyncio.start_server(hasty, "127.0.0.1", 0)
    async with server, client_of(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", "jimmy") as client:
        with pytest.raises(SeedanceError) as caught:
            await client.upload_file(path, filename="a.mp4", mime_type="video/mp4")
    assert type(caught.value) is AuthenticationError


async def test_an_upload_follows_no_redirect(wire: Any, tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(PNG)
    elsewhere = await wire(lambda visit: visit.answer(200, {}))
    server = await wire(lambda visit: visit.answer(307, b"", Location=f"{elsewhere.url}/x"))
    async with client_of(server.url, "jimmy") as client:
        with pytest.raises(InvalidResponse):
            await client.upload_file(path, filename="a.png", mime_type="image/png")
    assert elsewhere.connections == 0
    assert b"Bearer" not in server.visits[0].body


@pytest.mark.parametrize("library", ["sp", "portrait", "audit"])
async def test_jimmys_reviews(sandbox: SandboxServer, jimmy: ProviderClient, library: Any) -> None:
    url = f"{sandbox.url}/_media/face.png"
    taken = await jimmy.submit_asset(library, name="Anna", kind="image", url=url)
    assert taken.state is AssetState.REVIEWING
    view = await reviewed(jimmy, library, taken.asset_id)
    assert (view.state, view.reference) == (AssetState.ACTIVE, f"asset://{taken.asset_id}")
    model = "sd2_mx_720p" if library == "audit" else "seedance2.0-sp"
    request = VideoRequest(prompt="x", duration=4, images=[str(view.reference)])
    await jimmy.create(model, request)
    other = "seedance2.0-sp" if library == "audit" else "sd2_mx_720p"
    with pytest.raises(Refused):
        await jimmy.create(other, request)
    failing = await jimmy.submit_asset(library, name="x", kind="image", url=f"{sandbox.url}/_media/fail.png")
    bad = await reviewed(jimmy, library, failing.asset_id)
    assert (bad.state, bad.reference) == (AssetState.FAILED, None)
    with pytest.raises(NotFound):
        await jimmy.asset(library, "none")
    assert len(sandbox.state.bill()) == 1  # reviews cost nothing


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        ("asset_cut_before", Unreachable),
        ("asset_cut_after", Unreachable),
        ("asset_error_after", InvalidResponse),
        ("asset_limited", RateLimited),
    ],
)
async def test_jimmys_reviews_in_trouble(
    sandbox: SandboxServer, jimmy: ProviderClient, fault: str, kind: type[SeedanceError]
) -> None:
    sandbox.faults.queue("asset", fault)
    with pytest.raises(SeedanceError) as caught:
        await jimmy.submit_asset("sp", name="n", kind="image", url=f"{sandbox.url}/_media/a.png")
    assert type(caught.value) is kind


async def test_anyfasts_assets(sandbox: SandboxServer, anyfast: ProviderClient) -> None:
    sandbox.faults.update(asset_absent_seconds=3600.0)
    assert await anyfast.find_group("spring") is None
    group = await anyfast.create_group("spring")
    assert await anyfast.find_group("spring") == group
    assert await anyfast.find_group("spri") is None
    clip = f"{sandbox.url}/_media/a.mp4?seconds=4"
    taken = await anyfast.submit_asset("volc", name="clip", kind="video", url=clip, group=group)
    with pytest.raises(NotFound) as caught:
        await anyfast.asset("volc", taken.asset_id)
    assert caught.value.code == "NotFound.asset_id"
    sandbox.faults.update(asset_absent_seconds=0.0)
    view = await reviewed(anyfast, "volc", taken.asset_id)
    assert view.reference == f"asset://{taken.asset_id}"
    with pytest.raises(DuplicateName):
        await anyfast.submit_asset("volc", name="clip", kind="video", url=clip, group=group)
    assert await anyfast.find_asset("clip", group) == view
    assert await anyfast.find_asset("cli", group) is None
    await anyfast.create("seedance-2.0-mini", VideoRequest(prompt="x", reference_videos=[str(view.reference)]))
    assert [line.billing_model for line in sandbox.state.bill()] == [
        "seedance-2.0-mini",
        "volc-asset-video",
        "volc-asset",
    ]


async def test_local_bytes_come_as_a_data_uri(sandbox: SandboxServer, anyfast: ProviderClient) -> None:
    group = await anyfast.create_group("g")
    for name, width, state in (("dot", 16, AssetState.FAILED), ("logo", 400, AssetState.ACTIVE)):
        content = media_bytes("a.png", width=width, height=400, seconds=Decimal(1))
        url = "data:image/png;base64," + base64.b64encode(content).decode()
        taken = await anyfast.submit_asset("volc", name=name, kind="image", url=url, group=group)
        view = await reviewed(anyfast, "volc", taken.asset_id)
        assert view.state is state
        assert view.error_code == ("InvalidAsset" if state is AssetState.FAILED else None)


@pytest.mark.parametrize(
    ("fault", "kind", "made"),
    [
        ("asset_cut_before", UnknownOutcome, False),
        ("asset_cut_after", UnknownOutcome, True),
        ("asset_error_after", UnknownOutcome, True),
        ("asset_limited", RateLimited, False),
    ],
)
async def test_paid_assets_in_trouble_are_sent_once_and_found(
    sandbox: SandboxServer, anyfast: ProviderClient, fault: str, kind: type[SeedanceError], *, made: bool
) -> None:
    sandbox.faults.queue("asset", fault)
    with pytest.raises(SeedanceError) as caught:
        await anyfast.create_group("g")
    assert type(caught.value) is kind
    assert (await anyfast.find_group("g") is not None) is made
    group = await anyfast.create_group("other")
    sandbox.faults.queue("asset", fault)
    with pytest.raises(SeedanceError) as caught:
        await anyfast.submit_asset("volc", name="n", kind="image", url="https://h/a.png", group=group)
    assert type(caught.value) is kind
    assert (await anyfast.find_asset("n", group) is not None) is made
    assert sandbox.state.calls["anyfast.CreateAsset"] == 1
    assert len(sandbox.state.bill()) == (3 if made else 1)


async def test_paid_assets_take_fresh_connections(wire: Any) -> None:
    server = await wire(lambda visit: visit.answer(200, {"Id": "x-1"}))
    async with client_of(server.url, "anyfast") as client:
        await client.create_group("g")
        await client.submit_asset("volc", name="n", kind="image", url="https://h/a.png", group="g")
    assert [visit.connection for visit in server.visits] == [1, 2]
    silent = await wire(lambda visit: visit.say_nothing())
    async with client_of(silent.url, "anyfast") as client:
        with pytest.raises(UnknownOutcome):
            await client.create_group("g")
    assert len(silent.visits) == 1


async def test_some_servers_want_the_type_of_group(wire: Any) -> None:
    async def script(visit: Any) -> None:
        if b"GroupType" not in visit.body:
            await visit.answer(400, {"error": {"code": "MissingParameter", "message": "Filter.GroupType is missing"}})
        elif b'"PageNumber": 1' in visit.body:
            await visit.answer(200, {"Items": [{"Id": f"group-{n}", "Name": f"{n}"} for n in range(100)]})
        else:
            await visit.answer(200, {"Items": [{"Id": "group-g", "Name": "[u-1]-[t-2]-g"}]})

    server = await wire(script)
    async with client_of(server.url, "anyfast") as client:
        assert await client.find_group("g") == "group-g"


async def test_an_account_without_funds_makes_no_asset() -> None:
    with SandboxServer(SandboxSettings(funds=0)) as server:  # type: ignore[arg-type]
        async with client_of(server.url, "anyfast") as client:
            with pytest.raises(InsufficientFunds):
                await client.create_group("g")


@pytest.mark.parametrize("provider", ["jimmy", "anyfast"])
async def test_wrong_keys_and_ids(sandbox: SandboxServer, provider: str) -> None:
    library: Any = "sp" if provider == "jimmy" else "volc"
    async with client_of(sandbox.url, provider, key="sk-wrong-key-123") as client:
        with pytest.raises(AuthenticationError):
            await client.asset(library, "a")
        with pytest.raises(InputError):
            await client.asset(library, "..")


async def test_an_echoed_key_is_not_shown(wire: Any) -> None:
    key = "sk-0123456789abcdefghij"
    body = {"Id": "asset-1", "Status": f"Failed {key}", "Error": {"Code": key, "Message": f"no {key}"}}
    server = await wire(lambda visit: visit.answer(200, body | {"Status": "Failed"}, X_Request_Id=f"r-{key}"))
    async with client_of(server.url, "anyfast", key=key) as client:
        assert key not in repr(await client.asset("volc", "asset-1"))
