"""What the sandbox knows about a URL in a request. Only its own addresses are resolved; the network is not used."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from pathlib import PurePosixPath
from urllib.parse import parse_qsl, urlsplit

from prefect_seedance.sandbox.world.state import Account, State
from prefect_seedance.sandbox.world.uploads import KINDS, MediaFacts

#: Default size and length of served reference media.
MEDIA_SIZE = (1280, 720)
MEDIA_SECONDS = Decimal(3)


def media_size(query: dict[str, str]) -> tuple[int, int]:
    """Read `w` and `h`: even numbers from 16 to 4096.

    Raises:
        ValueError: They are not.
    """
    width, height = int(query.get("w", MEDIA_SIZE[0])), int(query.get("h", MEDIA_SIZE[1]))
    if not (16 <= width <= 4096 and 16 <= height <= 4096):
        raise ValueError("w and h must be from 16 to 4096")
    return width // 2 * 2, height // 2 * 2


def media_seconds(query: dict[str, str]) -> Decimal:
    """Read `seconds`: above 0, at most 60.

    Raises:
        ValueError: It is no such number.
    """
    try:
        seconds = Decimal(query.get("seconds", MEDIA_SECONDS))
    except InvalidOperation:
        raise ValueError("seconds must be a number") from None
    if not 0 < seconds <= 60:
        raise ValueError("seconds must be above 0 and at most 60")
    return seconds


def media_padding(query: dict[str, str]) -> int:
    """Read `pad`: bytes to add to a file, at most 250 MB.

    Raises:
        ValueError: It is no such number.
    """
    padding = int(query.get("pad", "0"))
    if not 0 <= padding <= 250 * 2**20:
        raise ValueError("pad must be from 0 to 262144000")
    return padding


@dataclass(frozen=True)
class References:
    """Looks up the media that one request names.

    Attributes:
        state: The sandbox.
        account: The account of the request, whose assets are known.
        host: Host and port that the client called.
    """

    state: State
    account: Account
    host: str

    def is_own(self, url: str) -> bool:
        """Return whether a URL is of this sandbox."""
        public = self.state.settings.public_url
        parts = urlsplit(url)
        return parts.scheme in {"http", "https"} and parts.netloc in {self.host, urlsplit(public or "").netloc}

    def facts(self, url: str) -> MediaFacts | None:
        """Return what is known about a medium; None for other hosts and unknown assets."""
        if url.startswith("asset://"):
            asset = self.state.assets.get(url.removeprefix("asset://"), self.account.name)
            return None if asset is None or asset.url.startswith("asset://") else self.facts(asset.url)
        if not self.is_own(url):
            return None
        parts = urlsplit(url)
        return self._own_facts(parts.path, dict(parse_qsl(parts.query)))

    def is_lost(self, url: str) -> bool:
        """Return whether a URL of the sandbox cannot be fetched: it has expired, or it asks for an error status."""
        if not self.is_own(url):
            return False
        parts = urlsplit(url)
        place, _, rest = parts.path.lstrip("/").partition("/")
        if place == "_uploads":
            return self.state.uploads.is_lost(rest.partition("/")[0])
        status = dict(parse_qsl(parts.query)).get("status", "200")
        return place == "_media" and status.isdecimal() and int(status) >= 400

    def _own_facts(self, path: str, query: dict[str, str]) -> MediaFacts | None:
        place, _, rest = path.lstrip("/").partition("/")
        if place == "_files":
            job = self.state.job(PurePosixPath(rest).stem)
            if job is None:
                return None
            return MediaFacts("video", job.clip.width, job.clip.height, Decimal(job.clip.seconds), "mp4")
        if place == "_uploads":
            return self.state.uploads.facts(rest.partition("/")[0])
        suffix = PurePosixPath(rest).suffix.lower()
        kind = KINDS.get(suffix)
        if place != "_media" or kind is None:
            return None
        try:
            seconds = None if kind == "image" else media_seconds(query)
            width, height = (None, None) if kind == "audio" else media_size(query)
            padding = media_padding(query)
        except ValueError:
            return None
        shown = {".jpg": "jpeg", ".tif": "tiff"}.get(suffix, suffix.removeprefix("."))
        # The size of the content itself is unknown until it is made, and is small.
        return MediaFacts(kind, width, height, seconds, shown, padding or None)
