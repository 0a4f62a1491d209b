"""Conversations as data files: what the client says, what the server answers; read here, replayed by the tests.

    # a comment
    @ words that tell the test which state to begin with
    C: a line of the client, its end is added: CRLF, or what `load` was told
    C- octets of the client without a line end
    S: a line of the server; one that ends in ... may go on as it likes

In both, \\xNN stands for an octet and \\\\ for a backslash.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).parent / "transcripts"
PIECES = (None, 1, 2, 3, 7, 64)  # octets written at once; None: all of it
_ESCAPE = re.compile(rb"\\(?:x([0-9a-fA-F]{2})|\\)")


@dataclass(frozen=True)
class Transcript:
    name: str
    stage: frozenset[str]
    sent: bytes
    expected: tuple[bytes, ...]  # lines without their ends
    line_end: bytes = b"\r\n"

    def pieces(self, octets: int | None) -> list[bytes]:
        """Return what the client sends, cut into pieces of so many octets."""
        step = octets or len(self.sent)
        return [self.sent[start : start + step] for start in range(0, len(self.sent), step)]

    def check(self, received: bytes) -> None:
        """Assert that the server said what stands here, and nothing else."""
        assert received.endswith(self.line_end)
        lines = received.removesuffix(self.line_end).split(self.line_end)
        for got, wanted in zip(lines, self.expected, strict=False):
            open_end = wanted.endswith(b"...")
            assert got == wanted or (open_end and got.startswith(wanted[:-3])), f"{self.name}: {got!r}, not {wanted!r}"
        assert len(lines) == len(self.expected), f"{self.name}: {len(lines)} lines, not {len(self.expected)}"


def load(folder: str, *, line_end: bytes = b"\r\n") -> list[Transcript]:
    """Return the transcripts of one protocol, by name."""
    found = [_read(path, line_end) for path in sorted((FOLDER / folder).glob("*.txt"))]
    assert found, f"no transcripts under {FOLDER / folder}"
    return found


def _read(path: Path, line_end: bytes) -> Transcript:
    stage: set[str] = set()
    sent: list[bytes] = []
    expected: list[bytes] = []
    for line in path.read_bytes().splitlines():
        kind, text = line[:2], _ESCAPE.sub(_octet, line[3:])
        if kind == b"C:":
            sent.append(text + line_end)
        elif kind == b"C-":
            sent.append(text)
        elif kind == b"S:":
            expected.append(text)
        elif kind[:1] == b"@":
            stage.update(line[1:].decode().split())
        elif line and not line.startswith(b"#"):
            raise ValueError(f"{path.name}: {line!r} is no line of a transcript")
    return Transcript(path.stem, frozenset(stage), b"".join(sent), tuple(expected), line_end)


def _octet(match: re.Match[bytes]) -> bytes:
    return bytes([int(match[1], 16)]) if match[1] else b"\\"
