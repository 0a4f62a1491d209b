"""A socket's buffers in the kernel: small for strangers, full for who has signed in."""

from __future__ import annotations

import contextlib
import fcntl
import socket
import struct
import termios

FULL_SEND_OCTETS = 128 * 1024  # to begin with: a small message leaves in one write; the kernel lets it grow
FIXED_SEND_OCTETS = 4 * 1024 * 1024  # where it cannot grow; the kernel takes as much of it as its administrator allows
_SO_BUF_LOCK = 72  # Linux 5.14: which buffers keep the size they were given; Python has no name for it
_RECEIVE_ALONE = 2


def narrow(listening: socket.socket, octets: int) -> None:
    """Give every connection that is accepted here small buffers; it costs none of them a system call."""
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, octets)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, octets)


def widen(descriptor: int) -> None:
    """Let a connection send as any other does. What it receives are commands: that buffer stays small."""
    sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM, 0, descriptor)  # with a family nothing is asked
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, FULL_SEND_OCTETS)
        sock.setsockopt(socket.SOL_SOCKET, _SO_BUF_LOCK, _RECEIVE_ALONE)
    except OSError:  # an older kernel
        with contextlib.suppress(OSError):
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, FIXED_SEND_OCTETS)
    finally:
        sock.detach()


def unsent_octets(descriptor: int) -> int:
    """What the other side's kernel has not taken yet (tcp(7), SIOCOUTQ)."""
    try:
        return int(struct.unpack("i", fcntl.ioctl(descriptor, termios.TIOCOUTQ, bytes(4)))[0])
    except OSError:
        return 0
