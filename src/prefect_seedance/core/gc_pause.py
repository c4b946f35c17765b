"""Making very many objects at a stroke."""

from __future__ import annotations

import contextlib
import gc
from collections.abc import Iterator

__all__ = ["gc_paused"]


@contextlib.contextmanager
def gc_paused() -> Iterator[None]:
    """Let Python's cycle collector rest while hundreds of thousands of objects are made that all stay.

    It would look through all of them, again and again, and find nothing. What nobody refers to is freed all the same.
    Two of these at once are safe: who found the collector at work sets it to work again.
    """
    was_at_work = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_at_work:
            gc.enable()
