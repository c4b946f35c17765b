"""Pictures of a run's first videos, small enough for its summary.

The Prefect UI shows pictures that are part of the Markdown (`data:image/…`), and Cloud caps an artifact at 5 MiB. So
the summary has a few small posters; the contact sheet has all.
"""

from __future__ import annotations

import base64
import io

from prefect_seedance.engine.steps.download import poster_name
from prefect_seedance.ledger import State
from prefect_seedance.media import open_storage
from prefect_seedance.media.storage.base import Storage
from prefect_seedance.media.videos.picture import jpeg
from prefect_seedance.reports.money import number
from prefect_seedance.reports.results.result import GenerateResult, RowResult
from prefect_seedance.reports.summary import cell, row_cost

__all__ = ["first_pictures"]

SHOWN = 6
TRIED = 100
"""Videos whose pictures are looked for at most, in a batch without pictures."""
ACROSS = 3
WIDEST = 320
"""Pictures in one line, and pixels of a picture's width."""
HEAVIEST = 40_000
"""Bytes of one picture in the summary. A larger poster is scaled down, or left out."""


def first_pictures(result: GenerateResult) -> str:
    """The first videos of a run as a table of pictures in Markdown; empty where there are none. Blocks.

    An error with a picture never fails the summary.
    """
    try:
        storage = open_storage(result.folder)
        found = []
        for row in result.chosen.of({State.STORED})[:TRIED]:
            if picture := _picture(storage, row):
                found.append((picture, _caption(row)))
            if len(found) == SHOWN:
                break
    except Exception:  # noqa: BLE001 - each store has errors of its own, and the report matters more
        return ""
    if not found:
        return ""
    across = min(ACROSS, len(found))
    lines = []
    for start in range(0, len(found), across):
        group = found[start : start + across]
        padding = [""] * (across - len(group))
        pictures = [f"![{caption}](data:image/jpeg;base64,{picture})" for picture, caption in group]
        # The first row of a Markdown table is its head: it holds pictures, too.
        lines.append("| " + " | ".join([*pictures, *padding]) + " |")
        if start == 0:
            lines.append("|" + " :---: |" * across)
        lines.append("| " + " | ".join([*(caption for _, caption in group), *padding]) + " |")
    return "\n".join(lines)


def _caption(row: RowResult) -> str:
    # In the first UI a picture becomes as wide as the text below it, so the text is more than a word.
    facts = (
        f"{row.width}×{row.height}" if row.width else "",
        f"{number(round(row.seconds, 1))} s" if row.seconds else "",
        row_cost(row),
    )
    return " · ".join([cell(row.row, 40), *(fact for fact in facts if fact and fact != "–")])


def _picture(storage: Storage, row: RowResult) -> str | None:
    name = storage.name_of(row.video or "")
    poster = storage.read(poster_name(name.rpartition(".")[0])) if name else None
    if poster is None:
        return None
    small = poster if len(poster) <= HEAVIEST // 2 else _smaller(poster)
    return base64.b64encode(small).decode() if len(small) <= HEAVIEST else None


def _smaller(poster: bytes) -> bytes:
    import av  # noqa: PLC0415 - loading the codecs takes time, and most callers never decode

    with av.open(io.BytesIO(poster), "r", metadata_errors="ignore") as container:
        return jpeg(next(container.decode(video=0)), WIDEST)
