"""What Prefect's server has as the parameters of a run: nothing that gives access may be among it.

Flows that code calls describe their parameters to the server (`table_flow`). Those of a deployment come from the
server, where every reader of its API sees them: it is too late to hide them, and the next run would store them again.
"""

from __future__ import annotations

from prefect.context import FlowRunContext

from prefect_seedance.errors import InputError
from prefect_seedance.messages import current_surface, message
from prefect_seedance.tables.secret_addresses import holds_secret

__all__ = ["refuse_secrets"]


def refuse_secrets() -> None:
    """Refuse the current run if the parameters that the server has hold an address with a password or a signature.

    Raises:
        InputError: It says which ones, and what to do instead. Nothing was read or spent.
    """
    run = FlowRunContext.get()
    if run is None or run.flow_run is None or run.flow is None:
        return
    found = [name for name, value in run.flow_run.parameters.items() if holds_secret(value)]
    if not found:
        return
    fields = run.flow.parameters.properties if current_surface() == "form" else {}
    names = [repr(str(fields.get(name, {}).get("title", name))) for name in found]
    raise InputError(message("run.secret_parameter", parameters=names))
