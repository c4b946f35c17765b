"""Follows one row from `generate_videos` to the wire, and counts what it passes. A mirror, not a bound.

    .venv/bin/python benchmarks/trace_row.py [--full]

At the moment when the row's create leaves, counted are, of this package only (without the sandbox):

- steps: the functions that have been called and have not returned, from `generate_videos` on. What started a task of
  asyncio, or a call into another loop, counts as its caller.
- files: those that these functions stand in.
- forms: the classes of the live objects that hold the row's prompt, or its key, in an attribute of their own.
- state objects: the classes of the objects that these functions have in their arguments and variables, without the
  forms, errors and the classes of single values (enums, strings, numbers).
"""

from __future__ import annotations

import argparse
import asyncio
import contextvars
import enum
import gc
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from types import FrameType, FunctionType, MethodType, ModuleType
from typing import Any

import httpx
from fleet.sandbox import sandbox

FOLDER = Path(tempfile.mkdtemp(prefix="seedance-trace-"))
os.environ["PREFECT_HOME"] = str(FOLDER / "prefect")
os.environ["PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL"] = "CRITICAL"

PACKAGE = "prefect_seedance"
PROMPT, KEY = "a lantern at the harbour, followed to the wire", "followed"

Step = tuple[str, str]

_before: contextvars.ContextVar[tuple[tuple[Step, FrameType], ...]] = contextvars.ContextVar("before", default=())


def ours(name: object) -> bool:
    text = name if isinstance(name, str) else ""
    return text.split(".")[0] == PACKAGE and not text.startswith(f"{PACKAGE}.sandbox")


def stack() -> tuple[tuple[Step, FrameType], ...]:
    """The package's functions that are active here, from the first one on, each with its frame."""
    found: list[tuple[Step, FrameType]] = []
    frame: FrameType | None = sys._getframe(1)  # noqa: SLF001
    while frame is not None:
        name = frame.f_globals.get("__name__", "")
        if ours(name):
            found.append(((name, frame.f_code.co_qualname), frame))
        frame = frame.f_back
    return (*_before.get(), *reversed(found))


def remember_callers() -> None:
    """Have each task and each call into the core loop know by what it was started."""
    from prefect_seedance.core import portal  # noqa: PLC0415

    create_task = asyncio.base_events.BaseEventLoop.create_task
    enter = portal._PortalCall.__init__  # noqa: SLF001

    def creating(self: Any, work: Any, *, name: Any = None, context: Any = None) -> Any:
        context = context or contextvars.copy_context()
        context.run(_before.set, stack())
        return create_task(self, work, name=name, context=context)

    def entering(self: Any, core: Any, work: Any) -> None:
        token = _before.set(stack())
        try:
            enter(self, core, work)
        finally:
            _before.reset(token)

    asyncio.base_events.BaseEventLoop.create_task = creating  # type: ignore[method-assign, assignment]
    portal._PortalCall.__init__ = entering  # type: ignore[method-assign]  # noqa: SLF001


def fields(thing: Any) -> Iterator[Any]:
    yield from getattr(thing, "__dict__", {}).values()
    for kind in type(thing).__mro__:
        for name in getattr(kind, "__slots__", ()):
            yield getattr(thing, name, None)


def is_value(thing: Any) -> bool:
    return isinstance(thing, (enum.Enum, str, int, float, BaseException, type, FunctionType, MethodType, ModuleType))


def forms() -> set[str]:
    found = set()
    for thing in gc.get_objects():
        kind = type(thing)
        if ours(kind.__module__) and not is_value(thing):
            with_row = [each for each in fields(thing) if isinstance(each, str) and each in {PROMPT, KEY}]
            if with_row:
                found.add(f"{kind.__module__}.{kind.__qualname__}")
    return found


def state_objects(frames: list[FrameType]) -> set[str]:
    found = set()
    for frame in frames:
        for thing in frame.f_locals.values():
            kind = type(thing)
            if ours(kind.__module__) and not is_value(thing):
                found.add(f"{kind.__module__}.{kind.__qualname__}")
    return found


def follow() -> tuple[list[Step], set[str], set[str]]:
    """One row over the sandbox; returns its steps, its forms, and the state objects."""
    from prefect_seedance import generate_videos  # noqa: PLC0415
    from prefect_seedance.blocks import JimmyCredentials, RouteDefaults  # noqa: PLC0415

    remember_callers()
    seen: list[tuple[list[Step], set[str], set[str]]] = []
    send = httpx.AsyncClient.send
    with sandbox(speed=200.0) as provider:
        port = httpx.URL(provider.url).port

        async def sending(self: Any, request: httpx.Request, **options: Any) -> httpx.Response:
            if request.method == "POST" and request.url.port == port and not seen:
                passed = stack()
                # A thread's own first frames may be those that its caller had as well.
                steps = list(dict.fromkeys(step for step, _ in passed))
                known = forms()
                seen.append((steps, known, state_objects([frame for _, frame in passed]) - known))
            return await send(self, request, **options)

        httpx.AsyncClient.send = sending  # type: ignore[method-assign, assignment]
        credentials = JimmyCredentials(api_key="sk_sandbox", base_url=provider.url)
        route = RouteDefaults(credentials=credentials, model="seedance2.0-mini", duration=5, resolution="480p")
        generate_videos(
            [{"id": KEY, "prompt": PROMPT}],
            route=route,
            batch="trace",
            output=FOLDER / "videos",
            ledger=f"sqlite+aiosqlite:///{FOLDER}/ledger.db",
        )
    return seen[0]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--full", action="store_true", help="name them all")
    given = parser.parse_args()
    from prefect_seedance.cli.prefect_server import local_server  # noqa: PLC0415

    with local_server(FOLDER / "prefect", FOLDER / "server.log", port=0) as url:
        os.environ["PREFECT_API_URL"] = f"{url}/api"
        steps, known, objects = follow()
    shutil.rmtree(FOLDER, ignore_errors=True)
    if given.full:
        for number, (name, function) in enumerate(steps, 1):
            print(f"{number:3} {name.removeprefix(PACKAGE + '.')}:{function}")
        for title, names in (("form", known), ("state object", objects)):
            for name in sorted(names):
                print(f"{title}: {name.removeprefix(PACKAGE + '.')}")
    print(
        f"{len(steps)} steps in {len({name for name, _ in steps})} files, {len(known)} forms of the row, "
        f"{len(objects)} state objects"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
