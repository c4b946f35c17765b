"""The command line: a thin layer over the flows."""

from __future__ import annotations

import os
import sys

__all__ = ["main"]


def main() -> None:
    """Run the command line. A user's mistake ends in one readable message, without a traceback."""
    # Prefect reads these while it is imported. The terminal shows our own progress; the server still gets every log.
    os.environ.setdefault("PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL", "CRITICAL")
    os.environ.setdefault("PREFECT_LOGGING_TO_API_WHEN_MISSING_FLOW", "ignore")
    from prefect_seedance.cli.app import run  # noqa: PLC0415 - so that --help is answered at once

    sys.exit(run(sys.argv[1:]))
