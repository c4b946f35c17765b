"""`python -m prefect_seedance.sandbox`: run a sandbox as a server."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from prefect_seedance.sandbox.server import serve
from prefect_seedance.sandbox.settings import SandboxSettings
from prefect_seedance.sandbox.world.faults import Faults


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m prefect_seedance.sandbox", description="Emulate both providers.")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: loopback only)")
    parser.add_argument("--port", type=int, default=8765)
    parser.add_argument("--speed", type=float, default=1.0, help="10 makes a job of 30 s last 3 s")
    parser.add_argument("--seed", type=int, default=0, help="seed of all random decisions")
    parser.add_argument("--state", type=Path, help="SQLite file that keeps jobs and bill")
    parser.add_argument("--strict", action="store_true", help="also refuse what only some of the documents allow")
    parser.add_argument("--results", type=Path, help="folder of the files that the fault given_result serves")
    parser.add_argument("--faults", default="{}", help="JSON of rates and dialects, e.g. '{\"rate_limited\": 0.1}'")
    return parser


def main(arguments: list[str] | None = None) -> int:
    """Run the command and return its exit code."""
    parser = _parser()
    chosen = parser.parse_args(arguments)
    faults = Faults()
    try:
        faults.update(**json.loads(chosen.faults))
        settings = SandboxSettings(
            speed=chosen.speed,
            seed=chosen.seed,
            strict=chosen.strict,
            state_path=chosen.state,
            results=chosen.results,
        )
    except (ValueError, TypeError) as error:
        parser.error(str(error))
    keys = ", ".join(f"{key} ({name})" for key, name in settings.keys.items())
    print(f"Sandbox on http://{chosen.host}:{chosen.port}  keys: {keys}", flush=True)  # noqa: T201
    try:
        serve(settings, faults, host=chosen.host, port=chosen.port)
    except OSError as error:
        print(f"The sandbox cannot listen on {chosen.host}:{chosen.port}: {error.strerror}", file=sys.stderr)  # noqa: T201
        return 1
    except KeyboardInterrupt:
        return 0
    return 0


if __name__ == "__main__":
    sys.exit(main())
