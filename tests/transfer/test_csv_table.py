"""CSV as it comes from spreadsheets, and as it may safely go back into them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailstore.directory.outcome import Rejected
from mailstore.transfer import csv_table


def cells(data: bytes) -> list[tuple[str, ...]]:
    return [row.cells for row in csv_table.read(data).rows]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252", "latin-1"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_what_spreadsheets_write_is_read(encoding: str, delimiter: str) -> None:
    text = f"adresse{delimiter}nom\r\nann@example.org{delimiter}Chloé\r\n"
    table = csv_table.read(text.encode(encoding))
    assert table.header == ("adresse", "nom")
    assert [row.cells for row in table.rows] == [("ann@example.org", "Chloé")]


def test_quotes_hold_delimiters_and_line_ends_and_lines_are_counted_as_an_editor_does() -> None:
    table = csv_table.read(b'a,b\n"x,\ny",1\n\nz,2\n')
    assert [(row.line, row.cells) for row in table.rows] == [(3, ("x,\ny", "1")), (5, ("z", "2"))]


@pytest.mark.parametrize("mark", [b"sep=;", b'"sep=;"', b"SEP=;"])
def test_a_first_line_that_names_the_delimiter_is_no_row_but_counts_as_a_line(mark: bytes) -> None:
    table = csv_table.read(mark + b"\r\na,b;c\r\n1,5;2\r\n")
    assert table.header == ("a,b", "c")
    assert [(row.line, row.cells) for row in table.rows] == [(3, ("1,5", "2"))]


def test_cells_that_are_left_out_at_the_end_are_empty() -> None:
    assert cells(b"a,b,c\n1\n1,2,3,,\n") == [("1", "", ""), ("1", "2", "3")]


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "empty"),
        (b"\r\n\r\n", "empty"),
        (b"a,b\n1,2,3\n", "line 2 has more cells"),
        (b"a,a\n1,2\n", "two columns have the name a"),
        (b'a\n"x\n', "not valid CSV"),
        (b"a\n\x00\n", "NUL"),
        (
            b"PK\x03\x04" + bytes(26) + b"[Content_Types].xml" + bytes(40) + b"xl/workbook.xml",
            "an Excel workbook: save it",
        ),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(504), "an Excel workbook: save it as CSV"),
        (
            b"PK\x03\x04" + bytes(26) + b"mimetypeapplication/vnd.oasis.opendocument.spreadsheet",
            "an OpenDocument workbook",
        ),
        (b"PK\x03\x04" + bytes(26) + b"people.csv", "a ZIP archive: unpack it"),
        (b"a\n" + b"x" * 2001, "line 2 has a cell of more than 2000"),
        (b"a\n" + b"1\n" * 50_001, "more than 50000 rows"),
        (b",".join(b"c%d" % n for n in range(51)), "more than 50 columns"),
        (b"a" * (20 * 1024**2 + 1), "more than 20 MB"),
    ],
)
def test_what_cannot_be_read_is_refused_in_one_sentence(data: bytes, message: str) -> None:
    with pytest.raises(Rejected, match=message):
        csv_table.read(data)


@pytest.mark.parametrize("formula", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\uff1d1"])
def test_nothing_is_written_that_a_spreadsheet_would_execute(formula: str) -> None:
    written = b"".join(csv_table.write(["name"], [[formula]])).decode("utf-8-sig")
    assert written.split("\r\n", 1)[1].lstrip('"').startswith("'")


def test_numbers_stay_numbers() -> None:
    assert b"".join(csv_table.write(["n"], [[-5]])).endswith(b"-5\r\n")


TEXT = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=30).map(str.strip).filter(bool)


@given(st.lists(st.tuples(TEXT, TEXT), min_size=1, max_size=5))
def test_what_is_written_is_read_again(rows: list[tuple[str, str]]) -> None:
    expected = [tuple(cell for cell in row) for row in rows if not any(cell.startswith("'") for cell in row)]
    assert cells(b"".join(csv_table.write(["a", "b"], expected))) == expected
