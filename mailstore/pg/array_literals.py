"""Postgres array literals, as parameters of the mail path's statements take them."""

from __future__ import annotations

from collections.abc import Iterable


def bigints(values: Iterable[int | None]) -> bytes:
    """Return a literal of bigint[]."""
    return b"{%s}" % b",".join([b"NULL" if value is None else b"%d" % value for value in values])


def verbatim(values: Iterable[bytes | None]) -> bytes:
    """Return a literal of numbers as Postgres printed them."""
    return b"{%s}" % b",".join([b"NULL" if value is None else value for value in values])


def booleans(claims: Iterable[bool]) -> bytes:
    """Return a literal of boolean[]."""
    return b"{%s}" % b",".join([b"t" if claim else b"f" for claim in claims])


def data(values: Iterable[bytes]) -> bytes:
    """Return a literal of bytea[]."""
    return texts(f"\\x{value.hex()}" for value in values)


def texts(items: Iterable[str | None]) -> bytes:
    """Return a literal of text[], or of any other type that reads its values as text."""
    return ("{" + ",".join("NULL" if item is None else _quoted(item) for item in items) + "}").encode()


def _quoted(item: str) -> str:
    escaped = item.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
