"""Lists as CSV files: every row, streamed; nothing a spreadsheet would run."""

from __future__ import annotations

import csv
import io

from popadmin.lists.columns import Exported
from popadmin.lists.exports import lines


def test_cells_that_begin_like_a_formula_are_text() -> None:
    rows = ["=1+1", "+33", "-x", "@sum", "\tx", 'quote"d, comma', None]
    text = "".join(lines(rows, (Exported("Name", lambda row: row),)))
    assert text.startswith("\N{ZERO WIDTH NO-BREAK SPACE}Name\r\n")
    cells = [row[0] if row else "" for row in csv.reader(io.StringIO(text[1:], newline=""))]
    assert cells == ["Name", "'=1+1", "'+33", "'-x", "'@sum", "'\tx", 'quote"d, comma', ""]
