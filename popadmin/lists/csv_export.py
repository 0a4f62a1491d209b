"""Export a list as a CSV file, streamed row by row. The store writes the CSV format."""

from __future__ import annotations

from django.http import StreamingHttpResponse

from mailstore.transfer import csv_table
from popadmin.lists.columns import Exported, Rows

CHUNK_ROWS = 2000


def streamed(rows: Rows, columns: tuple[Exported, ...], name: str) -> StreamingHttpResponse:
    """Return the rows as an attachment NAME.csv in UTF-8, with a byte order mark for spreadsheets."""
    cells = ([column.cell(row) for column in columns] for row in rows.iterator(CHUNK_ROWS))
    lines = csv_table.write([str(column.heading) for column in columns], cells)
    response = StreamingHttpResponse(lines, content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{name}.csv"'
    return response
