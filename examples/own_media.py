"""Your own pictures: rows name files in the table's folder, and each file is uploaded to the provider once.

The portrait goes through the provider's review of real people first (`media_review` of a row, or of the route block).

    python examples/own_media.py
"""

from __future__ import annotations

import csv
import tempfile
from decimal import Decimal
from pathlib import Path

from prefect import flow
from sandbox_route import sandbox_route

from prefect_seedance import GenerateResult, RouteDefaults, generate_videos
from prefect_seedance.sandbox.http.media import media_bytes

TABLE = [
    {"id": "cup", "prompt": "The cup of @image1 on a wooden table", "images": "cup.png", "media_review": ""},
    {"id": "pair", "prompt": "The cup meets the pot", "images": "cup.png|素材/pot.jpg", "media_review": ""},
    {"id": "she", "prompt": "She raises the cup", "images": "she.png|cup.png", "media_review": "portrait"},
]


@flow
def with_own_media(table: Path, route: RouteDefaults | str, output: Path) -> GenerateResult:
    """Paths in a table are relative to the table's own folder; `media_root` sets another one."""
    return generate_videos(table, route=route, batch="own-media", output=output)


def a_folder(folder: Path) -> Path:
    """Write a table and its pictures; return the path of the table."""
    (folder / "素材").mkdir(parents=True)
    for name, width, height in (("cup.png", 640, 640), ("素材/pot.jpg", 960, 540), ("she.png", 600, 800)):
        (folder / name).write_bytes(media_bytes(Path(name).name, width=width, height=height, seconds=Decimal(1)))
    with (folder / "prompts.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, TABLE[0])
        writer.writeheader()
        writer.writerows(TABLE)
    return folder / "prompts.csv"


if __name__ == "__main__":
    home = Path(tempfile.mkdtemp(prefix="seedance-own-media-"))
    with sandbox_route("seedance2.0-sp") as route:
        print(with_own_media(a_folder(home / "campaign"), route, home / "videos").to_dataframe())
