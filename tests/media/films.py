"""Whole videos of many kinds by several encoders, for the proof of a video: see benchmarks/proof.py too."""

from __future__ import annotations

import io
import struct
import tempfile
from collections.abc import Callable, Iterator
from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import Any

import av
import numpy as np
from av.stream import Disposition

FPS = 24
SOUND_RATE = 48_000

CLIPS: dict[str, tuple[str, tuple[int, int], dict[str, str], str | None]] = {
    "x264 medium": ("libx264", (864, 480), {"preset": "medium"}, "aac"),
    "x264 ultrafast": ("libx264", (864, 480), {"preset": "ultrafast"}, "aac"),
    "x264 slow": ("libx264", (480, 864), {"preset": "slow", "g": "12"}, "aac"),
    "x264 zerolatency, silent": ("libx264", (1280, 720), {"preset": "veryfast", "tune": "zerolatency"}, None),
    "x264 interlaced": ("libx264", (720, 480), {"preset": "veryfast", "x264-params": "tff=1"}, "aac"),
    "x264 filler": (
        "libx264",
        (640, 360),
        {"b": "3M", "x264-params": "nal-hrd=cbr:vbv-bufsize=3000:vbv-maxrate=3000"},
        "aac",
    ),
    "x264 open groups": ("libx264", (640, 360), {"x264-params": "open-gop=1:keyint=10:bframes=3"}, "aac"),
    "x264 slices": ("libx264", (640, 360), {"x264-params": "slices=4:aud=1"}, "aac"),
    "x265 medium": ("libx265", (864, 480), {"preset": "medium", "x265-params": "log-level=none"}, "aac"),
    "x265 ultrafast": (
        "libx265",
        (480, 864),
        {"preset": "ultrafast", "x265-params": "log-level=none:keyint=10"},
        "aac",
    ),
    "mpeg4": ("mpeg4", (640, 360), {"b": "2M"}, "aac"),
    "mpeg4 B-frames": ("mpeg4", (640, 360), {"b": "2M", "bf": "2"}, "aac"),
    "svtav1": ("libsvtav1", (640, 360), {"preset": "10", "svtav1-params": "lp=1"}, "aac"),
    "svtav1 slow, silent": ("libsvtav1", (640, 360), {"preset": "7", "svtav1-params": "lp=1"}, None),
    "vp9": ("libvpx-vp9", (640, 360), {"deadline": "realtime", "cpu-used": "6", "auto-alt-ref": "1"}, "libopus"),
    "mjpeg": ("mjpeg", (640, 360), {"q": "4"}, "mp3"),
}
"""Encoder, size, options and the encoder of the sound, by name."""


def encoded(name: str, frames: int = 30) -> bytes:
    """A clip of moving texture with grain: what encoders find neither trivial nor hopeless."""
    codec, (width, height), options, sound = CLIPS[name]
    chance = np.random.default_rng(len(name))
    wall = texture(chance, height + 80, width + 160)
    target = io.BytesIO()
    with av.open(target, "w", format="mp4") as out:
        video: Any = out.add_stream(codec, rate=FPS, options=dict(options))
        video.width, video.height = width, height
        video.pix_fmt = "yuvj420p" if codec == "mjpeg" else "yuv420p"
        audio: Any = out.add_stream(sound, rate=SOUND_RATE, layout="stereo") if sound else None
        for number in range(frames):
            top, left = number % 80, (number * 3) % 160
            image = wall[top : top + height, left : left + width].astype(np.int16)
            image = image + chance.integers(-6, 7, image.shape, np.int16)
            ball = (number * 11) % (width - 60)
            image[height // 3 : height // 3 + 60, ball : ball + 60] = (230, 60, 40)
            frame = av.VideoFrame.from_ndarray(np.clip(image, 0, 255).astype(np.uint8), format="rgb24")
            frame = frame.reformat(format=video.pix_fmt)
            out.mux(video.encode(frame))
        out.mux(video.encode(None))
        if audio is not None:
            for frame in tones(audio, chance, frames):
                out.mux(audio.encode(frame))
            out.mux(audio.encode(None))
    return target.getvalue()


def texture(chance: np.random.Generator, height: int, width: int) -> np.ndarray:
    wall = np.zeros((height, width, 3))
    for scale in (64, 16, 4, 2):
        coarse = chance.random((height // scale + 1, width // scale + 1, 3)) * scale
        wall += coarse.repeat(scale, 0).repeat(scale, 1)[:height, :width]
    return (wall / wall.max() * 255).astype(np.uint8)


def tones(audio: Any, chance: np.random.Generator, frames: int) -> Iterator[av.AudioFrame]:
    step, layout = audio.codec_context.frame_size or 1024, audio.codec_context.format.name
    total = SOUND_RATE * frames // FPS
    wave = np.sin(np.arange(total) * 0.05) * 0.3 + chance.normal(0, 0.05, total)
    for start in range(0, total - step, step):
        piece = wave[start : start + step]
        kind, most = {"s16": (np.int16, 32767), "s32": (np.int32, 2**31 - 1)}.get(layout.rstrip("p"), (np.float32, 1))
        samples = (piece * most).astype(kind)
        both = np.stack([samples, samples]) if layout.endswith("p") else samples.repeat(2)[None]
        frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(both), format=layout, layout="stereo")
        frame.sample_rate, frame.pts, frame.time_base = SOUND_RATE, start, Fraction(1, SOUND_RATE)
        yield frame


def remuxed(
    data: bytes,
    form: str = "mp4",
    movflags: str = "",
    *,
    options: dict[str, str] | None = None,
    shift: Callable[[Any], int] | None = None,
    prepare: Callable[[Any], None] | None = None,
    cover: bool = False,
    twice: bool = False,
    head: dict[str, str] | None = None,
) -> bytes:
    """The same pictures and sound in another file.

    Args:
        data: The file.
        form: FFmpeg's name of the new one's format.
        movflags: FFmpeg's flags for its layout.
        options: Further options of the muxer.
        shift: Gives the ticks by which to delay a packet.
        prepare: Called with the new video stream.
        cover: Whether to add a cover picture.
        twice: Whether to add the video a second time.
        head: Tags of the file.
    """
    target = tempfile.NamedTemporaryFile(suffix=".mp4")  # noqa: SIM115 - "faststart" reads it again by its name
    chosen = {**(options or {}), **({"movflags": movflags} if movflags else {})}
    with av.open(io.BytesIO(data)) as source, av.open(target.name, "w", format=form, options=chosen) as out:
        streams: dict[int, Any] = {}
        for stream in source.streams:
            streams[stream.index] = out.add_stream_from_template(stream, opaque=True)
            streams[stream.index].codec_context.codec_tag = "\0\0\0\0"
        second = out.add_stream_from_template(source.streams.video[0], opaque=True) if twice else None
        if second is not None:
            second.codec_context.codec_tag = "\0\0\0\0"
        art: Any = None
        if cover:
            art = out.add_stream("png")
            art.width, art.height, art.pix_fmt = 64, 64, "rgb24"
            art.disposition = Disposition.attached_pic
        out.metadata.update(head or {})
        if prepare is not None:
            prepare(streams[source.streams.video[0].index])
        if art is not None:
            picture = av.VideoFrame.from_ndarray(np.full((64, 64, 3), 90, np.uint8), format="rgb24")
            out.mux(art.encode(picture))
            out.mux(art.encode(None))
        for packet in source.demux():
            if packet.dts is None:
                continue
            late = shift(packet) if shift else 0
            packet.pts, packet.dts = packet.pts + late, packet.dts + late
            if second is not None and packet.stream_index == source.streams.video[0].index:
                double = av.Packet(bytes(packet))
                double.pts, double.dts, double.time_base = packet.pts, packet.dts, packet.time_base
                double.duration, double.is_keyframe, double.stream = packet.duration, packet.is_keyframe, second
                out.mux(double)
            packet.stream = streams[packet.stream_index]
            out.mux(packet)
    return Path(target.name).read_bytes()


def box(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I4s", len(body) + 8, kind) + body


def boxes(data: bytes, start: int = 0, end: int | None = None) -> list[tuple[bytes, int, int]]:
    """Name, start and end of each box, its header included."""
    found, end = [], len(data) if end is None else end
    while start + 8 <= end:
        size, kind = struct.unpack_from(">I4s", data, start)
        size = {0: end - start, 1: struct.unpack_from(">Q", data, start + 8)[0] if size == 1 else 0}.get(size, size)
        found.append((kind, start, start + size))
        start += size
    return found


def find(data: bytes, *names: bytes) -> tuple[int, int]:
    """Start and end of a nested box, its header included."""
    start, end, at = 0, len(data), 0
    for name in names:
        at, end = next((one, other) for kind, one, other in boxes(data, start, end) if kind == name)
        start = at + 8
    return at, end


def grown(data: bytes, path: tuple[bytes, ...], extra: bytes) -> bytes:
    """Put bytes at the end of a box and correct the sizes around it. Only where no media data follow it."""
    at = find(data, *path)[1]
    out = bytearray(data[:at] + extra + data[at:])
    for depth in range(len(path)):
        start = find(data, *path[: depth + 1])[0]
        struct.pack_into(">I", out, start, struct.unpack_from(">I", data, start)[0] + len(extra))
    return bytes(out)


FRAGMENTS = (
    "frag_keyframe+empty_moov",
    "frag_keyframe",
    "frag_keyframe+empty_moov+default_base_moof",
    "frag_every_frame+empty_moov",
    "cmaf+frag_keyframe",
    "dash+frag_keyframe+global_sidx",
    "frag_keyframe+delay_moov",
    "frag_keyframe+separate_moof+empty_moov",
    "frag_keyframe+delay_moov+negative_cts_offsets",
)
SURPLUS = (b"<html>error</html>", bytes(5), bytes(4096), b"TAG" + b" " * 125, b"\r\n--boundary--\r\n")


def variants(data: bytes) -> Iterator[tuple[str, bytes]]:
    """Class and bytes of whole files with the same content. Their description is at the end, unless said otherwise."""
    yield "plain", data
    for name, make in (*layouts(data), *tracks_and_times(data), *surgery(data)):
        try:
            yield name, make()
        except (av.error.FFmpegError, ValueError, StopIteration):
            continue  # this kind of file does not take this encoder, or has not got this box


def layouts(data: bytes) -> Iterator[tuple[str, Callable[[], bytes]]]:
    yield "index first", lambda: remuxed(data, movflags="faststart")
    for flags in FRAGMENTS:
        yield "fragments", lambda flags=flags: remuxed(data, movflags=flags)
    late = "frag_keyframe+empty_moov+frag_discont"
    yield "fragments, late start", lambda: remuxed(data, movflags=late, shift=by(5))
    yield "negative delays", lambda: remuxed(data, movflags="negative_cts_offsets")
    for form, brand in (("mov", ""), ("ipod", ""), ("mp4", "XAVC"), ("mp4", "abcd"), ("psp", ""), ("3gp", "")):
        options = {"brand": brand} if brand else None
        yield "other brands", lambda form=form, options=options: remuxed(data, form, options=options)


def tracks_and_times(data: bytes) -> Iterator[tuple[str, Callable[[], bytes]]]:
    def gap(packet: Any) -> int:
        late = packet.stream.type == "audio" and packet.pts * packet.time_base > Fraction(1, 2)
        return round(Fraction(3, 10) / packet.time_base) if late else 0

    yield "edit lists", lambda: remuxed(data, shift=by(0.5))
    yield "edit lists", lambda: remuxed(data, options={"use_editlist": "0"})
    yield "edit lists", lambda: with_edit(data, 500, 0.3)
    yield "edit lists", lambda: with_edit(data, 400, 0.0)
    yield "gap in the sound", lambda: remuxed(data, shift=gap)
    yield "cover art", lambda: remuxed(data, cover=True)
    yield "several videos", lambda: remuxed(data, twice=True)
    for angle in (90, 180, 270):
        turn = partial(turned, angle)
        yield "rotation", lambda turn=turn: remuxed(data, prepare=turn)
    yield "time codes", lambda: remuxed(data, "mov", head={"timecode": "01:00:00:00"})
    yield "tags", lambda: remuxed(data, movflags="use_metadata_tags", head={"made by": "分镜"})
    yield "tags", lambda: with_foreign_tags(remuxed(data, head={"title": "x" * 12}))


def surgery(data: bytes) -> Iterator[tuple[str, Callable[[], bytes]]]:
    for kind in (b"iinf", b"idat", b"trep", b"strd", b"zzzz"):
        yield "registered boxes", lambda kind=kind: grown(data, (b"moov",), box(kind, bytes(12)))
    yield "registered boxes", lambda: grown(data, (b"moov", b"trak"), box(b"trep", bytes(12)))
    place = box(b"udta", box(b"\xa9xyz", b"\0\x04\x15\xc7\xb0\xc4\xcf") + bytes(4))
    yield "user data", lambda: grown(data, (b"moov",), place)
    yield "free boxes", lambda: data + box(b"free", bytes(100)) + box(b"uuid", bytes(40))
    yield "free boxes", lambda: grown(data, (b"moov",), box(b"free", bytes(400)))
    for surplus in SURPLUS:
        yield "bytes behind the end", lambda surplus=surplus: data + surplus
    yield "descriptions", lambda: with_second_description(data)
    yield "data references", lambda: with_metadata_track(data)
    yield "prefix units", lambda: with_prefix_units(data)
    yield "sizes", lambda: with_long_size(data)
    yield "sizes", lambda: with_open_size(remuxed(data, movflags="faststart"))


def turned(angle: int, stream: Any) -> None:
    stream.set_display_rotation(angle)


def by(seconds: float) -> Callable[[Any], int]:
    return lambda packet: round(seconds / packet.time_base)


def with_foreign_tags(data: bytes) -> bytes:
    return data.replace(b"x" * 12, "夜雨灯笼".encode("gbk").ljust(12, b"\xff"))


def with_edit(data: bytes, length: int, begin: float) -> bytes:
    """Of the first track, an edit list shows so many thousandths of a second, from a moment in seconds on."""
    out = bytearray(data)
    at = find(data, b"moov", b"trak", b"edts", b"elst")[0]
    clock = find(data, b"moov", b"trak", b"mdia", b"mdhd")[0]
    start = struct.unpack_from(">i", data, at + 20)[0] + round(begin * struct.unpack_from(">I", data, clock + 20)[0])
    struct.pack_into(">Ii", out, at + 16, length, start)
    return bytes(out)


def with_long_size(data: bytes) -> bytes:
    """The size of the media data takes 64 bits, as in files of many gigabytes."""
    at, end = find(data, b"mdat")
    if data[at - 8 : at] != struct.pack(">I4s", 8, b"free"):
        raise ValueError
    return data[: at - 8] + struct.pack(">I4sQ", 1, b"mdat", end - at + 8) + data[at + 8 :]


def with_open_size(data: bytes) -> bytes:
    """The media data reach to the end of the file, wherever that is."""
    at = find(data, b"mdat")[0]
    return data[:at] + bytes(4) + data[at + 4 :]


def with_second_description(data: bytes) -> bytes:
    """The description of the samples stands there twice."""
    path = (b"moov", b"trak", b"mdia", b"minf", b"stbl", b"stsd")
    start, end = find(data, *path)
    out = bytearray(grown(data, path, data[start + 16 : end]))
    struct.pack_into(">I", out, start + 12, 2)
    return bytes(out)


def with_metadata_track(data: bytes) -> bytes:
    """A track of metadata whose data reference is garbage."""
    head = struct.pack(">6I", 1, 0, 0, 9, 0, 0) + bytes(60)
    clock = box(b"mdhd", struct.pack(">6I", 0, 0, 0, 1000, 0, 0x55C40000))
    handler = box(b"hdlr", bytes(8) + b"meta" + bytes(13))
    reference = box(b"dinf", box(b"dref", struct.pack(">II", 0, 1) + box(b"\xfe\xff\0\1", b"\xff" * 9)))
    tables = b"".join(
        box(kind, bytes(size)) for kind, size in ((b"stts", 8), (b"stsc", 8), (b"stsz", 12), (b"stco", 8))
    )
    store = box(b"stbl", box(b"stsd", struct.pack(">II", 0, 1) + box(b"mett", bytes(6) + b"\0\1a\0b\0")) + tables)
    media = box(b"mdia", clock + handler + box(b"minf", box(b"nmhd", bytes(4)) + reference + store))
    return grown(data, (b"moov",), box(b"trak", box(b"tkhd", head) + media))


def with_prefix_units(data: bytes) -> bytes:
    """Each frame of H.264 follows a unit of type 14, as layered encoders write it."""
    if b"avcC" not in data:
        raise ValueError
    target = io.BytesIO()
    unit = b"\0\0\0\x08\x6e\x00\x00\x00\x01\x00\x00\x07"
    with av.open(io.BytesIO(data)) as source, av.open(target, "w", format="mp4") as out:
        streams = {stream.index: out.add_stream_from_template(stream, opaque=True) for stream in source.streams}
        for packet in source.demux():
            if packet.dts is None:
                continue
            new = packet
            if packet.stream.type == "video":
                new = av.Packet(unit + bytes(packet))
                new.pts, new.dts, new.time_base = packet.pts, packet.dts, packet.time_base
                new.duration, new.is_keyframe = packet.duration, packet.is_keyframe
            new.stream = streams[packet.stream_index]
            out.mux(new)
    return target.getvalue()


def clips(folder: Path) -> dict[str, bytes]:
    """All clips, made once and kept in a folder."""
    made: dict[str, bytes] = {}
    for name in CLIPS:
        path = folder / f"{name}.mp4"
        if not path.exists():
            path.write_bytes(encoded(name))
        made[name] = path.read_bytes()
    return made
