"""A body on its way out: by sendfile where the socket is plain, in slices under TLS; bounded memory either way."""

from __future__ import annotations

import asyncio
import logging
import os
from typing import TYPE_CHECKING

from mailstore.errors import MailError
from mailstore.ports import OpenBody

if TYPE_CHECKING:
    from mailstore.listener.connection import Connection

log = logging.getLogger("popadmin.listener")

SLICE_OCTETS = 128 * 1024  # under TLS: what is encrypted at a time
SENDFILE_OCTETS = 4 * 1024 * 1024  # at most this much in one turn, then the other sessions have theirs
# The last octets leave in one write with the terminator: some clients take a packet of its own for the end (P-066).
TAIL_OCTETS = 4096


class Transfer:
    """One body, started once. Ends by `connection.sent()`, or by `connection.cut()` when the body fails midway."""

    __slots__ = ("_body", "_connection", "_count", "_offset", "_socket", "_tail", "_transport")

    def __init__(
        self, connection: Connection, transport: asyncio.Transport, body: OpenBody, count: int, tail: bytes
    ) -> None:
        self._connection = connection
        self._transport = transport
        self._body = body
        self._count = count
        self._tail = tail
        self._offset = 0
        self._socket = -1

    def start(self, head: bytes) -> None:
        if self._body.descriptor() is not None and not self._connection.tls_ends_here:
            # With no room to wait in, what is not written at once calls resume() when it is.
            self._transport.set_write_buffer_limits(0)
            self._transport.write(head)
            self._connection.transferred(len(head))
            if not self._transport.get_write_buffer_size():
                self._by_sendfile()
        else:
            self._transport.write(head)
            self._connection.transferred(len(head))
            self._in_slices()

    def resume(self) -> None:
        """The transport has room again."""
        if self._body.descriptor() is not None and not self._connection.tls_ends_here:
            self._by_sendfile()
        else:
            self._in_slices()

    def give_up(self) -> None:
        """The connection is gone."""
        self._release()
        self._body.close()

    def _in_slices(self) -> None:
        while self._count - self._offset > SLICE_OCTETS:
            data = self._read(SLICE_OCTETS)
            if data is None:
                return
            self._transport.write(data)
            self._connection.transferred(len(data))
            if self._connection.congested:
                return
        self._last()

    def _by_sendfile(self) -> None:
        """Feed the socket directly; the transport has nothing of its own waiting meanwhile."""
        if self._socket < 0:
            # The loop lets nobody else watch a transport's socket, so we watch a duplicate.
            self._socket = os.dup(self._transport.get_extra_info("socket").fileno())
        descriptor = self._body.descriptor()
        assert descriptor is not None  # noqa: S101 - start() and resume() have asked
        end = self._count - TAIL_OCTETS
        try:
            turn = min(end, self._offset + SENDFILE_OCTETS)
            while self._offset < turn:
                sent = os.sendfile(self._socket, descriptor, self._offset, turn - self._offset)
                if sent == 0:
                    self._fail("the body is shorter than it was")
                    return
                self._offset += sent
                self._connection.transferred(sent)
        except BlockingIOError:
            pass
        except (ConnectionError, TimeoutError):  # whoever fetched has left; the body is as it should be
            self._connection.cut("lost")
            return
        except OSError as error:
            self._fail(f"sendfile: {error.strerror}")
            return
        if self._offset < end:
            asyncio.get_running_loop().add_writer(self._socket, self._connection.transfer_on)
        else:
            self._last()

    def _last(self) -> None:
        data = self._read(self._count - self._offset)
        if data is None:
            return
        self._release()
        self._body.close()
        last = data + self._tail
        self._transport.write(last)
        self._connection.transferred(len(last))
        self._connection.sent()

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

    def _release(self) -> None:
        if self._socket >= 0:
            asyncio.get_running_loop().remove_writer(self._socket)
            os.close(self._socket)
            self._socket = -1
            self._connection.restore_buffer()

    def _fail(self, why: str) -> None:
        """Never complete a truncated message: the connection ends without the terminator (P-063)."""
        log.error("sending a body failed after %d of %d octets: %s", self._offset, self._count, why)
        self._connection.cut("body failed")
