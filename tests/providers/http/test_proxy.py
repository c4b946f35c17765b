"""Through a proxy to a provider that speaks TLS: how far did a lost create get?"""

from __future__ import annotations

import asyncio
import datetime as dt
import json
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from pydantic import SecretStr

from prefect_seedance.errors import UnknownOutcome, Unreachable
from prefect_seedance.providers import Account, ProviderClient
from prefect_seedance.routes import VideoRequest
from tests.patience import skip

KEY = "sk-0123456789abcdefghij"
REQUEST = VideoRequest(prompt="p", duration=5)
CREATED = json.dumps({"id": "cgt-1", "task_id": "cgt-1", "status": ""}).encode()
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(CREATED), CREATED)


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate of `provider.test` that signs itself, with its key, in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "provider.test")])
    now = dt.datetime.now(dt.UTC)
    signed = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(hours=1))
        .not_valid_after(now + dt.timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("provider.test")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path_factory.mktemp("tls") / "provider.pem"
    pem = serialization.Encoding.PEM
    secret = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    path.write_bytes(signed.public_bytes(pem) + secret)
    return path


@dataclass
class Proxy:
    """Answers CONNECT as told, and then plays the provider itself behind the tunnel."""

    tunnel: bytes | None
    answer: bytes | None
    context: ssl.SSLContext
    heads: list[str] = field(default_factory=list)
    serving: list[asyncio.Task[None] | None] = field(default_factory=list)
    port: int = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.serving.append(asyncio.current_task())
        try:
            with suppress(OSError, asyncio.IncompleteReadError):
                await self.play(reader, writer)
        finally:
            writer.transport.abort()

    async def play(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.heads.append((await reader.readuntil(b"\r\n\r\n")).decode())
        if self.tunnel is None:
            while not reader.at_eof():  # until the client gives up
                skip(400)
                await asyncio.sleep(0.01)
            return
        writer.write(self.tunnel)
        await writer.drain()
        if b" 200 " in self.tunnel:
            await writer.start_tls(self.context)
            self.heads.append((await reader.readuntil(b"\r\n\r\n")).decode())
            writer.write(self.answer or b"")
            await writer.drain()


Start = Callable[..., Awaitable[Proxy]]


@pytest.fixture
async def proxied(monkeypatch: pytest.MonkeyPatch, certificate: Path) -> AsyncIterator[Start]:
    servers: list[asyncio.Server] = []
    proxies: list[Proxy] = []
    for name in ("NO_PROXY", "no_proxy", "ALL_PROXY", "all_proxy", "https_proxy", "HTTP_PROXY", "http_proxy"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))

    async def start(tunnel: bytes | None, answer: bytes | None = None) -> Proxy:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        proxy = Proxy(tunnel, answer, context)
        proxies.append(proxy)
        servers.append(await asyncio.start_server(proxy.serve, "127.0.0.1", 0))
        proxy.port = servers[-1].sockets[0].getsockname()[1]
        monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{proxy.port}")
        return proxy

    yield start
    for server in servers:
        server.close()
    # A connection that is still open when the loop ends would be reported in whichever test comes next.
    serving = [task for proxy in proxies for task in proxy.serving if task is not None]
    for task in serving:
        task.cancel()
    await asyncio.gather(*serving, return_exceptions=True)
    await asyncio.sleep(0)


async def create() -> str:
    account = Account("anyfast", "default", "https://provider.test", SecretStr(KEY))
    async with ProviderClient(account) as client:
        return (await client.create("m", REQUEST)).job_id


TUNNEL = b"HTTP/1.1 200 Connection established\r\n\r\n"


async def test_proxy_and_ca_of_the_environment_are_honoured(proxied: Start) -> None:
    proxy = await proxied(TUNNEL, ANSWER)
    assert await create() == "cgt-1"
    tunnel, request = proxy.heads
    assert tunnel.startswith("CONNECT provider.test:443")
    assert KEY not in tunnel
    assert request.startswith("POST /v1/video/generations")


@pytest.mark.parametrize(
    "tunnel",
    [
        pytest.param(b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n", id="wants a password"),
        pytest.param(b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n", id="cannot reach the provider"),
        pytest.param(None, id="says nothing"),
        pytest.param(b"", id="hangs up"),
    ],
)
async def test_a_tunnel_that_was_never_dug_proves_that_nothing_was_sent(proxied: Start, tunnel: bytes | None) -> None:
    proxy = await proxied(tunnel)
    with pytest.raises(Unreachable, match="Nothing was sent"):
        await create()
    assert len(proxy.heads) == 1


async def test_a_certificate_that_cannot_be_trusted(proxied: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    proxy = await proxied(TUNNEL, ANSWER)
    monkeypatch.delenv("SSL_CERT_FILE")
    with pytest.raises(Unreachable, match=r"(?i)certificate"):
        await create()
    assert len(proxy.heads) == 1


async def test_an_answer_lost_behind_the_tunnel_proves_nothing(proxied: Start) -> None:
    proxy = await proxied(TUNNEL, None)
    with pytest.raises(UnknownOutcome):
        await create()
    assert len(proxy.heads) == 2
