"""The buffers of a connection, in the kernel and in its transport: small until a client who signed in needs more."""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import os
import select
import socket
import struct
import termios

FULL_SEND_OCTETS = 128 * 1024  # at first: a small message leaves in one write; the kernel lets the buffer grow
NARROW_OCTETS = 8 * 1024  # a reply of up to so many octets fits a small buffer
FIXED_SEND_OCTETS = 4 * 1024 * 1024  # where the buffer cannot grow; the kernel caps it at its own limit
TLS_READ_BUFFER_OCTETS = 16 * 1024  # a record (RFC 8446 §5.1); more waits in the kernel
WRITE_BUFFER_OCTETS = 256 * 1024  # may wait for a slow reader; more makes the connection congested
FEW_OCTETS = 4096  # fewer than this are no burden, even if the other side never reads them
_SO_BUF_LOCK = 72  # Linux 5.14: which buffers keep the size they were given; Python has no name for it
_RECEIVE_ONLY = 2


def narrow(listening: socket.socket, octets: int) -> None:
    """Give small buffers to every connection that is accepted here. This costs no system call per connection."""
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, octets)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, octets)


def widen(transport: asyncio.Transport) -> None:
    """Give a connection a full send buffer. It receives only commands, so the receive buffer stays small."""
    number = descriptor(transport)
    if number is None:
        return
    sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM, 0, number)  # a given family saves a system call
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, FULL_SEND_OCTETS)
        sock.setsockopt(socket.SOL_SOCKET, _SO_BUF_LOCK, _RECEIVE_ONLY)
    except OSError:  # an older kernel
        with contextlib.suppress(OSError):
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, FIXED_SEND_OCTETS)
    finally:
        sock.detach()


def unsent_octets(descriptor: int) -> int:
    """Return how many octets the kernel of the other side has not taken (tcp(7), SIOCOUTQ)."""
    try:
        return int(struct.unpack("i", fcntl.ioctl(descriptor, termios.TIOCOUTQ, bytes(4)))[0])
    except OSError:
        return 0


def has_room(descriptor: int) -> bool:
    """Say whether the socket takes some kilobytes in one write: the kernel calls it writable if a third is free."""
    ready = select.poll()
    ready.register(descriptor, select.POLLOUT)
    return bool(ready.poll(0))


def limit(transport: asyncio.Transport, *, tls: bool) -> None:
    """Bound what a transport keeps. `tls`: TLS ends here."""
    transport.set_write_buffer_limits(WRITE_BUFFER_OCTETS)
    if tls:  # the transport keeps octets before it decrypts them, also while it is not read
        transport.set_read_buffer_limits(TLS_READ_BUFFER_OCTETS)  # type: ignore[attr-defined]  # uvloop's


def unread_octets(transport: asyncio.Transport) -> int:
    """Return how many octets wait for the other side, in the transport and the kernel; 0 where they are few."""
    number = descriptor(transport)
    if number is None:
        return 0
    count = transport.get_write_buffer_size() + unsent_octets(number)
    return count if count >= FEW_OCTETS else 0


def write_now(transport: asyncio.Transport, data: bytes, *, tls: bool) -> None:
    """Write to the socket itself, as far as it takes `data`, just before the connection is cut; under TLS as usual."""
    if tls:
        transport.write(data)
    elif (number := descriptor(transport)) is not None:
        with contextlib.suppress(OSError):
            os.write(number, data)


def descriptor(transport: asyncio.Transport) -> int | None:
    """Return the descriptor of the socket; None where a TLS connection has lost it already."""
    sock = transport.get_extra_info("socket")
    return None if sock is None or sock.fileno() < 0 else int(sock.fileno())
