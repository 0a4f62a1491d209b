"""How many connections each address has over all workers, without a lock that a killed worker could keep."""

from __future__ import annotations

import hashlib
import ipaddress
import mmap
import os

# Whoever has one IPv6 address has the whole /64 (RFC 6177 §2), and could be as many clients as he likes.
_IPV6_NETWORK_OCTETS = 8
BUCKETS = 1 << 16  # addresses share one by chance, keyed, so nobody can choose whom to share with
_CELL = 2  # octets a counter; a worker serves fewer than 65,536 connections from one address


class ConnectionCounts:
    """Made before the fork. Each worker writes its own row of counters only, and reads the sum of all rows.

    The IPv6 addresses of one /64 count as one address.
    """

    def __init__(self, workers: int) -> None:
        self._workers = workers
        self._key = os.urandom(16)
        self._shared = mmap.mmap(-1, workers * BUCKETS * _CELL)
        self._counters = memoryview(self._shared).cast("H")

    def count(self, address: str) -> int:
        """How many connections an address has, over all workers."""
        bucket = self._bucket(address)
        return sum(self._counters[row * BUCKETS + bucket] for row in range(self._workers))

    def enter(self, worker: int, address: str) -> None:
        self._counters[worker * BUCKETS + self._bucket(address)] += 1

    def leave(self, worker: int, address: str) -> None:
        self._counters[worker * BUCKETS + self._bucket(address)] -= 1

    def clear(self, worker: int) -> None:
        """A worker died, and its connections with it."""
        start = worker * BUCKETS * _CELL
        self._shared[start : start + BUCKETS * _CELL] = bytes(BUCKETS * _CELL)

    def _bucket(self, address: str) -> int:
        return int.from_bytes(hashlib.blake2b(_counted_as(address), key=self._key, digest_size=2).digest(), "big")


def _counted_as(address: str) -> bytes:
    return ipaddress.IPv6Address(address).packed[:_IPV6_NETWORK_OCTETS] if ":" in address else address.encode()
