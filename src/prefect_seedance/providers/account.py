"""The account: one paying identity at a provider, and the protection of its key."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import SplitResult, urlsplit

from pydantic import SecretStr

from prefect_seedance.errors import InputError
from prefect_seedance.messages import message
from prefect_seedance.routes import is_loopback
from prefect_seedance.routes.pricing.spending_limit import SpendingLimit

# Shorter keys are test keys. Redacting them would also redact unrelated letters of an answer.
_SHORTEST_REDACTED_KEY = 6


@dataclass(frozen=True)
class Account:
    """One paying identity at a provider.

    Args:
        provider: `jimmy` or `anyfast`.
        label: The user's name for this identity. It stays the same when the key is rotated, so that history is kept.
        base_url: The base URL of the provider's API, for example `https://www.anyfast.ai`. Plain http is refused
            except on loopback.
        api_key: The key, without the word `Bearer`.
        refusal_codes: Error codes that, as the user knows, prove that nothing was made: the provider's own (outer or
            inner), or codes such as `http-413` for answers without a code.
        spending_limits: What it may spend in a day or a month. They do not make another account of it.

    Raises:
        InputError: If the address or the key cannot be used. The key is never part of the message.
    """

    provider: str
    label: str
    base_url: str
    api_key: SecretStr
    refusal_codes: frozenset[str] = frozenset()
    spending_limits: tuple[SpendingLimit, ...] = field(default=(), compare=False)

    def __post_init__(self) -> None:
        if not self.label.strip():
            raise InputError(message("provider.no_label"), provider=self.provider)
        key = self.api_key.get_secret_value().strip()
        _check_key(self.provider, key)
        object.__setattr__(self, "base_url", _checked_url(self.provider, self.base_url))
        object.__setattr__(self, "api_key", SecretStr(key))
        object.__setattr__(self, "refusal_codes", frozenset(self.refusal_codes))

    def __getstate__(self) -> dict[str, Any]:
        # Prefect keeps results as pickles, and no key belongs into one.
        return {**self.__dict__, "api_key": SecretStr("")}

    @property
    def identity(self) -> str:
        """The name of this account in the ledger; a new key does not change it."""
        return f"{self.provider}/{self.label}"

    @property
    def key_fingerprint(self) -> str:
        """A short hash of the key, by which the ledger tells two keys apart. The key cannot be found from it."""
        key = f"prefect-seedance\0{self.identity}\0{self.api_key.get_secret_value()}"
        return hashlib.sha256(key.encode()).hexdigest()[:12]

    @property
    def on_loopback(self) -> bool:
        """Whether the API is on this machine (the sandbox)."""
        return is_loopback(urlsplit(self.base_url).hostname or "")

    def redact(self, text: str) -> str:
        """Return the text with the key replaced by `***`, in case a provider echoed it."""
        key = self.api_key.get_secret_value()
        return text.replace(key, "***") if len(key) >= _SHORTEST_REDACTED_KEY else text

    def redact_bytes(self, body: bytes) -> bytes:
        """Do the same for the body of an answer. To be called before the body is cut or quoted."""
        key = self.api_key.get_secret_value().encode("ascii")
        return body.replace(key, b"***") if len(key) >= _SHORTEST_REDACTED_KEY else body


def _check_key(provider: str, key: str) -> None:
    if not key:
        raise InputError(message("provider.key_empty", provider=provider), provider=provider)
    if key.lower().startswith("bearer"):
        raise InputError(message("provider.key_with_bearer", provider=provider), provider=provider)
    if not (key.isascii() and key.isprintable()) or " " in key:
        raise InputError(message("provider.key_characters", provider=provider), provider=provider)


def _checked_url(provider: str, base_url: str) -> str:
    parts = _split(base_url.strip())
    if parts is None or parts.scheme not in {"http", "https"} or not parts.hostname:
        raise InputError(message("provider.url_form", provider=provider), provider=provider)
    # The error quotes none of these parts: each may contain a password.
    if parts.username is not None or parts.password is not None or parts.query or parts.fragment:
        raise InputError(message("provider.url_not_bare", provider=provider), provider=provider)
    if parts.scheme == "http" and not is_loopback(parts.hostname):
        text = message("provider.url_plain_http", provider=provider, host=parts.hostname)
        raise InputError(text, provider=provider)
    path = parts.path.rstrip("/")
    if path.endswith("/v1"):
        raise InputError(message("provider.url_path", provider=provider, path=path), provider=provider)
    return f"{parts.scheme}://{parts.netloc}{path}"


def _split(url: str) -> SplitResult | None:
    if any(character.isspace() or not character.isprintable() for character in url):
        return None
    try:
        parts = urlsplit(url)
        _ = parts.port  # reading it raises where it is invalid
    except ValueError:
        return None
    return parts
