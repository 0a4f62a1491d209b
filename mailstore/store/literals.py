"""Postgres array literals, as parameters of the mail path's statements take them."""

from __future__ import annotations

from collections.abc import Iterable


def bigints(numbers: Iterable[int]) -> bytes:
    return b"{%s}" % b",".join(b"%d" % number for number in numbers)


def texts(items: Iterable[str]) -> bytes:
    quoted = (item.replace("\\", "\\\\").replace('"', '\\"') for item in items)
    return ("{" + ",".join(f'"{item}"' for item in quoted) + "}").encode()
