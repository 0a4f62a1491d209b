"""Send a large body: by sendfile where the file is what is sent and the socket is plain, else in slices.

Memory is bounded either way.
"""

from __future__ import annotations

import asyncio
import logging
import os
from typing import Protocol

from mailstore.errors import MailError
from mailstore.listener.socket_buffers import WRITE_BUFFER_OCTETS, has_room
from mailstore.ports import OpenBody

log = logging.getLogger("popadmin.listener")

SLICE_OCTETS = 128 * 1024  # read at a time where sendfile cannot be used
SENDFILE_OCTETS = 4 * 1024 * 1024  # at most this much in one turn of the loop; then the other sessions have theirs
# The last octets leave in one write with the terminator: some clients misread a CRLF.CRLF in parts (P-066). Under TLS
# both are in one record, of which 16384 octets are the most (RFC 8446 §5.1).
TAIL_OCTETS = 4096
RECORD_OCTETS = 16 * 1024


class Carrier(Protocol):
    """What a transfer asks of its connection."""

    congested: bool
    tls_ends_here: bool

    def resume_transfer(self) -> None:
        """Call `Transfer.resume`, and end the connection where that raises."""

    def count_sent(self, octets: int) -> None:
        """Count octets that left."""

    def body_sent(self) -> None:
        """Learn that the transfer is complete."""

    def cut(self, reason: str) -> None:
        """End at once."""


def read_whole(body: OpenBody, count: int) -> bytes | None:
    """Read `count` octets of a small body and close it. If that fails, log the reason and return None."""
    try:
        data = body.read(0, count)
    except MailError as error:
        log.error("sending a body failed: %s", error)  # noqa: TRY400 - the reason is in the error, not the trace
        return None
    finally:
        body.close()
    if len(data) != count:
        log.error("sending a body failed: it is shorter than it was")
        return None
    return data


class Transfer:
    """One body, started once. It ends by `carrier.body_sent()`, or by `carrier.cut()` when the body fails midway."""

    __slots__ = ("_body", "_carrier", "_count", "_offset", "_socket", "_tail", "_transport")

    def __init__(self, carrier: Carrier, transport: asyncio.Transport, body: OpenBody, count: int, tail: bytes) -> None:
        self._carrier = carrier
        self._transport = transport
        self._body = body
        self._count = count
        self._tail = tail
        self._offset = 0
        self._socket = -1

    def start(self, head: bytes) -> None:
        if not self._carrier.tls_ends_here:
            # A buffer of size 0: the transport calls resume() when what it could not write at once is written.
            self._transport.set_write_buffer_limits(0)
        self._transport.write(head)
        self._carrier.count_sent(len(head))
        if not self._carrier.congested:
            self.resume()

    def resume(self) -> None:
        """Go on: the transport has room again."""
        if self._uses_sendfile():
            self._send_file()
        else:
            self._send_slices()

    def give_up(self) -> None:
        """Close the body, since the connection is gone."""
        self._release_socket()
        self._body.close()

    def _uses_sendfile(self) -> bool:
        return self._body.descriptor() is not None and not self._carrier.tls_ends_here

    def _send_slices(self) -> None:
        end = self._count - TAIL_OCTETS
        while self._offset < end:
            data = self._read(min(SLICE_OCTETS, end - self._offset))
            if data is None:
                return
            self._transport.write(data)
            self._carrier.count_sent(len(data))
            if self._carrier.congested:
                return
        self._send_end()

    def _send_file(self) -> None:
        """Write to the socket directly. The transport has nothing of its own to write during the transfer."""
        descriptor = self._body.descriptor()
        assert descriptor is not None  # noqa: S101 - start() and resume() have asked
        end = self._count - TAIL_OCTETS
        try:
            turn_end = min(end, self._offset + SENDFILE_OCTETS)
            while self._offset < turn_end:
                sent = os.sendfile(self._watched(), descriptor, self._offset, turn_end - self._offset)
                if sent == 0:
                    self._fail("the body is shorter than it was")
                    return
                self._offset += sent
                self._carrier.count_sent(sent)
        except BlockingIOError:
            pass
        except (ConnectionError, TimeoutError):  # the client has left; the body is intact
            self._carrier.cut("lost")
            return
        except OSError as error:
            self._fail(f"sendfile: {error.strerror}")
            return
        if self._offset < end:
            self._wait_for_room()
        else:
            self._send_end()

    def _send_end(self) -> None:
        # A socket with little room would take a part of the end now, and the rest later.
        if not self._carrier.tls_ends_here and not has_room(self._watched()):
            self._wait_for_room()
            return
        data = self._read(self._count - self._offset)
        if data is None:
            return
        self._release_socket()
        self._body.close()
        last = data + self._tail
        self._transport.write(last)
        self._carrier.count_sent(len(last))
        self._carrier.body_sent()

    def _read(self, count: int) -> bytes | None:
        try:
            data = self._body.read(self._offset, count)
        except MailError as error:
            self._fail(str(error))
            return None
        if len(data) != count:
            self._fail("the body is shorter than it was")
            return None
        self._offset += count
        return data

    def _watched(self) -> int:
        """Return a duplicate of the socket: the loop does not let us watch that of a transport."""
        if self._socket < 0:
            self._socket = os.dup(self._transport.get_extra_info("socket").fileno())
        return self._socket

    def _wait_for_room(self) -> None:
        asyncio.get_running_loop().add_writer(self._watched(), self._carrier.resume_transfer)

    def _release_socket(self) -> None:
        if self._socket >= 0:
            asyncio.get_running_loop().remove_writer(self._socket)
            os.close(self._socket)
            self._socket = -1
        if not (self._carrier.tls_ends_here or self._transport.is_closing()):
            self._transport.set_write_buffer_limits(WRITE_BUFFER_OCTETS)

    def _fail(self, why: str) -> None:
        """End the connection without the terminator, so that a truncated message never looks complete (P-063)."""
        log.error("sending a body failed after %d of %d octets: %s", self._offset, self._count, why)
        self._carrier.cut("body failed")
