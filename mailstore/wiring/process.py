"""What all listeners share: the workers of one, their server, and the time in which it serves and ends."""

from __future__ import annotations

import asyncio
import logging
import signal
from collections.abc import Callable
from contextlib import suppress

from django.db import connections

from mailstore.listener.bound_address import BoundAddress
from mailstore.listener.connection_counts import ConnectionCounts
from mailstore.listener.endpoint import Limits
from mailstore.listener.handshake import Mismatch
from mailstore.listener.server import SWEEP_SECONDS, Server
from mailstore.listener.tls import Certificates
from mailstore.listener.worker_processes import WorkerProcesses
from mailstore.maildrop.refused_names import RefusedNames
from mailstore.models import RefusedName
from mailstore.sql.connection_pool import ConnectionPool
from mailstore.sql.statements.diary import BEAT

log = logging.getLogger("popadmin.listener")

DRAIN_SECONDS = 30.0
LAST_FLUSH_SECONDS = 1.0  # sightings that are not written by then are lost, so that the process can end
LOG_BATCH = 500  # log lines that are written together; after a second fewer are
REFRESH_TICKS = 30  # seconds between two reads of what changes rarely
_REASONS = {
    Mismatch.VERSION: RefusedName.Reason.TLS_VERSION,
    Mismatch.CIPHER: RefusedName.Reason.TLS_CIPHER,
}  # where the client did begin TLS
Flush = Callable[[Callable[[], None]], None]


def run(
    name: str,
    workers: int,
    work: Callable[[int], None],
    counts: ConnectionCounts,
    bound: list[BoundAddress],
    certificates: Certificates | None,
) -> None:
    connections.close_all()  # children must not share the parent's connections
    sockets = [sock for address in bound for sock in address.sockets]
    reload, changed = (certificates.reload, certificates.refresh) if certificates else (lambda: None, lambda: False)
    WorkerProcesses(name, workers, work, lost=counts.clear, reload=reload, changed=changed, sockets=sockets).run()


def server(
    index: int,
    limits: Limits,
    counts: ConnectionCounts,
    certificates: Certificates | None,
    *,
    refused: RefusedNames | None,
) -> Server:
    context, now = certificates.context() if certificates else None, asyncio.get_running_loop().time
    if refused is None:
        return Server(limits, counts, worker=index, tls=context, now=now)

    def mismatched(client: str, mismatch: Mismatch, version: str) -> None:
        if mismatch is Mismatch.CLEAR:
            refused.misled(client, RefusedName.Reason.TLS_MISSING)
        else:
            refused.mismatched(client, _REASONS[mismatch], version)

    return Server(
        limits, counts, worker=index, tls=context, now=now, crowded=refused.crowded, mismatched=mismatched
    )  # fmt: skip


def beat(lanes: ConnectionPool, part: bytes) -> None:
    """Record for the overview that this part is at work. A failure does no harm, since the next beat follows."""
    lanes.write(((BEAT, BEAT.values(part=part)),), lambda _answer: None)


async def last_flush(*flushes: Flush) -> None:
    """Write what waits in memory, each by a call that takes what to call when it is done."""
    written = [asyncio.Event() for _flush in flushes]
    for flush, event in zip(flushes, written, strict=True):
        flush(event.set)
    with suppress(TimeoutError):
        await asyncio.wait_for(asyncio.gather(*(event.wait() for event in written)), LAST_FLUSH_SECONDS)


async def serve(server: Server, tick: Callable[[int], None]) -> None:
    """Serve until SIGTERM, then drain; a second SIGTERM ends the drain. The parent handles SIGINT."""
    loop = asyncio.get_running_loop()
    stop, hurry = asyncio.Event(), asyncio.Event()

    def stop_or_hurry() -> None:
        (hurry if stop.is_set() else stop).set()

    loop.add_signal_handler(signal.SIGTERM, stop_or_hurry)
    loop.add_signal_handler(signal.SIGINT, lambda: None)
    ticking = loop.create_task(_tick(server, tick))
    await stop.wait()
    draining = loop.create_task(server.drain(DRAIN_SECONDS))
    hurrying = loop.create_task(hurry.wait())
    await asyncio.wait({draining, hurrying}, return_when=asyncio.FIRST_COMPLETED)
    hurrying.cancel()
    if not draining.done():
        draining.cancel()
        await server.drain(0.0)
    ticking.cancel()


async def _tick(server: Server, tick: Callable[[int], None]) -> None:
    loop = asyncio.get_running_loop()
    logs = [handler for handler in logging.getLogger().handlers if hasattr(handler, "batch")]
    for handler in logs:
        handler.batch = LOG_BATCH
    count = 0
    while True:
        try:
            tick(count)
            server.sweep(loop.time())
            for handler in logs:
                handler.flush()
        except Exception:
            log.exception("the periodic work failed")
        count += 1
        await asyncio.sleep(SWEEP_SECONDS)
