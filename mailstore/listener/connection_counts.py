"""Count the connections of each address over all workers, without a lock that a killed worker could keep."""

from __future__ import annotations

import hashlib
import ipaddress
import mmap
import os

# A client with one IPv6 address has the whole /64 (RFC 6177 §2), and could use as many addresses as it likes.
_IPV6_NETWORK_OCTETS = 8
BUCKETS = 1 << 16  # some addresses share one; the hash is keyed, so a client cannot choose its bucket
_COUNTER_OCTETS = 2  # a worker serves fewer than 65,536 connections of one address


class ConnectionCounts:
    """Counters in shared memory, made before the fork. A worker writes its own row, and reads the sum of all rows.

    The IPv6 addresses of one /64 count as one address.
    """

    def __init__(self, workers: int) -> None:
        self._workers = workers
        self._key = os.urandom(16)
        self._shared = mmap.mmap(-1, workers * BUCKETS * _COUNTER_OCTETS)
        self._counters = memoryview(self._shared).cast("H")

    def count(self, address: str) -> int:
        """Return how many connections an address has over all workers."""
        bucket = self._bucket(address)
        return sum(self._counters[row * BUCKETS + bucket] for row in range(self._workers))

    def enter(self, worker: int, address: str) -> None:
        self._counters[worker * BUCKETS + self._bucket(address)] += 1

    def leave(self, worker: int, address: str) -> None:
        self._counters[worker * BUCKETS + self._bucket(address)] -= 1

    def clear(self, worker: int) -> None:
        """Set the counters of a dead worker to 0."""
        start = worker * BUCKETS * _COUNTER_OCTETS
        self._shared[start : start + BUCKETS * _COUNTER_OCTETS] = bytes(BUCKETS * _COUNTER_OCTETS)

    def _bucket(self, address: str) -> int:
        return int.from_bytes(hashlib.blake2b(_network_of(address), key=self._key, digest_size=2).digest(), "big")


def _network_of(address: str) -> bytes:
    return ipaddress.IPv6Address(address).packed[:_IPV6_NETWORK_OCTETS] if ":" in address else address.encode()
