"""The NAL units in a packet of H.264 or H.265 video (ISO/IEC 14496-15). Each is preceded by its length."""

from __future__ import annotations

from prefect_seedance.errors import InvalidMedia
from prefect_seedance.messages import message

# Encoders insert a 3 into these sequences, since they mark the start of a unit (H.264 and H.265, 7.4.1 and 7.4.2).
_FORBIDDEN = (b"\0\0\0", b"\0\0\1", b"\0\0\2")
_OFFSET_OF_LENGTH_SIZE = {"h264": 4, "hevc": 21}
# Units of enhancement layers, and those without a meaning, have rules of their own. Decoders pass over them.
_LAST_CHECKED = {"h264": 13, "hevc": 40}


def nal_length_size(codec: str, setup: bytes | None) -> int | None:
    """Return the number of bytes of a unit's length, or None where packets have no such lengths.

    Args:
        codec: The codec's name, as FFmpeg calls it.
        setup: The decoder's setup record from the file.
    """
    offset = _OFFSET_OF_LENGTH_SIZE.get(codec)
    if offset is None or setup is None or len(setup) <= offset or setup[0] != 1:
        return None
    return (setup[offset] & 3) + 1


def check_nals(packet: bytes, codec: str, length_size: int | None) -> None:
    """Check that the units fill their packet and contain no forbidden sequence.

    Decoders ignore an empty unit, and treat three zero bytes as its end, so they may not notice a zeroed disk block.

    Args:
        packet: The packet.
        codec: The codec's name, as FFmpeg calls it.
        length_size: From `nal_length_size`.

    Raises:
        InvalidMedia: If the packet is damaged.
    """
    if length_size is None:
        return
    offset = 0
    while offset < len(packet):
        length = int.from_bytes(packet[offset : offset + length_size])
        offset += length_size
        # The first bit of every unit must be zero.
        if not length or offset + length > len(packet) or packet[offset] & 0x80:
            raise InvalidMedia(message("video.frame_damaged"))
        kind = packet[offset] & 31 if codec == "h264" else packet[offset] >> 1
        # Some writers add padding after a unit, which is harmless.
        unit = packet[offset : offset + length].rstrip(b"\0")
        if kind <= _LAST_CHECKED[codec] and any(pattern in unit for pattern in _FORBIDDEN):
            raise InvalidMedia(message("video.frame_damaged"))
        offset += length
