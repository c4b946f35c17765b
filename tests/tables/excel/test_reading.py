from __future__ import annotations

import datetime as dt
import io
import zipfile

import openpyxl
import pandas as pd
import pytest
from openpyxl.worksheet.formula import ArrayFormula

from prefect_seedance.errors import TableError
from prefect_seedance.routes.request import VideoRequest
from prefect_seedance.tables.excel import workbook
from prefect_seedance.tables.reader import read_table
from tests.tables.excel.workbooks import cell, make, row, rows, save


def moment(*parts):
    return dt.datetime(*parts)  # noqa: DTZ001 - a sheet has no time zone


def slugs(messages):
    return [text.slug for text in messages]


def problems(table):
    return [(problem.line, problem.column, problem.message.slug) for problem in table.problems]


def prompts(table):
    return [one.request.prompt for one in table.rows]


def refusal(path):
    with pytest.raises(TableError) as caught:
        read_table(path)
    return str(caught.value)


ID = cell("A2", "<v>1</v>")
HEADINGS = ["id", "prompt", "first_image", "duration", "note"]


# --- values that a person sees and the file does not have ---------------------------------------------------------


@pytest.mark.parametrize(
    "error",
    ["#N/A", "#REF!", "#NAME?", "#VALUE!", "#DIV/0!", "#NUM!", "#NULL!", "#SPILL!", "#CALC!", "#GETTING_DATA", "x"],
)
def test_an_error_is_a_problem_that_names_the_cell_and_a_text_in_an_own_column(tmp_path, error):
    broken = cell("A2", f"<v>{error}</v>", "e"), cell("B2", "<v>1</v>", "str"), cell("E2", f"<v>{error}</v>", "e")
    table = read_table(make(tmp_path, rows([HEADINGS]) + row(2, *broken)))
    assert problems(table) == [(2, "id", "cell.error_value")]
    assert "A2" in str(table.problems[0])
    assert table.frame["note"].tolist() == [error]


@pytest.mark.parametrize(
    ("xml", "kind", "found"),
    [
        ("<f>2*5</f><v>10</v>", "", 10),
        ("<f>2*5</f><v></v>", "", None),
        ("<f>2*5</f>", "", None),
        ('<f t="shared" si="0"/><v/>', "", None),
        ('<f t="shared" si="0"/><v>7</v>', "", 7),
        ('<f>""</f><v></v>', "str", ""),
        ("<f>A1</f>", "str", None),
        ("<f>A1</f><v>8</v>", "str", 8),
    ],
)
def test_a_formula_is_its_stored_value_or_a_problem(tmp_path, xml, kind, found):
    one = row(2, cell("A2", "<is><t>1</t></is>", "inlineStr"), cell("B2", "<v>a</v>", "str"), cell("D2", xml, kind))
    table = read_table(make(tmp_path, rows([HEADINGS]) + one))
    if found is None:
        assert problems(table) == [(2, "duration", "cell.formula_without_value")]
    else:
        assert table.rows[0].request == VideoRequest(prompt="a", duration=found or None)


def test_what_openpyxl_writes_as_formulas_is_refused_in_headings_and_arrays_too(tmp_path):
    book = openpyxl.Workbook()
    sheet = book.active
    for line in [HEADINGS, [1, "a", None, "=2*5", "=1+1"], [2, "b"], [3, "c"]]:
        sheet.append(line)
    sheet["C3"] = ArrayFormula("C3:C4", "=A3:A4")
    table = read_table(save(book, tmp_path))
    assert problems(table) == [
        (2, "duration", "cell.formula_without_value"),
        (3, "first_image", "cell.formula_without_value"),
        (4, "first_image", "cell.formula_without_value"),
    ]
    sheet["D1"] = '="dura"&"tion"'
    assert "D1" in refusal(save(book, tmp_path))


def test_a_zero_that_the_spreadsheet_is_to_compute_is_no_value(tmp_path):
    sheet = rows([HEADINGS]) + row(2, ID, cell("B2", "<v>a</v>", "str"), cell("D2", "<f>2*5</f><v>0</v>"))
    assert problems(read_table(make(tmp_path, sheet, main='<calcPr fullCalcOnLoad="1"/>')))[0][1] == "duration"
    assert read_table(make(tmp_path, sheet)).rows[0].request.duration == 0


@pytest.mark.parametrize(
    ("xml", "kind", "extra", "slug"),
    [
        ("<v>#VALUE!</v>", "e", ' vm="1"', "cell.rich_value"),
        ('<f>_xlfn.IMAGE("https://a")</f><v>#VALUE!</v>', "e", ' vm="2"', "cell.rich_value"),
        ('<f>_xlfn.DISPIMG("ID_1",1)</f><v>=DISPIMG("ID_1",1)</v>', "str", "", "cell.rich_value"),
        ("<v>NaN</v>", "", "", "cell.error_value"),
        ("<v>abc</v>", "", "", "cell.error_value"),
        ("<v>-5</v>", "", ' s="1"', "cell.no_date"),
        ("<v>99999999</v>", "", ' s="1"', "cell.no_date"),
        ("<v>5</v>", "", ' s="2"', "cell.hidden_by_format"),
    ],
)
def test_pictures_and_broken_values_are_problems(tmp_path, xml, kind, extra, slug):
    sheet = rows([HEADINGS]) + row(2, ID, cell("B2", "<v>a</v>", "str"), cell("C2", xml, kind, extra))
    assert problems(read_table(make(tmp_path, sheet, formats=["yyyy-mm-dd", ";;;"]))) == [(2, "first_image", slug)]


def test_a_picture_over_an_empty_cell_is_a_problem(tmp_path):
    from openpyxl.drawing.image import Image
    from PIL import Image as Pillow

    picture = io.BytesIO()
    Pillow.new("RGB", (4, 4)).save(picture, "PNG")
    book = openpyxl.Workbook()
    for line in [HEADINGS, [1, "a"], [2, "b", "https://a/1.png"], [3, "c"]]:
        book.active.append(line)
    for place in ("C2", "C3", "H3", "C9"):  # empty, filled, beside the table, below it
        book.active.add_image(Image(io.BytesIO(picture.getvalue())), place)
    table = read_table(save(book, tmp_path))
    assert problems(table) == [(2, "first_image", "cell.picture")]
    assert prompts(table) == ["b", "c"]


# --- merged regions ----------------------------------------------------------------------------------------------


def test_a_region_over_rows_is_a_problem_in_each_row_but_the_first(tmp_path):
    book = openpyxl.Workbook()
    for line in [HEADINGS, [1, "a", "https://a/1", 5, "mine"], [2, "b"], [3, "c"]]:
        book.active.append(line)
    for region in ("C2:C4", "D2:D3", "E2:E4"):
        book.active.merge_cells(region)
    table = read_table(save(book, tmp_path))
    assert table.rows[0].request == VideoRequest(prompt="a", first_image="https://a/1", duration=5)
    expected = [(3, "duration"), (3, "first_image"), (4, "first_image")]
    assert problems(table) == [(*place, "cell.merged") for place in expected]
    assert "C2:C4" in str(table.problems[1])
    assert table.frame["note"].tolist() == ["mine", "mine", "mine"]


def test_regions_of_titles_headings_and_columns_are_no_problem(tmp_path):
    book = openpyxl.Workbook()
    lines = [
        ["Spring", None, None, None, None],
        ["id", "prompt", None, "Settings", None],
        [None, None, None, "duration", "ratio"],
        [1, "a", None, 5, "16:9"],
        [None, None, None, None, None],
        [2, "b", None, None, "wide"],
    ]
    for line in lines:
        book.active.append(line)
    # Two rows of headings, a prompt over two columns, and a row of the table that is two rows of the sheet.
    for region in ("A1:E1", "A2:A3", "B2:C3", "D2:E2", "B4:C5", "A4:A5", "D4:D5", "E4:E5", "B6:D6"):
        book.active.merge_cells(region)
    book.active["E6"] = "16:9"
    table = read_table(save(book, tmp_path))
    assert [(one.key, one.line) for one in table.rows] == [("1", 4), ("2", 6)]
    assert table.rows[0].request == VideoRequest(prompt="a", duration=5, ratio="16:9")
    assert slugs(table.warnings) == ["table.headings_below", "table.merged_columns"]
    assert "B6:D6" in str(table.warnings[1])


def test_what_lies_under_a_region_is_not_read(tmp_path):
    sheet = rows([HEADINGS, ["1", "a", "https://a/1"], ["2", "b", "https://a/2"], [None, None, "https://a/3"]])
    table = read_table(make(tmp_path, sheet, after='<mergeCells><mergeCell ref="C2:C4"/></mergeCells>'))
    assert problems(table) == [(3, "first_image", "cell.merged")]
    assert len(table.frame) == 2


# --- what is hidden ----------------------------------------------------------------------------------------------


def test_the_first_visible_sheet_is_read_and_hidden_ones_are_named(tmp_path):
    book = openpyxl.Workbook()
    book.active.title = "old"
    book.active.append(["prompt"])
    book.active.append(["wrong"])
    book.active.sheet_state = "hidden"
    book.create_sheet("older").sheet_state = "veryHidden"
    book.create_chartsheet("chart")
    for line in (["prompt"], ["right"]):
        book.create_sheet("new").append(line) if line == ["prompt"] else book["new"].append(line)
    book.active = 3
    table = read_table(save(book, tmp_path))
    assert prompts(table) == ["right"]
    (warning,) = table.warnings
    assert warning.slug == "table.hidden_sheets"
    assert all(name in str(warning) for name in ("'new'", "'old'", "'older'"))


@pytest.mark.parametrize("how", ['hidden="1"', 'hidden="true"', 'ht="0" customHeight="1"'])
def test_hidden_rows_are_left_out_with_a_warning(tmp_path, how):
    hidden = row(3, cell("A3", "<v>b</v>", "str"), extra=how) + row(5, cell("B5", "<v>0</v>", "b"), extra=how)
    sheet = rows([["prompt", "approved"], ["a", None]]) + hidden + row(6, cell("A6", "<v>c</v>", "str"))
    columns = '<cols><col min="1" max="1" hidden="1" width="0"/></cols>'
    table = read_table(make(tmp_path, sheet, before=columns))
    assert [(one.request.prompt, one.line) for one in table.rows] == [("a", 2), ("c", 6)]
    (warning,) = table.warnings
    assert (warning.slug, warning.parameters) == ("table.hidden_rows", {"count": 1, "lines": [3]})


# --- values ------------------------------------------------------------------------------------------------------


def test_numbers_dates_and_texts_are_what_is_seen(tmp_path):
    stored = [
        ("<v>1001</v>", "", "", 1001),
        ("<v>12345678901234567</v>", "", "", 12345678901234567),
        ("<v>1.2345678901234568E+16</v>", "", "", 12345678901234568),
        ("<v>4.9999999999999991</v>", "", "", 5),
        ("<v>0.1</v>", "", "", 0.1),
        ("<v>1E+300</v>", "", "", 1e300),
        ("<v>45413</v>", "", ' s="1"', moment(2024, 5, 1)),
        ("<v>45413.5</v>", "", ' s="3"', moment(2024, 5, 1, 12)),
        ("<v>0.67291666666666661</v>", "", ' s="4"', dt.time(16, 9)),
        ("<v>1.5</v>", "", ' s="5"', dt.timedelta(hours=36)),
        ("<v>2024-05-01T12:00:00</v>", "d", "", moment(2024, 5, 1, 12)),
        ("<v>0.5</v>", "", ' s="6"', 0.5),
        ("<v>5</v>", "", ' s="7"', 5),
        ("<v>1</v>", "b", "", True),
        ("<v>two_x000D_\n_x005F_x000D_</v>", "str", "", "two\r\n_x000D_"),
        ("<v>_xD83D__xDE00_</v>", "str", "", "\U0001f600"),
        ("<is><r><t>a </t></r><r><t>cat</t></r><rPh><t>KYAT</t></rPh></is>", "inlineStr", "", "a cat"),
        ("<v>0</v>", "s", "", " shared "),
        ("<v>0</v>", "", ' s="8"', None),
        ("<v>5</v>", "", ' s="9"', 5),
    ]
    codes = ["yyyy-mm-dd", ";;;", '[$-804]yyyy"年"m"月"d"日"\\ h:mm', "h:mm;@", "[h]:mm:ss", "0%", '0"秒"', "0;-0;;@"]
    codes += ["General\\ [Red]0.00E+00"]
    lines = [row(n, cell(f"B{n}", xml, kind, extra)) for n, (xml, kind, extra, _) in enumerate(stored, start=2)]
    shared = "<si><r><t> sha</t></r><rPh><t>x</t></rPh><r><t>red </t></r></si>"
    sheet = rows([["prompt", "note"]]) + "".join(
        line.replace("><c ", f'><c r="A{n}" t="str"><v>p{n}</v></c><c ', 1) for n, line in enumerate(lines, start=2)
    )
    found = read_table(make(tmp_path, sheet, formats=codes, shared=shared)).frame["note"].tolist()
    expected = [value for *_, value in stored]
    assert [type(value) for value in found] == [type(value) for value in expected]
    assert found == expected


def test_built_in_formats_of_dates_and_the_years_from_1904(tmp_path):
    sheet = rows([["prompt", "note"]]) + row(2, cell("A2", "<v>a</v>", "str"), cell("B2", "<v>1</v>", "", ' s="1"'))
    for number in (14, 22, 31, 57):
        table = read_table(make(tmp_path, sheet, formats=[number], main='<workbookPr date1904="1"/>', first=True))
        assert table.frame["note"].tolist() == [moment(1904, 1, 2)]
    table = read_table(make(tmp_path, sheet, formats=[14]))
    assert table.frame["note"].tolist() == [moment(1900, 1, 1)]


def test_ids_that_are_shown_with_zeros_are_warned_about(tmp_path):
    book = openpyxl.Workbook()
    for line in [["id", "prompt", "sku", "price", "duration"], [1, "a", 7, 5, 5], [2, "b", 8, 6, 5]]:
        book.active.append(line)
    for place, code in {"A2": "000", "A3": "000", "C3": "00000", "D2": '"¥"0', "E2": '0"s"'}.items():
        book.active[place].number_format = code
    warnings = read_table(save(book, tmp_path)).warnings
    assert slugs(warnings) == ["table.shown_otherwise", "table.shown_otherwise"]
    assert warnings[0].parameters == {"column": "id", "cell": "A2", "shown": "001", "read": 1}
    assert warnings[1].parameters == {"column": "sku", "cell": "C3", "shown": "00008", "read": 8}


# --- other programs ----------------------------------------------------------------------------------------------


def test_places_may_be_missing_or_wrong_and_the_table_anywhere(tmp_path):
    bare = '<dimension ref="A1"/><sheetData><row/><row><c/><c t="str"><v>prompt</v></c><c t="str"><v>id</v></c></row>'
    sheet = bare + '<row r="7"><c r="C7"><v>1</v></c><c r="B7" t="str"><v>a</v></c></row></sheetData>'
    table = read_table(make(tmp_path, sheet, whole=True))
    assert [(one.key, one.line, one.request.prompt) for one in table.rows] == [("1", 7, "a")]
    assert list(table.frame.columns) == ["prompt", "id"]


def test_strict_files_prefixes_and_odd_names_of_parts(tmp_path):
    plain = make(tmp_path, rows([["prompt"], ["a"]]))
    with zipfile.ZipFile(plain) as old:
        parts = {name: old.read(name).decode() for name in old.namelist()}
    path = tmp_path / "b.xlsx"
    with zipfile.ZipFile(path, "w") as new:
        for name, text in parts.items():
            strict = text.replace(
                "http://schemas.openxmlformats.org/officeDocument/2006", "http://purl.oclc.org/ooxml/o"
            )
            strict = strict.replace("schemas.openxmlformats.org/spreadsheetml/2006/main", "purl.oclc.org/ooxml/s")
            if "worksheet" in name:
                strict = (
                    strict.replace("</", "</x:")
                    .replace("<", "<x:")
                    .replace("<x:/x:", "</x:")
                    .replace("xmlns=", "xmlns:x=")
                )
            strict = strict.replace('Target="worksheets/', 'Target="/xl/Worksheets/')
            new.writestr(name.replace("/", "\\") if "styles" in name else name, strict)
    assert prompts(read_table(path)) == ["a"]


# --- what is no workbook, and what is too much --------------------------------------------------------------------


def test_other_archives_are_named(tmp_path):
    for part, words in {
        "xl/workbook.bin": ".xlsb",
        "content.xml": ".ods",
        "Index/Document.iwa": "Numbers",
        "a": "zip",
    }.items():
        with zipfile.ZipFile(tmp_path / "a.xlsx", "w") as archive:
            archive.writestr(part, "x")
        assert words in refusal(tmp_path / "a.xlsx")
    assert "'Sheet', is empty" in refusal(save(openpyxl.Workbook(), tmp_path))


def test_hostile_files_are_refused(tmp_path, monkeypatch):
    entities = '<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;">]>'
    deep = "<a>" * 100 + "</a>" * 100
    for text in (make(tmp_path, "", doctype=entities), make(tmp_path, deep, whole=True)):
        assert "not read for safety" in refusal(text)
    for place, value in ((workbook, "_MAX_TAG"), (workbook, "_MAX_PARTS")):
        with monkeypatch.context() as bounds:
            bounds.setattr(place, value, 1 if value == "_MAX_PARTS" else -1)
            assert "not read for safety" in refusal(make(tmp_path, rows([["prompt"], ["a"]])))
    for value in ("MAX_UNPACKED", "_MAX_HELD"):
        with monkeypatch.context() as bounds:
            bounds.setattr(workbook, value, 100)
            assert "larger than" in refusal(make(tmp_path, rows([["prompt"], ["a"]])))
    twice = '<row r="1"><c r="A1"><v>1</v></c><c r="A1"><v>2</v></c></row>'
    far = '<row r="9999999"><c r="A1"><v>1</v></c></row>'
    wide = '<row r="1"><c r="ZZZZ1"><v>1</v></c></row>'
    for sheet in (twice, far, wide):
        assert "not a readable table" in refusal(make(tmp_path, sheet))


def test_a_part_packed_by_another_method_is_refused(tmp_path):
    plain = make(tmp_path, rows([["prompt"], ["a"]]))
    buffer = io.BytesIO()
    with zipfile.ZipFile(plain) as old, zipfile.ZipFile(buffer, "w", zipfile.ZIP_LZMA) as new:
        for name in old.namelist():
            new.writestr(name, old.read(name))
    (tmp_path / "b.xlsx").write_bytes(buffer.getvalue())
    assert "not read for safety" in refusal(tmp_path / "b.xlsx")


def test_formatted_empty_rows_and_far_cells_take_no_memory(tmp_path):
    empty = "".join(f'<row r="{n}" s="1" customFormat="1"><c r="A{n}" s="1"/></row>' for n in range(3, 20_000))
    far = row(1_048_576, cell("XFD1048576", "<v>x</v>", "str"), cell("A1048576", "<v>end</v>", "str"))
    cells = read_table(make(tmp_path, rows([["prompt"], ["a"]]) + empty + far))
    assert [(one.request.prompt, one.line) for one in cells.rows] == [("a", 2), ("end", 1_048_576)]
    assert len(cells.frame.columns) == 2


def test_pandas_and_this_reader_agree(tmp_path):
    frame = pd.DataFrame(
        {"prompt": ["NA", "b", "c"], "n": [1, 2, 3], "x": [0.5, None, 2.5], "when": pd.Timestamp(2024, 5, 1)}
    )
    frame.to_excel(tmp_path / "a.xlsx", index=False)
    found = read_table(tmp_path / "a.xlsx").frame
    assert found["n"].tolist() == [1, 2, 3]
    assert found["x"].tolist() == [0.5, None, 2.5]
    assert found["when"].tolist() == [moment(2024, 5, 1)] * 3
