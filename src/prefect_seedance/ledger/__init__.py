"""The durable record of every row, and of every request that may have cost money."""

from prefect_seedance.ledger.costs import ASSETS, CostLine, add_up, add_up_all
from prefect_seedance.ledger.db.server_driver import OUT_OF_REACH
from prefect_seedance.ledger.db.url import ledger_url, shown_url
from prefect_seedance.ledger.lease_time import LEASE_ENDED, heartbeat, lease
from prefect_seedance.ledger.ledger import Ledger
from prefect_seedance.ledger.manifest import MANIFEST, check_manifest
from prefect_seedance.ledger.records import (
    AssetRequest,
    AttemptRecord,
    Charge,
    Intent,
    Mark,
    MaterialKey,
    MaterialRecord,
    Plan,
    Proof,
    RowRecord,
)
from prefect_seedance.ledger.rows.leases import Run
from prefect_seedance.ledger.rows.resolving import Verdict
from prefect_seedance.ledger.rows.summaries import Payment, RowSummary, SharedFields, moment
from prefect_seedance.ledger.run_files import RunFile, read_run_files, remove_run_file, write_run_file
from prefect_seedance.ledger.sharing.allocations import ALL, Allocation, Demand, Member
from prefect_seedance.ledger.sharing.work_claims import Remainder, RouteKey, RowBrief
from prefect_seedance.ledger.states import RETRYABLE, TAKEABLE, MaterialState, Outcome, Settlement, State

__all__ = [
    "ALL",
    "ASSETS",
    "LEASE_ENDED",
    "MANIFEST",
    "OUT_OF_REACH",
    "RETRYABLE",
    "TAKEABLE",
    "Allocation",
    "AssetRequest",
    "AttemptRecord",
    "Charge",
    "CostLine",
    "Demand",
    "Intent",
    "Ledger",
    "Mark",
    "MaterialKey",
    "MaterialRecord",
    "MaterialState",
    "Member",
    "Outcome",
    "Payment",
    "Plan",
    "Proof",
    "Remainder",
    "RouteKey",
    "RowBrief",
    "RowRecord",
    "RowSummary",
    "Run",
    "RunFile",
    "Settlement",
    "SharedFields",
    "State",
    "Verdict",
    "add_up",
    "add_up_all",
    "check_manifest",
    "heartbeat",
    "lease",
    "ledger_url",
    "moment",
    "read_run_files",
    "remove_run_file",
    "shown_url",
    "write_run_file",
]
