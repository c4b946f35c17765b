"""The sandbox emulates the APIs of both providers on one port, for trying and testing without spending.

It is written from the providers' documents only, and shares no code with the rest of the package.
"""

from prefect_seedance.sandbox.app import build_app
from prefect_seedance.sandbox.server import SandboxServer, serve
from prefect_seedance.sandbox.settings import SandboxSettings
from prefect_seedance.sandbox.world.bill import BillLine
from prefect_seedance.sandbox.world.faults import Faults
from prefect_seedance.sandbox.world.job import Job
from prefect_seedance.sandbox.world.state import State

__all__ = ["BillLine", "Faults", "Job", "SandboxServer", "SandboxSettings", "State", "build_app", "serve"]
