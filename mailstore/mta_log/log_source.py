"""Where the lines of an MTA's log come from: a file that may be rotated, or the journal. Each goes on at a position."""

from __future__ import annotations

import json
import os
import select
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

LINE_OCTETS = 8192  # a longer line is skipped; MTAs write at most 2000
CHUNK_OCTETS = 64 * 1024
POSTFIX_UNITS = "postfix.service,postfix@-.service"  # by name: a pattern finds only units that have written already
POLL_SECONDS = 1.0  # between two looks at a file, or two batches of a journal that is quiet


@dataclass(frozen=True, slots=True)
class Line:
    """One line, and the position behind it. The journal gives the time and the program apart from the text."""

    text: str
    position: str
    at_microseconds: int | None = None
    program: str = ""


Lines = Iterator[Line | None]  # None: nothing is there now


class LogFile:
    """A file. Its position is its inode and an offset, so a file that was renamed is read to its end first."""

    def __init__(self, path: Path) -> None:
        self.name = str(path)
        self._path = path

    def lines(self, position: str, *, follow: bool) -> Lines:
        """Yield the complete lines behind the position. OSError if the file cannot be read."""
        inode, offset = _position(position)
        while True:
            for path in self._rest(inode):
                for line in _lines_of(path, offset if path.stat().st_ino == inode else 0):
                    yield line
                    inode, offset = _position(line.position)
            yield None
            if not follow:
                return
            time.sleep(POLL_SECONDS)

    def _rest(self, inode: int) -> list[Path]:
        """Return the files to read: the rotated one that was not read to its end, then the present one."""
        rotated = self._path.with_name(f"{self._path.name}.1")
        if inode and self._path.stat().st_ino != inode and rotated.exists() and rotated.stat().st_ino == inode:
            return [rotated, self._path]
        return [self._path]


def _position(text: str) -> tuple[int, int]:
    inode, _colon, offset = text.partition(":")
    return (int(inode), int(offset)) if inode.isdecimal() and offset.isdecimal() else (0, 0)


def _lines_of(path: Path, offset: int) -> Iterator[Line]:
    with path.open("rb") as file:
        inode, size = os.fstat(file.fileno()).st_ino, os.fstat(file.fileno()).st_size
        file.seek(offset if offset <= size else 0)  # a shorter file was emptied
        while data := file.readline(LINE_OCTETS + 1):
            if not data.endswith(b"\n"):
                if len(data) <= LINE_OCTETS or not _skip(file):
                    return  # it is still being written
                continue
            yield Line(_storable(data.decode("utf-8", "replace").rstrip("\r\n")), f"{inode}:{file.tell()}")


def _skip(file: IO[bytes]) -> bool:
    """Skip to the end of an overlong line; return whether it has one."""
    while data := file.readline(CHUNK_OCTETS):
        if data.endswith(b"\n"):
            return True
    return False


class Journal:
    """The systemd journal of some units, with commas between, by `journalctl`. Its position is the journal's cursor."""

    def __init__(self, units: str) -> None:
        self.name = f"journal:{units}"
        self._units = units

    def lines(self, position: str, *, follow: bool) -> Lines:
        """Yield the entries behind the position. OSError if there is no journalctl, or it may not read the journal."""
        command = ["journalctl", "--output=json", "--no-pager", "--quiet"]
        command += [f"--unit={unit}" for unit in self._units.split(",")]
        command += [f"--after-cursor={position}"] if position else ["--no-tail"]
        command += ["--follow"] if follow else []
        with subprocess.Popen(command, stdout=subprocess.PIPE, stdin=subprocess.DEVNULL) as process:
            try:
                if process.stdout is not None:
                    yield from _entries(process.stdout)
                if code := process.wait():
                    raise OSError(f"journalctl ended with {code}")
                yield None
            finally:
                process.terminate()


def _entries(stream: IO[bytes]) -> Lines:
    """Yield the entries of a stream of JSON, a line each, and None whenever it is quiet for a moment."""
    pending = b""
    while True:
        ready, _none, _none = select.select([stream], [], [], POLL_SECONDS)
        if not ready:
            yield None
            continue
        data = os.read(stream.fileno(), CHUNK_OCTETS)
        if not data:
            return
        *whole, pending = (pending + data).split(b"\n")
        pending = pending if len(pending) <= CHUNK_OCTETS else b""
        for text in whole:
            if (line := _entry(text)) is not None:
                yield line


def _entry(text: bytes) -> Line | None:
    try:
        entry = json.loads(text)
        message, cursor = entry["MESSAGE"], entry["__CURSOR"]
        at = int(entry["__REALTIME_TIMESTAMP"])
    except (ValueError, KeyError, TypeError):
        return None
    if not isinstance(message, str) or not isinstance(cursor, str):  # a binary message is a list of numbers
        return None
    return Line(_storable(message[:LINE_OCTETS]), cursor, at, str(entry.get("SYSLOG_IDENTIFIER", "")))


def _storable(text: str) -> str:
    """Return the text without what Postgres does not take: one such line would stop the reader for good."""
    return text.replace("\0", "\N{REPLACEMENT CHARACTER}")


def source(text: str) -> LogFile | Journal:
    """Return the source that MTA_LOG names: a file, `journal`, or `journal:UNITS`."""
    kind, _colon, units = text.partition(":")
    return Journal(units or POSTFIX_UNITS) if kind == "journal" else LogFile(Path(text))
