"""Uploads a file to the provider's own file store, once per content and account."""

from __future__ import annotations

from prefect_seedance.core.clock import now
from prefect_seedance.engine.medium import Medium
from prefect_seedance.engine.steps.media.lock import held
from prefect_seedance.errors import InputError
from prefect_seedance.ledger import MaterialKey, MaterialState
from prefect_seedance.ledger.rows import materials
from prefect_seedance.messages import message

__all__ = ["upload_file"]


async def upload_file(medium: Medium) -> None:
    """Upload a medium to the provider's own file store: afterwards `medium.reference` is its link.

    Uploads cost nothing and may be repeated. A file that any run has uploaded is not uploaded again while its link is
    valid.

    Raises:
        InputError: The file cannot be read, or the provider has no file upload.
        Refused: The provider does not accept the file.
        Unreachable: The upload failed; another try may help.
    """
    session, account = medium.session, medium.settings.account
    lifetime = medium.client.dialect.upload_lifetime
    if lifetime is None:
        raise InputError(message("upload.not_offered", provider=account.provider, medium=medium.shown))
    content = await medium.content()
    key = MaterialKey(account.provider, account.label, "link", medium.kind, content.sha256)
    async with held(medium, key, content.filename) as record:
        if record.state is MaterialState.READY:
            medium.reference, medium.expires_at = record.reference, record.expires_at
            return
        uploaded = await medium.client.upload_file(content.path, filename=content.filename, mime_type=content.mime_type)
        moment = now()
        await session.ledger.write(
            materials.note,
            session.run,
            record.id,
            state=MaterialState.READY,
            reference=uploaded.url,
            bytes=content.bytes,
            made_at=moment,
            expires_at=moment + lifetime,
        )
        medium.reference, medium.expires_at = uploaded.url, moment + lifetime
