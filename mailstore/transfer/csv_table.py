"""Read and write CSV files. Reads what any spreadsheet writes, and writes what a spreadsheet opens safely."""

from __future__ import annotations

import codecs
import csv
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from io import StringIO
from itertools import chain

from django.utils.translation import gettext as _

from mailstore.directory.outcome import Rejected

OCTETS_AT_MOST = 20 * 1024 * 1024  # several times 50,000 rows of usual length
ROWS_AT_MOST = 50_000
COLUMNS_AT_MOST = 50
CELL_CHARACTERS = 2000
DATA = "@"  # no name of a column contains it, so a line that does is data
DELIMITERS = ",;\t|"
_ZIP = b"PK\x03\x04"
_OLD_EXCEL = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"  # a compound file, in which Excel wrote .xls
_OPEN_DOCUMENT = b"mimetypeapplication/vnd.oasis.opendocument."  # of the first file in the archive, which is not packed
_MARKS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
# A spreadsheet reads a cell that starts with one of these as a formula. The last four are full-width forms.
_DELIMITER_MARK = re.compile(r'[\r\n]*"?sep=(.)"?[ ,;\t|]*(?:\r\n|\r|\n|$)', re.IGNORECASE)
_SECRET = re.compile(r"pass|pwd|pw\b|mdp|secret|hash|kennwort|contrase|senha|wachtwoord|crypt")
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\uff1d", "\uff0b", "\uff0d", "\uff20")


@dataclass(frozen=True, slots=True)
class Row:
    """The cells of one row, without spaces around them, except passwords. `line` is where the row ends in the file."""

    line: int
    cells: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CsvTable:
    """A table with the names of its columns. If its first line is data, all names are empty."""

    header: tuple[str, ...]
    rows: tuple[Row, ...]


def read(data: bytes, *, recast: Callable[[Sequence[Row]], Sequence[Row]] = lambda rows: rows) -> CsvTable:
    """Read a file in UTF-8 or UTF-16, else Windows-1252, with commas, semicolons, tabs or bars between its cells.

    A first line that contains an address is data. Empty rows are left out. Each row gets as many cells as the header.
    Passwords keep their blanks: cells below a name for them, and all but addresses where no column has a name. Rejected
    says what cannot be read, and in which line. `recast` is called first. It gets all rows as they are in the file, and
    may return others with a line of names.
    """
    if len(data) > OCTETS_AT_MOST:
        raise Rejected(_("the file has more than %(most)d MB: split it") % {"most": OCTETS_AT_MOST // 1024**2})
    _refuse_workbook(data)
    text = _text(data)
    text, delimiter = _after_mark(text)
    exact = list(_rows(text, delimiter or _delimiter(text)))
    if not exact:
        raise Rejected(_("the file is empty: its first line names the columns"))
    exact = list(recast(exact))
    header = tuple(map(_plain, exact[0].cells))
    if any(DATA in cell for cell in header):
        header, exact = ("",) * len(header), [exact[0], *exact]
    check_header(header)
    kept = (Row(row.line, tuple(_cells(header, row.cells))) for row in exact[1:])
    return CsvTable(header, tuple(_fitted(row, len(header)) for row in kept))


def write(header: Sequence[object], rows: Iterable[Sequence[object]]) -> Iterator[bytes]:
    """Yield a file for spreadsheets, line by line: UTF-8 with its mark, commas, no cell that would run as a formula."""
    yield codecs.BOM_UTF8
    for row in chain([header], rows):
        line = StringIO()
        csv.writer(line, lineterminator="\r\n").writerow([_harmless(cell) for cell in row])
        yield line.getvalue().encode()


def _refuse_workbook(data: bytes) -> None:
    """Refuse by name what people upload for a CSV file: the file of a spreadsheet, or an archive."""
    if data.startswith(_OLD_EXCEL) or (data.startswith(_ZIP) and b"xl/" in data):
        raise Rejected(_("this is an Excel workbook: save it as CSV"))
    if data.startswith(_ZIP) and _OPEN_DOCUMENT in data[:512]:
        raise Rejected(_("this is an OpenDocument workbook: save it as CSV"))
    if data.startswith(_ZIP):
        raise Rejected(_("this is a ZIP archive: unpack it and choose the CSV file in it"))


def _text(data: bytes) -> str:
    encoding = next((name for mark, name in _MARKS if data.startswith(mark)), "utf-8")
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError:
        text = data.decode("cp1252", "replace")  # what Excel writes as "CSV" in Western countries
    if "\0" in text:
        raise Rejected(_("this is not a CSV file: it contains NUL characters"))
    return text


def _after_mark(text: str) -> tuple[str, str]:
    """Return the text and the delimiter that its first line names for Excel, as `sep=;`; empty where it names none.

    The line is emptied, not taken away, so that lines are still counted as in the file.
    """
    mark = _DELIMITER_MARK.match(text)
    return (text, "") if mark is None else ("\n" + text[mark.end() :], mark[1])


def _delimiter(text: str) -> str:
    """Return the delimiter that is most frequent in the first line; a comma if there is none."""
    first = text.lstrip("\r\n").split("\n", 1)[0]
    return max(DELIMITERS, key=first.count)


def _rows(text: str, delimiter: str) -> Iterator[Row]:
    # Where a quotation mark follows the delimiter and blanks, as people type it, the blanks are no part of the cells.
    blanks = re.search(rf'{re.escape(delimiter)} +"', text) is not None
    reader = csv.reader(StringIO(text, newline=""), delimiter=delimiter, skipinitialspace=blanks, strict=True)
    try:
        for number, cells in enumerate(filter(any, reader)):
            if number > ROWS_AT_MOST:
                raise Rejected(_("the file has more than %(most)d rows: split it") % {"most": ROWS_AT_MOST})
            yield Row(reader.line_num, tuple(cells))
    except csv.Error as error:
        raise Rejected(
            _("line %(line)d is not valid CSV: a quotation mark is missing or one too many, or a cell is far too long")
            % {"line": reader.line_num}
        ) from error


def _cells(header: Sequence[str], cells: Sequence[str]) -> Iterator[str]:
    """Yield the cells, without spaces around those that are no passwords."""
    for number, cell in enumerate(cells):
        name = header[number] if number < len(header) else ""
        secret = _SECRET.search(name.lower()) if name else not any(header) and DATA not in cell
        yield cell if secret and cell.strip() else _plain(cell)


def _plain(cell: str) -> str:
    """Return the cell without spaces around it, and without the sign that `write` may have put before it."""
    text = cell.strip()
    return text[1:] if text.startswith("'") and text.lstrip("'").startswith(_FORMULA) else text


def check_header(names: Sequence[str]) -> None:
    """Refuse names that columns cannot have: too many, or the same name twice."""
    if len(names) > COLUMNS_AT_MOST:
        raise Rejected(_("the file has more than %(most)d columns") % {"most": COLUMNS_AT_MOST})
    for name in names:
        if name and names.count(name) > 1:
            raise Rejected(_("two columns have the name %(name)s") % {"name": name[:CELL_CHARACTERS]})


def _fitted(row: Row, columns: int) -> Row:
    """Return the row with `columns` cells. Spreadsheets leave out empty cells at the end of a row."""
    if any(row.cells[columns:]):
        raise Rejected(
            _("line %(line)d has more cells than the first line has names: %(count)d of %(names)d")
            % {"line": row.line, "count": len(row.cells), "names": columns}
        )
    if any(len(cell) > CELL_CHARACTERS for cell in row.cells):
        raise Rejected(
            _("line %(line)d has a cell of more than %(most)d characters") % {"line": row.line, "most": CELL_CHARACTERS}
        )
    return Row(row.line, (row.cells + ("",) * columns)[:columns])


def _harmless(cell: object) -> object:
    """Put the sign before a text that would be a formula, so that spreadsheets keep it as text."""
    return f"'{cell}" if isinstance(cell, str) and cell.lstrip("'").startswith(_FORMULA) else cell
