"""Compressed bodies of HTTP answers, decoded in small steps.

A few bytes of gzip can stand for a thousand times as many, and gzip in gzip for a million times. So bodies are read as
they were sent, and each layer is decoded only up to the limit of the whole.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator

from prefect_seedance.errors import ResponseTooLarge, UndecodableResponse

__all__ = ["ACCEPTED", "MOST_LAYERS", "MOST_MEMBERS", "BodyDecoder"]

ACCEPTED = "gzip, deflate"
"""The value of `Accept-Encoding` for what is decoded here."""

MOST_LAYERS = 2
"""Layers of compression of one answer: something on the way may compress once more."""

MOST_MEMBERS = 1000
"""Gzip streams in a row in one layer. Each costs time even if it is empty."""

_STEP = 64 * 1024
_GZIP = b"\x1f\x8b"
_DECODED = frozenset({"gzip", "x-gzip", "deflate"})
# The other registered codings. A name that is not registered (`utf-8`, `aws-chunked`) changes no bytes.
_OTHERS = frozenset({"aes128gcm", "br", "compress", "dcb", "dcz", "exi", "pack200-gzip", "x-compress", "zstd"})


class BodyDecoder:
    """Decodes one body as it arrives."""

    def __init__(self, content_encoding: str, limit: int, *, most_layers: int = MOST_LAYERS) -> None:
        """Begin a body.

        Args:
            content_encoding: The value of the header; empty where there is none.
            limit: Most bytes of the body, as it is sent and after each layer.
            most_layers: Layers of compression that are accepted. Each can multiply what was sent by a thousand.
        """
        names = [name.strip().lower() for name in content_encoding.split(",")]
        layers = sum(name in _DECODED for name in names)
        self._obstacle = next((name for name in names if name in _OTHERS), None)
        if layers > most_layers:
            self._obstacle = f"{layers} layers of compression"
        self._layers = [_Layer(limit) for _ in range(layers)] if self._obstacle is None else []
        self._limit = limit
        self._sent = 0

    def decode(self, sent: bytes) -> Iterator[bytes]:
        """Yield the content of the next bytes that the server sent, in small pieces.

        Raises:
            ResponseTooLarge: The body, or its content, exceeds the limit.
            UndecodableResponse: It is not what its header says, or in a coding that is not decoded here.
        """
        if self._obstacle is not None:
            raise UndecodableResponse(self._obstacle)
        self._sent += len(sent)
        if self._sent > self._limit:
            raise ResponseTooLarge
        pieces = iter((sent,))
        for layer in self._layers:
            pieces = layer.decode(pieces)
        yield from pieces

    @property
    def complete(self) -> bool:
        """Whether each layer has come to its end, or nothing was sent."""
        return not self._sent or all(layer.ended for layer in self._layers)


class _Layer:
    """One layer: gzip, or deflate with or without the frame of zlib. Its first bytes say which of them."""

    def __init__(self, limit: int) -> None:
        self._left = limit
        self._members = 0
        self._waiting = b""
        self._stream: zlib._Decompress | None = None
        self.ended = False

    def decode(self, pieces: Iterator[bytes]) -> Iterator[bytes]:
        for piece in pieces:
            data, self._waiting = self._waiting + piece, b""
            content = b""
            # A piece of full size may have more behind it, even if all that was sent is consumed.
            while data or len(content) == _STEP:
                if self._stream is None and not self._begin(data):
                    break
                content, data = self._step(data)
                yield content

    def _begin(self, data: bytes) -> bool:
        """Start the stream that begins with these bytes; False where none does, or they are too few to say."""
        if len(data) < len(_GZIP):
            self._waiting = data
            return False
        if self._members and not data.startswith(_GZIP):
            return False  # what stands behind a whole stream is padding
        self._members += 1
        if self._members > MOST_MEMBERS:
            raise UndecodableResponse(f"more than {MOST_MEMBERS} streams of gzip")
        # RFC 1950: the first byte names the method, and the two together are a multiple of 31.
        framed = data.startswith(_GZIP) or (data[0] & 15 == zlib.DEFLATED and int.from_bytes(data[:2]) % 31 == 0)
        self._stream = zlib.decompressobj(zlib.MAX_WBITS | 32 if framed else -zlib.MAX_WBITS)
        self.ended = False
        return True

    def _step(self, data: bytes) -> tuple[bytes, bytes]:
        """Decode some of the bytes; returns the content and the bytes that are left."""
        assert self._stream is not None  # noqa: S101 - `_begin` has made it
        stream = self._stream
        try:
            content = stream.decompress(data, _STEP)
        except zlib.error as error:
            raise UndecodableResponse(str(error)) from None
        self._left -= len(content)
        if self._left < 0:
            raise ResponseTooLarge
        if stream.eof:
            self._stream, self.ended = None, True
            return content, stream.unused_data
        return content, stream.unconsumed_tail
