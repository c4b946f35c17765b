"""Which addresses hold a secret, and what becomes of the cells that do."""

from __future__ import annotations

import pandas as pd
import pytest

from prefect_seedance.tables.secret_addresses import frame_without_secrets, holds_secret, without_secrets
from tests.core.test_redaction import ADDRESSES, SECRET

PLAIN = [
    "https://docs.google.com/spreadsheets/d/1BxiMVs0XRA5nFMdKvBdBZjgmUUqptlbs74OgvE2upms/export?format=csv&gid=0",
    "https://drive.google.com/uc?export=download&id=1BxiMVs0XRA5nFMdKvBdBZjgmUUqptlbs74OgvE2upms",
    "https://img.example.com/a.jpg?x-oss-process=image/resize,w_100",
    "https://raw.githubusercontent.com/o/r/0123456789abcdef0123456789abcdef01234567/t.csv",
    "https://cdn.example.com/x@2x.png?w=800&h=600&v=3",
    "s3://bucket/t.csv?versionId=3sL4kqtJlcpXroDTDmJ+rmSpXd3dIbrHY+MTRCxf3vjVBH40Nr8X8gdRQBpUMLUo",
    "abfs://container@account.dfs.core.windows.net/t.csv",
    "postgresql+asyncpg://seedance@db/seedance",
    "/data/prompts?.csv",
    "what is this? see https://example.com/page",
    "secret:my-table",
]


@pytest.mark.parametrize("address", [each for each in ADDRESSES if not each.startswith("data:")])
def test_signatures_tokens_and_passwords_are_known(address):
    for value in (address, f"see {address}", [address], {"a": {"b": [address]}}, {address: 1}):
        assert holds_secret(value)
    assert SECRET not in str(without_secrets(address))
    assert SECRET not in str(without_secrets([f"see {address}", {"x": address}]))


@pytest.mark.parametrize("address", PLAIN)
def test_an_ordinary_query_is_no_secret(address):
    assert not holds_secret([address])
    assert without_secrets(address) is address


def test_only_cells_with_a_secret_are_changed():
    signed = f"https://host/a.png?sig={SECRET}&w=3"
    frame = pd.DataFrame({"id": [1, 2], "images": [signed, PLAIN[0]], "more": [[signed], None]}, index=["x", "y"])
    cleaned = frame_without_secrets(frame)
    assert cleaned["images"].tolist() == ["https://host/a.png", PLAIN[0]]
    assert cleaned["more"].tolist() == [["https://host/a.png"], None]
    assert list(cleaned.index) == ["x", "y"]
    assert frame.loc["x", "images"] == signed
    plain = frame[["id"]]
    assert frame_without_secrets(plain) is plain
