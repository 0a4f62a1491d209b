"""What the kernel says is listened on (proc(5)): it asks nobody, so no server's log tells of a visitor."""

from __future__ import annotations

import ipaddress
import sys
from collections.abc import Iterator
from pathlib import Path

TABLES = Path("/proc/net")
LISTEN = "0A"  # TCP_LISTEN of Linux, include/net/tcp_states.h
ACCEPTS = 1 << 16  # the flag of a unix socket that listens, include/linux/net.h
WORD_OCTETS = 4  # an address stands there as words in the machine's own order of octets

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


def tcp() -> set[tuple[Address, int]]:
    """Every address and port."""
    return {(_address(host), int(port, 16)) for host, port in _local_ends()}


def unix() -> set[str]:
    """Every path, as it was bound."""
    lines = (TABLES / "unix").read_text(errors="surrogateescape").splitlines()[1:]
    rows = (line.split(maxsplit=7) for line in lines)
    return {row[7] for row in rows if len(row) > 7 and int(row[3], 16) & ACCEPTS}


def _local_ends() -> Iterator[list[str]]:
    for table in (TABLES / "tcp", TABLES / "tcp6"):
        if not table.exists():  # a kernel without IPv6
            continue
        for line in table.read_text().splitlines()[1:]:
            _number, local, _remote, state, *_rest = line.split()
            if state == LISTEN:
                yield local.split(":")


def _address(text: str) -> Address:
    octets = bytes.fromhex(text)
    words = [octets[start : start + WORD_OCTETS] for start in range(0, len(octets), WORD_OCTETS)]
    return ipaddress.ip_address(b"".join(int.from_bytes(word).to_bytes(WORD_OCTETS, sys.byteorder) for word in words))
