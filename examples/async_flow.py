"""Two batches at the same time, from an asynchronous flow.

python examples/async_flow.py
"""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path

from prefect import flow
from sandbox_route import sandbox_route

from prefect_seedance import GenerateResult, RouteDefaults, agenerate_videos

CAMPAIGNS = {
    "tea": ["A paper lantern drifts over a rice terrace", "清晨的茶园，薄雾缭绕"],
    "rain": ["Neon signs flicker over wet asphalt", "雨夜街头，霓虹倒映在水面"],
}


@flow
async def campaigns(route: RouteDefaults | str, output: Path) -> dict[str, int]:
    """Make the videos of all campaigns; return how many were made for each."""

    async def one(name: str) -> GenerateResult:
        table = [{"id": f"{name}-{number}", "prompt": prompt} for number, prompt in enumerate(CAMPAIGNS[name], 1)]
        return await agenerate_videos(table, route=route, batch=name, output=output)

    results = await asyncio.gather(*map(one, CAMPAIGNS))
    return {result.batch: result.made for result in results}


if __name__ == "__main__":
    with sandbox_route() as route:
        print(asyncio.run(campaigns(route, Path(tempfile.mkdtemp(prefix="seedance-campaigns-")))))
