"""The upload step: uploads a file, which gives a link that the provider can fetch."""

from __future__ import annotations

from prefect_seedance.engine.medium import Medium
from prefect_seedance.engine.steps.media.file_link import upload_file

__all__ = ["upload"]


async def upload(medium: Medium) -> None:
    """Upload a medium to the provider's own file store: afterwards `medium.reference` is its link.

    Raises:
        InputError: The file cannot be read, or the provider has no file upload.
        Refused: The provider does not accept the file.
        Unreachable: The upload failed; another try may help.
    """
    await upload_file(medium)
