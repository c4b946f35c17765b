"""Faults on demand: rates of random faults, queues of exact faults, and dialects of the answers."""

from __future__ import annotations

import hashlib
import threading
from collections import deque
from dataclasses import dataclass, field, fields
from typing import Any, Literal, get_args

JimmyEnvelope = Literal["documented", "0", "20000", "int20000", "bare", "faq"]
AnyfastDialect = Literal["new", "flat", "lower", "upper"]
Progress = Literal["honest", "uneven", "none"]
WrongHost = Literal["no", "nginx_404", "index_page", "redirect", "waf_403"]
Point = Literal["create", "query", "download", "upload", "asset"]

#: Faults of a create call, in the order in which they are drawn; the first hit is used.
CREATE_FAULTS = (
    "cut_before",
    "rate_limited",
    "error_before",
    "cut_after",
    "error_after",
    "create_storm",
    "broken_after",
    "missing_after",
    "named_after",
    "odd_shape",
    "slow_create",
)
#: Faults of a job, decided when it is created; several may combine.
JOB_FAULTS = (
    "never_ending",
    "moderated",
    "failed",
    "expired_link",
    "stale_link",
    "late_job",
    "late_link",
    "truncated_result",
    "corrupt_result",
    "html_result",
    "no_ranges",
    "changing_etag",
    "odd_word",
    "odd_link",
    "zero_tokens",
    "odd_headers",
    "keyed_link",
    "given_result",
    "redirected_link",
)
#: What `odd_headers` may be; queued as `odd_headers=gzip`.
ODD_HEADERS = (
    "text_plain",
    "json",
    "aws_chunked",
    "utf8",
    "wrong_md5",
    "wrong_length",
    "gzip",
    "gzip_unsaid",
    "gzip_unpacked",
    "no_ftyp",
)
_QUEUED_ODD = tuple(f"odd_headers={kind}" for kind in ODD_HEADERS)
QUERY_FAULTS = ("query_cut", "query_limited", "query_error", "query_broken", "query_unknown")
DOWNLOAD_FAULTS = ("download_cut", "download_error", "download_refused")
UPLOAD_FAULTS = ("upload_cut", "upload_limited", "upload_error")
#: Faults of creating an asset, a portrait or a group (not of querying them).
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

#: What may be queued at each point; `ok` is a call without a fault.
QUEUES: dict[Point, frozenset[str]] = {
    point: frozenset(("ok", *kinds, *((*JOB_FAULTS, *_QUEUED_ODD) if point == "create" else ())))
    for point, kinds in CALL_FAULTS.items()
}
_CHOICES: dict[str, tuple[Any, ...]] = {
    "jimmy_envelope": get_args(JimmyEnvelope),
    "anyfast_dialect": get_args(AnyfastDialect),
    "progress": get_args(Progress),
    "wrong_host": get_args(WrongHost),
    "jimmy_error_status": (200, 400),
    "refused_status": tuple(range(400, 500)),
}


def chance(seed: int, *what: object) -> float:
    """Return a number in [0, 1) that depends only on the seed and on `what`."""
    digest = hashlib.sha256("\0".join(map(str, (seed, *what))).encode()).digest()
    return int.from_bytes(digest[:8]) / 2**64


@dataclass
class Faults:
    """The faults of a sandbox. All fields may be changed while it runs.

    Rates are numbers from 0 (never) to 1 (always).

    Attributes:
        rate_limited: A create is answered with 429; no job is made.
        retry_after: The Retry-After of a 429: a number of seconds, or a text that is sent as it is (a date, `1e30`,
            `inf`); None sends no such header.
        concurrency: A hidden limit of unfinished jobs for each account: above it, 429. None is no limit.
        error_before: A create is answered with 500 in the provider's own form; no job is made.
        error_after: The job is made and charged, but the answer is a gateway's 502 page.
        create_storm: The job is made and charged, and the answer is the 524 page of a proxy that gave up waiting. With
            1, every create is accepted and billed, and none is proven.
        broken_after: The job is made and charged, but the JSON of the answer is truncated.
        missing_after: The job is made and charged, but the answer says that a job is missing: a relay asked its
            upstream for it too early.
        named_after: The job is made and charged, but the answer is an error whose words name it.
        odd_shape: The job is made, and the successful answer has its id where no document puts it.
        cut_before: The connection is dropped without an answer; no job is made.
        cut_after: The job is made and charged, then the connection is dropped without an answer.
        slow_create: The job is made and charged, but the answer is delayed by `slow_create_seconds`.
        slow_create_seconds: The delay (not divided by the speed).
        never_ending: The job never ends.
        moderated: The review refuses the prompt, as for a trademark (Anyfast refuses the create; at Jimmy AI the job
            fails).
        failed: The job fails.
        expired_link: Every link of the job has expired already (403).
        stale_link: The first link of the job has expired; a further query returns a new one.
        late_job: Queries do not know the job in the first `late_seconds` after its creation.
        late_link: The file server refuses the link, with `refused_status`, in the first `late_seconds` after the end of
            the job.
        late_seconds: For how long (not divided by the speed).
        refused_status: With which status the file server refuses a link, from 400 to 499.
        truncated_result: The end of the stored file is missing; Content-Length is that of the rest.
        corrupt_result: The structure at the head of the file is overwritten.
        html_result: The link answers with an error page in HTML, status 200.
        no_ranges: The file server ignores Range.
        changing_etag: Every download returns a different file with a different ETag.
        odd_word: The status words of the job are in no document.
        odd_link: The link of the result is in a field of no document.
        zero_tokens: The usage of the finished job is reported as 0 (Anyfast); it is charged as always.
        odd_headers: The link serves the whole video, and its headers or first bytes are unusual. Which of them depends
            on the job; `odd_headers=…` queues an exact one: `text_plain` and `json` (Content-Type), `aws_chunked` and
            `utf8` (Content-Encoding), `wrong_md5`, `wrong_length` (longer than the file), `gzip`, `gzip_unsaid`
            (without a header), `gzip_unpacked` (the header without the gzip), `no_ftyp` (another first box).
        keyed_link: The link answers 401 without the key of the job's account.
        given_result: The link serves a file of the folder `SandboxSettings.results` in place of its own
            video. Which of them depends on the job; `given_result=NAME` queues an exact one.
        redirected_link: The link answers 302 to another signed link of the same file.
        query_error: A query is answered with 502.
        query_cut: The connection of a query is dropped.
        query_limited: A query is answered with 429.
        query_broken: The JSON of a query's answer is truncated.
        query_unknown: A query is answered as if there were no such job.
        download_cut: The connection is dropped in the middle of the file.
        download_error: The file server answers 503.
        download_refused: The file server refuses the link, with `refused_status`.
        upload_cut: The connection of an upload is dropped without an answer.
        upload_limited: An upload is answered with 429.
        upload_error: An upload is answered with 502.
        asset_cut_before: The connection of a create of an asset, a portrait or a group is dropped; nothing is made.
        asset_limited: Such a create is answered with 429; nothing is made.
        asset_cut_after: The asset is made (and charged, if it costs), then the connection is dropped without an answer.
        asset_error_after: The asset is made (and charged), but the answer is a gateway's 502 page.
        asset_absent_seconds: For how long after its creation Anyfast answers 404 for an asset; not divided by the
            speed. Observed live: some 20 seconds.
        asset_list_absent_seconds: For how long after its creation Anyfast's lists omit an asset or a group; not divided
            by the speed.
        jimmy_envelope: How Jimmy AI wraps its answers: `documented` (each call as on its own page), one spelling of the
            code everywhere, `bare` (no envelope), or `faq` (the field names of the FAQ).
        jimmy_error_status: HTTP status of Jimmy AI's errors; the documents name only 200.
        anyfast_dialect: `new` (envelope, upper case), `lower` (envelope, lower-case status, link repeated in
            `fail_reason`), `flat` (the old flat body), `upper` (flat, upper case).
        progress: `honest`, `uneven` (never wrong, but faster and slower in parts), or `none` to omit it.
        wrong_host: What answers every call in place of the providers, as behind a wrong base URL: an `nginx_404`, an
            `index_page` with 200, a `redirect` to another host, or a firewall's page (`waf_403`). `no` is the sandbox.
            The sandbox's own endpoints go on.
    """

    rate_limited: float = 0.0
    retry_after: float | str | None = 1.0
    concurrency: int | None = None
    error_before: float = 0.0
    error_after: float = 0.0
    create_storm: float = 0.0
    broken_after: float = 0.0
    missing_after: float = 0.0
    named_after: float = 0.0
    odd_shape: float = 0.0
    cut_before: float = 0.0
    cut_after: float = 0.0
    slow_create: float = 0.0
    slow_create_seconds: float = 5.0
    never_ending: float = 0.0
    moderated: float = 0.0
    failed: float = 0.0
    expired_link: float = 0.0
    stale_link: float = 0.0
    late_job: float = 0.0
    late_link: float = 0.0
    late_seconds: float = 2.0
    refused_status: int = 404
    truncated_result: float = 0.0
    corrupt_result: float = 0.0
    html_result: float = 0.0
    no_ranges: float = 0.0
    changing_etag: float = 0.0
    odd_word: float = 0.0
    odd_link: float = 0.0
    zero_tokens: float = 0.0
    odd_headers: float = 0.0
    keyed_link: float = 0.0
    given_result: float = 0.0
    redirected_link: float = 0.0
    query_error: float = 0.0
    query_cut: float = 0.0
    query_limited: float = 0.0
    query_broken: float = 0.0
    query_unknown: float = 0.0
    download_cut: float = 0.0
    download_error: float = 0.0
    download_refused: float = 0.0
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
    wrong_host: WrongHost = "no"
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
        """Queue exact faults for the next calls at a point, one each, in order.

        A queued entry replaces the random draw. Faults of a job are queued at `create`; `ok` is no fault.

        Raises:
            ValueError: The point or a kind is unknown.
        """
        if point not in QUEUES:
            raise ValueError(f"faults are queued at {', '.join(QUEUES)}, not at {point!r}")
        for kind in kinds:
            if kind not in QUEUES[point] and not (point == "create" and kind.startswith("given_result=")):
                raise ValueError(f"{kind!r} cannot be queued at {point}; known are {', '.join(sorted(QUEUES[point]))}")
        with self._lock:
            self._queues[point].extend(kinds)

    def draw(self, point: Point, seed: int, *identity: object) -> frozenset[str]:
        """Return the faults of one call: at most one of the call itself, and any of its job.

        Args:
            point: The kind of call.
            seed: The sandbox's seed.
            identity: What identifies the call (its content, and how often it was seen), so that the draw is repeatable.
        """
        with self._lock:
            if self._queues[point]:
                return frozenset({self._queues[point].popleft()}) - {"ok"}
        call = CALL_FAULTS[point]
        hits = {kind for kind in call if self._hits(kind, seed, *identity)}
        drawn = set(sorted(hits, key=call.index)[:1])
        if point == "create":
            drawn |= {kind for kind in JOB_FAULTS if self._hits(kind, seed, *identity)}
        return frozenset(drawn)

    def _hits(self, kind: str, seed: int, *identity: object) -> bool:
        rate: float = getattr(self, kind)
        return rate > 0 and chance(seed, kind, *identity) < rate

    def rest(self) -> None:
        """Reset every field to its default and empty the queues."""
        for spec in fields(self):
            if spec.init:
                setattr(self, spec.name, spec.default)
        with self._lock:
            for waiting in self._queues.values():
                waiting.clear()

    def to_json(self) -> dict[str, Any]:
        """Return all fields and the queued faults."""
        values = {spec.name: getattr(self, spec.name) for spec in fields(self) if spec.init}
        with self._lock:
            return {**values, "queued": {point: list(kinds) for point, kinds in self._queues.items()}}


def _check(name: str, value: object) -> None:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if name in RATES and not (number and 0 <= value <= 1):  # type: ignore[operator]
        raise ValueError(f"{name} is a rate from 0 to 1, not {value!r}")
    if name in _CHOICES and value not in _CHOICES[name]:
        raise ValueError(f"{name} is one of {', '.join(map(str, _CHOICES[name]))}, not {value!r}")
    seconds = {"slow_create_seconds", "late_seconds", "asset_absent_seconds", "asset_list_absent_seconds"}
    if name in seconds and not (number and value >= 0):  # type: ignore[operator]
        raise ValueError(f"{name} is a number of seconds, not {value!r}")
    text = name == "retry_after" and isinstance(value, str) and value.isascii() and value.isprintable()
    if name in {"retry_after", "concurrency"} and not (value is None or text or (number and value >= 0)):  # type: ignore[operator]
        raise ValueError(f"{name} is a number from 0 or nothing, not {value!r}")
