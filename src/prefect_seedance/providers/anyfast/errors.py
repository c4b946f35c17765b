"""Anyfast's errors: their three forms and their kinds. One form contains the upstream's error as a JSON text."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from prefect_seedance.providers import reading
from prefect_seedance.providers.error_body import ErrorBody, ErrorKind, kind_of_text

_DEEPEST = 5
_LONGEST_NESTED = 16 * 1024
_SUCCESS = frozenset({"success", "ok", "0", "200", "20000"})

# The gateway's own codes; the last four are known from installations of the same software.
_GATEWAY = {
    "invalid_api_key": ErrorKind.KEY,
    "model_not_found": ErrorKind.REFUSED,
    "insufficient_quota": ErrorKind.FUNDS,
    "insufficient_user_quota": ErrorKind.FUNDS,
    "pre_consume_token_quota_failed": ErrorKind.FUNDS,
    "task_not_exist": ErrorKind.GONE,
}
_RELAYS = frozenset({"fail_to_fetch_task"})
# Raised by the gateway before it calls any upstream. (`get_channel_failed` comes after a first call.)
_BEFORE_DISPATCH = frozenset({"model_not_found"})
# Codes of the upstream's create that its error lists describe as refusals (the part before the first dot).
_UPSTREAM_REFUSALS = frozenset(
    {
        "missingparameter",
        "invalidparameter",
        "invalidendpoint",
        "invalidargumenterror",
        "contentsecuritydetectionerror",
        "notfound",
        "unsupportedmodel",
        "modelnotopen",
    }
)
_UPSTREAM_LIMITS = frozenset({"quotaexceeded", "ratelimitexceeded", "requestbursttoofast"})
_REFUSING_TYPE = re.compile(r"bad_?request|invalid_?request|not_?found|forbidden|unauthorized", re.IGNORECASE)
_CODE_IN_TEXT = re.compile(r"\[([A-Z][A-Za-z]+(?:\.\w+)*)\]")


@dataclass(frozen=True)
class _Layer:
    code: str | None
    type: str | None
    text: str


@dataclass(frozen=True)
class Reason:
    """Why a job failed.

    Attributes:
        codes: The codes from the outside in.
        text: The innermost message.
    """

    codes: tuple[str, ...]
    text: str

    @property
    def code(self) -> str | None:
        """The innermost code."""
        return self.codes[-1] if self.codes else None


def is_error(body: Mapping[str, Any]) -> bool:
    """Whether an answer says that it is an error, in any form."""
    code = reading.scalar(body.get("code"))
    return bool(body.get("error")) or (code is not None and code.lower() not in _SUCCESS)


def read_error_body(body: Mapping[str, Any] | None) -> ErrorBody | None:
    """Read an error in the gateway's own form, or return None.

    The forms: `{"error": {code, message, type?}}`; `{code, message, data: null}` with a JSON text as the message;
    the same with plain words.
    """
    if body is None or not is_error(body):
        return None
    wrapped = body.get("error")
    if not isinstance(wrapped, dict) and not isinstance(body.get("message"), (str, dict)):
        return None
    layers = _layers(body)
    if not any(layer.code or layer.text for layer in layers):
        return None
    codes = tuple(layer.code for layer in layers if layer.code)
    kind, relayed = _kind(layers)
    undispatched = layers[0].code in _BEFORE_DISPATCH
    return ErrorBody(kind, codes, layers[-1].text, relayed=relayed, undispatched=undispatched)


def read_reason(task: Mapping[str, Any], body: Mapping[str, Any], upstream: Mapping[str, Any]) -> Reason:
    """Read why a job failed: `fail_reason`, plain or nested, else the error of the first layer that has one."""
    found: list[_Layer] = []
    text = reading.first(("fail_reason",), task, body)
    if text is not None:
        found = _layers({"message": text})
    for source in (upstream, task, body):
        if not any(layer.code for layer in found) and source.get("error"):
            found += _layers({"error": source["error"]})
    if not found and (text := reading.first(("message",), task, body)) is not None:
        found = _layers({"message": text})
    codes = tuple(layer.code for layer in found if layer.code)
    words = next((layer.text for layer in reversed(found) if layer.text), "")
    return Reason(codes or codes_in(words), words)


def _layers(body: Mapping[str, Any]) -> list[_Layer]:
    """Return the layers of an error from the outside in; at least one."""
    layers: list[_Layer] = []
    current: Mapping[str, Any] | None = body
    while current is not None and len(layers) < _DEEPEST:
        error = current.get("error")
        source: Mapping[str, Any] = {"message": error} if isinstance(error, str) and error else current
        source = error if isinstance(error, dict) and error else source
        message = source.get("message")
        text = reading.scalar(message) or ""
        layers.append(_Layer(reading.scalar(source.get("code")), reading.scalar(source.get("type")), text))
        current = message if isinstance(message, dict) else _nested(text)
    return layers


def _nested(text: str) -> dict[str, Any] | None:
    """Return the JSON object in a message, perhaps after other text."""
    start = text.find("{")
    if start < 0 or len(text) > _LONGEST_NESTED:
        return None
    found = reading.read_object(text[start : text.rfind("}") + 1])
    return found if found and ({"error", "message"} & found.keys()) else None


def codes_in(text: str) -> tuple[str, ...]:
    """Return the code in brackets in a message: `[NotFound.asset_id] …`."""
    found = _CODE_IN_TEXT.search(text)
    return (found.group(1),) if found else ()


def _kind(layers: list[_Layer]) -> tuple[ErrorKind, bool]:
    """Return the kind of the error, and whether it was relayed."""
    outer, inner = layers[0], layers[-1]
    relayed = len(layers) > 1 or (outer.code or "") in _RELAYS or "upstream" in (outer.type or "").lower()
    if relayed:
        own = inner if len(layers) > 1 else _Layer(None, None, outer.text)
        return _relayed_kind(own), True
    known = _GATEWAY.get(outer.code or "")
    words = " ".join(filter(None, (outer.code, outer.type, outer.text)))
    if known is not None:
        # An exhausted key is refused with the same status, and perhaps the same code, as a wrong one.
        funds = known is ErrorKind.KEY and kind_of_text(outer.text) is ErrorKind.FUNDS
        return (ErrorKind.FUNDS if funds else known), False
    return kind_of_text(words), False


def _relayed_kind(inner: _Layer) -> ErrorKind:
    """Return the kind of an upstream error: only a code or a type that is clearly a refusal proves anything."""
    codes = (inner.code,) if inner.code else codes_in(inner.text)
    head = codes[0].split(".")[0].lower() if codes else ""
    if "sensitivecontent" in head or "riskdetection" in head:
        return ErrorKind.MODERATED
    if head in _UPSTREAM_LIMITS:
        return ErrorKind.LIMITED
    if head in _UPSTREAM_REFUSALS:
        return ErrorKind.REFUSED
    words = kind_of_text(" ".join(filter(None, (head, inner.type, inner.text))))
    refusing_number = head in {"400", "401", "403", "404", "422"}
    if words is ErrorKind.TROUBLE or not (refusing_number or _REFUSING_TYPE.search(inner.type or "")):
        return ErrorKind.TROUBLE
    # An upstream error about keys or funds is about those of the provider, not of the user.
    return words if words in {ErrorKind.MODERATED, ErrorKind.LIMITED} else ErrorKind.REFUSED
