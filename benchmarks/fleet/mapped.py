"""Plain Prefect, as its documents show it: three sync tasks, mapped over the rows, in threads."""

from __future__ import annotations

import time
from pathlib import Path

import httpx
from prefect import flow, task
from prefect.task_runners import ThreadPoolTaskRunner

__all__ = ["mapped"]

PACE = 5.0


def mapped(url: str, rows: int, folder: Path) -> int:
    """Make `rows` videos, all at once; return how many files were made."""
    folder.mkdir(parents=True, exist_ok=True)
    key = {"Authorization": "Bearer sk_sandbox"}
    with httpx.Client(base_url=f"{url}/api/open-api/v1", timeout=60, trust_env=False) as client:

        @task
        def create(number: int) -> str:
            body = {
                "model": "seedance2.0-mini",
                "prompt": f"a lantern {number}",
                "duration": 4,
                "resolution": "480p",
                "ratio": "16:9",
            }
            answer = client.post("/seedance/videos", json=body, headers=key)
            return answer.raise_for_status().json()["data"]["task_id"]

        @task
        def poll(job_id: str) -> str:
            while True:
                time.sleep(PACE)
                job = client.get(f"/videos/{job_id}", headers=key).raise_for_status().json()["data"]
                if job["status"] == "completed":
                    return job["result"]["video_url"]
                if job["status"] == "failed":
                    raise RuntimeError(job["error_message"])

        @task(retries=2)
        def download(link: str, number: int) -> None:
            part = folder / f"{number}.part"
            with client.stream("GET", link) as answer, part.open("wb") as file:
                answer.raise_for_status()
                for piece in answer.iter_bytes():
                    file.write(piece)
            part.rename(part.with_suffix(".mp4"))

        # One thread for each waiting row; with fewer, not all rows are in flight.
        @flow(task_runner=ThreadPoolTaskRunner(max_workers=rows))
        def videos() -> None:
            numbers = list(range(rows))
            jobs = create.map(numbers)
            links = poll.map(jobs)
            download.map(links, numbers).wait()

        videos()
    return len(list(folder.glob("*.mp4")))
