"""Media inside a request, as a data URI or bare Base64, which Anyfast copies to its own storage."""

from __future__ import annotations

import base64
import binascii

from prefect_seedance.sandbox.http.media import TYPES
from prefect_seedance.sandbox.world.draft import Refusal
from prefect_seedance.sandbox.world.reference import References

_ENDINGS = {
    **{kind: ending for ending, kind in TYPES.items()},
    "image/jpeg": ".jpg",
    "image/tiff": ".tiff",
    "audio/x-wav": ".wav",
    "audio/wave": ".wav",
    "audio/mp3": ".mp3",
}


def stored_url(references: References, kind: str, url: str) -> str:
    """Store a data URI (or bare Base64, read as PNG), and return the URL of the stored file.

    Raises:
        Refusal: It is neither that nor a public URL.
    """
    if url.startswith(("https://", "http://")):
        return url
    head, comma, payload = url.partition(",") if url.startswith("data:") else ("data:image/png;base64", ",", url)
    mime_type, ending = head.removeprefix("data:").removesuffix(";base64"), _ENDINGS.get(head[5:-7])
    try:
        content = base64.b64decode(payload, validate=True)
    except (binascii.Error, ValueError):
        content = b""
    if not comma or ending is None or not content or not mime_type.startswith(kind.lower()):
        raise Refusal("URL", f"{url[:40]!r} is neither a public URL nor a data URI of a known {kind.lower()}")
    kept = references.state.uploads.add(f"asset{ending}", mime_type, content, permanent=True)
    return f"{references.state.settings.public_url or f'http://{references.host}'}/_uploads/{kept.id}/asset{ending}"
