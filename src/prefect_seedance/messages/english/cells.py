"""Texts about the content of a cell."""

from __future__ import annotations

CELLS: dict[str, str] = {
    "cell.problem": "row {line} ({key}), {cell}: {problem}",
    # What is wrong with a cell follows its row and column: no subject, no full stop.
    "cell.broken_list": "starts like a list but is not one. Write a JSON array, or separate the parts with |",
    "cell.is_date": "is a date: the spreadsheet converted it. Format the column as text and write 16:9",
    "cell.nested_list": "is nested too deeply. Write a JSON array of URLs or files",
    "cell.no_id": "is empty; in a table with ids every row needs one",
    "cell.not_id": "an id must be text or a number, not {kind}",
    "cell.not_media": "must be a URL or a file, or a list of them, not {kind}",
    "cell.not_media_part": "must contain URLs or files, not {kind}",
    "cell.not_one_line": "an id must be one line of printable text",
    "cell.not_orientation": "must be landscape or portrait",
    "cell.not_ratio": "must be a ratio such as 16:9",
    "cell.not_resolution": "must be a resolution such as 720p, not {kind}",
    "cell.not_review": "must be asset or portrait, or empty",
    "cell.not_routes": "must be text such as model > provider:model, or a list of them, not {kind}",
    "cell.not_seconds": "must be a whole number of seconds, such as 5",
    "cell.not_switch": "must be true or false (yes/no, 1/0 and 是/否 also work)",
    "cell.not_text": "must be text, not {kind}",
    "cell.row_empty": "the row is empty",
    "cell.same_id": "row {line} has the same id; each row needs its own",
    "cell.too_long": "has {length:,} characters; at most {limit:,} are allowed",
    "cell.too_many_media": "takes one URL or file, but has {count:,}",
    "cell.undivided_media": "looks like several URLs or files in one. Separate them with | or write a JSON array",
    "cell.unusable_character": "contains a character that cannot be sent (a zero byte or half of a character)",
    # Kinds of values, as in "must be text, not …".
    "value.boolean": "true or false",
    "value.list": "a list",
    "value.number": "a number",
    "value.object": "an object",
    "value.other": "a {type}",
    "value.time": "a date or a time",
}
