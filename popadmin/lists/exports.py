"""A list as a CSV file, streamed row by row; cells that a spreadsheet would run as a formula are made harmless."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator
from typing import Any

from django.http import StreamingHttpResponse

from popadmin.lists.columns import Exported, Rows

CHUNK_ROWS = 2000
FORMULA = ("=", "+", "-", "@", "\t", "\r")  # OWASP: what a cell of a formula begins with


class _Line:
    """A file whose `write` gives the text back: the csv module writes, the response sends."""

    def write(self, text: str) -> str:
        return text


def streamed(rows: Rows, columns: tuple[Exported, ...], name: str) -> StreamingHttpResponse:
    """The rows as an attachment NAME.csv in UTF-8, with a mark by which spreadsheets know it."""
    response = StreamingHttpResponse(lines(rows.iterator(CHUNK_ROWS), columns), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{name}.csv"'
    return response


def lines(rows: Iterable[Any], columns: tuple[Exported, ...]) -> Iterator[str]:
    write = csv.writer(_Line()).writerow
    yield "\N{ZERO WIDTH NO-BREAK SPACE}" + str(write([str(column.heading) for column in columns]))
    for row in rows:
        yield str(write([_harmless(column.cell(row)) for column in columns]))


def _harmless(cell: object) -> str:
    text = "" if cell is None else str(cell)
    return f"'{text}" if text.startswith(FORMULA) else text
