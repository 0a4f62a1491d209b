"""A request while it arrives: its octets, and its length according to its head; gunicorn's parser finds the end."""

from __future__ import annotations

from typing import Any

from gunicorn.asgi.parser import ParseError, PythonProtocol

from popadmin.http_server.limits import CHUNK_OCTETS


class Incoming:
    """The octets of a request as they arrived. The thread that answers parses them again, with gunicorn's own parser.

    `malformed`: its end cannot be found; the answer of the threaded worker gives the reason.
    """

    def __init__(self, config: Any) -> None:
        self._pieces: list[bytes] = []
        self._body_pieces = 0
        self._parser = PythonProtocol(
            on_headers_complete=self._note_head,
            on_body=self._note_body,
            limit_request_line=config.limit_request_line,
            limit_request_fields=config.limit_request_fields,
            limit_request_field_size=config.limit_request_field_size,
        )
        self.octets = 0  # received so far
        self.has_head = False
        self.malformed = False

    def feed(self, data: bytes) -> None:
        self._pieces.append(data)
        self.octets += len(data)
        try:
            self._parser.feed(data)
        except (ParseError, ValueError):  # a length of 5,000 digits is a ValueError
            self.malformed = True

    @property
    def complete(self) -> bool:
        return bool(self._parser.is_complete)

    @property
    def chunked(self) -> bool:
        return bool(self._parser.is_chunked)

    @property
    def path(self) -> str:
        """Return the path as it was sent, without the query; empty before the head is complete."""
        return bytes(self._parser.path or b"").partition(b"?")[0].decode("latin-1")

    @property
    def method(self) -> str:
        return bytes(self._parser.method or b"").decode("latin-1")

    @property
    def body_octets(self) -> int:
        """Return the length of the body as far as it is known: from the head, or what has arrived."""
        declared = self._parser.content_length
        if declared is not None:
            return int(declared)
        # Sizes and extensions of chunks take memory as well as what is in them; the head is little beside a body.
        return self.octets + self._body_pieces * CHUNK_OCTETS if self.chunked else 0

    @property
    def expects_continue(self) -> bool:
        """Return True while the peer waits for 100 Continue before it sends the body (RFC 9110 §10.1.1)."""
        is_new = tuple(self._parser.http_version or (1, 0)) >= (1, 1)
        return (
            is_new and not self.complete and not self._body_pieces and self.header("expect").lower() == "100-continue"
        )

    def header(self, name: str) -> str:
        """Return the first header of this name (lower case); empty if there is none."""
        wanted = name.encode()
        values = (value for found, value in self._parser.headers if found == wanted)
        return bytes(next(values, b"")).decode("latin-1") if self.has_head else ""

    def take(self) -> tuple[bytes, bytes]:
        """Return the whole request, and the octets that arrived after it."""
        data = b"".join(self._pieces)
        self._pieces = []
        behind = len(self._parser.remaining()) if self.complete else 0
        end = len(data) - behind
        return data[:end], data[end:]

    def drop(self) -> None:
        """Drop the octets: nobody needs them any more."""
        self._pieces = []

    def _note_head(self) -> bool:
        self.has_head = True
        return False  # the body is to be read

    def _note_body(self, _data: bytes) -> None:
        self._body_pieces += 1
