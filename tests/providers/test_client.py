"""The client over real connections: kept, cut, slow, lying."""

from __future__ import annotations

import asyncio
import gzip
import json
import logging
import tracemalloc
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from pydantic import SecretStr

from prefect_seedance.errors import (
    AuthenticationError,
    ContentRejected,
    InputError,
    InvalidResponse,
    NotFound,
    RateLimited,
    Refused,
    SeedanceError,
    UnknownOutcome,
    Unreachable,
)
from prefect_seedance.providers import Account, Balance, Created, JobState, ProviderClient, Timeouts
from prefect_seedance.routes import VideoRequest
from tests.patience import eventually_async, settle

KEY = "sk-0123456789abcdefghij"
REQUEST = VideoRequest(prompt="夜晚的猫", duration=5)
CREATED = {"code": 0, "msg": "ok", "data": {"task_id": "vid_1", "status": "queued"}}
RUNNING = {"code": 0, "msg": "ok", "data": {"task_id": "vid_1", "status": "processing", "progress": 10}}
EVER = 1e9

Clients = Callable[..., ProviderClient]


@pytest.fixture
async def client_of() -> AsyncIterator[Clients]:
    clients: list[ProviderClient] = []

    def start(
        url: str,
        provider: str = "jimmy",
        key: str = KEY,
        codes: frozenset[str] = frozenset(),
        timeouts: Timeouts | None = None,
    ) -> ProviderClient:
        account = Account(provider, "default", url, SecretStr(key), codes)
        clients.append(ProviderClient(account, timeouts=timeouts))
        return clients[-1]

    yield start
    for client in clients:
        await client.aclose()


async def test_a_create_as_the_provider_sees_it(wire: Any, client_of: Clients) -> None:
    server = await wire(lambda visit: visit.answer(200, CREATED, X_Request_Id="r-1"))
    created = await client_of(f"{server.url}/prefix/").create("seedance2.0-mini", REQUEST)
    assert created == Created("vid_1", "queued", "r-1", 200)
    visit = server.visits[0]
    assert visit.head.startswith("POST /prefix/api/open-api/v1/seedance/videos HTTP/1.1\r\n")
    headers = dict(line.lower().split(": ", 1) for line in visit.head.strip().splitlines()[1:])
    assert headers["authorization"] == f"bearer {KEY}"
    assert headers["content-type"] == "application/json"
    assert headers["accept-encoding"] == "identity"
    assert json.loads(visit.body) == {"model": "seedance2.0-mini", "prompt": "夜晚的猫", "duration": 5}


async def test_creates_take_fresh_connections_and_queries_keep_theirs(wire: Any, client_of: Clients) -> None:
    async def script(visit: Any) -> None:
        await visit.answer(200, CREATED if visit.head.startswith("POST") else RUNNING)

    server = await wire(script)
    client = client_of(server.url)
    for _ in range(3):
        await client.create("m", REQUEST)
    assert [visit.connection for visit in server.visits] == [1, 2, 3]
    await asyncio.gather(*(client.create("m", REQUEST) for _ in range(5)))
    assert server.connections == 8
    for _ in range(4):
        await client.query("vid_1")
    assert server.connections == 9


async def test_more_creates_at_once_than_a_pool_usually_holds(wire: Any, client_of: Clients) -> None:
    everyone = asyncio.Barrier(150)

    async def script(visit: Any) -> None:
        await everyone.wait()
        await visit.answer(200, CREATED)

    server = await wire(script)
    account = Account("jimmy", "default", server.url, SecretStr(KEY))
    async with ProviderClient(account) as client:
        await asyncio.gather(*(client.create("m", REQUEST) for _ in range(150)))
    assert server.connections == 150


async def drop(visit: Any) -> None:
    visit.drop()


async def silent(visit: Any) -> None:
    await visit.say_nothing()


async def half_a_head(visit: Any) -> None:
    await visit.raw(b"HTTP/1.1 200 OK\r\nContent-Le")
    visit.drop()


async def half_a_body(visit: Any) -> None:
    body = json.dumps(CREATED).encode()
    await visit.raw(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body[:20])
    visit.writer.close()


async def body_without_end(visit: Any) -> None:
    await visit.raw(b'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{"a":\r\n')
    visit.drop()


async def trickle(visit: Any) -> None:
    await visit.raw(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
    await visit.say_nothing(100.0, byte=b" ")


async def flood(visit: Any) -> None:
    await visit.answer(200, b" " * (1024 * 1024) + json.dumps(CREATED).encode())


async def no_http(visit: Any) -> None:
    await visit.raw(b"SSH-2.0-OpenSSH_9.6\r\n\r\n")


async def bad_gzip(visit: Any) -> None:
    await visit.answer(200, b"no gzip at all", Content_Encoding="gzip")


async def html(visit: Any) -> None:
    await visit.answer(502, b"<html>bad gateway</html>", Content_Type="text/html")


async def redirect(visit: Any) -> None:
    await visit.answer(307, b"", Location="/elsewhere")


TROUBLES = [drop, silent, half_a_head, half_a_body, body_without_end, trickle, flood, no_http, bad_gzip, html, redirect]
# Of the two deadlines of a call, for each byte and for the whole, only the one that is meant can end it.
TIMEOUTS = {silent: Timeouts(create_whole=EVER, query_whole=EVER), trickle: Timeouts(create=EVER, query=EVER)}


@pytest.mark.parametrize("script", TROUBLES, ids=lambda script: script.__name__)
@pytest.mark.parametrize("provider", ["jimmy", "anyfast"])
async def test_a_create_in_trouble_is_unknown_and_sent_once(
    wire: Any, client_of: Clients, script: Any, provider: str
) -> None:
    server = await wire(script)
    with pytest.raises(SeedanceError) as caught:
        await client_of(server.url, provider, timeouts=TIMEOUTS.get(script)).create("m", REQUEST)
    assert type(caught.value) is UnknownOutcome
    assert caught.value.provider == provider
    await settle()  # what was sent has arrived: it is a socket of this machine
    assert len(server.visits) == 1


@pytest.mark.parametrize("script", TROUBLES, ids=lambda script: script.__name__)
async def test_a_query_in_trouble_may_be_asked_again(wire: Any, client_of: Clients, script: Any) -> None:
    server = await wire(script)
    with pytest.raises(SeedanceError) as caught:
        await client_of(server.url, timeouts=TIMEOUTS.get(script)).query("vid_1")
    answered = {flood, bad_gzip, html, redirect}
    assert type(caught.value) is (InvalidResponse if script in answered else Unreachable)
    assert len(server.visits) == 1


async def test_a_connection_cut_before_the_request_was_read_is_unknown(wire: Any, client_of: Clients) -> None:
    # The request had left for the wire: whether the other side saw it cannot be told from here.
    server = await wire(drop, hang_up_first=True)
    with pytest.raises(UnknownOutcome):
        await client_of(server.url).create("m", REQUEST)
    assert server.connections == 1


async def test_nobody_listens(unused_tcp_port: int, client_of: Clients) -> None:
    client = client_of(f"http://127.0.0.1:{unused_tcp_port}")
    with pytest.raises(Unreachable, match="Nothing was sent"):
        await client.create("m", REQUEST)
    with pytest.raises(Unreachable):
        await client.query("vid_1")


async def test_a_server_that_speaks_no_tls(wire: Any, client_of: Clients) -> None:
    server = await wire(lambda visit: visit.answer(200, CREATED))
    with pytest.raises(Unreachable):
        # The server waits for the rest of what it takes for HTTP; however long that is tried, nothing can be sent.
        await client_of(server.url.replace("http:", "https:"), timeouts=Timeouts(connect=0.5)).create("m", REQUEST)
    assert server.visits == []


async def test_a_429_counts_even_if_its_body_is_lost(wire: Any, client_of: Clients) -> None:
    async def script(visit: Any) -> None:
        await visit.raw(b"HTTP/1.1 429 Slow\r\nRetry-After: 9\r\nContent-Length: 500\r\n\r\n{")
        visit.drop()

    server = await wire(script)
    with pytest.raises(RateLimited) as caught:
        await client_of(server.url).create("m", REQUEST)
    assert caught.value.retry_after == 9
    assert caught.value.http_status == 429


async def test_refusals_and_moderation_over_the_wire(wire: Any, client_of: Clients) -> None:
    inner = json.dumps({"error": {"code": "InputTextSensitiveContentDetected", "message": "content[0]"}})
    server = await wire(lambda visit: visit.answer(400, {"code": "fail_to_fetch_task", "message": inner, "data": None}))
    with pytest.raises(ContentRejected):
        await client_of(server.url, "anyfast").create("m", REQUEST)
    server = await wire(lambda visit: visit.answer(418, b"<html>"))
    with pytest.raises(UnknownOutcome):
        await client_of(server.url).create("m", REQUEST)
    with pytest.raises(Refused):
        await client_of(server.url, codes=frozenset({"http-418"})).create("m", REQUEST)


async def test_a_cancelled_create_stays_cancelled(wire: Any, client_of: Clients) -> None:
    server = await wire(lambda visit: visit.reader.read())
    task = asyncio.create_task(client_of(server.url).create("m", REQUEST))
    await eventually_async(lambda: server.visits, "the create")
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_queries_over_the_wire(wire: Any, client_of: Clients) -> None:
    answers = {"vid_1": (200, RUNNING), "a/b": (404, {"code": "404", "msg": "none"}), "x": (401, {"code": 20001})}

    async def script(visit: Any) -> None:
        path = visit.head.split()[1].removeprefix("/api/open-api/v1/videos/")
        await visit.answer(*answers[path.replace("%2F", "/")])

    server = await wire(script)
    client = client_of(server.url)
    view = await client.query("vid_1")
    assert (view.state, view.progress) == (JobState.RUNNING, 0.1)
    with pytest.raises(NotFound):
        await client.query("a/b")
    with pytest.raises(AuthenticationError):
        await client.query("x")
    assert server.connections == 1
    assert "content-type" not in server.visits[0].head.lower()


@pytest.mark.parametrize("job_id", ["", " ", ".", ".."])
async def test_ids_that_would_ask_for_something_else(client_of: Clients, job_id: str) -> None:
    with pytest.raises(InputError):
        await client_of("http://127.0.0.1:1").query(job_id)


async def test_a_prompt_that_cannot_be_sent(wire: Any, client_of: Clients) -> None:
    server = await wire(lambda visit: visit.answer(200, CREATED))
    with pytest.raises(InputError, match="broken characters"):
        await client_of(server.url).create("m", VideoRequest(prompt="\ud800", duration=5))
    assert server.connections == 0


async def test_a_closed_client_sends_nothing(client_of: Clients) -> None:
    client = client_of("http://127.0.0.1:1")
    await client.aclose()
    await client.aclose()
    with pytest.raises(Unreachable, match="closed"):
        await client.create("m", REQUEST)


async def test_balance_over_the_wire(wire: Any, client_of: Clients) -> None:
    async def script(visit: Any) -> None:
        data = {"available": "10.5", "note": f"key {KEY}"} if "/user/" in visit.head else {"available_quota": 0}
        await visit.answer(200, {"code": "20000", "data": data})

    server = await wire(script)
    balance = await client_of(server.url).balance()
    assert balance == Balance({"available": "10.5", "note": "key ***", "available_quota": "0"})
    models = await wire(lambda visit: visit.answer(401, {"error": {"code": "invalid_api_key", "message": "no"}}))
    with pytest.raises(AuthenticationError):
        await client_of(models.url, "anyfast").balance()


@pytest.mark.parametrize("key", [KEY, "another-kind-of-key", "secret/with+signs="])
@pytest.mark.parametrize("escaped", [False, True])
async def test_an_echoed_key_is_never_shown(
    wire: Any, client_of: Clients, caplog: pytest.LogCaptureFixture, key: str, *, escaped: bool
) -> None:
    caplog.set_level(logging.DEBUG)
    echo = "".join(f"\\u{ord(c):04x}" for c in key) if escaped else key
    filler = "x" * (300 - len("<html> ") - 12)
    bodies = [
        b'{"code":"20002","msg":"nope %s","request_id":"%s"}' % (echo.encode(), echo.encode()),
        b'{"code":"%s","msg":"nope"}' % echo.encode(),
        # The excerpt ends in the middle of the key.
        b"<html>%s %s" % (filler.encode(), echo.encode()),
        b'{"code":"0","data":{"task_id":"v","status":"failed","error_message":"nope %s"}}' % echo.encode(),
        b'{"code":"0","data":{"task_id":"v","status":"%s"}}' % echo.encode(),
    ]
    shown = []
    for body in bodies:
        server = await wire(lambda visit, body=body: visit.answer(200, body))
        client = client_of(server.url, key=key)
        for ask in (lambda client=client: client.create("m", REQUEST), lambda client=client: client.query("v")):
            try:
                shown.append(repr(await ask()))
            except SeedanceError as error:
                shown.append(f"{error} {error!r} {vars(error)}")
        shown.append(repr(client.account))
    text = "\n".join(shown) + caplog.text
    assert key not in text
    assert escaped or key[:8] not in text


async def test_an_error_without_the_key_keeps_its_slug(wire: Any, client_of: Clients) -> None:
    body = {"code": "20002", "msg": f"nope {KEY}"}
    server = await wire(lambda visit: visit.answer(302, body, Location=f"https://elsewhere/{KEY}"))
    with pytest.raises(UnknownOutcome) as caught:
        await client_of(server.url).create("m", REQUEST)
    assert caught.value.slug == "provider.nothing_proven"
    assert repr(caught.value).startswith("UnknownOutcome('The answer of jimmy (HTTP 302) does not prove")
    assert str(caught.value.text.parameters["words"]) == (
        "nope ***; it points to https://elsewhere/***: is the base URL right?"
    )


async def test_a_key_in_a_header_is_not_shown_either(wire: Any, client_of: Clients) -> None:
    server = await wire(lambda visit: visit.answer(200, {"code": "20002", "msg": "no"}, X_Request_Id=f"r-{KEY}"))
    with pytest.raises(Refused) as caught:
        await client_of(server.url).create("m", REQUEST)
    assert caught.value.request_id == "r-***"


async def test_proxies_of_the_environment_are_not_asked_on_loopback(
    wire: Any, client_of: Clients, monkeypatch: pytest.MonkeyPatch, unused_tcp_port: int
) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{unused_tcp_port}")
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    server = await wire(lambda visit: visit.answer(200, CREATED))
    assert (await client_of(server.url).create("m", REQUEST)).job_id == "vid_1"


def test_unusable_settings_are_the_users_mistake(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    account = Account("jimmy", "default", "https://provider.test", SecretStr(KEY))
    with monkeypatch.context() as patch:
        patch.setenv("HTTPS_PROXY", "gopher://user:hunter2@proxy:1")
        with pytest.raises(InputError, match="proxy") as caught:
            ProviderClient(account)
        assert "hunter2" not in str(caught.value)
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "missing.pem"))
    with pytest.raises(InputError, match="SSL_CERT_FILE"):
        ProviderClient(account)
    with pytest.raises(InputError, match="anyfast, jimmy"):
        ProviderClient(Account("acme", "default", "https://provider.test", SecretStr(KEY)))


async def test_a_compressed_answer_is_still_read(wire: Any, client_of: Clients) -> None:
    body = gzip.compress(json.dumps(CREATED).encode())
    server = await wire(lambda visit: visit.answer(200, body, Content_Encoding="gzip"))
    assert (await client_of(server.url).create("m", REQUEST)).job_id == "vid_1"


def _layers(content: bytes, count: int) -> bytes:
    for _ in range(count):
        content = gzip.compress(content)
    return content


@pytest.mark.parametrize(
    ("coding", "body"),
    [
        pytest.param("gzip, gzip", _layers(bytes(50_000_000), 2), id="fifty megabytes in a few hundred bytes"),
        pytest.param("gzip, gzip, gzip", _layers(json.dumps(CREATED).encode(), 3), id="three layers"),
        pytest.param("br", b"\x0b\x02\x80\x00", id="a coding that was not asked for"),
        pytest.param("gzip", gzip.compress(json.dumps(CREATED).encode())[:-30], id="cut short"),
    ],
)
async def test_an_answer_that_cannot_be_decoded_within_bounds(
    wire: Any, client_of: Clients, coding: str, body: bytes
) -> None:
    for status in (200, 404):  # a bare 404 would be a refusal
        server = await wire(lambda visit, status=status: visit.answer(status, body, Content_Encoding=coding))
        tracemalloc.start()
        try:
            with pytest.raises(UnknownOutcome) as caught:
                await client_of(server.url).create("m", REQUEST)
            assert caught.value.http_status == status
            with pytest.raises(InvalidResponse):
                await client_of(server.url).query("vid_1")
            assert tracemalloc.get_traced_memory()[1] < 20_000_000
        finally:
            tracemalloc.stop()


async def test_a_doubly_compressed_answer_is_read(wire: Any, client_of: Clients) -> None:
    body = _layers(json.dumps(CREATED).encode(), 2)
    server = await wire(lambda visit: visit.answer(200, body, Content_Encoding="gzip, gzip"))
    assert (await client_of(server.url).create("m", REQUEST)).job_id == "vid_1"


LOST = b'{"code":0,"data":{"task_id":"vid_0123456789","status":"'
JOB = "vid_0123456789"


@pytest.mark.parametrize(
    ("headers", "body", "named"),
    [
        pytest.param({}, LOST + b"q" * (1 << 20), JOB, id="too large"),
        pytest.param(
            {"Content-Encoding": "gzip"}, gzip.compress(LOST + bytes(2_000_000)), JOB, id="too large unpacked"
        ),
        pytest.param({"Content-Encoding": "gzip"}, LOST + b'q"}}', JOB, id="not compressed at all"),
        pytest.param({"Content-Length": "9000"}, LOST, JOB, id="cut"),
        pytest.param({"Content-Length": "9000"}, LOST[:35], None, id="cut within the id"),
        pytest.param({"Content-Length": "9000"}, LOST[:43], None, id="cut at the end of the id"),
        pytest.param({"Content-Length": "9000", "X-Task-Id": JOB}, b"", JOB, id="in the headers of a cut answer"),
        pytest.param({"Content-Length": "9000"}, LOST + b'"},"job_id":"vid_9876543210",', None, id="two of them"),
    ],
)
@pytest.mark.parametrize("status", [200, 429, 502])
async def test_a_job_that_a_lost_answer_named_is_kept(
    wire: Any, client_of: Clients, headers: dict[str, str], body: bytes, named: str | None, status: int
) -> None:
    async def script(visit: Any) -> None:
        lines = {"Content-Length": str(len(body)), **headers}
        head = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
        await visit.raw(f"HTTP/1.1 {status} X\r\n{head}\r\n".encode() + body)
        visit.writer.close()

    server = await wire(script)
    client = client_of(server.url, timeouts=Timeouts(create=EVER, create_whole=EVER))
    with pytest.raises(SeedanceError) as caught:
        await client.create("m", REQUEST)
    if isinstance(caught.value, UnknownOutcome):
        assert caught.value.named_job == named
        assert named is None or named in str(caught.value)
    else:  # a refusal is proven by its status where it names no job
        assert (status, type(caught.value), named) == (429, RateLimited, None)
