"""What a process and its children that prove videos say to each other: lines of JSON. Never pickles.

A child reads files of strangers, so nothing that it says is taken for granted: an answer in another form than this one
raises ValueError.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

from prefect_seedance.errors import InputError, InvalidVideo, SeedanceError, UnverifiedVideo
from prefect_seedance.media.videos.bounds import Bounds
from prefect_seedance.media.videos.inspection import VideoFacts
from prefect_seedance.media.videos.proof.limits import ProofLimits
from prefect_seedance.media.videos.stills import Previews
from prefect_seedance.messages import Message

__all__ = ["Answer", "Request", "from_plain", "to_plain"]

_ERRORS: dict[str, type[SeedanceError]] = {each.kind: each for each in (InvalidVideo, InputError, UnverifiedVideo)}


@dataclass(frozen=True)
class Request:
    """What a child is asked to do.

    Attributes:
        path: The absolute path of the file.
        announced: Its length as the server stated it, if it did.
        bounds: See `inspect_video`.
        limits: What the child may take.
        verify: Whether the file is verified; otherwise only its previews are made.
    """

    path: Path
    announced: int | None
    bounds: Bounds
    limits: ProofLimits
    verify: bool = True

    def to_line(self) -> bytes:
        """The request as a line."""
        return _line({**asdict(self), "path": str(self.path)})

    @classmethod
    def from_line(cls, line: bytes) -> Request:
        """Read a request."""
        given = json.loads(line)
        bounds, limits = Bounds(**given.pop("bounds")), ProofLimits(**given.pop("limits"))
        return cls(**{**given, "path": Path(given["path"])}, bounds=bounds, limits=limits)


@dataclass(frozen=True)
class Answer:
    """What a child found.

    Attributes:
        facts: The facts of a verified video.
        previews: Its pictures; None if there are none.
        error: Why it is not verified.
    """

    facts: VideoFacts | None = None
    previews: Previews | None = None
    error: SeedanceError | None = None

    def to_line(self) -> bytes:
        """The answer as a line."""
        said: dict[str, Any] = {}
        if self.facts is not None:
            said["facts"] = {name: to_plain(value) for name, value in vars(self.facts).items()}
        if self.previews is not None:
            pictures = {"poster": self.previews.poster, "strip": self.previews.strip}
            said["previews"] = {name: base64.b64encode(picture).decode() for name, picture in pictures.items()}
        if self.error is not None:
            said["error"] = {
                "kind": self.error.kind,
                "code": self.error.code,
                "text": to_plain(self.error.text),
            }
        return _line(said)

    @classmethod
    def from_line(cls, line: bytes) -> Answer:
        """Read an answer.

        Raises:
            ValueError: It is none.
        """
        try:
            said = json.loads(line)
            return cls(_facts(said.get("facts")), _previews(said.get("previews")), _error(said.get("error")))
        except (TypeError, KeyError, AttributeError, InvalidOperation, RecursionError) as error:
            raise ValueError(f"{type(error).__name__}: {error}") from error


def _line(value: Mapping[str, Any]) -> bytes:
    return json.dumps(value).encode("ascii") + b"\n"


def to_plain(value: object) -> Any:
    """A value in JSON's own types; messages and decimal numbers are marked as such."""
    if isinstance(value, Message):
        return {"slug": value.slug, "parameters": {name: to_plain(each) for name, each in value.parameters.items()}}
    if isinstance(value, Decimal):
        return {"decimal": str(value)}
    if isinstance(value, list | tuple):
        return [to_plain(each) for each in value]
    return value if value is None or isinstance(value, str | int | float) else str(value)


def from_plain(value: Any) -> Any:
    """The value again; a list has become a tuple."""
    if isinstance(value, list):
        return tuple(from_plain(each) for each in value)
    if isinstance(value, dict):
        if "decimal" in value:
            return Decimal(value["decimal"])
        return Message(str(value["slug"]), {str(name): from_plain(each) for name, each in value["parameters"].items()})
    return value


def _facts(said: Any) -> VideoFacts | None:
    if said is None:
        return None
    facts = VideoFacts(**{name: from_plain(value) for name, value in said.items()})
    numbers = (facts.width, facts.height, facts.bytes)
    right = (
        all(type(number) is int and number > 0 for number in numbers)
        and facts.seconds.is_finite()
        and facts.fps.is_finite()
        and len(bytes.fromhex(facts.sha256)) == 32
        and all(isinstance(oddity, Message) for oddity in facts.oddities)
    )
    if not right:
        raise ValueError("facts of another form")
    return facts


def _previews(said: Any) -> Previews | None:
    if said is None:
        return None
    return Previews(*(base64.b64decode(said[name], validate=True) for name in ("poster", "strip")))


def _error(said: Any) -> SeedanceError | None:
    if said is None:
        return None
    return _ERRORS[said["kind"]](from_plain(said["text"]), code=said["code"])
