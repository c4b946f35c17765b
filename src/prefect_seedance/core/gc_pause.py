"""Pausing the garbage collector while very many objects are made."""

from __future__ import annotations

import contextlib
import gc
from collections.abc import Iterator

__all__ = ["gc_paused"]


@contextlib.contextmanager
def gc_paused() -> Iterator[None]:
    """Switch Python's cycle collector off while hundreds of thousands of lasting objects are made.

    The collector would scan all of them repeatedly and find nothing. Objects without references are still freed.
    Nested use is safe: only the block that found the collector enabled enables it again.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()
