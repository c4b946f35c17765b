from __future__ import annotations

import pickle

import pytest
from pydantic import SecretStr

from prefect_seedance.errors import InputError
from prefect_seedance.providers import Account

KEY = "sk-0123456789abcdef"


def account(base_url: str = "https://www.anyfast.ai", key: str = KEY, label: str = "default") -> Account:
    return Account("anyfast", label, base_url, SecretStr(key))


def test_identity_survives_a_new_key() -> None:
    assert account().identity == account(key="sk-another-key").identity == "anyfast/default"


def test_key_is_not_shown() -> None:
    one = account()
    assert KEY not in repr(one)
    assert KEY not in str(one)
    assert hash(one) == hash(account())


def test_key_stays_out_of_pickles() -> None:
    kept = pickle.dumps(account())
    assert KEY.encode() not in kept
    again = pickle.loads(kept)
    assert (again.identity, again.base_url, again.api_key.get_secret_value()) == (
        "anyfast/default",
        "https://www.anyfast.ai",
        "",
    )


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("https://www.anyfast.ai/", "https://www.anyfast.ai"),
        (" https://www.anyfast.ai ", "https://www.anyfast.ai"),
        ("https://gateway.example/anyfast/", "https://gateway.example/anyfast"),
        ("https://www.anyfast.ai:8443", "https://www.anyfast.ai:8443"),
        ("http://127.0.0.1:8765", "http://127.0.0.1:8765"),
        ("http://127.8.9.1", "http://127.8.9.1"),
        ("http://localhost:1", "http://localhost:1"),
        ("http://[::1]:1", "http://[::1]:1"),
    ],
)
def test_addresses_that_can_be_used(given: str, kept: str) -> None:
    assert account(given).base_url == kept


@pytest.mark.parametrize(
    "given",
    [
        "http://www.anyfast.ai",
        "http://127.0.0.1.example.com",
        "http://localhost.example.com",
        "http://10.0.0.1",
        "www.anyfast.ai",
        "ftp://www.anyfast.ai",
        "https://",
        "https://www.any fast.ai",
        "https://[::1",
        "https://host:port",
        "https://host:99999",
        "https://user:secret@www.anyfast.ai",
        "https://www.anyfast.ai/?token=secret",
        "https://www.anyfast.ai/#x",
        "https://www.anyfast.ai/v1",
        "https://www.jimmyai.cn/api/open-api/v1/",
        "",
    ],
)
def test_addresses_that_are_refused(given: str) -> None:
    with pytest.raises(InputError) as caught:
        account(given)
    assert KEY not in str(caught.value)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("key", ["", "  ", "Bearer sk-123456", "bearer", "sk 123456", "sk-12\n3456", "sk-密钥", "sk_…"])
def test_keys_that_cannot_be_keys(key: str) -> None:
    with pytest.raises(InputError) as caught:
        account(key=key)
    assert "123456" not in str(caught.value)


def test_a_key_read_from_a_file_loses_its_line_break() -> None:
    assert account(key=f"{KEY}\n").api_key.get_secret_value() == KEY


def test_a_label_is_needed() -> None:
    with pytest.raises(InputError, match="label"):
        account(label=" ")


def test_redaction() -> None:
    assert account().redact(f"no {KEY}, no {KEY}!") == "no ***, no ***!"
    assert account().redact_bytes(f"no {KEY}".encode()) == b"no ***"
    assert account(key="k").redact("a k in a book") == "a k in a book"
