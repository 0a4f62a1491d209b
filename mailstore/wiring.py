"""Puts protocols, store and listener together into processes. Only this module knows every part."""

from __future__ import annotations

import asyncio
import logging
import signal
from collections.abc import Callable
from contextlib import suppress

import uvloop
from django.db import connections

from mailstore import bodies
from mailstore.conf import Conf
from mailstore.delivery import one_off
from mailstore.delivery.delivery import StoredDelivery
from mailstore.listener import descriptor_limit
from mailstore.listener.bound_address import BoundAddress, Face, bind, listen
from mailstore.listener.certificate_report import CertificateReport
from mailstore.listener.connection_counts import ConnectionCounts
from mailstore.listener.endpoint import Limits
from mailstore.listener.handshake import Mismatch
from mailstore.listener.self_signed import ensure_pair
from mailstore.listener.server import SWEEP_SECONDS, Server
from mailstore.listener.tls import LEGACY, TODAY, Certificates
from mailstore.listener.worker_processes import WorkerProcesses, heed
from mailstore.lmtp import protocol as lmtp
from mailstore.lmtp import session as lmtp_session
from mailstore.maildrop.accounts import StoredAccounts
from mailstore.maildrop.last_sign_in import LastSignIns
from mailstore.maildrop.refused_names import RefusedNames
from mailstore.maildrop.session_log import LogJournal
from mailstore.models import RefusedName
from mailstore.pop3 import protocol as pop3
from mailstore.pop3 import session as pop3_session
from mailstore.ports import Done, Peer
from mailstore.sql.connection_pool import WRITE_LANES, ConnectionPool
from mailstore.sql.statements.diary import BEAT
from mailstore.transfer.old_server_moves import OldServerMoves

log = logging.getLogger("popadmin.listener")

DRAIN_SECONDS = 30.0
LAST_FLUSH_SECONDS = 1.0  # sightings that are not written by then are lost, so that the process can end
LOG_BATCH = 500  # log lines that are written together; after a second fewer are
REFRESH_TICKS = 30  # seconds between two reads of what changes rarely
POP3_LOGIN_SECONDS = 180.0  # from accept to the sign-in (P-097)
LMTP_IDLE_SECONDS = 300.0  # RFC 5321 §4.5.3.2.7
LMTP_CONNECTIONS = 1000  # far more than the tens that MTAs open
POP3_STRANGER_BUFFER_OCTETS = 16 * 1024  # the greeting, CAPA and a certificate chain fit; the kernel doubles it
POP3_BUSY = b"-ERR too many connections, wait a little\r\n"  # P-121: before sign-in, so without a code
POP3_CROWDED = b"-ERR [SYS/TEMP] too many connections from your network\r\n"  # it is worth another try (RFC 3206 §4)
LMTP_BUSY = b"421 4.3.2 too many connections\r\n"
LMTP_CROWDED = b"421 4.3.2 too many connections from your network\r\n"
POP3_WRITE_LANES = 2  # fewer than for LMTP, since QUITs are rarer than deliveries
_REASONS = {
    Mismatch.VERSION: RefusedName.Reason.TLS_VERSION,
    Mismatch.CIPHER: RefusedName.Reason.TLS_CIPHER,
}


def serve_pop3(conf: Conf) -> None:
    """Run the POP3 listener until SIGTERM. Raises ImproperlyConfigured before it listens."""
    ensure_pair(conf.tls, conf.lmtp.hostname)
    certificates = Certificates(conf.tls, "pop3", (TODAY, LEGACY) if conf.pop3.listen_legacy else (TODAY,))
    workers = conf.pop3.workers
    bound = bind("POP3_LISTEN", conf.pop3.listen, workers)
    bound += bind("POP3S_LISTEN", conf.pop3.listen_tls, workers, implicit_tls=True)
    bound += bind("POP3_PROXY_LISTEN", conf.pop3.listen_proxy, workers, proxied=True)
    bound += bind("POP3S_PROXY_LISTEN", conf.pop3.listen_proxy_tls, workers, implicit_tls=True, proxied=True)
    bound += bind("POP3S_LEGACY_LISTEN", conf.pop3.listen_legacy, workers, implicit_tls=True, legacy=True)
    counts = ConnectionCounts(workers)
    proxied = any(address.proxied for address in bound)
    limits = Limits(
        connections=descriptor_limit.connections(-(-conf.pop3.max_connections // workers), proxied=proxied),
        connections_per_ip=conf.pop3.max_connections_per_ip,
        login_seconds=POP3_LOGIN_SECONDS,
        idle_seconds=conf.pop3.idle_seconds,
        trusted_proxies=conf.pop3.trusted_proxies,
        stranger_buffer_octets=POP3_STRANGER_BUFFER_OCTETS,
    )

    def work(index: int) -> None:
        uvloop.run(_pop3_worker(index, conf, bound, counts, limits, certificates))

    _run("pop3d", workers, work, counts, bound, certificates)


def serve_lmtp(conf: Conf) -> None:
    """Run the LMTP listener until SIGTERM. Raises ImproperlyConfigured before it listens."""
    workers = conf.lmtp.workers
    bound = bind("LMTP_LISTEN", conf.lmtp.listen, workers)
    counts = ConnectionCounts(workers)
    limits = Limits(
        connections=descriptor_limit.connections(LMTP_CONNECTIONS),
        connections_per_ip=LMTP_CONNECTIONS,
        login_seconds=LMTP_IDLE_SECONDS,
        idle_seconds=LMTP_IDLE_SECONDS,
    )

    def work(index: int) -> None:
        uvloop.run(_lmtp_worker(index, conf, bound, counts, limits))

    _run("lmtpd", workers, work, counts, bound, None)


def database_connections(conf: Conf) -> int:
    """Return how many database connections both listeners hold. Each worker reads on one and writes on others."""
    return conf.pop3.workers * (1 + POP3_WRITE_LANES) + conf.lmtp.workers * (1 + WRITE_LANES)


# --- workers ------------------------------------------------------------------------------------------------------


async def _pop3_worker(
    index: int,
    conf: Conf,
    bound: list[BoundAddress],
    counts: ConnectionCounts,
    limits: Limits,
    certificates: Certificates,
) -> None:
    heed(signal.SIGHUP, certificates.reload)
    lanes = ConnectionPool(conf.conninfo, write_lanes=POP3_WRITE_LANES)
    await lanes.open()
    report = CertificateReport(lanes, certificates, bound[0].name(index))

    def renew() -> None:
        certificates.reload()
        report.send()

    if index == 0:  # all workers serve the same, so one reports it
        heed(signal.SIGHUP, renew)
    last_sign_ins = LastSignIns(lanes)
    old_servers = OldServerMoves()
    accounts = StoredAccounts(lanes, bodies.from_url(conf.mail_store_url), last_sign_ins, old_servers)
    journal = LogJournal()
    rules = pop3.Rules(plaintext_login=conf.pop3.plaintext_login, tls_offered=True, login_names=conf.pop3.login_names)
    server = _server(index, limits, counts, certificates, refused=accounts.refused_names)

    def tick(count: int) -> None:
        lanes.tick()
        last_sign_ins.flush()
        accounts.diary.flush()
        accounts.refused_names.flush()
        journal.flush()
        if count % REFRESH_TICKS == 0:
            accounts.refresh()
            _beat(lanes, b"pop3")
            if index == 0:
                report.send()

    face = Face(lambda peer: pop3_session.Session(peer, accounts, journal, rules), POP3_BUSY, POP3_CROWDED)
    listen(server, index, bound, face, legacy_tls=certificates.context(LEGACY) if conf.pop3.listen_legacy else None)
    await _serve(server, tick)
    journal.flush()
    written = sign_ins, diary, names = asyncio.Event(), asyncio.Event(), asyncio.Event()
    last_sign_ins.flush(lambda _: sign_ins.set())
    accounts.diary.flush(diary.set, every=True)
    accounts.refused_names.flush(names.set, every=True)
    with suppress(TimeoutError):
        await asyncio.wait_for(asyncio.gather(*(event.wait() for event in written)), LAST_FLUSH_SECONDS)
    accounts.close()
    old_servers.close()
    lanes.close()


async def _lmtp_worker(
    index: int, conf: Conf, bound: list[BoundAddress], counts: ConnectionCounts, limits: Limits
) -> None:
    lanes = ConnectionPool(conf.conninfo)
    await lanes.open()
    store = bodies.from_url(conf.mail_store_url)

    def prepare(done: Done[None]) -> None:
        one_off.prepare(store, lanes, lambda: done(None))

    await one_off.answer(prepare)  # before it listens, so that the very first start defers no delivery
    if index == 0:
        one_off.warn_of_another_store(store, lanes)
    delivery = StoredDelivery(lanes, store, conf.lmtp.hostname)
    journal = LogJournal()
    rules = lmtp.Rules(hostname=conf.lmtp.hostname, max_message_octets=conf.lmtp.max_message_octets)
    server = _server(index, limits, counts, None, refused=None)

    def tick(count: int) -> None:
        lanes.tick()
        delivery.answers.flush()
        if count % REFRESH_TICKS == 0:
            one_off.prepare(store, lanes, lambda: None)
            _beat(lanes, b"lmtp")

    def session(peer: Peer) -> lmtp_session.Session:
        return lmtp_session.Session(peer, delivery, journal, delivery.answers, rules)

    listen(server, index, bound, Face(session, LMTP_BUSY, LMTP_CROWDED), legacy_tls=None)
    await _serve(server, tick)
    written = asyncio.Event()
    delivery.answers.flush(written.set)
    with suppress(TimeoutError):
        await asyncio.wait_for(written.wait(), LAST_FLUSH_SECONDS)
    delivery.close()
    lanes.close()


def _beat(lanes: ConnectionPool, part: bytes) -> None:
    """Record for the overview that this part is at work. A failure does no harm, since the next beat follows."""
    lanes.write(((BEAT, BEAT.values(part=part)),), lambda _answer: None)


async def _serve(server: Server, tick: Callable[[int], None]) -> None:
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


# --- parts --------------------------------------------------------------------------------------------------------


def _run(
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


def _server(
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
        refused.mismatched(client, _REASONS[mismatch], version)

    return Server(
        limits, counts, worker=index, tls=context, now=now, crowded=refused.crowded, mismatched=mismatched
    )  # fmt: skip
