"""Whether a route can be used, found out for free: host, key, balance, ledger and output. Nothing is created."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from prefect_seedance.errors import AuthenticationError, InputError, InsufficientFunds, SeedanceError, Unreachable
from prefect_seedance.ledger import MANIFEST, Ledger
from prefect_seedance.ledger.rows import lookups
from prefect_seedance.media import open_storage
from prefect_seedance.messages import Message, listing, message
from prefect_seedance.providers import Account, ProviderClient, RouteSettings
from prefect_seedance.runs.ledger_check import compare

__all__ = ["Finding", "check", "check_first"]


@dataclass(frozen=True, slots=True)
class Finding:
    """What a check has found about one subject.

    Attributes:
        about: The account or the place.
        subject: What was checked: `host` is whether the provider's API answers there in its own form.
        verdict: `ok`, `failed`, or `not known` where it could not be checked.
        text: The finding in words.
        error: What failed.
    """

    about: str
    subject: Literal["host", "key", "balance", "ledger", "output"]
    verdict: Literal["ok", "failed", "not known"]
    text: Message | str
    error: SeedanceError | None = None


async def check(
    routes: Iterable[RouteSettings], *, ledger_url: str | None = None, output: str | None = None
) -> list[Finding]:
    """Check routes, and where given the ledger and the output folder. Free; nothing is created at a provider.

    Args:
        routes: The routes; each account is asked once.
        ledger_url: The ledger.
        output: The output folder or URL; it is created if it is missing.
    """
    accounts = list(dict.fromkeys(settings.account for settings in routes))
    asked = await asyncio.gather(*(_account(account) for account in accounts))
    return [*(finding for findings in asked for finding in findings), *await _places(ledger_url, output)]


async def check_first(routes: Sequence[RouteSettings]) -> list[Finding]:
    """What a run that was started from a form does first: a wrong address or key is found before anything is prepared.

    Returns:
        What failed at further routes, or may pass by itself: the run goes on.

    Raises:
        InputError: The first route's host is not its provider's, or its key is not accepted. Nothing was spent.
    """
    failures = [finding for finding in await check(routes) if finding.verdict == "failed"]
    for finding in failures:
        if finding.about == routes[0].account.identity and not isinstance(
            finding.error, Unreachable | InsufficientFunds
        ):
            raise InputError(message("check.not_started", account=finding.about, reason=finding.text))
    return failures


async def _account(account: Account) -> list[Finding]:
    async with ProviderClient(account) as client:
        name = account.identity
        try:
            await client.ask_free()
        except SeedanceError as error:
            return [
                Finding(name, "host", "failed", error.text, error),
                Finding(name, "key", "not known", message("check.not_asked")),
            ]
        found = [Finding(name, "host", "ok", message("check.host", provider=account.provider, url=account.base_url))]
        try:
            balance = (await client.balance()).raw
        except (AuthenticationError, InsufficientFunds) as error:
            return [*found, Finding(name, "key", "failed", error.text, error)]
        except SeedanceError as error:
            return [*found, Finding(name, "key", "not known", error.text, error)]
    found.append(Finding(name, "key", "ok", message("check.key")))
    if not balance:
        return [*found, Finding(name, "balance", "not known", message("check.no_balance", provider=account.provider))]
    fields = listing(f"{field} {value}" for field, value in balance.items())
    return [*found, Finding(name, "balance", "ok", message("check.balance", fields=fields))]


async def _places(ledger_url: str | None, output: str | None) -> list[Finding]:
    if ledger_url is None:
        return []
    try:
        ledger = await Ledger.open(ledger_url)
    except SeedanceError as error:
        return [Finding("ledger", "ledger", "failed", error.text, error)]
    try:
        batches = len(await ledger.read(lookups.batch_names))
        text = message("check.ledger", place=ledger.shown_url, batches=batches)
        found = [Finding("ledger", "ledger", "ok", text)]
        if output is not None:
            found.append(await _output(output, ledger))
    except SeedanceError as error:
        found = [Finding("ledger", "ledger", "failed", error.text, error)]
    finally:
        await ledger.close()
    return found


async def _output(output: str, ledger: Ledger) -> Finding:
    try:
        storage = open_storage(output)
        await asyncio.to_thread(storage.ensure)
        known = await asyncio.to_thread(storage.read, MANIFEST)
        if known is not None:  # a check leaves no manifest behind: that is for the first run
            await compare(ledger, storage)
    except SeedanceError as error:
        return Finding("output", "output", "failed", error.text, error)
    text = (
        message("check.output_known", place=storage.shown)
        if known is not None
        else message("check.output", place=storage.shown)
    )
    return Finding("output", "output", "ok", text)
