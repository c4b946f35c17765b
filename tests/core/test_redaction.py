"""What gives access is left out of addresses and of log records, and nothing else is."""

from __future__ import annotations

import asyncio
import io
import logging
import threading
from collections.abc import Iterator

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from prefect_seedance.core.portal import call_core
from prefect_seedance.core.redaction import bare, clean, private_logs

SECRET = "S3cr3tS3cr3t"

ADDRESSES = [
    f"https://bucket.s3.amazonaws.com/t.csv?X-Amz-Credential=AKIA&X-Amz-Signature={SECRET}",
    f"https://account.blob.core.windows.net/c/t.csv?sv=2024-01-01&se=2026&sp=r&sig={SECRET}%3D",
    f"https://storage.googleapis.com/b/t.csv?X-Goog-Signature={SECRET}",
    f"https://user:{SECRET}@host/t.csv",
    f"https://{SECRET}@raw.githubusercontent.com/o/r/t.csv",
    f"s3://AKIA:{SECRET}@bucket/t.csv",
    f"simplecache::s3://AKIA:{SECRET}@bucket/t.csv",
    f"postgresql+asyncpg://user:{SECRET}@host:5432/db",
    f"postgresql+asyncpg://user:p@/{SECRET}@host/db",
    f"mysql://user:p?w/{SECRET}@host/db",
    f"https://user:{SECRET}@[::1]:8443/t.csv",
    f"HTTPS://Host/t.csv?token={SECRET}",
    f"https://host/#access_token={SECRET}",
    f"https:/host/t.csv?sig={SECRET}",
    f"https//host/t.csv?X-Amz-Signature={SECRET}",
    f"host/t.csv?X-Amz-Signature={SECRET}",
    f"https://host/t.csv?sig='{SECRET}\"{SECRET}",
    f"logo.png|https://host/a.png?sig={SECRET}|b.png",
    f"data:image/png;base64,{SECRET * 3}",
]


@pytest.mark.parametrize("address", ADDRESSES)
def test_an_address_is_shown_without_what_gives_access(address):
    for text in (address, f"before {address} after", f"['{address}', 1]" if "'" not in address else address):
        assert SECRET not in bare(text)
        assert SECRET not in clean(text)


@pytest.mark.parametrize(
    "text",
    [
        "a prompt: what? https://example.com, said the fox",
        "https://host:8000/x@2x.png",
        "s3://bucket/prefix",
        "abfs://container@account.dfs.core.windows.net/t.csv",
        "postgresql+asyncpg://seedance@db/seedance",
        "C:/videos/what?",
        "/data/a&b=c.csv",
        "3 stored, completion_tokens: 108900, design: done",
    ],
)
def test_other_text_stays_as_it_is(text):
    assert bare(text) == clean(text) == text


@given(st.text())
def test_any_text_can_be_cleaned_and_once_is_enough(text):
    assert bare(bare(text)) == bare(text)
    clean(text)


@pytest.mark.parametrize(
    "said",
    [
        f"receive_response_headers.complete return_value=(b'HTTP/1.1', 302, b'', [(b'Location', b'/f?sig={SECRET}')])",
        f"return_value=(b'HTTP/1.1', 302, b'Found', [(b'Location', b'https://host/f?sig={SECRET}&e=1')])",
        f"[(b'Set-Cookie', b'session={SECRET}; HttpOnly')]",
        f"Illegal header value b'Bearer {SECRET}'",
        f"headers={{'Authorization': b'AWS4-HMAC-SHA256 Credential={SECRET}/2026/s3, Signature={SECRET}'}}",
        f'https://host:443 "GET /b/k?list-type=2&X-Amz-Signature={SECRET} HTTP/1.1" 200 None',
        f"CanonicalRequest:\nGET\n/b\nlist-type=2&X-Amz-Security-Token={SECRET}\nx-amz-security-token:{SECRET}\n\nhost",
        f"Signature:\n{SECRET}",
        f"{{'api_key': '{SECRET}', 'x-api-key': '{SECRET}', \"password\": \"{SECRET}\"}}",
        f"sk_{SECRET} sk-{SECRET}",
    ],
)
def test_what_libraries_write_at_debug_is_cleaned(said):
    assert SECRET not in clean(said)


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    written = io.StringIO()
    handler = logging.StreamHandler(written)
    loggers = [logging.getLogger(name) for name in ("httpx", "some.library")]
    for logger in loggers:
        logger.addHandler(handler)
        logger.setLevel(logging.DEBUG)
    yield written
    for logger in loggers:
        logger.removeHandler(handler)
        logger.setLevel(logging.NOTSET)


def test_only_the_records_of_this_package_are_cleaned(log):
    url, library = f"https://host/t.csv?sig={SECRET}", logging.getLogger("some.library")

    async def ours() -> None:
        library.debug("ours %s", httpx.URL(url))
        await asyncio.to_thread(library.debug, "in a thread %s", url)
        await asyncio.create_task(asyncio.to_thread(library.debug, "in a task %s", url))

    call_core(ours)
    with private_logs():
        library.debug("ours %s", url)
        library.error("failed", exc_info=ValueError(url))
        library.debug("%s %s", url)  # a record that cannot be formatted
    assert log.getvalue().count(" https://host/t.csv?…") == 5
    assert SECRET not in log.getvalue()
    other = threading.Thread(target=library.debug, args=("the user's %s", url))
    other.start()
    other.join()
    library.debug("the user's %s", url)
    assert log.getvalue().count(f"the user's {url}\n") == 2


def test_a_factory_of_the_user_stays_in_use(log):
    library, before = logging.getLogger("some.library"), logging.getLogRecordFactory()
    try:
        logging.setLogRecordFactory(logging.LogRecord)
        with private_logs():
            library.debug("https://host/t.csv?sig=%s", SECRET)
        assert log.getvalue() == "https://host/t.csv?…\n"
    finally:
        logging.setLogRecordFactory(before)
