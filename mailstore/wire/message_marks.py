"""Read from the header of a message what leads to it in other logs: Message-ID, queue id of the MTA, sender."""

from __future__ import annotations

import re

from mailstore.ports import MessageMarks
from mailstore.wire import header_field

HEAD_OCTETS = 16 * 1024  # of a message; the two fields stand near its beginning
FIELD_OCTETS = 1000  # of one field: RFC 5322 §2.1.1 for a line, and a Received has few
ID_CHARACTERS = 300
_MESSAGE_ID = header_field.pattern("message-id")
_RECEIVED = header_field.pattern("received")
# RFC 5321 §4.4: "id" and its value. Postfix: `id 4Xyz1k2`; Exim: `id 1rXyzA-0001Ab-2C`.
_QUEUE_ID = re.compile(rb"\sid\s+([0-9A-Za-z][0-9A-Za-z-]{3,63})(?=[\s;])")
_FROM = re.compile(rb"\A\s*from\s+([^\s()\[\]]{1,255})")
_ADDRESS = re.compile(rb"\[(?:IPv6:)?([0-9A-Fa-f:.]{3,45})\]")


def marks(head: bytes) -> MessageMarks:
    """Read them from the beginning of a message, in wire form."""
    end = header_field.END.search(head, 0, HEAD_OCTETS)
    header = head[: end.start() if end else HEAD_OCTETS]
    received = _topmost(_RECEIVED, header)
    queue_id = _QUEUE_ID.search(received)
    return MessageMarks(
        message_id=_text(_topmost(_MESSAGE_ID, header)).strip("<>"),
        mta_id=_text(queue_id[1]) if queue_id else "",
        origin=_origin(received),
    )


def _topmost(field: re.Pattern[bytes], header: bytes) -> bytes:
    """Return the value of the first such field, as it is folded; empty without one."""
    found = field.search(header)
    return found[1][:FIELD_OCTETS] if found else b""


def _origin(received: bytes) -> str:
    """Return name and address of the server that sent it, as far as the field has them."""
    clause = received.partition(b"\tby ")[0].partition(b" by ")[0]
    name, address = _FROM.search(clause), _ADDRESS.search(clause)
    return ", ".join(_text(found[1]) for found in (name, address) if found)


def _text(data: bytes) -> str:
    text = " ".join(data.decode("utf-8", "replace").split())
    return "".join(character if character.isprintable() else "?" for character in text[:ID_CHARACTERS])
