"""Small real media of every form that can be made here, for the tests of inputs."""

from __future__ import annotations

import io
import struct
import zlib
from fractions import Fraction

import av
import numpy as np

from tests.media.heif_files import heic, libheif, natural

LAYOUTS = {"s16": np.int16, "s16p": np.int16, "s32": np.int32, "s32p": np.int32, "fltp": np.float32, "flt": np.float32}


def stream(form, picture=None, sound=None, *, size=(64, 48), frames=24, pixels="yuv420p", turned=None, options=None):
    """Two seconds of picture at 12 frames a second, or of sound, or both."""
    target = io.BytesIO()
    with av.open(target, "w", format=form, options=options or {}) as out:
        video = out.add_stream(picture, rate=12) if picture else None
        if video:
            video.width, video.height, video.pix_fmt = *size, pixels
            if turned:
                video.set_display_rotation(turned)
        rate = 48000 if sound == "libopus" else 44100
        audio = out.add_stream(sound, rate=rate, layout="mono") if sound else None
        for number in range(frames if video else 0):
            image = np.full((size[1], size[0], 3), number * 5, np.uint8)
            out.mux(video.encode(av.VideoFrame.from_ndarray(image, format="rgb24")))
        if video:
            out.mux(video.encode(None))
        if audio:
            step, layout = audio.codec_context.frame_size or 1024, audio.codec_context.format.name
            for start in range(0, rate * 2, step):
                samples = np.zeros((1, step), LAYOUTS[layout])
                frame = av.AudioFrame.from_ndarray(samples, format=layout, layout="mono")
                frame.sample_rate, frame.pts, frame.time_base = rate, start, Fraction(1, rate)
                out.mux(audio.encode(frame))
            out.mux(audio.encode(None))
    return target.getvalue()


def saved(picture, form, **settings):
    """A picture as Pillow saves it."""
    target = io.BytesIO()
    picture.save(target, form, **settings)
    return target.getvalue()


def picture(codec, pixels, size=(40, 30)):
    encoder = av.CodecContext.create(codec, "w")
    encoder.width, encoder.height, encoder.pix_fmt, encoder.framerate = *size, pixels, Fraction(1)
    image = (np.arange(size[0] * size[1] * 3) % 251).astype(np.uint8).reshape(size[1], size[0], 3)
    frame = av.VideoFrame.from_ndarray(image, format="rgb24").reformat(format=pixels)
    frame.pts = 0
    return b"".join(bytes(packet) for packet in (*encoder.encode(frame), *encoder.encode(None)))


def png_claiming(width, height):
    """A whole PNG file whose header claims any size."""

    def chunk(kind, body):
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + chunk(b"IDAT", zlib.compress(bytes(1000))) + chunk(b"IEND", b"")


def all_samples():
    """Name to (bytes, kind, format, size); sound has no size."""
    png, jpeg = picture("png", "rgb24"), picture("mjpeg", "yuvj420p")
    mp3 = stream("mp3", None, "mp3")
    bare = stream("mp3", None, "mp3", options={"write_xing": "0", "id3v2_version": "0"})
    # A tag with a cover of 300 kB in front of the sound, as music shops sell it.
    titled = b"ID3\x04\0\0" + bytes([0, 0x12, 0, 0]) + bytes(0x12 << 14) + bare
    return {
        "png": (png, "image", "png", (40, 30)),
        "jpeg": (jpeg, "image", "jpeg", (40, 30)),
        "jpeg with what follows": (jpeg + jpeg, "image", "jpeg", (40, 30)),
        "webp": (picture("libwebp", "yuv420p"), "image", "webp", (40, 30)),
        "lossless webp": (saved(natural(403, 301), "webp", lossless=True), "image", "webp", (403, 301)),
        "gif": (stream("gif", "gif", pixels="rgb8"), "image", "gif", (64, 48)),
        "bmp": (picture("bmp", "bgr24"), "image", "bmp", (40, 30)),
        "tiff": (picture("tiff", "rgb24"), "image", "tiff", (40, 30)),
        "heic": (libheif(natural(403, 301)), "image", "heic", (403, 301)),
        "heic of a turned grid": (heic(grid=(2, 3), turns=[(b"irot", b"\3")]), "image", "heic", (512, 960)),
        "avif": (saved(natural(403, 301), "avif", speed=10), "image", "avif", (403, 301)),
        "svg": (b'\xef\xbb\xbf<?xml version="1.0"?>\n<!-- a > b -->\n<svg xmlns="x"/>', "image", "svg", None),
        "mp4": (stream("mp4", "libx264", "aac"), "video", "mp4", (64, 48)),
        "silent mp4": (stream("mp4", "libx264"), "video", "mp4", (64, 48)),
        "turned mp4": (stream("mp4", "libx264", "aac", turned=90), "video", "mp4", (48, 64)),
        "fragments": (
            stream("mp4", "libx264", options={"movflags": "frag_every_frame+empty_moov"}),
            "video",
            "mp4",
            (64, 48),
        ),
        "mov": (stream("mov", "libx264", "aac"), "video", "mov", (64, 48)),
        "turned mov": (stream("mov", "libx264", turned=-90), "video", "mov", (48, 64)),
        "m4v": (stream("ipod", "libx264", "aac"), "video", "m4v", (64, 48)),
        "avi": (stream("avi", "mpeg4", "pcm_s16le"), "video", "avi", (64, 48)),
        "webm": (stream("webm", "libvpx", "libopus"), "video", "webm", (64, 48)),
        "mkv": (stream("matroska", "libx264", "aac"), "video", "mkv", (64, 48)),
        "flv": (stream("flv", "flv1", "mp3"), "video", "flv", (64, 48)),
        "3gp": (stream("3gp", "mpeg4"), "video", "3gp", (64, 48)),
        "mp3": (mp3, "audio", "mp3", None),
        "mp3 without its length": (bare, "audio", "mp3", None),
        "mp3 with a cover": (titled, "audio", "mp3", None),
        "mp3 behind zeros": (bytes(1044) + bare, "audio", "mp3", None),
        "mp3 with a tag behind zeros": (bytes(5000) + mp3, "audio", "mp3", None),
        "mp4 whose sound nothing decodes": (
            stream("mp4", "libx264", "aac").replace(b"mp4a", b"zzzz"),
            "video",
            "mp4",
            (64, 48),
        ),
        "wav": (stream("wav", None, "pcm_s16le"), "audio", "wav", None),
        "aac": (stream("adts", None, "aac"), "audio", "aac", None),
        "m4a": (stream("ipod", None, "aac"), "audio", "m4a", None),
        "mp4 of sound": (stream("mp4", None, "aac"), "audio", "m4a", None),
        "flac": (stream("flac", None, "flac"), "audio", "flac", None),
        "ogg": (stream("ogg", None, "libopus"), "audio", "ogg", None),
    }
