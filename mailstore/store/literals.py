"""Postgres array literals, as parameters of the mail path's statements take them."""

from __future__ import annotations

from collections.abc import Iterable


def bigints(numbers: Iterable[int]) -> bytes:
    return b"{%s}" % b",".join(b"%d" % number for number in numbers)


def texts(items: Iterable[str | None]) -> bytes:
    return ("{" + ",".join("NULL" if item is None else _quoted(item) for item in items) + "}").encode()


def _quoted(item: str) -> str:
    escaped = item.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
