"""The child process that proves videos: reads requests from its standard input, answers on its standard output.

It runs at a low priority and under limits. It ends when its input ends, also in the middle of a proof: when its parent
dies, however that happens, no child is left behind.
"""

from __future__ import annotations

import errno
import math
import os
import signal
import sys
import threading
import time
from queue import SimpleQueue
from typing import BinaryIO

from prefect_seedance.errors import InputError, InvalidVideo, SeedanceError, UnverifiedVideo
from prefect_seedance.media.videos.inspection import inspect_video
from prefect_seedance.media.videos.proof.exchange import Answer, Request
from prefect_seedance.media.videos.proof.limits import ProofLimits
from prefect_seedance.media.videos.stills import Stills, previews_of
from prefect_seedance.messages import message

if sys.platform != "win32":
    import resource

__all__ = ["READY", "TOO_LARGE", "carry_out", "main"]

READY = b"ready\n"
"""The first line of a child that has started."""

TOO_LARGE = 77
"""The exit code of a child that took too much memory."""

NICENESS = 10

_RESERVE = 1 << 29
"""Bytes of address space that libraries may reserve and never use."""

_LOOK = 0.05
"""Seconds between two looks at the memory that is used."""

_OOM_SCORE = "500"
"""Where memory runs out, Linux ends this process, and not the one that knows what was paid."""


def main() -> None:
    """Answer requests until the input ends."""
    inbox, outbox = _pipes()
    _step_back()
    import av  # noqa: F401, PLC0415 - loaded before the first file is opened
    import numpy as np  # noqa: F401, PLC0415

    requests: SimpleQueue[bytes] = SimpleQueue()
    threading.Thread(target=_read, args=(inbox, requests), daemon=True).start()
    memory = _Memory()
    outbox.write(READY)
    while True:
        request = Request.from_line(requests.get())
        _limit_time(request.limits)
        memory.limit(request.limits)
        outbox.write(carry_out(request).to_line())


def carry_out(request: Request) -> Answer:
    """Verify a file, or make its previews. An error of any kind is part of the answer."""
    stills = Stills()
    try:
        if not request.verify:
            return Answer(previews=previews_of(request.path))
        facts = inspect_video(request.path, announced=request.announced, stills=stills, bounds=request.bounds)
    except Exception as error:  # noqa: BLE001 - whatever a file brings about is told to the parent
        return Answer(error=_told(error, request))
    return Answer(facts, stills.finish())


def _told(error: Exception, request: Request) -> SeedanceError:
    if _lacks_memory(error):
        reason = message("proof.memory", megabytes=request.limits.memory >> 20)
        return UnverifiedVideo(message("video.unverified", file=request.path.name, reason=reason))
    if isinstance(error, InvalidVideo | InputError | UnverifiedVideo):
        return error
    reason = message("proof.unforeseen", reason=f"{type(error).__name__}: {error}"[:500])
    return UnverifiedVideo(message("video.unverified", file=request.path.name, reason=reason))


def _lacks_memory(error: BaseException | None) -> bool:
    """Whether an error comes from a lack of memory: then it says nothing about the file."""
    while error is not None:
        if isinstance(error, MemoryError) or getattr(error, "errno", None) == errno.ENOMEM:
            return True
        error = error.__cause__ or error.__context__
    return False


def _pipes() -> tuple[BinaryIO, BinaryIO]:
    """The pipes to the parent. What a library prints or reads goes elsewhere."""
    inbox = os.fdopen(os.dup(0), "rb")
    outbox = os.fdopen(os.dup(1), "wb", buffering=0)
    nothing = os.open(os.devnull, os.O_RDWR)
    for number in (0, 1, 2):
        os.dup2(nothing, number)
    return inbox, outbox


def _read(inbox: BinaryIO, requests: SimpleQueue[bytes]) -> None:
    for line in inbox:
        requests.put(line)
    os._exit(0)


def _step_back() -> None:
    """Have a low priority, be the first to go where memory runs out, write no file."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the parent
    if sys.platform == "win32":
        return  # the parent has set the priority
    os.nice(NICENESS)
    signal.signal(signal.SIGXCPU, signal.SIG_DFL)
    try:
        with open("/proc/self/oom_score_adj", "w", encoding="ascii") as file:  # noqa: PTH123
            file.write(_OOM_SCORE)
    except OSError:
        pass  # not Linux
    for kind in (resource.RLIMIT_CORE, resource.RLIMIT_FSIZE):
        _lower(kind, 0)


def _limit_time(limits: ProofLimits) -> None:
    if sys.platform != "win32":
        _lower(resource.RLIMIT_CPU, math.ceil(time.process_time()) + limits.cpu_seconds)


class _Memory:
    """Ends this process where it takes too much memory. Only Linux says how much it takes.

    The system's own limit lets an allocation fail, and a decoder then may call the file damaged. So it is the second
    line only: it stops what grows too fast to be seen.
    """

    def __init__(self) -> None:
        self._reserved, self._used = _memory()
        self._most: float = math.inf
        if self._used:
            threading.Thread(target=self._watch, daemon=True).start()

    def limit(self, limits: ProofLimits) -> None:
        """Set the limit of the next proof."""
        self._most = self._used + limits.memory
        if self._reserved and sys.platform != "win32":
            _lower(resource.RLIMIT_AS, self._reserved + 2 * limits.memory + _RESERVE)

    def _watch(self) -> None:
        while True:
            time.sleep(_LOOK)
            if _memory()[1] > self._most:
                os._exit(TOO_LARGE)


def _lower(kind: int, value: int) -> None:
    """Set a soft limit; the hard one remains, so that the next proof may have another."""
    if sys.platform == "win32":
        return
    _, hard = resource.getrlimit(kind)
    resource.setrlimit(kind, (value if hard == resource.RLIM_INFINITY else min(value, hard), hard))


def _memory() -> tuple[int, int]:
    """The bytes of memory that this process has reserved, and those that it uses alone; 0 where it is not known."""
    if sys.platform == "win32":
        return 0, 0
    try:
        with open("/proc/self/statm", "rb") as file:  # noqa: PTH123
            reserved, resident, shared = (int(pages) * resource.getpagesize() for pages in file.read().split()[:3])
    except OSError:
        return 0, 0
    return reserved, resident - shared
