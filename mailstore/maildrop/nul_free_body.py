"""A body as POP clients get it: without NUL, at which old mail programs hang or cut the message off."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mailstore.ports import OpenBody

NUL = b"\0"
IN_PLACE_OF_NUL = b"\x80"  # what Dovecot's outlook-no-nuls sends; one octet, so that every count stays right


class NulFreeBody:
    """ports.OpenBody of another open body. What it has on disk is not what is sent, so it has no descriptor."""

    __slots__ = ("_body", "wire_octets")

    def __init__(self, body: OpenBody) -> None:
        self._body = body
        self.wire_octets = body.wire_octets

    def read(self, offset: int, count: int) -> bytes:
        return self._body.read(offset, count).replace(NUL, IN_PLACE_OF_NUL)  # no copy where there is none

    def descriptor(self) -> int | None:
        return None

    def close(self) -> None:
        self._body.close()
