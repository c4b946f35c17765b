"""The commands."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

from cyclopts import App, CycloptsError, Parameter

from prefect_seedance.cli.console import err, tell_error
from prefect_seedance.errors import SeedanceError, UserMistake

__all__ = ["app", "run"]

app = App(
    name="prefect-seedance",
    help="Turn a table of prompts into paid-for, verified videos. Every video is paid for once.",
    version_flags=["--version"],
    help_format="markdown",
)

FAILED = 1
MISTAKE = 2
INTERRUPTED = 130

Routes = Annotated[list[str] | None, Parameter(name=["--route"], help="Name of a saved route block; may be repeated.")]
Models = Annotated[
    list[str] | None,
    Parameter(
        name=["--model"], help="A model; the key is taken from JIMMY_API_KEY or ANYFAST_API_KEY. May be repeated."
    ),
]
Prices = Annotated[Path | None, Parameter(help="Your prices, as JSON: {currency, prices: {billing model: price}}.")]
Columns = Annotated[
    list[str] | None,
    Parameter(name=["--column"], help="Your heading of one of our columns: prompt=文案. May be repeated."),
]
Ledger = Annotated[str | None, Parameter(help="The ledger's URL or file; default as for generate_videos.")]
OnInvalid = Annotated[
    Literal["stop", "skip"], Parameter(help="Whether rows that break a rule stop everything, or are left out.")
]


def run(arguments: Sequence[str]) -> int:
    """Run one command and return its exit code: 0 done, 1 failed, 2 a mistake in the input."""
    try:
        result = app(arguments, exit_on_error=False, print_error=True, result_action="return_value")
    except CycloptsError:
        return MISTAKE
    except UserMistake as error:
        tell_error(error)
        return MISTAKE
    except SeedanceError as error:
        tell_error(error)
        return FAILED
    except KeyboardInterrupt:
        err.print("Interrupted. What is paid is in the ledger: run the same command again, and it goes on.")
        return INTERRUPTED
    return result if isinstance(result, int) else 0


@app.command
def demo(folder: Path = Path(".demo"), *, keep: bool = False, speed: float = 10.0) -> int:
    """Try everything on the bundled sandbox: no key, no cost.

    Args:
        folder: Where the demo keeps its files.
        keep: Keep the Prefect UI up at the end, until Ctrl-C.
        speed: How much faster than a real provider the sandbox works.
    """
    from prefect_seedance.cli.demo import run_demo  # noqa: PLC0415

    return run_demo(folder.absolute(), keep=keep, speed=speed)


@app.command
def sandbox(
    *, host: str = "127.0.0.1", port: int = 8765, speed: float = 1.0, seed: int = 0, state: Path | None = None
) -> int:
    """Run the bundled emulator of both providers.

    Args:
        host: The address to listen on.
        port: The port.
        speed: 10 makes a job of 30 seconds last 3.
        seed: Decides all chances.
        state: A file that remembers jobs and bill.
    """
    from prefect_seedance.sandbox.__main__ import main as serve  # noqa: PLC0415

    arguments = ["--host", host, "--port", str(port), "--speed", str(speed), "--seed", str(seed)]
    return serve(arguments + (["--state", str(state)] if state else []))


@app.command
def routes() -> None:
    """List the routes that can be bought, and what they take."""
    from prefect_seedance.cli.catalogue import show_routes  # noqa: PLC0415

    show_routes()


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
) -> int:
    """Check a table and say what it would cost. Nothing is sent and nothing is spent.

    Args:
        table: Path or URL of a table (CSV, Excel, Parquet, JSON).
        only: Row ids; may be repeated. All other rows are left out.
        limit: Only the first so many rows.
    """
    from prefect_seedance.cli.running import quote_table  # noqa: PLC0415

    return quote_table(
        table,
        models=model,
        blocks=route,
        prices=prices,
        columns=_columns(column),
        only=only,
        limit=limit,
        on_invalid=on_invalid,
    )


@app.command(name="run")
def run_table(
    table: str,
    *,
    batch: str,
    model: Models = None,
    route: Routes = None,
    output: Path = Path("videos"),
    prices: Prices = None,
    ledger: Ledger = None,
    take: str = "1",
    only: list[str] | None = None,
    limit: int | None = None,
    retry: list[str] | None = None,
    column: Columns = None,
    on_invalid: OnInvalid = "stop",
    patience: float = 3600,
    max_in_flight: int = 20,
) -> int:
    """Make a video for every row of a table, and pay for each one once.

    Args:
        table: Path or URL of a table (CSV, Excel, Parquet, JSON).
        batch: The name under which rows are kept. The same name continues, and never pays again for what it has.
        output: The folder for videos and results.
        take: Another take makes the same rows anew, on purpose.
        only: Row ids; may be repeated. All other rows are left out.
        limit: Only the first so many rows: a pilot.
        retry: States to be made anew, and paid again: failed, refused, expired. May be repeated.
        patience: Seconds to wait for a job.
        max_in_flight: Jobs of a route at the same time, at most.
    """
    from prefect_seedance.cli.running import generate_table  # noqa: PLC0415

    options: dict[str, Any] = {
        "batch": batch,
        "output": output,
        "ledger": ledger,
        "take": take,
        "only": only,
        "limit": limit,
        "retry": retry or [],
        "columns": _columns(column),
        "on_invalid": on_invalid,
        "patience": patience,
    }
    return generate_table(
        table, models=model, blocks=route, prices=prices, max_in_flight=max_in_flight, options=options
    )


@app.command
def status(batch: str | None = None, *, take: str | None = None, ledger: Ledger = None) -> int:
    """Show where the batches stand, or the rows of one.

    Args:
        batch: The batch; without it, all of them in short.
        take: Only this take.
    """
    from prefect_seedance.cli.looking import show_status  # noqa: PLC0415

    return show_status(batch, take, ledger)


@app.command
def report(batch: str, *, ledger: Ledger = None) -> int:
    """Show what a batch has cost so far, and what is not known about it.

    Args:
        batch: The batch.
    """
    from prefect_seedance.cli.looking import show_report  # noqa: PLC0415

    return show_report(batch, ledger)


def _columns(pairs: list[str] | None) -> dict[str, str] | None:
    columns = {}
    for pair in pairs or []:
        name, separator, heading = pair.partition("=")
        if not separator:
            raise UserMistake(f"--column {pair!r}: expected our name and your heading, as in prompt=文案.")
        columns[name.strip()] = heading.strip()
    return columns or None
