"""What goes wrong on purpose: rates for random trouble, queues for exact trouble, and dialects of the answers."""

from __future__ import annotations

import hashlib
import threading
from collections import deque
from dataclasses import dataclass, field, fields
from typing import Any, Literal, get_args

JimmyEnvelope = Literal["documented", "0", "20000", "int20000", "bare", "faq"]
AnyfastDialect = Literal["new", "flat", "lower", "upper"]
Progress = Literal["honest", "uneven", "none"]
Point = Literal["create", "query", "download", "upload", "asset"]

#: Trouble with a create call, in the order in which it is drawn; the first that hits is taken.
CREATE_FAULTS = (
    "cut_before",
    "rate_limited",
    "error_before",
    "cut_after",
    "error_after",
    "broken_after",
    "slow_create",
)
#: Trouble that a job carries from its birth; several may meet.
JOB_FAULTS = (
    "never_ending",
    "moderated",
    "failed",
    "expired_link",
    "stale_link",
    "truncated_result",
    "corrupt_result",
    "html_result",
    "no_ranges",
    "changing_etag",
)
QUERY_FAULTS = ("query_cut", "query_limited", "query_error", "query_broken")
DOWNLOAD_FAULTS = ("download_cut", "download_error")
UPLOAD_FAULTS = ("upload_cut", "upload_limited", "upload_error")
#: Trouble with handing in an asset, a portrait or a group (not with asking after them).
ASSET_FAULTS = ("asset_cut_before", "asset_limited", "asset_cut_after", "asset_error_after")
#: The faults of each point, in the order in which they are drawn.
CALL_FAULTS: dict[Point, tuple[str, ...]] = {
    "create": CREATE_FAULTS,
    "query": QUERY_FAULTS,
    "download": DOWNLOAD_FAULTS,
    "upload": UPLOAD_FAULTS,
    "asset": ASSET_FAULTS,
}
RATES = frozenset((*JOB_FAULTS, *(kind for kinds in CALL_FAULTS.values() for kind in kinds)))

#: What may be queued where; `ok` stands for a call without trouble.
QUEUES: dict[Point, frozenset[str]] = {
    point: frozenset(("ok", *kinds, *(JOB_FAULTS if point == "create" else ()))) for point, kinds in CALL_FAULTS.items()
}
_CHOICES: dict[str, tuple[Any, ...]] = {
    "jimmy_envelope": get_args(JimmyEnvelope),
    "anyfast_dialect": get_args(AnyfastDialect),
    "progress": get_args(Progress),
    "jimmy_error_status": (200, 400),
}


def chance(seed: int, *what: object) -> float:
    """Return a number in [0, 1) that hangs on nothing but the seed and the names given."""
    digest = hashlib.sha256("\0".join(map(str, (seed, *what))).encode()).digest()
    return int.from_bytes(digest[:8]) / 2**64


@dataclass
class Faults:
    """What goes wrong. All fields may be changed while the sandbox runs.

    Rates run from 0 (never) to 1 (always).

    Attributes:
        rate_limited: A create is answered with 429; nothing is made.
        retry_after: The Retry-After of a 429, in seconds; None sends no such header.
        concurrency: A hidden limit of unfinished jobs for each account: above it, 429. None is no limit.
        error_before: A create is answered with 500 in the provider's own form; nothing is made.
        error_after: The job is made and charged, but the answer is a gateway's 502 page.
        broken_after: The job is made and charged, but the answer's JSON breaks off.
        cut_before: The connection is dropped without an answer; nothing is made.
        cut_after: The job is made and charged, then the connection is dropped without an answer.
        slow_create: The job is made and charged, but the answer waits for `slow_create_seconds`.
        slow_create_seconds: How long that is (not divided by the speed).
        never_ending: The job never ends.
        moderated: The review refuses, as for a trademark (at Anyfast: the create; at Jimmy AI: the job).
        failed: The job fails.
        expired_link: Every link of the job has expired already (403).
        stale_link: The first link of the job has expired; asking again gives a fresh one.
        truncated_result: The stored file has lost its tail; the length told is that of the rest.
        corrupt_result: The structure at the head of the file is overwritten.
        html_result: The link answers with an error page in HTML, status 200.
        no_ranges: The file server ignores Range.
        changing_etag: The file is another one, with another ETag, at every download.
        query_error: A query is answered with 502.
        query_cut: The connection of a query is dropped.
        query_limited: A query is answered with 429.
        query_broken: The JSON of a query's answer breaks off.
        download_cut: The connection is dropped amid the file.
        download_error: The file server answers 503.
        upload_cut: The connection of an upload is dropped without an answer.
        upload_limited: An upload is answered with 429.
        upload_error: An upload is answered with 502.
        asset_cut_before: An asset, a portrait or a group is handed in, and the connection dropped; nothing is made.
        asset_limited: It is answered with 429; nothing is made.
        asset_cut_after: It is made (and charged, where it costs), then the connection is dropped without an answer.
        asset_error_after: It is made (and charged), but the answer is a gateway's 502 page.
        asset_absent_seconds: For so long after it was made, Anyfast knows nothing of an asset (404); not divided by the
            speed. Seen live: some 20 seconds.
        asset_list_absent_seconds: For so long Anyfast's lists do not show an asset or a group; not divided by the
            speed.
        jimmy_envelope: How Jimmy AI wraps its answers: `documented` (each call as its own page shows), one spelling of
            the code everywhere, `bare` (no envelope), or `faq` (the field names of the FAQ).
        jimmy_error_status: HTTP status of Jimmy AI's refusals; the documents name none but 200.
        anyfast_dialect: `new` (envelope, upper case), `lower` (envelope, lower-case status, link repeated in
            `fail_reason`), `flat` (the old flat body), `upper` (flat, upper case).
        progress: `honest`, `uneven` (honest too, but with parts that go faster and slower), or `none` to leave it out.
    """

    rate_limited: float = 0.0
    retry_after: float | None = 1.0
    concurrency: int | None = None
    error_before: float = 0.0
    error_after: float = 0.0
    broken_after: float = 0.0
    cut_before: float = 0.0
    cut_after: float = 0.0
    slow_create: float = 0.0
    slow_create_seconds: float = 5.0
    never_ending: float = 0.0
    moderated: float = 0.0
    failed: float = 0.0
    expired_link: float = 0.0
    stale_link: float = 0.0
    truncated_result: float = 0.0
    corrupt_result: float = 0.0
    html_result: float = 0.0
    no_ranges: float = 0.0
    changing_etag: float = 0.0
    query_error: float = 0.0
    query_cut: float = 0.0
    query_limited: float = 0.0
    query_broken: float = 0.0
    download_cut: float = 0.0
    download_error: float = 0.0
    upload_cut: float = 0.0
    upload_limited: float = 0.0
    upload_error: float = 0.0
    asset_cut_before: float = 0.0
    asset_limited: float = 0.0
    asset_cut_after: float = 0.0
    asset_error_after: float = 0.0
    asset_absent_seconds: float = 0.0
    asset_list_absent_seconds: float = 0.0
    jimmy_envelope: JimmyEnvelope = "documented"
    jimmy_error_status: int = 400
    anyfast_dialect: AnyfastDialect = "new"
    progress: Progress = "honest"
    _queues: dict[str, deque[str]] = field(
        default_factory=lambda: {point: deque() for point in QUEUES}, init=False, repr=False, compare=False
    )
    _lock: threading.Lock = field(default_factory=threading.Lock, init=False, repr=False, compare=False)

    def __setattr__(self, name: str, value: object) -> None:
        _check(name, value)
        super().__setattr__(name, value)

    def update(self, **values: Any) -> None:
        """Set several fields at once, all or none.

        Raises:
            ValueError: A name is unknown or a value is out of its range.
        """
        known = {spec.name for spec in fields(self) if spec.init}
        for name, value in values.items():
            if name not in known:
                raise ValueError(f"there is no fault {name!r}; known are {', '.join(sorted(known))}")
            _check(name, value)
        for name, value in values.items():
            setattr(self, name, value)

    def queue(self, point: Point, *kinds: str) -> None:
        """Let the next calls at a point meet exactly these faults, one each, in order.

        A queued entry is taken instead of drawing by rates. Job faults are queued at `create`; `ok` is no trouble.

        Raises:
            ValueError: The point or a kind is unknown.
        """
        if point not in QUEUES:
            raise ValueError(f"faults are queued at {', '.join(QUEUES)}, not at {point!r}")
        for kind in kinds:
            if kind not in QUEUES[point]:
                raise ValueError(f"{kind!r} cannot be queued at {point}; known are {', '.join(sorted(QUEUES[point]))}")
        with self._lock:
            self._queues[point].extend(kinds)

    def draw(self, point: Point, seed: int, *who: object) -> frozenset[str]:
        """Return what goes wrong with one call: at most one fault of the call, and any faults of its job.

        Args:
            point: The kind of call.
            seed: The sandbox's seed.
            who: What names this call (its content, and how often it was seen), so that chance follows it.
        """
        with self._lock:
            if self._queues[point]:
                return frozenset({self._queues[point].popleft()}) - {"ok"}
        call = CALL_FAULTS[point]
        hits = {kind for kind in call if self._hits(kind, seed, *who)}
        drawn = set(sorted(hits, key=call.index)[:1])
        if point == "create":
            drawn |= {kind for kind in JOB_FAULTS if self._hits(kind, seed, *who)}
        return frozenset(drawn)

    def _hits(self, kind: str, seed: int, *who: object) -> bool:
        rate: float = getattr(self, kind)
        return rate > 0 and chance(seed, kind, *who) < rate

    def rest(self) -> None:
        """Put every field back to its default and empty the queues."""
        for spec in fields(self):
            if spec.init:
                setattr(self, spec.name, spec.default)
        with self._lock:
            for waiting in self._queues.values():
                waiting.clear()

    def to_json(self) -> dict[str, Any]:
        """Return all fields, and what is queued."""
        values = {spec.name: getattr(self, spec.name) for spec in fields(self) if spec.init}
        with self._lock:
            return {**values, "queued": {point: list(kinds) for point, kinds in self._queues.items()}}


def _check(name: str, value: object) -> None:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if name in RATES and not (number and 0 <= value <= 1):  # type: ignore[operator]
        raise ValueError(f"{name} is a rate from 0 to 1, not {value!r}")
    if name in _CHOICES and value not in _CHOICES[name]:
        raise ValueError(f"{name} is one of {', '.join(map(str, _CHOICES[name]))}, not {value!r}")
    seconds = {"slow_create_seconds", "asset_absent_seconds", "asset_list_absent_seconds"}
    if name in seconds and not (number and value >= 0):  # type: ignore[operator]
        raise ValueError(f"{name} is a number of seconds, not {value!r}")
    if name in {"retry_after", "concurrency"} and not (value is None or (number and value >= 0)):  # type: ignore[operator]
        raise ValueError(f"{name} is a number from 0 or nothing, not {value!r}")
