"""Sharing an account's limits: a process without contact to the others sends nothing, and waits for no other."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from prefect_seedance.accounts.account_client import account_client
from prefect_seedance.accounts.shared_limits import shared_limits
from prefect_seedance.errors import LedgerError
from prefect_seedance.ledger import OUT_OF_REACH, Ledger
from prefect_seedance.ledger.sharing import allocations
from prefect_seedance.providers import Account
from tests.patience import patience

ACCOUNT = Account("jimmy", "default", "http://127.0.0.1:9", SecretStr("sk_sandbox"))


@pytest.mark.parametrize("trouble", [LedgerError("It is away.", code=OUT_OF_REACH), ValueError("unforeseen")])
async def test_a_ledger_that_stays_away_is_told_and_nobody_waits_for_ever(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, trouble: Exception
) -> None:
    ledger, lost = await Ledger.open(f"sqlite+aiosqlite:///{tmp_path}/ledger.db"), []

    write = ledger.write

    async def away(operation: Any, *arguments: object) -> object:
        if operation is allocations.allocate:
            raise trouble
        return await write(operation, *arguments)

    async with account_client(ACCOUNT) as opened, asyncio.timeout(patience()):
        async with shared_limits(ledger, [opened], lost.append), opened.limiter.slot("m", 1):
            assert lost == []
        monkeypatch.setattr(ledger, "write", away)
        async with shared_limits(ledger, [opened], lost.append), opened.limiter.slot("m", 1):
            assert lost == [trouble]
    await ledger.close()


async def test_a_ledger_in_trouble_for_a_moment_is_asked_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ledger, lost, asked = await Ledger.open(f"sqlite+aiosqlite:///{tmp_path}/ledger.db"), [], []
    write = ledger.write

    async def moody(operation: Any, *arguments: object) -> object:
        if operation is allocations.allocate:
            asked.append(arguments)
            if len(asked) == 1:
                raise LedgerError("It is locked.")
        return await write(operation, *arguments)

    monkeypatch.setattr(ledger, "write", moody)
    async with (
        asyncio.timeout(patience()),
        account_client(ACCOUNT) as opened,
        shared_limits(ledger, [opened], lost.append),
        opened.limiter.slot("m", 1),
    ):
        assert len(asked) >= 2
    assert lost == []
    await ledger.close()
