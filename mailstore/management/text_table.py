"""Lists for people: aligned columns of text, written as they come; what is in them is the command's part."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, islice

from django.template.defaultfilters import filesizeformat

MEASURED_ROWS = 500  # the widths of the columns are those of the first rows, so that a long list needs no memory


def lines(headings: Sequence[str], rows: Iterable[Sequence[object]]) -> Iterator[str]:
    """Yield the table's lines, headings first; the last column is as long as it likes."""
    source = ([str(cell) for cell in row] for row in chain([headings], rows))
    first = list(islice(source, MEASURED_ROWS))
    widths = [max(len(row[column]) for row in first) for column in range(len(headings))]
    for row in chain(first, source):
        yield "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()


def about(octets: int) -> str:
    """Return a size for people, such as `1.5 GB`."""
    return filesizeformat(octets).replace("\N{NO-BREAK SPACE}", " ")


def dash(value: object) -> str:
    """Return the value, or a dash where there is none."""
    return "-" if value is None or value == "" else str(value)
