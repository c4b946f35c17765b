"""The children of this process that prove videos: started when they are needed, ended when they are not.

A thread of this process serves each child and waits for it, so no event loop ever does. Where no child can be started,
the thread decodes by itself: a video is verified in any case, and `ProofPool.trouble` says why it was not done apart.
"""

from __future__ import annotations

import asyncio
import atexit
import concurrent.futures
import os
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from prefect_seedance.errors import UnverifiedVideo
from prefect_seedance.media.videos.bounds import WIDEST, Bounds
from prefect_seedance.media.videos.inspection import VideoFacts
from prefect_seedance.media.videos.proof.child import carry_out
from prefect_seedance.media.videos.proof.exchange import Answer, Request
from prefect_seedance.media.videos.proof.limits import ProofLimits, limits_of
from prefect_seedance.media.videos.proof.process import CannotStart, Ended, ProofProcess
from prefect_seedance.media.videos.stills import Previews
from prefect_seedance.messages import Message, message

__all__ = ["ProofPool", "Proven", "proof_pool"]

IDLE = 20.0
"""Seconds after which a child without work is ended: it holds memory."""

START = 120.0
"""Seconds that a child may take to start, on a very busy machine."""

REQUESTS = 500
"""After so many requests a child is replaced, since libraries may leak."""


@dataclass(frozen=True)
class Proven:
    """A verified video: its facts, and its previews; None where none could be made."""

    facts: VideoFacts
    previews: Previews | None


class _Job:
    """A request on its way, and the child that works on it."""

    def __init__(self, request: Request) -> None:
        self.request = request
        self.future: concurrent.futures.Future[Answer] = concurrent.futures.Future()
        self._lock = threading.Lock()
        self._child: ProofProcess | None = None
        self._cancelled = False

    def give(self, child: ProofProcess) -> bool:
        """Have a child work on it; False where nobody waits for it any more."""
        with self._lock:
            self._child = child
            return not self._cancelled

    def take_back(self) -> None:
        """The child has ended its work on it."""
        with self._lock:
            self._child = None

    def cancel(self) -> None:
        """Nobody waits for it any more: a child that works on it is killed."""
        with self._lock:
            self._cancelled = True
            if self._child is not None:
                self._child.kill()


class ProofPool:
    """At most `size` children, each with a thread that serves it. Its methods may be awaited on any event loop.

    Args:
        size: How many videos are decoded at once; default: as many as there are cores for this process.
        limits: What a proof may take, by its bounds.
        start: Seconds that a child may take to start.
        idle: Seconds after which a child without work is ended.

    Attributes:
        trouble: Why videos are decoded in this process; None while children can be started.
    """

    def __init__(
        self,
        size: int | None = None,
        *,
        limits: Callable[[Bounds], ProofLimits] = limits_of,
        start: float = START,
        idle: float = IDLE,
    ) -> None:
        self.trouble: Message | None = None
        self._size = size or _cores()
        self._limits = limits
        self._start = start
        self._idle = idle
        self._changed = threading.Condition()
        self._waiting: deque[_Job] = deque()
        self._threads = self._busy = 0
        self._children: set[ProofProcess] = set()
        self._closed = False

    @property
    def pids(self) -> tuple[int, ...]:
        """The numbers of the children that run."""
        with self._changed:
            return tuple(child.pid for child in self._children if child.alive)

    async def verify(self, path: Path, *, announced: int | None = None, bounds: Bounds = WIDEST) -> Proven:
        """Verify a file in a child, as `inspect_video` does, and make its previews.

        Raises:
            InvalidVideo: It is truncated, damaged, or no video.
            UnverifiedVideo: Its proof crashed, hung, exceeded a limit or ended in an unforeseen error.
            InputError: The file cannot be read.
        """
        answer = await self._ask(Request(path.absolute(), announced, bounds, self._limits(bounds)))
        if answer.error is not None:
            raise answer.error
        if answer.facts is None:
            raise _unverified(path, message("proof.no_answer"))
        return Proven(answer.facts, answer.previews)

    async def previews(self, path: Path, *, bounds: Bounds = WIDEST) -> Previews | None:
        """The previews of a file that was verified earlier; None where none can be made."""
        return (await self._ask(Request(path.absolute(), None, bounds, self._limits(bounds), verify=False))).previews

    def close(self) -> None:
        """End all children, and wait for their end; what is being proven ends as unverified."""
        with self._changed:
            self._closed = True
            children = list(self._children)
            waiting, self._waiting = list(self._waiting), deque()
            self._changed.notify_all()
        for job in waiting:
            job.future.cancel()
        for child in children:
            child.kill()
        with self._changed:
            self._changed.wait_for(lambda: not self._children, timeout=5)

    def forget(self) -> None:
        """In a fork of its process: the children are not ours."""
        for child in self._children:
            child.forget()

    async def _ask(self, request: Request) -> Answer:
        job = _Job(request)
        with self._changed:
            self._waiting.append(job)
            if self._threads < min(self._size, self._busy + len(self._waiting)):
                self._threads += 1
                threading.Thread(target=self._serve, name="seedance proof", daemon=True).start()
            self._changed.notify()
        try:
            return await asyncio.wrap_future(job.future)
        except asyncio.CancelledError:
            job.cancel()
            raise

    def _serve(self) -> None:
        """Work on jobs with a child, until there have been none for a while."""
        child: ProofProcess | None = None
        while (job := self._next()) is not None:
            if job.future.set_running_or_notify_cancel():
                try:
                    child, answer = self._carry_out(job, child)
                    job.future.set_result(answer)
                except BaseException as error:  # noqa: BLE001 - the waiting row gets it
                    job.future.set_exception(error)
            with self._changed:
                self._busy -= 1
        self._end(child)

    def _next(self) -> _Job | None:
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self._closed, timeout=self._idle)
            if self._waiting:
                self._busy += 1
                return self._waiting.popleft()
            self._threads -= 1
            return None

    def _carry_out(self, job: _Job, child: ProofProcess | None) -> tuple[ProofProcess | None, Answer]:
        try:
            child = self._usable(child)
        except CannotStart as error:
            self.trouble = message("proof.no_children", reason=str(error))
            return None, carry_out(job.request)
        try:
            line = child.ask(job.request.to_line(), job.request.limits) if job.give(child) else b""
            return child, Answer.from_line(line) if line else Answer()
        except Ended as error:
            reason = error.reason
        except ValueError:
            reason = message("proof.no_answer")
        finally:
            job.take_back()
        self._end(child)
        return None, Answer(error=_unverified(job.request.path, reason))

    def _usable(self, child: ProofProcess | None) -> ProofProcess:
        """This child, or a new one where it has ended or is worn out."""
        if child is not None and child.alive and child.asked < REQUESTS:
            return child
        self._end(child)
        child = ProofProcess(self._start)
        with self._changed:
            self._children.add(child)
        return child

    def _end(self, child: ProofProcess | None) -> None:
        if child is not None:
            child.close()
            with self._changed:
                self._children.discard(child)
                self._changed.notify_all()


def _unverified(path: Path, reason: Message) -> UnverifiedVideo:
    return UnverifiedVideo(message("video.unverified", file=path.name, reason=reason))


def _cores() -> int:
    """The cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0)) or 1
    return os.cpu_count() or 1


_lock = threading.Lock()
_pool: ProofPool | None = None


def proof_pool() -> ProofPool:
    """The pool of this process; a fork gets its own."""
    global _pool  # noqa: PLW0603 - one pool per process is the point
    with _lock:
        if _pool is None:
            _pool = ProofPool()
        return _pool


def _forget() -> None:
    global _lock, _pool
    if _pool is not None:
        _pool.forget()
    _lock, _pool = threading.Lock(), None


def _close() -> None:
    if _pool is not None:
        _pool.close()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget)
atexit.register(_close)
