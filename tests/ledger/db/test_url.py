from __future__ import annotations

from pathlib import Path
from urllib.parse import unquote

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from prefect_seedance.errors import InputError, LedgerError
from prefect_seedance.ledger import Ledger, ledger_url, shown_url

HOME = Path("/home/someone/.prefect")


def test_the_given_ledger_comes_before_the_environment_and_that_before_home(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PREFECT_SEEDANCE_LEDGER", raising=False)
    assert ledger_url(None, HOME) == "sqlite+aiosqlite:////home/someone/.prefect/seedance-ledger.db"
    monkeypatch.setenv("PREFECT_SEEDANCE_LEDGER", "postgresql+asyncpg://u:p@host/db")
    assert ledger_url(None, HOME) == "postgresql+asyncpg://u:p@host/db"
    assert ledger_url("sqlite:////data/l.db", HOME) == "sqlite+aiosqlite:////data/l.db"


@pytest.mark.parametrize("name", ["l.db", "what? 100%.db", "a%20b.db", "账本#1.db", "a&b=c.db"])
async def test_a_path_is_that_very_file(tmp_path: Path, name: str) -> None:
    url = ledger_url(str(tmp_path / name), HOME)
    await (await Ledger.open(url)).close()
    assert (tmp_path / name).is_file()
    assert shown_url(url).endswith(name)


async def test_a_file_in_a_url_is_percent_decoded(tmp_path: Path) -> None:
    """SQLAlchemy 2.1 read it so, and 2.0 does not: a ledger that was made with 2.1 is still found."""
    await (await Ledger.open(f"sqlite+aiosqlite:///{tmp_path}/a%20ledger%3F.db")).close()
    assert (tmp_path / "a ledger?.db").is_file()


@given(st.text(st.characters(codec="utf-8", categories=("L", "N", "P", "S")), max_size=20))
def test_no_spelling_of_a_password_is_ever_shown(secret: str) -> None:
    password = f"§{secret}¶"  # with two marks that no text of ours has in it
    quoted = sa.URL.create("postgresql+asyncpg", "u", password, "db.example", 5432, "x").render_as_string(
        hide_password=False
    )
    spellings = [
        quoted,
        f"postgresql+asyncpg://u:{password}@db.example/x",
        f"postgresql+asyncpg://u:{password}@db.example:port/x",
        f"postgresql+asyncpg://db.example/x?user=u&password={password}",
        f"u:{password}@db.example",
    ]
    for url in spellings:
        shown = unquote(shown_url(url))
        assert "§" not in shown
        assert "¶" not in shown  # nor its rest, where an @ cuts it in two


@pytest.mark.parametrize(
    "url",
    [
        "nonsense",
        "sqlite+aiosqlite://",
        "sqlite+aiosqlite:///:memory:",
        "sqlite+aiosqlite:///file:x?mode=memory&uri=true",
        "postgresql+asyncpg://u:geheim@host:port/db",
        "postgresql+asyncpg://u:ge@heim@host/db",
        "nosuch+driver://u:geheim@host/db",
        "sqlite+pysqlite:///l.db",
    ],
)
async def test_a_url_that_cannot_serve_is_told_before_anything_is_spent(url: str) -> None:
    with pytest.raises(InputError, match=r"cannot be used as a ledger URL.*Nothing was spent") as text:
        await Ledger.open(url)
    assert "heim" not in str(text.value)


async def test_a_server_that_is_not_there(unused_tcp_port: int) -> None:
    pytest.importorskip("asyncpg")
    with pytest.raises(LedgerError, match="cannot be opened") as text:
        await Ledger.open(f"postgresql+asyncpg://u:geheim@127.0.0.1:{unused_tcp_port}/db")
    assert "geheim" not in str(text.value)
