"""A QR code as the squares of an inline SVG; what it says is decided elsewhere."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby

import segno


@dataclass(frozen=True, slots=True)
class Qr:
    """What it says. `side` in squares, the quiet zone included; `path` is one SVG path of the dark ones."""

    text: str
    side: int
    path: str


def qr(text: str) -> Qr:
    """Correction M: readable from a screen with a finger's print on it, and still coarse."""
    rows = [bytes(row) for row in segno.make_qr(text, error="m").matrix_iter(border=4)]
    return Qr(text, len(rows), "".join(_line(number, row) for number, row in enumerate(rows)))


def _line(number: int, row: bytes) -> str:
    """One stroke a run of dark squares, so that no reader sees gaps between them."""
    strokes, at = [], 0
    for dark, run in groupby(row):
        length = len(list(run))
        if dark:
            strokes.append(f"M{at} {number}h{length}v1h-{length}z")
        at += length
    return "".join(strokes)
