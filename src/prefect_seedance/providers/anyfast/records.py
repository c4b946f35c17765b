"""Anyfast's asset records: the place of their fields in an answer, and the form of an error.

The gateway answers with a flat record. The service behind it uses `Result`, and `ResponseMetadata.Error` for errors.
The letter case of field names is ignored.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from prefect_seedance.providers import reading
from prefect_seedance.providers.answers import Answer
from prefect_seedance.providers.anyfast.errors import codes_in, read_error_body
from prefect_seedance.providers.error_body import ErrorBody
from prefect_seedance.providers.library import AssetState, AssetView, reference_of
from prefect_seedance.providers.outcome import library_error

_STATES = {
    "active": AssetState.ACTIVE,
    "failed": AssetState.FAILED,
    "failure": AssetState.FAILED,
    "error": AssetState.FAILED,
    "rejected": AssetState.FAILED,
}


def read_record(answer: Answer) -> tuple[Mapping[str, Any], Mapping[str, Any], ErrorBody | None]:
    """Return the body, the record in it, and the error body, if it is one."""
    body = reading.read_object(answer.body) or {}
    record = next((found for name in ("data", "Result", "result") if (found := reading.child(body, name))), body)
    # A failed asset is a valid answer, although it contains an error.
    if 200 <= answer.status < 300 and id_of(record) is not None and field_of(record, "status") is not None:
        return body, record, None
    return body, record, _read_error(body)


def _read_error(body: Mapping[str, Any]) -> ErrorBody | None:
    """Read an error in the gateway's form, or in that of the service behind it (`ResponseMetadata.Error`)."""
    error_body = read_error_body(body)
    behind = reading.child(body, "ResponseMetadata", "Error") or reading.child(body, "Error")
    if error_body is None and behind:
        error = {name: field_of(behind, name) for name in ("code", "message")}
        error_body = read_error_body({"error": error})
    named = codes_in(error_body.text) if error_body else ()
    return replace(error_body, codes=(*error_body.codes, *named)) if error_body and named else error_body


def read_items(answer: Answer) -> list[Mapping[str, Any]]:
    """Return the records of one page of a list."""
    _, record, error_body = read_record(answer)
    items = next((value for name, value in record.items() if name.lower() == "items"), None)
    if error_body is not None or not isinstance(items, list) or not 200 <= answer.status < 300:
        empty = error_body is None and 200 <= answer.status < 300 and field_of(record, "totalcount") == "0"
        if not empty:
            raise library_error("anyfast", answer, error_body)
        return []
    return [item for item in items if isinstance(item, dict)]


def view_of(answer: Answer, record: Mapping[str, Any], body: Mapping[str, Any], asset_id: str) -> AssetView:
    """Read the record of an asset. `Inactive` may mean "not ready yet", so it is not final by itself."""
    word = field_of(record, "status") or ""
    error = next((value for name, value in record.items() if name.lower() == "error" and isinstance(value, dict)), {})
    code, reason = field_of(error, "code"), field_of(error, "message")
    state = _STATES.get(word.lower(), AssetState.REVIEWING)
    if word.lower() == "inactive" and (code or reason):
        state = AssetState.FAILED
    failed = state is AssetState.FAILED
    return AssetView(
        asset_id=asset_id,
        state=state,
        reference=reference_of(asset_id) if state is AssetState.ACTIVE else None,
        provider_status=reading.presentable(word, 60),
        error_code=reading.presentable(code, 120) if failed and code else None,
        error_message=reading.presentable(reason) if failed and reason else None,
        request_id=reading.request_id(answer, record, body),
    )


def field_of(record: Mapping[str, Any], name: str) -> str | None:
    """Return a scalar field; the letter case of its name is ignored."""
    found = (reading.scalar(value) for key, value in record.items() if key.lower().replace("_", "") == name)
    return next((text for text in found if text is not None), None)


def id_of(record: Mapping[str, Any]) -> str | None:
    """Return the id of a record."""
    found = (reading.identifier(field_of(record, name)) for name in ("id", "assetid"))
    return next((name for name in found if name is not None), None)
