"""Texts about tables as a whole, and about the content of their cells."""

from __future__ import annotations

TABLES: dict[str, str] = {
    "table.unusable": "Table {table!r} cannot be used:{problems:lines}Nothing was spent.",
    "table.cells": (
        "Table {table!r} has {problems:problem|problems} in {rows:row|rows}:{shown:bullets}Nothing was spent."
    ),
    "table.more_cells": (
        "Table {table!r} has {problems:problem|problems} in {rows:row|rows}:{shown:bullets}"
        "… and {more:,} more.\nNothing was spent."
    ),
    "table.wrong_type": (
        "A table is a DataFrame (of pandas, polars, Arrow or duckdb), a list of rows or of prompts, or the path or URL "
        "of a file."
    ),
    "table.one_row": "This is one row. Put it in a list: a table is a list of rows.",
    "table.several_files": (
        "These are names of files, and would be read as prompts. Give one table at a time, by its path."
    ),
    "table.uneven_columns": "Its columns have different lengths: {sizes}.",
    "table.not_converted": "It cannot be turned into a DataFrame ({error}: {reason}).",
    "table.not_iterated": "Reading its rows failed ({error}: {reason}). Put them in a list first.",
    "table.spent_iterator": (
        "It gave no rows. An iterator can be read only once, and this one may have been read before: put its rows in a "
        "list."
    ),
    # Where it is read from.
    "table.fetch_failed": "It cannot be fetched ({error}).",
    "table.http_status": "The server answered {status}.",
    "table.is_folder": "It is a folder. Give the path of the file.",
    "table.no_driver": "No driver for {scheme}:// is installed. {reason}",
    "table.no_file": "There is no such file (looked in {folder}).",
    "table.not_regular_file": "It is not a regular file.",
    "table.permission_denied": "It cannot be read: permission denied.",
    "table.plain_http": "Plain http is not safe. Use https.",
    "table.read_failed": "It cannot be read: {reason}.",
    "table.password_in_bucket": (
        "The address has a password in it, which a bucket's address does not take. Give the credentials by the "
        "environment of the machine instead."
    ),
    "table.store_failed": "It cannot be read ({error}): {reason}",
    "table.too_large": "It is larger than {limit:,} MiB, the limit for a table.",
    "table.too_slow": "It did not arrive within {seconds} s. Download it, and give the path of the file.",
    "table.undecodable": (
        "The server compresses it in a way that cannot be read ({reason}). Download it, and give the path of the file."
    ),
    # What its content is.
    "table.bad_bytes": (
        "It is {encoding}, but these lines contain bytes that this encoding does not have: {lines}. Correct them, and "
        "save it as UTF-8."
    ),
    "table.bad_line": "Line {line} is not JSON: {reason}.",
    "table.bad_row": "Row {row} is of type {type}; each row must name its cells: {{'prompt': '…'}}.",
    "table.binary_workbook": "It is a binary workbook (.xlsb). Save it as .xlsx.",
    "table.binary": "It is binary data, not a table.",
    "table.compressed": "It is compressed. Unpack it first.",
    "table.empty": "It is empty.",
    "table.empty_sheet": "Its first visible sheet, {sheet!r}, is empty.",
    "table.first_sheet": "Only the first sheet, {sheet!r}, was read; the workbook has {sheets:,}.",
    "table.hidden_sheets": "Only the first visible sheet, {sheet!r}, was read. Hidden sheets before it: {hidden}.",
    "table.image": "It is an image, not a table.",
    "table.key_twice": "Row {row} has the key {key!r} more than once. Remove all but one.",
    "table.list_answer": (
        "If each line is a prompt, write 'prompt' as a line of its own above the first one. If not, write a table: "
        "CSV, or Excel."
    ),
    "table.list_blocks": (
        "It has no headings, and blank lines divide it into blocks of several lines: a line or a block may be a prompt."
    ),
    "table.list_comments": "Comments (#) and rulers are left out: {lines:line|lines}.",
    "table.list_marks": "Marks before or around each prompt are taken off: {before!r} became {after!r}.",
    "table.list_of_no_prompts": (
        "It has no headings, and line {line} is no prompt: it looks like code or a table of Markdown. Save the table "
        "as CSV."
    ),
    "table.list_title": "It has no headings, and line {line} may be a prompt or a heading: {text!r}.",
    "table.list_uneven": (
        "It has no headings, and only some of its lines are numbered, indented or have a bullet: a prompt may go on "
        "over several lines."
    ),
    "table.markdown": "It is a table of Markdown. Save it as CSV.",
    "table.missing_package": "Reading it needs another package: pip install 'prefect-seedance[{extra}]'.",
    "table.no_visible_sheet": "It has no visible sheet of cells.",
    "table.no_workbook": "It is a zip archive, but no Excel workbook. Unpack it, or save the table as .xlsx or CSV.",
    "table.not_array": "It must be a JSON array of objects, one object for each row.",
    "table.numbers_document": "It is a document of Apple Numbers. Export it as .xlsx or CSV.",
    "table.odd_workbook": (
        "It is not made as spreadsheet programs make workbooks, and is not read for safety. Open it in a spreadsheet "
        "program and save it as .xlsx."
    ),
    "table.old_workbook": "It is an old .xls workbook or an encrypted one. Save it as .xlsx without a password.",
    "table.open_document": "It is an OpenDocument file (.ods). Save it as .xlsx or CSV.",
    "table.lone_return": (
        "Line {line} holds a lone carriage return, which some programs take as the end of the line and others do not. "
        "Put the cell in double quotes, or remove it."
    ),
    "table.open_quote": (
        "Line {line} has a cell that starts with a quotation mark which is never closed: {cell}. Close it, or remove "
        "it. A quotation mark that belongs to the text is doubled, in a cell that stands in quotes."
    ),
    "table.swallowed_rows": (
        "A quotation mark that is opened in line {line} is closed in line {last} only, and the lines between look like "
        "rows of their own. Close it in line {line}, or remove it. If it is one text of several lines, put a space "
        "behind each separator in it, or save the table as .xlsx."
    ),
    "table.text_behind": (
        "Line {line}: text follows behind the closing quotation mark of a cell: {cell} and then {behind}. Put the "
        "whole cell in quotes, and double those that belong to the text, or remove all of them."
    ),
    "table.text_behind_later": (
        "A cell that starts with a quotation mark in line {line} runs on to line {last}, where text follows behind the "
        "closing mark: {cell} and then {behind}. Close it in line {line}, or remove it. A quotation mark that belongs "
        "to the text is doubled, in a cell that stands in quotes."
    ),
    "table.other_format": "Its name ends in {suffix}, but its content has another format.",
    "table.pdf": "It is a PDF, not a table.",
    "table.ragged": (
        "Line {line} has {cells} cells, the lines before it have {expected}. Put text that contains the separator in "
        'double quotes ("…").'
    ),
    "table.read_as_chinese": "{table} is not UTF-8. It was read as Chinese (GB18030), such as {sample!r}.",
    "table.unknown_encoding": "Its encoding is unknown. Save it as UTF-8.",
    "table.other_encoding": "It is not UTF-8, but seems to be {reading}. Save it as UTF-8.",
    "table.doubtful_encoding": (
        "Its encoding is doubtful. It may be {readings}. Save it as UTF-8 with a byte order mark."
    ),
    "table.reading": "{encoding}, such as {sample!r}",
    "table.decoded_wrongly": (
        "An earlier program decoded its text wrongly: it holds {wrong!r}, where {meant!r} was meant. Save it again "
        "from the original, as UTF-8."
    ),
    "table.zero_byte": "Line {line} contains a zero byte. Remove it.",
    "table.read_as_list": (
        "It has no headings, and was read as a list with one prompt a line: {rows:prompt|prompts}, from {first!r} to "
        "{last!r}."
    ),
    "table.unreadable": "It is not a readable table ({error}: {reason}).",
    "table.unpacked_too_large": (
        "Unpacked, it is larger than {limit:,} MiB, the limit for a table. Delete empty rows and columns that are only "
        "formatted, or save it as CSV."
    ),
    "table.web_page": "It is a web page, not a table. Check the link.",
    # Its headings.
    "table.column_used_twice": "{@columns} maps the column {heading!r} to two fields.",
    "table.columns_found": "Columns found: {columns}.",
    "table.columns_reversed": "{@columns} is the wrong way round: write {@columns:{field}={heading}}.",
    "table.doubtful_column": "{@columns:{field}={heading}}: the table has more than one such column. {found}",
    "table.misspelt_field": "{@columns}: there is no field {field!r}. Did you mean {near!r}?",
    "table.misspelt_heading": (
        "Column {heading!r} looks like a misspelling of {field!r}. Rename it. If it is a column of your own, state "
        "that the table has no {field}: {@columns:{field}=}."
    ),
    "table.misspelt_prompt": "Column {heading!r} looks like a misspelling of 'prompt'. Rename it.",
    "table.more_columns_found": "Columns found: {columns} and {more:,} more.",
    "table.no_field": "{@columns}: there is no field {field!r}. Fields are {fields}.",
    "table.no_prompt": (
        "There is no prompt column. {found} If this is no heading but a row, write headings above it. If another "
        "column holds the prompts, map it: {@columns:prompt={heading}}."
    ),
    "table.no_such_column": "{@columns:{field}={heading}}: the table has no such column. {found}",
    "table.same_headings": "{count:,} columns are called {heading!r}. Rename all but one.",
    "table.several_columns": (
        "Columns {columns} all mean {field}. Remove all but one, or state which one: {@columns:{field}=…}."
    ),
    "table.read_as": (
        "Headings of another name are read: {columns}. If one is a column of your own, rename it, or state that the "
        "table has no such field, as in {@columns:{field}=}. Rows that were made before it was read stay as they are."
    ),
    "table.heading_of": "{heading!r} as {field}",
    "table.doubtful_heading": (
        "Column {heading!r} may hold {field}, or something else. If it does, rename it to {field!r}, or map it: "
        "{@columns:{field}={heading}}. If it is a column of your own, state that the table has no {field}: "
        "{@columns:{field}=}."
    ),
    "table.unread_column": "Column {heading!r} is not read, since column {other!r} is.",
    "table.headings_below": ("The headings were found in row {line}. The rows above it are not read: {above}."),
    "table.nameless_columns": "These columns have cells but no heading, and are not read: {columns}.",
    "table.no_headings": (
        "It seems to have no headings: row {line} holds {cell!r}. Write headings above it: 'prompt' above the prompts, "
        "and the names of other settings, such as 'duration', above theirs."
    ),
    "table.unreadable_heading": "A heading cannot be read: it {problem}.",
    "table.two_headings": (
        "Row {second} holds headings once more, as row {first} does. Remove all but one of these rows; a prompt is not "
        "made of a heading."
    ),
    # Its rows.
    "table.hidden_rows": (
        "{count:hidden row was|hidden rows were} left out: {lines}. A table is read as it is seen. To make videos of "
        "these rows too, remove the filter, or show them."
    ),
    "table.merged_columns": (
        "Cells are merged across columns: {regions}. Their value was read in the first of these columns only; the "
        "others are empty there."
    ),
    "table.shown_otherwise": (
        "Column {column!r} shows its numbers in another form than they are stored: {cell} is shown as {shown!r}, and "
        "was read as {read}. To keep the form, format the column as text and write it out."
    ),
    "table.short_rows": (
        "These rows end before the last heading, and what they lack is read as empty: {lines}. If a line was broken "
        "in two, join it."
    ),
    "table.alike_ids": (
        "The ids of these rows differ from another one's only in the zeros before them: {lines}. They are different "
        "rows."
    ),
    "table.alike_rows": (
        "These rows differ from an earlier row only in their route or behind the '?' of a URL, and are identified by "
        "their order: {lines}. Give the table an id column before rows are added or moved."
    ),
    "table.more_lines": "{lines} and {more:,} more",
    "table.null_words": "The prompt of these rows is a word like 'nan' or 'None', and is sent as it is: {lines}.",
    # Which tables a deployment may read.
    "table.closed": (
        "The table {table} is not open to this deployment: {reason}. Put it there, name it in the deployment's own "
        "parameters, or set {variable} in the worker's environment. A form must not give access to the worker's files. "
        "Nothing was spent."
    ),
    "table.outside_folders": "it is outside {folders}",
    "table.private_address": (
        "{url} is at a private address, and a form must not give access to the worker's network. Allow its host by "
        "PREFECT_SEEDANCE_MEDIA_HOSTS in the worker's environment. Nothing was spent."
    ),
    "table.scheme_closed": "a deployment reads tables from {stores}, https and its folders",
    # A table and its like among the parameters of a flow run.
    "shown.frame": "a DataFrame of {rows:row|rows} ({columns})",
    "shown.keys": "{keys:row id|row ids}",
    "shown.rows": "a list of {rows:row|rows}",
    "shown.unsaved_route": "{model} ({provider}/{account}), not saved",
    # The name of a batch.
    "batch.long_name": "{@batch:{name}…}: at most {limit:,} characters are allowed. Nothing was spent.",
    "batch.no_name": (
        "{@batch} is required: rows are kept under this name. The same name continues a batch, and never pays again "
        "for what it has. For a scheduled run use a template, such as {@batch:nightly-{{scheduled:%Y-%m-%d}}}. "
        "Nothing was spent."
    ),
    "batch.unknown_field": (
        "{@batch:{name}}: the only field is {{scheduled}}, as in {@batch:nightly-{{scheduled:%Y-%m-%d}}}; a time zone "
        "may follow it, as in {@batch:nightly-{{scheduled@Asia/Shanghai:%Y-%m-%d}}}. Nothing was spent."
    ),
    "batch.no_such_zone": (
        "{@batch}: {zone} is not a time zone. Write its name in the IANA's database, such as Asia/Shanghai or "
        "Europe/Berlin. Nothing was spent."
    ),
    "batch.several_zones": (
        "{@batch:{name}}: no schedule made this run, and the schedules of its deployment have different time zones: "
        "the batch would be {names}. Name the zone, as in {@batch:nightly-{{scheduled@Asia/Shanghai:%Y-%m-%d}}}, or "
        "write out the name of the batch. Nothing was spent."
    ),
    "batch.zone_unanswered": (
        "{@batch} needs the time zone of the schedule, and Prefect's API did not give it ({error}). Run again, or name "
        "the zone, as in {@batch:nightly-{{scheduled@Asia/Shanghai:%Y-%m-%d}}}. Nothing was spent."
    ),
    "batch.time_unanswered": (
        "{@batch} needs the scheduled time of the flow that called this one, and Prefect's API did not give it "
        "({error}). Run again, or write out the name of the batch. Nothing was spent."
    ),
    # One log line of a run whose batch has a time in its name.
    "batch.time_in_name": "Batch {name}: the time in its name is {time} in {zone}, {source}",
    "batch.zone_in_name": "Batch {name}: the time in its name is {time} UTC, in the time zone that {@batch} names",
    "batch.zone_of_schedule": "the time zone of the schedule that made this run",
    "batch.zone_of_deployment": "the time zone of the deployment's schedules, since no schedule made this run",
    "batch.zone_without_schedule": "since neither this run nor its deployment has a schedule",
    "batch.continued_under": (
        "This run goes on with the batch {continued}, which was begun for the same time, so that nothing is paid "
        "twice. Its own name would be {name}: the date was of another time zone before (of UTC in versions before 0.2)."
    ),
    "batch.name_taken": (
        "The batch {name} was begun for another time ({time} UTC), when names had the date in UTC. This run goes on "
        "with it, and makes only the rows that it does not have. To make all of them, give the batch another name."
    ),
    "cell.problem": "row {line} ({key}), {cell}: {problem}",
    # What is wrong with a cell follows its row and column: no subject, no full stop.
    "cell.broken_list": "starts like a list but is not one. Write a JSON array, or separate the parts with |",
    "cell.error_value": "is an error value (cell {cell}). Correct it, or clear the cell",
    "cell.formula_without_value": (
        "is a formula whose result is not stored in the file (cell {cell}). Open the file in a spreadsheet program and "
        "save it there"
    ),
    "cell.hidden_by_format": "is hidden by its number format (cell {cell}). Clear the cell, or give it another format",
    "cell.error_text": (
        "is an error of the spreadsheet, not a value. Correct the formula behind it, or empty the cell, and save again"
    ),
    "cell.formula": (
        "is a formula, and its value is not in the table. Save the table with values instead of formulas, or write "
        "out what it should be"
    ),
    "cell.is_date": "is a date: the spreadsheet converted it. Format the column as text and write 16:9",
    "cell.merged": (
        "is merged with {first} (cells {region}). Unmerge the cells, and write into each row what it is to have"
    ),
    "cell.lost_character": (
        "contains the character � in the place of one that an earlier program could not read. Write it again"
    ),
    "cell.nested_list": "is nested too deeply. Write a JSON array of URLs or files",
    "cell.no_date": "is formatted as a date, but its number is none (cell {cell}). Correct it, or clear the cell",
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
    "cell.picture": (
        "is empty, and a picture lies over it (cell {cell}). Pictures in a sheet are not read: write the link or the "
        "path of the file, or move the picture"
    ),
    "cell.rich_value": (
        "is a picture in the cell, a linked data type or an error (cell {cell}). Pictures in cells are not read: write "
        "the link or the path of the file"
    ),
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
