"""Bound the connections of a worker, so that descriptors are left for bodies and the database."""

from __future__ import annotations

import logging
import resource

log = logging.getLogger("popadmin.listener")

RESERVED = 64  # listening sockets, the loop, the database and its reconnection, logs, folders, refused connections
# The socket; while a large body is sent, the body and a duplicate of the socket. A delivery has a draft instead.
PER_CONNECTION = 3


def connections(wanted: int, *, proxied: bool = False) -> int:
    """Return how many of `wanted` connections one process may have. This raises the soft limit where needed.

    `proxied`: beside them, as many may wait for their PROXY header.
    """
    per_connection = PER_CONNECTION + proxied
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    needed = RESERVED + per_connection * wanted
    if hard == resource.RLIM_INFINITY or hard >= needed:
        limit = max(soft, needed) if soft != resource.RLIM_INFINITY else soft
    else:
        limit = hard
    if limit != soft:
        resource.setrlimit(resource.RLIMIT_NOFILE, (limit, hard))
    if limit == resource.RLIM_INFINITY or limit >= needed:
        return wanted
    room = max(1, (limit - RESERVED) // per_connection)
    log.warning(
        "this process may open %d files, so it takes %d connections instead of %d; "
        "raise LimitNOFILE (or ulimit -n) to %d for all of them",
        limit, room, wanted, needed,
    )  # fmt: skip
    return room
