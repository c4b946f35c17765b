"""One child process that proves videos, as its parent sees it. See `child` for what the child does."""

from __future__ import annotations

import contextlib
import io
import json
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any, cast

from prefect_seedance.media.videos.proof.child import READY, TOO_LARGE
from prefect_seedance.media.videos.proof.limits import ProofLimits
from prefect_seedance.messages import Message, message

__all__ = ["CannotStart", "Ended", "ProofProcess"]

_START = (
    "import json, sys; sys.path[:] = json.loads(sys.argv[1]); "
    "from prefect_seedance.media.videos.proof.child import main; main()"
)
"""Not `-m`: the folder where the user stands must not offer modules to the child."""

_LONGEST_ANSWER = 16 << 20

_ENVIRONMENT = ("PATH", "HOME", "TMPDIR", "TEMP", "TMP", "SYSTEMROOT", "WINDIR", "LANG")
_PREFIXES = ("LC_", "LD_", "DYLD_", "NIX_", "CONDA_", "PYTHON")


class CannotStart(Exception):
    """No child process can be started here; the text says why."""


class Ended(Exception):
    """The child ended before it answered.

    Attributes:
        reason: Why, as the end of a sentence.
    """

    def __init__(self, reason: Message) -> None:
        super().__init__(reason)
        self.reason = reason


class ProofProcess:
    """A running child. One thread asks; any thread may kill.

    Args:
        patience: Seconds within which it has to be ready.

    Raises:
        CannotStart: It cannot be started.
    """

    def __init__(self, patience: float) -> None:
        if getattr(sys, "frozen", False) or not sys.executable:
            # A frozen program would start itself again, and with it the user's run.
            raise CannotStart("this Python cannot start another one")
        self.asked = 0
        """How many requests it got."""
        self._late = self._killed = False
        try:
            self._process = subprocess.Popen(  # noqa: S603 - this Python, and nothing of the user's
                [sys.executable, "-P", "-c", _START, json.dumps(_modules())],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                bufsize=0,
                env=_environment(),
                **_apart(),
            )
        except (OSError, subprocess.SubprocessError) as error:
            raise CannotStart(str(error)) from error
        assert self._process.stdin is not None  # noqa: S101 - for the type checker
        assert self._process.stdout is not None  # noqa: S101
        self._inbox = self._process.stdin
        self._pipes = (self._process.stdin.fileno(), self._process.stdout.fileno())
        self._answers = io.BufferedReader(cast("io.FileIO", self._process.stdout))
        if self._exchange(b"", patience) != READY:
            late = self._late
            code = self.close()
            raise CannotStart("it did not start in time" if late else f"it ended at its start (exit code {code})")

    @property
    def pid(self) -> int:
        """The number of the process."""
        return self._process.pid

    @property
    def alive(self) -> bool:
        """Whether it can be asked."""
        return not self._killed and self._process.poll() is None

    def ask(self, line: bytes, limits: ProofLimits) -> bytes:
        """Send a request and return the answer. Blocks.

        Raises:
            Ended: The child died, or was killed because it hung.
        """
        self.asked += 1
        answer = self._exchange(line, limits.wall_seconds)
        if answer.endswith(b"\n"):
            return answer
        late = self._late
        raise Ended(_why(self.close(), limits, late=late))

    def kill(self) -> None:
        """End it at once; whoever waits for its answer gets `Ended`."""
        self._killed = True
        with contextlib.suppress(OSError):
            self._process.kill()

    def close(self) -> int:
        """End it, wait for its end, and return its exit code."""
        self.kill()
        code = self._process.wait()
        for pipe in (self._inbox, self._answers):
            pipe.close()
        return code

    def forget(self) -> None:
        """In a fork of the parent: let go of the pipes, or else the child would outlive its parent."""
        self._process.returncode = 0  # not ours to wait for
        nothing = os.open(os.devnull, os.O_RDWR)
        for number in self._pipes:  # a lock of the objects may be held by a thread that is not in the fork
            os.dup2(nothing, number)
        os.close(nothing)

    def _exchange(self, line: bytes, seconds: float) -> bytes:
        timer = threading.Timer(seconds, self._expire)
        timer.daemon = True
        timer.start()
        try:
            while line:
                line = line[self._inbox.write(line) or 0 :]
            return self._answers.readline(_LONGEST_ANSWER)
        except OSError:
            return b""
        finally:
            timer.cancel()

    def _expire(self) -> None:
        self._late = True
        self.kill()


def _why(code: int, limits: ProofLimits, *, late: bool) -> Message:
    if late:
        return message("proof.hung", seconds=limits.wall_seconds)
    if code == TOO_LARGE:
        return message("proof.memory", megabytes=limits.memory >> 20)
    name = next((each.name for each in signal.Signals if each == -code), None)
    if name == "SIGXCPU":
        return message("proof.cpu", seconds=limits.cpu_seconds)
    return message("proof.ended", code=code) if name is None else message("proof.killed", signal=name)


def _modules() -> list[str]:
    """Where this process finds its modules; the child looks there too."""
    here = str(Path(__file__).absolute().parents[3])
    found = [str(Path(folder).absolute()) for folder in sys.path if folder]
    return found if here in found else [*found, here]


def _environment() -> dict[str, str]:
    """What the child needs of the environment: the keys that may be in it are not its business."""
    kept = {name: value for name, value in os.environ.items() if name in _ENVIRONMENT or name.startswith(_PREFIXES)}
    # Threads of libraries take address space, which is limited, and help no proof.
    return {**kept, "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "MALLOC_ARENA_MAX": "2"}


def _apart() -> dict[str, Any]:
    """Out of the reach of Ctrl-C. In the same session, since Linux may weigh priorities within a session only."""
    if sys.platform == "win32":
        flags = subprocess.CREATE_NO_WINDOW | subprocess.CREATE_NEW_PROCESS_GROUP
        return {"creationflags": flags | subprocess.BELOW_NORMAL_PRIORITY_CLASS}
    return {"process_group": 0}
