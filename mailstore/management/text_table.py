"""Lists for people: aligned columns of text, written row by row."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, islice

from mailstore.amount_text import size

MEASURED_ROWS = 500  # the first rows decide the widths of the columns, so that a long list needs little memory


def lines(headings: Sequence[str], rows: Iterable[Sequence[object]]) -> Iterator[str]:
    """Yield the lines of the table, headings first. The last column is not padded."""
    source = ([str(cell) for cell in row] for row in chain([headings], rows))
    first = list(islice(source, MEASURED_ROWS))
    widths = [max(len(row[column]) for row in first) for column in range(len(headings))]
    for row in chain(first, source):
        yield "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()


def about(octets: int) -> str:
    """Return a size in octets for people, such as `1.5 GB`."""
    return size(octets).replace("\N{NO-BREAK SPACE}", " ")


def dash(value: object) -> str:
    """Return the value, or a dash where there is none."""
    return "-" if value is None or value == "" else str(value)
