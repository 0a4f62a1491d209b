"""A QR code as the squares of an inline SVG."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby

import segno


@dataclass(frozen=True, slots=True)
class Qr:
    """A QR code. `side` counts squares, with the quiet zone; `path` is one SVG path of the dark ones."""

    text: str
    side: int
    path: str


def qr(text: str) -> Qr:
    """Encode a text with correction M: it survives a fingerprint on the screen, and is still coarse."""
    rows = [bytes(row) for row in segno.make_qr(text, error="m").matrix_iter(border=4)]
    return Qr(text, len(rows), "".join(_line(number, row) for number, row in enumerate(rows)))


def _line(number: int, row: bytes) -> str:
    """Draw one stroke per run of dark squares, so that no reader sees gaps between them."""
    strokes, at = [], 0
    for dark, run in groupby(row):
        length = len(list(run))
        if dark:
            strokes.append(f"M{at} {number}h{length}v1h-{length}z")
        at += length
    return "".join(strokes)
