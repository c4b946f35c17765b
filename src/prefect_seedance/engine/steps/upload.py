"""The upload step: a file becomes a link that the provider can fetch."""

from __future__ import annotations

from prefect_seedance.engine.medium import Medium
from prefect_seedance.engine.steps.file_link import bring_file

__all__ = ["upload"]


async def upload(medium: Medium) -> None:
    """Bring a medium to the provider's own file store: afterwards `medium.reference` is its link.

    Raises:
        InputError: The file cannot be read, or the provider has no file upload.
        Refused: The provider does not take the file.
        Unreachable: It did not come through; another try may help.
    """
    await bring_file(medium)
