"""An automation: when it is unknown whether a video was made and paid for, a deployment of yours runs at once.

It gets the row, and can open a ticket, ask the provider, or alert a person. The events are described in
`prefect_seedance.flows.events`; `seedance.video.stored` with `{{ event.payload.video }}` starts a step for each
video in the same way.

    python examples/automation.py "on call/default"    # the deployment; it takes batch, row and message
"""

from __future__ import annotations

import sys
from datetime import timedelta

from prefect.automations import Automation, EventTrigger, Posture, RunDeployment
from prefect.client.orchestration import get_client


def when_unknown(deployment: str, batch: str = "*") -> Automation:
    """Run a deployment for each row that is unknown.

    Args:
        deployment: Its flow and name, as in `on call/default`.
        batch: Only rows of this batch; `nightly-*` means all whose names begin with `nightly-`.
    """
    with get_client(sync_client=True) as client:
        found = client.read_deployment_by_name(deployment)
    template = {
        name: {"__prefect_kind": "jinja", "template": "{{ event.payload." + name + " }}"}
        for name in ("batch", "row", "message")
    }
    return Automation(
        name=f"Unknown video: {deployment}",
        trigger=EventTrigger(
            expect={"seedance.video.unknown"},
            match_related={"prefect.resource.role": "batch", "prefect.resource.id": f"seedance.batch.{batch}"},
            for_each={"prefect.resource.id"},
            posture=Posture.Reactive,
            threshold=1,
            within=timedelta(0),
        ),
        actions=[RunDeployment(source="selected", deployment_id=found.id, parameters=template)],
    ).create()


if __name__ == "__main__":
    print(when_unknown(sys.argv[1]).id)
