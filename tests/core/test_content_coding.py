"""Compressed bodies: what any server may send comes out whole, and nothing that it sends grows beyond the limit."""

from __future__ import annotations

import gzip
import tracemalloc
import zlib
from collections import deque
from collections.abc import Callable
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prefect_seedance.core.content_coding import MOST_MEMBERS, BodyDecoder
from prefect_seedance.errors import ResponseTooLarge, UndecodableResponse

LIMIT = 1024 * 1024


def raw_deflate(data: bytes) -> bytes:
    stream = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return stream.compress(data) + stream.flush()


def members(data: bytes) -> bytes:
    half = len(data) // 2
    return gzip.compress(data[:half]) + gzip.compress(data[half:])


def padded(data: bytes) -> bytes:
    return gzip.compress(data) + bytes(32)


def repeated(data: bytes, times: int) -> bytes:
    """Gzip of very many repetitions, made without holding them."""
    stream = zlib.compressobj(9, wbits=zlib.MAX_WBITS | 16)
    return b"".join(stream.compress(data) for _ in range(times)) + stream.flush()


def decoded(header: str, *sent: bytes, limit: int = LIMIT) -> tuple[bytes, bool]:
    decoder = BodyDecoder(header, limit)
    content = b"".join(piece for each in sent for piece in decoder.decode(each))
    return content, decoder.complete


LAYERS: dict[str, list[Callable[[bytes], bytes]]] = {
    "": [],
    "identity": [],
    "utf-8": [],
    "gzip": [gzip.compress],
    "GZip ": [members],
    "x-gzip": [padded],
    "deflate": [zlib.compress],
    " Deflate": [raw_deflate],
    "gzip, gzip": [gzip.compress, gzip.compress],
    "deflate, identity,gzip": [raw_deflate, members],
}


@given(
    st.binary(max_size=200) | st.binary(max_size=5).map(lambda data: data * 40_000),
    st.sampled_from(sorted(LAYERS)),
    st.data(),
)
def test_what_was_compressed_comes_out_whole_however_it_arrives(
    content: bytes, header: str, draw: st.DataObject
) -> None:
    sent = content
    for layer in LAYERS[header]:
        sent = layer(sent)
    cuts = sorted(draw.draw(st.lists(st.integers(0, len(sent)), max_size=6)))
    pieces = [sent[start:end] for start, end in pairwise([0, *cuts, len(sent)])]
    assert decoded(header, *pieces) == (content, True)


@pytest.mark.parametrize("header", ["gzip", "deflate", "gzip, gzip"])
def test_a_body_that_ends_early_is_not_complete(header: str) -> None:
    sent = bytes(range(256)) * 9
    for layer in LAYERS[header]:
        sent = layer(sent)
    for end in range(1, len(sent) - 8):
        assert not decoded(header, sent[:end])[1]
    assert decoded(header) == (b"", True)


def test_the_content_may_be_as_long_as_the_limit_and_no_longer() -> None:
    for header, layers in LAYERS.items():
        for size in (LIMIT, LIMIT + 1):
            sent = bytes(size)
            for layer in layers:
                sent = layer(sent)
            if size == LIMIT:
                assert decoded(header, sent) == (bytes(LIMIT), True)
            else:
                with pytest.raises(ResponseTooLarge):
                    decoded(header, sent)


@pytest.mark.parametrize(
    "bomb",
    [
        pytest.param(gzip.compress(repeated(bytes(1 << 20), 1000)), id="a GB in 2 KB"),
        # The inner layer has no content at all: empty blocks, and empty members.
        pytest.param(gzip.compress(raw_deflate(b"")[:-2] + b"\0\0\0\xff\xff" * 5_000_000), id="empty blocks"),
        pytest.param(repeated(gzip.compress(b""), 1_000_000), id="empty members"),
    ],
)
def test_a_small_body_never_takes_much_memory(bomb: bytes) -> None:
    assert len(bomb) < 80_000
    pieces = BodyDecoder("gzip, gzip", LIMIT).decode(bomb)
    tracemalloc.start()
    try:
        with pytest.raises((ResponseTooLarge, UndecodableResponse)):
            deque(pieces, maxlen=0)
        assert tracemalloc.get_traced_memory()[1] < 2 * LIMIT
    finally:
        tracemalloc.stop()


def test_streams_in_a_row_are_counted() -> None:
    assert decoded("gzip", gzip.compress(b"a") * MOST_MEMBERS) == (b"a" * MOST_MEMBERS, True)
    with pytest.raises(UndecodableResponse, match="1000 streams"):
        decoded("gzip", gzip.compress(b"a") * (MOST_MEMBERS + 1))


@pytest.mark.parametrize(
    "header", ["br", "zstd", "gzip, br", "Compress", "gzip, gzip, gzip", ", ".join(["deflate"] * 30_000)]
)
def test_what_is_not_decoded_here_is_refused(header: str) -> None:
    with pytest.raises(UndecodableResponse):
        decoded(header, gzip.compress(b"content"))


@given(st.sampled_from(sorted(LAYERS)), st.binary(max_size=300))
def test_any_bytes_are_decoded_or_refused(header: str, sent: bytes) -> None:
    try:
        content, _ = decoded(header, sent, limit=100)
    except (ResponseTooLarge, UndecodableResponse):
        return
    assert len(content) <= 100
