"""One measured run in a separate process: `python fleet/child.py '{"way": …}'` prints its figures as JSON.

Before the clock starts, a few videos are made the same way on a sandbox whose jobs last an instant, so that no figure
includes the loading of codecs and libraries; `start_cpu` has it. The poller learns nothing from them about the real
jobs, since it keeps its history by base URL.
"""

from __future__ import annotations

import asyncio
import json
import os
import resource
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from prefect_seedance.media import proof_pool

WARM = 16

proving = {"seconds": 0.0}


def cpu() -> float:
    """Processor time of this process and of its children that prove videos."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime + children_cpu()


def children_cpu() -> float:
    ended = resource.getrusage(resource.RUSAGE_CHILDREN)
    ticks = 0
    for pid in proof_pool().pids:
        ticks += sum(int(each) for each in Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[11:13])
    return ended.ru_utime + ended.ru_stime + ticks / os.sysconf("SC_CLK_TCK")


def children_memory() -> float:
    """The peaks of the children's memory, in bytes."""
    found = [Path(f"/proc/{pid}/status").read_text().splitlines() for pid in proof_pool().pids]
    return sum(1024.0 * next(int(line.split()[1]) for line in lines if line.startswith("VmHWM:")) for lines in found)


def memory(name: str) -> float:
    """A line of /proc/self/status, in bytes."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return 1024.0 * next(int(line.split()[1]) for line in lines if line.startswith(f"{name}:"))


def forget_peak() -> None:
    Path("/proc/self/clear_refs").write_text("5")


def count_cpu_of(module: object, name: str) -> None:
    """Add up the processor time of a function that decodes or writes pictures, in the thread that it runs in."""
    real, lock = getattr(module, name), threading.Lock()

    def measured(*args: object, **more: object) -> object:
        begun = time.thread_time()
        try:
            return real(*args, **more)
        finally:
            spent = time.thread_time() - begun
            with lock:
                proving["seconds"] += spent

    setattr(module, name, measured)


def ours(url: str, rows: int, folder: Path, task_runs: str, in_flight: int) -> int:
    from prefect_seedance import JimmyCredentials, PriceBook, RouteDefaults, generate_videos  # noqa: PLC0415

    route = RouteDefaults(
        credentials=JimmyCredentials(api_key="sk_sandbox", base_url=url),
        model="seedance2.0-mini",
        resolution="480p",
        duration=4,
        ratio="16:9",
        prices=PriceBook(currency="CNY", prices={"seedance2.0-mini-480p": "0.03"}),
        max_in_flight=in_flight,
    )
    table = [{"id": f"r{number}", "prompt": f"a lantern {number}"} for number in range(rows)]
    result = generate_videos(table, route=route, batch=folder.name, output=folder, task_runs=task_runs)
    return result.counts.get("stored", 0)


def work_of(given: dict) -> Callable[[str, int, Path], int]:
    way = given["way"]
    if way in {"per_chunk", "per_step"}:
        return lambda url, rows, folder: ours(url, rows, folder, way, given["in_flight"])
    if way == "map":
        from fleet.mapped import mapped  # noqa: PLC0415

        return mapped
    from fleet import bare  # noqa: PLC0415

    count_cpu_of(bare, "_proven")
    return lambda url, rows, folder: asyncio.run(bare.bare(url, rows, folder, prove=way == "bare_proof"))


def main(given: dict) -> None:
    folder = Path(given["folder"])
    work = work_of(given)
    work(given["warm_url"], WARM, folder / "warm")
    # A child ends when it has had no work for a while; here the same children prove all videos.
    start, proving["seconds"], children = cpu(), 0.0, children_cpu()
    forget_peak()
    wall, busy, before = time.time(), cpu(), memory("VmRSS")
    stored = work(given["url"], given["rows"], folder / "videos")
    figures = {
        "wall": time.time() - wall,
        "cpu": cpu() - busy,
        "proof_cpu": proving["seconds"] + children_cpu() - children,
        "start_cpu": start,
        "memory": memory("VmHWM") - before,
        "children": children_memory(),
        "stored": stored,
    }
    print(json.dumps(figures), flush=True)
    # Prefect's background services need seconds to shut down, which is not measured.
    os._exit(0)


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
