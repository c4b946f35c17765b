"""The live view of a run in the terminal."""

from __future__ import annotations

import contextlib
import threading
from collections import Counter
from collections.abc import Iterator

from rich.console import Group
from rich.live import Live
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from prefect_seedance.cli.console import out
from prefect_seedance.core.events import RowEvent, listening, watching
from prefect_seedance.ledger import State
from prefect_seedance.messages import Message, message

__all__ = ["live_view"]

RESERVED_LINES = 10
"""Lines of the screen without rows: for the bar, the counts, and the output above them."""

_STYLES: dict[str, str] = {
    State.STORED: "green",
    State.SUCCEEDED: "cyan",
    State.CREATED: "blue",
    State.SENT: "blue",
    State.FAILED: "red",
    State.REFUSED: "red",
    State.EXPIRED: "red",
    State.UNKNOWN: "bold yellow",
    State.DEFERRED: "yellow",
}
_ENDED: set[str] = {State.STORED, State.FAILED, State.REFUSED, State.EXPIRED, State.UNKNOWN, State.DEFERRED}
_WORDS: dict[str, Message] = {
    State.STORED: message("live.stored"),
    State.SUCCEEDED: message("live.succeeded"),
    State.CREATED: message("live.created"),
    State.SENT: message("live.sent"),
    "media": message("live.media"),
    "held": message("live.held"),
    State.PLANNED: message("live.planned"),
    State.DEFERRED: message("live.deferred"),
    State.OVER_BUDGET: message("live.over_budget"),
    State.FAILED: message("live.failed"),
    State.REFUSED: message("live.refused"),
    State.EXPIRED: message("live.expired"),
    State.UNKNOWN: message("live.unknown"),
}
"""What a state means, in a word or two, in the order in which the counts are shown."""


class _View:
    """The state of the display. Events arrive on another thread than the one that draws."""

    def __init__(self, total: int | None) -> None:
        self._lock = threading.Lock()
        self._rows: dict[str, RowEvent] = {}
        self._bar = Progress(
            TextColumn("[bold]{task.description}"),
            BarColumn(bar_width=36),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            console=out,
        )
        self._task = self._bar.add_task("videos", total=total)

    def handle(self, event: RowEvent) -> None:
        with self._lock:
            self._rows[event.key] = event  # a known row keeps its position, so that lines do not jump

    def __rich__(self) -> Group:
        with self._lock:
            rows = list(self._rows.values())
        counts = Counter(row.state for row in rows)
        self._bar.update(self._task, completed=sum(counts[state] for state in _ENDED))
        working = [row for row in rows if row.state not in _ENDED and row.state != State.PLANNED]
        shown = max(3, out.height - RESERVED_LINES)
        return Group(self._bar, _counts(counts), _table(working[:shown], len(working)))


def _counts(counts: Counter[str]) -> Text:
    if not counts:
        return Text(f"  {message('live.checking')}", style="dim")
    line = Text("  ")
    for state, word in _WORDS.items():
        if counts[state]:
            line.append(f"{counts[state]} {word}   ", style=_STYLES.get(state, ""))
    return line


def _table(rows: list[RowEvent], working: int) -> Table:
    table = Table.grid(padding=(0, 2))
    for widest in (26, 28, None, None):
        table.add_column(max_width=widest, no_wrap=True, overflow="ellipsis")
    for row in rows:
        share = row.progress or 0.0
        bar = "━" * round(share * 20)
        table.add_row(
            Text(f"  {row.key}"),
            Text(row.model, style="dim"),
            Text(str(_WORDS.get(row.state, row.state)), style=_STYLES.get(row.state, "")),
            Text(bar.ljust(20, "╌") + f" {share:4.0%}" if row.state == State.CREATED else "", style="blue"),
        )
    if working > len(rows):
        table.add_row(Text(f"  {message('live.more', rows=working - len(rows))}", style="dim"))
    return table


@contextlib.contextmanager
def live_view(total: int | None) -> Iterator[None]:
    """Show the progress of a run of `total` rows while the block runs; None where their number is not known."""
    view = _View(total)
    with Live(view, console=out, refresh_per_second=8, transient=True), watching(view.handle), listening(_say):
        yield


def _say(notice: str) -> None:
    """Show a notice at once, above the live display."""
    out.print(Text(f"! {notice}", style="bold yellow"))
