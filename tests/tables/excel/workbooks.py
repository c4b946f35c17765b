"""Workbooks for tests, written as XML: what the programs that people use write, and what no program writes."""

from __future__ import annotations

import zipfile
from xml.sax.saxutils import escape

_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006/relationships"


def cell(place, xml, kind="", extra=""):
    form = f' t="{kind}"' if kind else ""
    return f'<c r="{place}"{form}{extra}>{xml}</c>'


def row(number, *cells, extra=""):
    return f'<row r="{number}" {extra}>{"".join(cells)}</row>'


def rows(lines):
    """Rows of inline texts from A1."""
    return "".join(
        row(
            number,
            *(
                cell(f"{'ABCDEFGH'[place]}{number}", f"<is><t>{escape(text)}</t></is>", "inlineStr")
                for place, text in enumerate(line)
                if text is not None
            ),
        )
        for number, line in enumerate(lines, start=1)
    )


def _relations(**targets):
    ids = "".join(
        f'<Relationship Id="r{number}" Type="{_OFFICE}/{kind}" Target="{target}"/>'
        for number, (kind, target) in enumerate(targets.items(), start=1)
    )
    return f'<Relationships xmlns="{_PACKAGE}">{ids}</Relationships>'


def make(folder, data, *, before="", after="", main="", formats=(), shared="", whole=False, doctype="", first=False):
    """Write a workbook of one sheet. `formats` are codes or built-in numbers, for the styles from 1 on."""
    codes = [(code, 0) if isinstance(code, int) else (163 + n, code) for n, code in enumerate(formats, start=1)]
    quoted = [(number, escape(code, {'"': "&quot;"})) for number, code in codes if code]
    styles = "".join(f'<numFmt numFmtId="{number}" formatCode="{code}"/>' for number, code in quoted)
    used = "".join(f'<xf numFmtId="{number}"/>' for number, _ in [(0, 0), *codes])
    sheet = data if whole else f"{before}<sheetData>{data}</sheetData>{after}"
    sheets = f'<sheets><sheet name="Jobs" sheetId="1" r:id="r1" xmlns:r="{_OFFICE}"/></sheets>'
    parts = {
        "_rels/.rels": _relations(officeDocument="xl/workbook.xml"),
        "xl/_rels/workbook.xml.rels": _relations(
            worksheet="worksheets/sheet1.xml", styles="styles.xml", sharedStrings="sharedStrings.xml"
        ),
        "xl/workbook.xml": f'<workbook xmlns="{_MAIN}">{main + sheets if first else sheets + main}</workbook>',
        "xl/worksheets/sheet1.xml": f'{doctype}<worksheet xmlns="{_MAIN}">{sheet}</worksheet>',
        "xl/styles.xml": f'<styleSheet xmlns="{_MAIN}"><numFmts>{styles}</numFmts><cellStyleXfs><xf numFmtId="9"/>'
        f"</cellStyleXfs><cellXfs>{used}</cellXfs></styleSheet>",
        "xl/sharedStrings.xml": f'<sst xmlns="{_MAIN}">{shared}</sst>',
    }
    path = folder / "a.xlsx"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in parts.items():
            archive.writestr(name, text)
    return path


def save(book, folder):
    book.save(folder / "a.xlsx")
    return folder / "a.xlsx"
