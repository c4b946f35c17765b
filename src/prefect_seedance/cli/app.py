"""The commands."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import App, CycloptsError, Parameter

from prefect_seedance.cli.console import err, print_error
from prefect_seedance.cli.ledger_commands import ledger_app
from prefect_seedance.cli.options import Choose, Columns, Ledger, Models, OnInvalid, Prices, Routes
from prefect_seedance.errors import InputError, SeedanceError
from prefect_seedance.messages import message, use_surface

if TYPE_CHECKING:  # these take a second to load
    from prefect_seedance.blocks import RouteDefaults
    from prefect_seedance.reports.results.result import GenerateResult

__all__ = ["app", "run"]

app = App(
    name="prefect-seedance",
    help="Turn a table of prompts into paid-for, verified videos. Every video is paid for once.",
    version_flags=["--version"],
    help_format="markdown",
)
app.command(ledger_app)

FAILED = 1
WRONG_INPUT = 2
INTERRUPTED = 130


def run(arguments: Sequence[str]) -> int:
    """Run one command and return its exit code: 0 done, 1 failed, 2 wrong input, 130 interrupted."""
    with use_surface("cli"):
        return _run(arguments)


def _run(arguments: Sequence[str]) -> int:
    try:
        result = app(arguments, exit_on_error=False, print_error=True, result_action="return_value")
    except CycloptsError:
        return WRONG_INPUT
    except InputError as error:
        print_error(error)
        return WRONG_INPUT
    except SeedanceError as error:
        print_error(error)
        return FAILED
    except KeyboardInterrupt:
        err.print(str(message("cli.interrupted")), markup=False)
        return INTERRUPTED
    return result if isinstance(result, int) else 0


@app.command
def demo(folder: Path = Path(".demo"), *, keep: bool = False, speed: float = 10.0) -> int:
    """Try everything on the bundled sandbox: no key, no cost.

    Args:
        folder: The folder for the demo's files.
        keep: Keep the Prefect UI up at the end, until Ctrl-C.
        speed: How much faster than a real provider the sandbox works.
    """
    from prefect_seedance.cli.demo import run_demo  # noqa: PLC0415

    return run_demo(folder.absolute(), keep=keep, speed=speed)


@app.command
def setup(
    *,
    sandbox: str | None = None,
    prices: Prices = None,
    folder: Path = Path(),
    deploy: bool = False,
    overwrite: bool = False,
) -> int:
    """Make the connected Prefect server ready: blocks, a concurrency limit, a work pool, and the deployments.

    Keys are taken from JIMMY_API_KEY and ANYFAST_API_KEY. Run it again at any time: what exists is left unchanged.

    Args:
        sandbox: The address of a running sandbox, to try everything without a key.
        folder: The folder in which runs work: relative paths in forms start there.
        deploy: Make the deployments too.
        overwrite: Replace blocks, work pool and deployments that exist already.
    """
    from prefect_seedance.cli.setup import set_up  # noqa: PLC0415

    return set_up(sandbox=sandbox, prices=prices, folder=folder, deploy=deploy, overwrite=overwrite)


@app.command
def sandbox(
    *, host: str = "127.0.0.1", port: int = 8765, speed: float = 1.0, seed: int = 0, state: Path | None = None
) -> int:
    """Run the bundled emulator of both providers.

    Args:
        host: The address to listen on.
        port: The port.
        speed: 10 makes a job of 30 seconds last 3.
        seed: The seed of all random choices.
        state: A file that keeps the jobs and the bill.
    """
    from prefect_seedance.sandbox.__main__ import main as serve  # noqa: PLC0415

    arguments = ["--host", host, "--port", str(port), "--speed", str(speed), "--seed", str(seed)]
    return serve(arguments + (["--state", str(state)] if state else []))


@app.command
def routes() -> None:
    """List the routes, and what they accept."""
    from prefect_seedance.cli.catalogue import show_routes  # noqa: PLC0415

    show_routes()


@app.command
def check(*route: str, output: str = "videos", ledger: Ledger = None) -> int:
    """Check whether routes can be used: host, key, balance, ledger and output. Free: nothing is created or spent.

    Args:
        route: Names of saved route blocks, or models (with a key in JIMMY_API_KEY or ANYFAST_API_KEY).
        output: The folder for videos and results, or a URL; it is created if it is missing.
    """
    from prefect_seedance.cli.check import check_by_hand  # noqa: PLC0415

    if not route:
        raise InputError(message("check.no_route"))
    return check_by_hand(route, output=output, ledger=ledger)


@app.command
def quote(
    table: str,
    *,
    model: Models = None,
    route: Routes = None,
    prices: Prices = None,
    only: list[str] | None = None,
    limit: int | None = None,
    column: Columns = None,
    on_invalid: OnInvalid = "stop",
    choose: Choose = "first",
    ledger: Ledger = None,
) -> int:
    """Check a table and say what it would cost. Nothing is sent and nothing is spent.

    Args:
        table: Path or URL of a table (CSV, Excel, Parquet, JSON), or secret:NAME for a URL in a Secret block.
        only: Row ids; may be repeated. All other rows are left out.
        limit: How many rows to take, from the first on.
    """
    from prefect_seedance.cli.run import quote_table  # noqa: PLC0415

    return quote_table(
        table,
        models=model,
        blocks=route,
        prices=prices,
        columns=_columns(column),
        only=only,
        limit=limit,
        on_invalid=on_invalid,
        choose=choose,
        ledger=ledger,
    )


@app.command(name="run")
def run_table(
    table: str,
    *,
    batch: str,
    model: Models = None,
    route: Routes = None,
    output: str = "videos",
    prices: Prices = None,
    ledger: Ledger = None,
    take: str = "1",
    only: list[str] | None = None,
    limit: int | None = None,
    retry: list[str] | None = None,
    reuse: bool = False,
    column: Columns = None,
    on_invalid: OnInvalid = "stop",
    patience: float = 3600,
    max_in_flight: int | None = None,
    budget: str | None = None,
    max_charge: str | None = None,
    max_failures: float | None = None,
    choose: Choose = "first",
    fall_back_on_moderation: bool = False,
    spread: str | None = None,
) -> int:
    """Make a video for every row of a table, and pay for each one once.

    Args:
        table: Path or URL of a table (CSV, Excel, Parquet, JSON), or secret:NAME for a URL in a Secret block.
        batch: The name under which rows are kept. The same name continues, and never pays again for what it has.
        output: The folder for videos and results, or a URL such as s3://bucket/videos.
        take: Another take makes the same rows again, on purpose.
        only: Row ids; may be repeated. All other rows are left out.
        limit: How many rows to take, from the first on: a pilot.
        retry: States to be made again, and paid again: failed, refused, expired. May be repeated.
        reuse: New rows get copies of stored videos of the same request from other batches, at no cost.
        patience: Seconds to wait for a job.
        max_in_flight: Jobs of a --model at the same time, at most; default 20. A saved route has its own.
        budget: What the batch may cost over all its runs, such as "100 CNY".
        max_charge: The highest cost of one row, where no price or no upper bound is known.
        max_failures: Start no new rows once this many have failed or are unknown: a count, or a share below 1.
        fall_back_on_moderation: A row that moderation refused goes on to its next route, too.
        spread: Process the rows in other processes, such as workers:3 or dask:2; needs saved routes (--route).
    """
    from prefect_seedance.cli.run import generate_table, row_count  # noqa: PLC0415
    from prefect_seedance.flows import generate_videos  # noqa: PLC0415

    columns = _columns(column)

    def run(routes: list[RouteDefaults | str]) -> GenerateResult:
        return generate_videos(
            table,
            route=routes,
            batch=batch,
            output=output,
            ledger=ledger,
            take=take,
            only=only,
            limit=limit,
            retry=retry or [],
            reuse=reuse,
            columns=columns,
            on_invalid=on_invalid,
            patience=patience,
            budget=budget,
            max_charge=max_charge,
            max_failures=max_failures,
            choose=choose,
            fall_back_on_moderation=fall_back_on_moderation,
            spread=spread,
        )

    return generate_table(
        run, row_count(table, columns, limit), models=model, blocks=route, prices=prices, max_in_flight=max_in_flight
    )


@app.command
def status(batch: str | None = None, *, take: str | None = None, ledger: Ledger = None) -> int:
    """Show the state of all batches, or of the rows of one.

    Args:
        batch: The batch; without it, a line for each batch.
        take: Only this take.
    """
    from prefect_seedance.cli.status import show_status  # noqa: PLC0415

    return show_status(batch, take, ledger)


@app.command
def report(
    batch: str | None = None,
    *,
    ledger: Ledger = None,
    audit: Path | None = None,
    bill: Path | None = None,
    bill_job: str | None = None,
    bill_amount: str | None = None,
    bill_currency: str | None = None,
    bill_account: str | None = None,
) -> int:
    """Show what a batch has cost so far, and what is not known about it; or compare the ledger with a bill.

    Args:
        batch: The batch; with --bill: show this one only.
        audit: Write every attempt to this CSV file, for a dispute with a provider.
        bill: Compare a provider's bill (CSV, Excel, JSON) with the whole ledger, job by job.
        bill_job: The heading of the job's id in the bill.
        bill_amount: The heading of the amount in the bill.
        bill_currency: The currency of the bill's amounts, where it names none, such as CNY.
        bill_account: The account whose bill it is, such as jimmy/main.
    """
    from prefect_seedance.cli.audit import compare_bill, export_audit  # noqa: PLC0415
    from prefect_seedance.cli.status import show_report  # noqa: PLC0415

    if audit is not None:
        export_audit(batch, ledger, audit)
    if bill is not None:
        agreed = compare_bill(
            batch,
            ledger,
            bill,
            job_column=bill_job,
            amount_column=bill_amount,
            currency=bill_currency,
            account=bill_account,
        )
        return 0 if agreed else FAILED
    return 0 if audit is not None else show_report(batch, ledger)


@app.command
def resolve(
    batch: str,
    row: str,
    verdict: Literal["not_made", "lost", "job"],
    job_id: str | None = None,
    *,
    cost: str | None = None,
    take: str = "1",
    route: Routes = None,
    ledger: Ledger = None,
) -> None:
    """Settle a row whose outcome is unknown, after you have looked it up at the provider. Nothing is spent.

    Before a job is taken, the provider is asked about it, for free: with the key of a saved route, else with the one in
    the environment.

    Args:
        batch: The batch.
        row: The row id; for a billed asset request its number, as messages give it: asset:7.
        verdict: not_made: the next run makes it. lost: it was made and paid, and cannot be fetched; its cost is
            counted. job: its job id is known, and the next run fetches it.
        job_id: The provider's id of the job, for the verdict job. Without it: the job that the row's answer names.
        cost: What it cost, such as "0.25 CNY", for the verdict lost.
        take: The take.
    """
    from prefect_seedance.cli.audit import resolve_by_hand  # noqa: PLC0415

    resolve_by_hand(batch, row, verdict, job_id=job_id, cost=cost, take=take, blocks=route, url=ledger)


@app.command
def resolve_all(
    batch: str,
    verdict: Literal["not_made", "lost"],
    *,
    reason: str | None = None,
    since: str | None = None,
    until: str | None = None,
    take: str | None = None,
    yes: Annotated[bool, Parameter(negative="")] = False,
    ledger: Ledger = None,
) -> None:
    """Settle all unknown rows of a batch at once, or those of one reason or time. Nothing is sent.

    Without --yes nothing is changed: it says how many rows there are, and what they may have cost.

    Args:
        batch: The batch.
        verdict: not_made: the next run makes them, and pays. lost: they were made and paid, and cannot be fetched.
        reason: Only rows with this error code or kind, such as http-524.
        since: Only creates that were sent at this time or later, such as "2026-11-30 21:00" (UTC).
        until: Only creates that were sent before this time.
        take: Only this take.
        yes: Settle them.
    """
    from prefect_seedance.cli.audit import resolve_many_by_hand  # noqa: PLC0415

    resolve_many_by_hand(batch, verdict, reason=reason, since=since, until=until, take=take, yes=yes, url=ledger)


@app.command
def sweep(
    *,
    model: Models = None,
    route: Routes = None,
    batch: str | None = None,
    ledger: Ledger = None,
    patience: float = 600,
) -> int:
    """Fetch the videos of runs that died. Nothing is created and nothing is paid.

    Args:
        batch: Only this batch.
        patience: Seconds to wait for jobs that still run.
    """
    from prefect_seedance.cli.run import sweep_ledger  # noqa: PLC0415

    return sweep_ledger(model, route, batch=batch, ledger=ledger, patience=patience)


def _columns(pairs: list[str] | None) -> dict[str, str] | None:
    columns = {}
    for pair in pairs or []:
        name, separator, heading = pair.partition("=")
        if not separator:
            raise InputError(message("cli.bad_column", pair=pair))
        columns[name.strip()] = heading.strip()
    return columns or None
