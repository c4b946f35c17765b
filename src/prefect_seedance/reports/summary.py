"""The summary of a run in Markdown, for people who do not know the code."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from prefect_seedance.ledger import State
from prefect_seedance.messages import Message, listing, message
from prefect_seedance.reports.money import amount, amounts, cost_table, doubts, line_cost
from prefect_seedance.reports.results.result import GenerateResult, RowResult, sums

__all__ = [
    "cell",
    "headline",
    "markdown_table",
    "row_cost",
    "status_advice",
    "status_counts",
    "status_words",
    "summary",
]

SHOWN = 30
"""Rows that the summary lists in one section."""

FEW = 5
"""Rows that are named in a group of rows with the same outcome."""

_STATUSES: dict[str, Message] = {
    State.STORED: message("status.stored"),
    State.FAILED: message("status.failed"),
    State.REFUSED: message("status.refused"),
    State.UNKNOWN: message("status.unknown"),
    State.EXPIRED: message("status.expired"),
    State.CREATED: message("status.created"),
    State.SUCCEEDED: message("status.succeeded"),
    State.DEFERRED: message("status.deferred"),
    State.PLANNED: message("status.planned"),
    State.OVER_BUDGET: message("status.over_budget"),
    State.SENT: message("status.sent"),
    "invalid": message("status.invalid"),
    "left_out": message("status.left_out"),
}

_ADVICE: dict[str, Message] = {
    State.UNKNOWN: message("advice.unknown"),
    State.FAILED: message("advice.failed"),
    State.REFUSED: message("advice.refused"),
    State.EXPIRED: message("advice.expired"),
    State.CREATED: message("advice.created"),
    State.SUCCEEDED: message("advice.succeeded"),
    State.DEFERRED: message("advice.waiting"),
    State.PLANNED: message("advice.waiting"),
    State.OVER_BUDGET: message("advice.over_budget"),
    "invalid": message("advice.invalid"),
}

_ORDER = (
    State.UNKNOWN,
    State.EXPIRED,
    State.FAILED,
    State.REFUSED,
    "invalid",
    State.SUCCEEDED,
    State.CREATED,
    State.DEFERRED,
    State.OVER_BUDGET,
    State.PLANNED,
)


def status_words(status: str) -> str:
    """The name of a status, for people."""
    return str(_STATUSES.get(status, status))


def status_advice(status: str) -> str:
    """What a person can do about a status; empty where nothing is to be done. Names options, fields or parameters."""
    return str(_ADVICE.get(status, ""))


def status_counts(counts: Mapping[str, int]) -> str:
    """How many rows have each status."""
    counted = [message("status.counted", rows=rows, status=status_words(status)) for status, rows in counts.items()]
    return listing(counted) if counted else ""


def summary(result: GenerateResult, *, pictures: str = "", steps: str = "") -> str:
    """The whole summary: what was made, what it cost, where it is, and what to do about the rest.

    Args:
        result: The run's result.
        pictures: Pictures of its first videos, in Markdown.
        steps: What a person can do next, in Markdown.
    """
    groups = [(status == State.UNKNOWN, _group(status, rows)) for status, rows in _by_status(result)]
    # Unknown rows may have been paid. They come before everything else, since a person has to act.
    unknown = [text for first, text in groups if first]
    parts = [f"# {headline(result)}", *unknown, pictures, _facts(result), steps, _warnings(result)]
    parts += [text for first, text in groups if not first]
    parts += [_fallen_back(result), _remarks(result)]
    parts += [_costs(result), _records(result)]
    return "\n\n".join(part for part in parts if part)


def headline(result: GenerateResult) -> Message:
    """How many of the requested videos are stored."""
    return message("summary.headline", stored=result.counts.get(State.STORED, 0), videos=len(result.chosen))


def _fact(label: Message, value: object = "") -> str:
    return f"- **{label}** {value}".rstrip()


def _facts(result: GenerateResult) -> str:
    batch = [cell(result.batch)]
    if result.take != "1":
        batch.append(str(message("summary.take", take=cell(result.take))))
    new = message("summary.new_videos", made=result.made, cost=_code(amounts(result.cost())))
    lines = [
        _fact(message("summary.batch"), listing(batch)),
        _fact(message("summary.new"), new),
        _fact(message("summary.to_date"), _code(amounts(sums(result.costs_to_date)))),
    ]
    unsure = [f"{line.billing_model}: {words}" for line in result.costs_to_date if (words := doubts(line))]
    if unsure:
        lines.append(_fact(message("summary.not_in_sums")))
        lines += [f"    - {cell(words)}" for words in unsure]
    lines.append(_fact(message("summary.videos"), _code(result.folder)))
    if sheet := result.files.get("sheet"):
        lines.append(_fact(message("summary.sheet"), _code(sheet)))
    return "\n".join(lines)


def _records(result: GenerateResult) -> str:
    """Files, hints and the ledger: details that few people need."""
    files = {kind: path for kind, path in result.files.items() if kind != "sheet"}
    labels = {"csv": message("summary.csv"), "parquet": message("summary.parquet")}
    lines = [_fact(labels.get(kind) or message("summary.file", kind=kind), _code(path)) for kind, path in files.items()]
    lines += [f"- {cell(hint)}" for hint in result.hints]
    lines.append(_fact(message("summary.ledger"), _code(result.ledger)))
    return f"## {message('summary.records')}\n\n" + "\n".join(lines)


def _code(text: object) -> str:
    """Text as code: in the UI's proportional font, the point of 27.148 can hardly be seen."""
    return f"`{' '.join(str(text).split()).replace('`', ' ')}`"


def _warnings(result: GenerateResult) -> str:
    if not result.warnings:
        return ""
    shown = [f"- {cell(text)}" for text in result.warnings[:SHOWN]]
    return f"## {message('summary.warnings')}\n\n" + "\n".join(shown)


def _fallen_back(result: GenerateResult) -> str:
    """Rows that an earlier route refused: another one made them, perhaps at another price."""
    rows = [row for row in result.chosen if row.refused_before]
    if not rows:
        return ""
    alike: dict[tuple[str, str], list[str]] = {}
    for row in rows:
        alike.setdefault((row.route or "?", row.refused_before or ""), []).append(row.row)
    groups = sorted(alike.items(), key=lambda group: -len(group[1]))
    lines = []
    for (route, before), keys in groups[:SHOWN]:
        others = f" {message('summary.and_more', rows=len(keys) - FEW)}" if len(keys) > FEW else ""
        after = message("summary.after", route=cell(route))
        lines.append(f"- **{cell(', '.join(keys[:FEW]))}**{others} · {after}  \n    {cell(before)}")
    if len(groups) > SHOWN:
        lines.append(f"\n{message('summary.more_ways', ways=len(groups) - SHOWN)}")
    title = f"## {message('summary.fell_back', rows=len(rows))}"
    return "\n\n".join([title, str(message("summary.fell_back_note")), "\n".join(lines)])


def _remarks(result: GenerateResult) -> str:
    """Stored and paid videos that differ from their requests, or whose files are unusual."""
    rows = result.chosen.remarked
    if not rows:
        return ""
    title = f"## {message('summary.differs', videos=len(rows))}"
    lines = []
    for row in rows[:SHOWN]:
        job = message("summary.job", job=cell(row.job_id or "?"))
        lines.append(f"- **{cell(row.row)}** · {job}  \n    {cell(row.remarks or '')}")
    if len(rows) > SHOWN:
        lines.append(f"\n{message('summary.more_rows', rows=len(rows) - SHOWN)}")
    return "\n\n".join([title, "\n".join(lines)])


def _by_status(result: GenerateResult) -> list[tuple[str, Sequence[RowResult]]]:
    chosen, counts = result.chosen, result.counts
    return [(status, chosen.of({status})) for status in _ORDER if counts.get(status)]


def _group(status: str, rows: Sequence[RowResult]) -> str:
    title = f"## {message('summary.rows', rows=len(rows), status=status_words(status))}"
    # A list, since Prefect's UI wraps the lines of a list, and cuts long cells of a table.
    lines = "\n".join(_line(row) for row in rows[:SHOWN])
    more = f"\n\n{message('summary.more_rows', rows=len(rows) - SHOWN)}" if len(rows) > SHOWN else ""
    return "\n\n".join(part for part in (title, status_advice(status), lines + more) if part)


def _line(row: RowResult) -> str:
    facts = [
        row.route,
        message("summary.job", job=row.job_id) if row.job_id else None,
        message("summary.row_cost", cost=_paid(row)) if row.attempts and row.cost is not None else None,
        row.cost_note,
    ]
    reason = f"  \n    {cell(row.error_message)}" if row.error_message else ""
    return f"- **{cell(row.row)}**" + "".join(f" · {cell(fact)}" for fact in facts if fact) + reason


def row_cost(row: RowResult) -> str:
    """The cost of a row, for a cell of a table."""
    if not row.attempts:
        return "–" if row.cost is None else "nothing"
    return amount(row.cost, row.currency)


def _paid(row: RowResult) -> str:
    return "nothing" if not row.cost else amount(row.cost, row.currency)


def _costs(result: GenerateResult) -> str:
    title = f"## {message('summary.cost')}"
    if not result.costs:
        return f"{title}\n\n{message('summary.nothing_bought')}"
    head = ("billing model", "cost", "succeeded", "failed", "units", "unit price")
    rows = [{**row, "cost": line_cost(line)} for line, row in zip(result.costs, cost_table(result.costs), strict=True)]
    return f"{title}\n\n" + markdown_table(head, [[row[name] for name in head] for row in rows])


def markdown_table(head: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """A table in Markdown. Cells are escaped."""
    lines = ["| " + " | ".join(head) + " |", "|" + " --- |" * len(head)]
    lines += ["| " + " | ".join(cell(str(value)) for value in row) + " |" for row in rows]
    return "\n".join(lines)


_SPECIAL = str.maketrans({character: f"\\{character}" for character in "\\`*_[]<>|#~!"})


def cell(text: object, longest: int = 300) -> str:
    """Text escaped for one line of Markdown, so that no part of it is read as Markdown or HTML."""
    line = " ".join("".join(each if each.isprintable() else " " for each in str(text)).split())
    return (line if len(line) <= longest else line[: longest - 1] + "…").translate(_SPECIAL)
