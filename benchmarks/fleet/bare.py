"""What a competent person writes in an afternoon: asyncio and httpx, a fixed interval, a file for each row.

It has no ledger: a job that it loses is paid for and lost. With `prove` it verifies its files as we do, and makes the
same preview pictures.
"""

from __future__ import annotations

import asyncio
from pathlib import Path

import httpx

from prefect_seedance.media import Stills, inspect_video

__all__ = ["bare"]

PACE = 5.0
AT_ONCE = 100
"""Concurrent calls: the default number of httpx's connections."""

DOWNLOADS = 8


async def bare(url: str, rows: int, folder: Path, *, prove: bool) -> int:
    """Make `rows` videos, all at once; return how many files were made."""
    calls, downloads = asyncio.Semaphore(AT_ONCE), asyncio.Semaphore(DOWNLOADS)
    folder.mkdir(parents=True, exist_ok=True)
    async with httpx.AsyncClient(
        base_url=f"{url}/api/open-api/v1",
        headers={"Authorization": "Bearer sk_sandbox"},
        timeout=60,
        trust_env=False,
    ) as client:

        async def one(number: int) -> None:
            body = {
                "model": "seedance2.0-mini",
                "prompt": f"a lantern {number}",
                "duration": 4,
                "resolution": "480p",
                "ratio": "16:9",
            }
            async with calls:
                made = (await client.post("/seedance/videos", json=body)).raise_for_status().json()["data"]
            job = made
            while job["status"] not in {"completed", "failed"}:
                await asyncio.sleep(PACE)
                async with calls:
                    job = (await client.get(f"/videos/{made['task_id']}")).raise_for_status().json()["data"]
            if job["status"] == "failed":
                return
            part = folder / f"{number}.part"
            async with downloads:
                # The key must not be sent to the host of the files.
                async with client.stream("GET", job["result"]["video_url"], headers={"Authorization": ""}) as answer:
                    answer.raise_for_status()
                    with part.open("wb") as file:
                        async for piece in answer.aiter_bytes():
                            file.write(piece)
                if prove:
                    await asyncio.to_thread(_proven, part)
            part.rename(part.with_suffix(".mp4"))

        await asyncio.gather(*(one(number) for number in range(rows)))
    return len(list(folder.glob("*.mp4")))


def _proven(path: Path) -> None:
    stills = Stills()
    inspect_video(path, stills=stills)
    previews = stills.finish()
    if previews is not None:
        path.with_suffix(".jpg").write_bytes(previews.poster)
        path.with_suffix(".strip.jpg").write_bytes(previews.strip)
