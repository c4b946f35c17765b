"""The units inside a packet of H.264 or H.265 video (ISO/IEC 14496-15): each carries its length before it."""

from __future__ import annotations

from prefect_seedance.errors import InvalidMedia
from prefect_seedance.messages import message

# Encoders break these up with a 3, because they mark where a unit starts (H.264 and H.265, 7.4.1 and 7.4.2).
_FORBIDDEN = (b"\0\0\0", b"\0\0\1", b"\0\0\2")
_PLACE_OF_LENGTH_SIZE = {"h264": 4, "hevc": 21}


def nal_length_size(codec: str, setup: bytes | None) -> int | None:
    """Return how many bytes tell a unit's length, or None where packets are not built that way.

    Args:
        codec: The codec's name, as FFmpeg calls it.
        setup: The decoder's setup record from the file.
    """
    place = _PLACE_OF_LENGTH_SIZE.get(codec)
    if place is None or setup is None or len(setup) <= place or setup[0] != 1:
        return None
    return (setup[place] & 3) + 1


def check_nals(packet: bytes, length_size: int | None) -> None:
    """Make sure that the units fill their packet and hold nothing that a unit cannot hold.

    Decoders pass over an empty unit in silence, and take three zero bytes for its end; so a blanked disk block may go
    unseen.

    Raises:
        InvalidMedia: If they do not.
    """
    if length_size is None:
        return
    place = 0
    while place < len(packet):
        length = int.from_bytes(packet[place : place + length_size])
        place += length_size
        # The first bit of every unit is zero by rule.
        if not length or place + length > len(packet) or packet[place] & 0x80:
            raise InvalidMedia(message("video.frame_damaged"))
        # Some writers leave padding behind a unit, which is harmless.
        unit = packet[place : place + length].rstrip(b"\0")
        if any(pattern in unit for pattern in _FORBIDDEN):
            raise InvalidMedia(message("video.frame_damaged"))
        place += length
