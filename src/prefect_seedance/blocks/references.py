"""An address that is kept in a Secret block of Prefect, named in a parameter as `secret:NAME`.

Parameters are stored by Prefect's server and shown in its UI. So an address that gives access is saved as a Secret
block, and the parameter names the block; the address is in the memory of the run only.
"""

from __future__ import annotations

import re
from typing import Any

from prefect.blocks.system import Secret

from prefect_seedance.errors import InputError
from prefect_seedance.messages import message

__all__ = ["is_reference", "referenced"]

_REFERENCE = re.compile(r"\s*secret:([^/\\].*?)\s*", re.IGNORECASE)
_ADDRESS = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+(?:::[^:]+)?://\S+")


def is_reference(text: object) -> bool:
    """Whether a text names a Secret block: `secret:NAME`."""
    return isinstance(text, str) and _REFERENCE.fullmatch(text) is not None


async def referenced(text: str) -> str:
    """The address in the Secret block that the text names; any other text as it is.

    Raises:
        InputError: There is no such block, or it holds something other than an address. What it holds is not shown.
    """
    found = _REFERENCE.fullmatch(text)
    if found is None:
        return text
    try:
        block: Secret[Any] = await Secret.aload(found[1])
    except (ValueError, RuntimeError):
        raise InputError(message("block.no_secret", name=found[1])) from None
    address = block.get()
    # Another secret, such as a password, must not be taken for a path that an error then names.
    if not isinstance(address, str) or not _ADDRESS.fullmatch(address.strip()):
        raise InputError(message("block.secret_no_address", name=found[1]))
    return address.strip()
