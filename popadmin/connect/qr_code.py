"""A QR code as one path of an SVG, for the page that a phone opens to set up its mail program."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby

import segno


@dataclass(frozen=True, slots=True)
class QrCode:
    """A QR code for an SVG. `side` counts squares, with the quiet zone; `path` draws all dark squares."""

    text: str
    side: int
    path: str


def qr_code(text: str) -> QrCode:
    """Encode a text with error correction M: it survives a fingerprint on the screen, and its squares stay large."""
    rows = [bytes(row) for row in segno.make_qr(text, error="m").matrix_iter(border=4)]
    return QrCode(text, len(rows), "".join(_line(number, row) for number, row in enumerate(rows)))


def _line(number: int, row: bytes) -> str:
    """Draw one stroke per run of dark squares, so that no reader sees gaps between them."""
    strokes, at = [], 0
    for dark, run in groupby(row):
        length = len(list(run))
        if dark:
            strokes.append(f"M{at} {number}h{length}v1h-{length}z")
        at += length
    return "".join(strokes)
