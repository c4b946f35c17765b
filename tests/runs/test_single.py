"""One step of one row at a time: each opens a session of its own, and what an account refuses is remembered."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest
from pydantic import SecretStr

from prefect_seedance.accounts.account_client import account_client
from prefect_seedance.engine.run_spec import RunContext, RunSpec
from prefect_seedance.engine.steps.download import download
from prefect_seedance.engine.steps.poll import poll
from prefect_seedance.errors import InputError, InsufficientFunds, LedgerError, SeedanceError
from prefect_seedance.providers import Account, RouteSettings
from prefect_seedance.routes import VideoRequest, find
from prefect_seedance.runs.single import ENDED, MADE, STORED, carry_out, create_with_media
from prefect_seedance.sandbox import SandboxServer, SandboxSettings


async def test_an_account_without_funds_is_asked_once_while_its_client_is_open(tmp_path: Path) -> None:
    """As in `create_video.map`, which opens a session for each row: a session cannot remember it for the next one."""
    with SandboxServer(SandboxSettings(speed=200.0, funds=Decimal(0))) as sandbox:
        account = Account(provider="jimmy", label="default", base_url=sandbox.url, api_key=SecretStr("sk_sandbox"))
        settings = RouteSettings(account, find("seedance2.0-mini"), defaults=VideoRequest(duration=4))
        context = RunContext(routes=(settings,), ledger_url=f"sqlite+aiosqlite:///{tmp_path}/ledger.db")
        spec = RunSpec(batch="hand", output=str(tmp_path / "v"), patience=0)

        async def create(key: str) -> SeedanceError:
            with pytest.raises(SeedanceError) as raised:
                await carry_out(
                    create_with_media,
                    MADE,
                    spec=spec,
                    context=context,
                    key=key,
                    request=VideoRequest(prompt=f"a lamp {key}"),
                )
            return raised.value

        async with account_client(account):
            errors = [await create(key) for key in ("a", "b", "c")]
            assert {type(error) for error in errors} == {InsufficientFunds}
            assert sandbox.state.calls["jimmy.create"] == 1
        # A later call begins anew: somebody may have paid in.
        await create("d")
        assert sandbox.state.calls["jimmy.create"] == 2


async def test_a_job_is_polled_where_its_folder_cannot_be_used(tmp_path: Path) -> None:
    """Another machine may settle what was paid; only the download needs the folder, and says so in its own kind."""
    with SandboxServer(SandboxSettings(speed=200.0)) as sandbox:
        account = Account(provider="jimmy", label="default", base_url=sandbox.url, api_key=SecretStr("sk_sandbox"))
        settings = RouteSettings(
            account, find("seedance2.0-mini"), defaults=VideoRequest(duration=4, resolution="480p"), poll_seconds=0.05
        )
        context = RunContext(routes=(settings,), ledger_url=f"sqlite+aiosqlite:///{tmp_path}/ledger.db")
        spec = RunSpec(batch="hand", output=str(tmp_path / "v"), patience=600)
        request = VideoRequest(prompt="a lamp")
        await carry_out(create_with_media, MADE, spec=spec, context=context, key="a", request=request)
        (tmp_path / "v" / "hand").rmdir()
        (tmp_path / "v" / "hand").write_text("a file where the folder was")
        later = RunSpec(batch="hand", patience=600)
        ticket = await carry_out(poll, ENDED, spec=later, context=context, key="a")
        assert ticket.state == "succeeded"
        with pytest.raises(InputError):
            await carry_out(download, STORED, spec=later, context=context, key="a")
        (tmp_path / "v" / "hand").unlink()
        assert (await carry_out(download, STORED, spec=later, context=context, key="a")).state == "stored"


async def test_a_row_that_is_not_there_is_an_error_of_its_own(tmp_path: Path) -> None:
    account = Account("jimmy", "default", "http://127.0.0.1:9", SecretStr("sk_sandbox"))
    context = RunContext(
        routes=(RouteSettings(account, find("seedance2.0-mini")),), ledger_url=f"sqlite+aiosqlite:///{tmp_path}/l.db"
    )
    with pytest.raises(LedgerError, match="no such row"):
        await carry_out(create_with_media, MADE, spec=RunSpec(batch="hand", patience=0), context=context, key="nobody")
