"""A process that serves `generate_videos` as a deployment, as `deployments/` does; started by test_controls."""

from __future__ import annotations

import json
import sys

from prefect_seedance import generate_videos

if __name__ == "__main__":
    generate_videos.serve(name="served", parameters=json.loads(sys.argv[1]), pause_on_shutdown=False)
