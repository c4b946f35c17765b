"""The name of a run's batch: its template, filled for the run's time, and held against the batches that there are.

Two nights never have one name, and one night never two: else the first makes nothing, or the second pays again. So the
date is that of the schedule's own time zone. A batch that was begun for the same night under another zone's date is
continued: versions before 0.2 wrote UTC's, and a schedule's zone may be changed between a run and its retry.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from prefect.context import FlowRunContext

from prefect_seedance.core.clock import now
from prefect_seedance.errors import InputError
from prefect_seedance.flows.naming import (
    LONGEST,
    batch_name,
    flow_run_id,
    is_template,
    names_elsewhere,
    needs_zone,
    time_zone,
)
from prefect_seedance.flows.schedule_zone import Occasion, Zones, current_occasion, occasion_of, zones_of
from prefect_seedance.ledger import Ledger
from prefect_seedance.ledger.rows import lookups
from prefect_seedance.ledger.rows.lookups import BatchBeginning
from prefect_seedance.messages import Message, message

__all__ = ["RunBatchName", "name_of_run", "run_name", "settled_name"]


@dataclass(frozen=True, slots=True)
class RunBatchName:
    """The name of a run's batch.

    Attributes:
        template: As the user wrote it.
        name: Filled for the run's time.
        occasion: The run's time; None for a name without a time.
        zones: Where the zone comes from; None where the template names it.
    """

    template: str
    name: str
    occasion: Occasion | None = None
    zones: Zones | None = None

    def at(self, occasion: Occasion) -> str:
        """The name that another time has in the same zone."""
        zone = self.zones.names[0] if self.zones else "UTC"
        return batch_name(self.template, occasion.time, time_zone(zone))

    def explained(self) -> Message | None:
        """Which time the name has and by which time zone; None for a name without a time."""
        if self.occasion is None:
            return None
        if self.zones is None:
            return message("batch.zone_in_name", name=self.name, time=f"{self.occasion.time:%Y-%m-%d %H:%M}")
        zone = self.zones.names[0]
        local = f"{self.occasion.time.astimezone(time_zone(zone)):%Y-%m-%d %H:%M}"
        return message("batch.time_in_name", name=self.name, time=local, zone=zone, source=_SOURCES[self.zones.source])


_SOURCES = {
    "schedule": message("batch.zone_of_schedule"),
    "deployment": message("batch.zone_of_deployment"),
    "none": message("batch.zone_without_schedule"),
}


def name_of_run(template: str) -> RunBatchName:
    """The batch's name for the current flow run. It asks Prefect where the template needs it.

    Raises:
        InputError: The name cannot be used, or its time zone cannot be known.
    """
    if not is_template(template):
        return RunBatchName(template, batch_name(template, now()))
    occasion = current_occasion()
    if not needs_zone(template):
        return RunBatchName(template, batch_name(template, occasion.time), occasion)
    zones = zones_of(occasion)
    names = {zone: batch_name(template, occasion.time, time_zone(zone)) for zone in zones.names}
    if len(set(names.values())) > 1:
        raise InputError(message("batch.several_zones", name=template, names=[f"{names[z]} ({z})" for z in names]))
    return RunBatchName(template, names[zones.names[0]], occasion, zones)


def run_name() -> str:
    """The name of a flow run: its action and its batch."""
    context = FlowRunContext.get()
    batch = str(((context.parameters if context else None) or {}).get("batch", ""))
    try:
        return f"generate {name_of_run(batch).name}"
    except InputError:
        return f"generate {batch[:LONGEST]}"


async def settled_name(named: RunBatchName, ledger_url: str) -> tuple[str, list[Message]]:
    """The name under which the run works, and what the user should know of it."""
    if named.occasion is None:
        return named.name, []
    ledger = await Ledger.open(ledger_url)
    try:
        names = {named.name, *names_elsewhere(named.template, named.occasion.time)}
        begun = await ledger.read(lookups.batches_begun, names)
    finally:
        await ledger.close()
    return await asyncio.to_thread(_choose, named, begun, flow_run_id()) if begun else (named.name, [])


def _choose(named: RunBatchName, begun: Sequence[BatchBeginning], own: str | None) -> tuple[str, list[Message]]:
    ours = [each.name for each in begun if own in each.flow_run_ids]
    if named.name in ours:
        return named.name, []
    same = next((each for each in begun if each.name == named.name), None)
    if not ours and same is not None:
        return named.name, _taken(named, same)
    if not ours:
        ours = [each.name for each in begun if _is_for_the_same(named, each)]
    if not ours:
        return named.name, []
    return ours[0], [message("batch.continued_under", name=named.name, continued=ours[0])]


def _is_for_the_same(named: RunBatchName, begun: BatchBeginning) -> bool:
    """Whether a batch of another name was begun for a time that has this run's name. Unknown times count as begun."""
    found = occasion_of(begun.flow_run_ids[0]) if begun.flow_run_ids else None
    if found is None:
        return named.at(Occasion(begun.began_at)) == named.name
    ours, theirs = named.occasion.deployments if named.occasion else set(), found.deployments
    return named.at(found) == named.name and (not ours or not theirs or bool(ours & theirs))


def _taken(named: RunBatchName, begun: BatchBeginning) -> list[Message]:
    """A warning where this name was given to another night, by its date in UTC: this run makes only what is new."""
    found = occasion_of(begun.flow_run_ids[0]) if begun.flow_run_ids else None
    if found is None or named.at(found) == named.name or names_elsewhere(named.template, found.time)[0] != named.name:
        return []
    return [message("batch.name_taken", name=named.name, time=f"{found.time:%Y-%m-%d %H:%M}")]
