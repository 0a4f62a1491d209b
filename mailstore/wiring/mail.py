"""The listeners that carry mail: POP3 and LMTP."""

from __future__ import annotations

import signal

import uvloop

from mailstore import bodies
from mailstore.conf import Conf, site_key
from mailstore.delivery import one_off
from mailstore.delivery.delivery import StoredDelivery
from mailstore.listener import descriptor_limit
from mailstore.listener.bound_address import BoundAddress, Face, bind, listen
from mailstore.listener.certificate_report import CertificateReport
from mailstore.listener.connection_counts import ConnectionCounts
from mailstore.listener.endpoint import Limits
from mailstore.listener.self_signed import ensure_pair
from mailstore.listener.tls import LEGACY, TODAY, Certificates
from mailstore.listener.worker_processes import heed
from mailstore.lmtp import protocol as lmtp
from mailstore.lmtp import session as lmtp_session
from mailstore.maildrop.accounts import StoredAccounts
from mailstore.maildrop.last_sign_in import LastSignIns
from mailstore.maildrop.session_log import LogJournal
from mailstore.pop3 import protocol as pop3
from mailstore.pop3 import session as pop3_session
from mailstore.ports import Done, Peer
from mailstore.sql.connection_pool import ConnectionPool
from mailstore.transfer.old_server_moves import OldServerMoves
from mailstore.wiring import process

POP3_LOGIN_SECONDS = 180.0  # from accept to the sign-in (P-097)
LMTP_IDLE_SECONDS = 300.0  # RFC 5321 §4.5.3.2.7
LMTP_CONNECTIONS = 1000  # far more than the tens that MTAs open
POP3_STRANGER_BUFFER_OCTETS = 16 * 1024  # the greeting, CAPA and a certificate chain fit; the kernel doubles it
POP3_BUSY = b"-ERR too many connections, wait a little\r\n"  # P-121: before sign-in, so without a code
POP3_CROWDED = b"-ERR [SYS/TEMP] too many connections from your network\r\n"  # it is worth another try (RFC 3206 §4)
LMTP_BUSY = b"421 4.3.2 too many connections\r\n"
LMTP_CROWDED = b"421 4.3.2 too many connections from your network\r\n"
POP3_WRITE_LANES = 2  # fewer than for LMTP, since QUITs are rarer than deliveries


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

    key = site_key()

    def work(index: int) -> None:
        uvloop.run(_pop3_worker(index, conf, bound, counts, limits, certificates, key))

    process.run("pop3d", workers, work, counts, bound, certificates)


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

    process.run("lmtpd", workers, work, counts, bound, None)


# --- workers ------------------------------------------------------------------------------------------------------


async def _pop3_worker(
    index: int,
    conf: Conf,
    bound: list[BoundAddress],
    counts: ConnectionCounts,
    limits: Limits,
    certificates: Certificates,
    key: bytes,
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
    store = bodies.from_url(conf.mail_store_url)
    accounts = StoredAccounts(lanes, store, last_sign_ins, old_servers, site_key=key)
    journal = LogJournal()
    rules = pop3.Rules(plaintext_login=conf.pop3.plaintext_login, tls_offered=True, login_names=conf.pop3.login_names)
    server = process.server(index, limits, counts, certificates, refused=accounts.refused_names)

    def tick(count: int) -> None:
        lanes.tick()
        last_sign_ins.flush()
        accounts.diary.flush()
        accounts.refused_names.flush()
        accounts.throttle.exchange()
        journal.flush()
        if count % process.REFRESH_TICKS == 0:
            accounts.refresh()
            process.beat(lanes, b"pop3")
            if index == 0:
                report.send()

    face = Face(lambda peer: pop3_session.Session(peer, accounts, journal, rules), POP3_BUSY, POP3_CROWDED)
    listen(server, index, bound, face, legacy_tls=certificates.context(LEGACY) if conf.pop3.listen_legacy else None)
    await process.serve(server, tick)
    journal.flush()
    await process.last_flush(
        lambda done: last_sign_ins.flush(lambda _: done()),
        lambda done: accounts.diary.flush(done, every=True),
        lambda done: accounts.refused_names.flush(done, every=True),
    )
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
    server = process.server(index, limits, counts, None, refused=None)

    def tick(count: int) -> None:
        lanes.tick()
        delivery.answers.flush()
        if count % process.REFRESH_TICKS == 0:
            one_off.prepare(store, lanes, lambda: None)
            process.beat(lanes, b"lmtp")

    def session(peer: Peer) -> lmtp_session.Session:
        return lmtp_session.Session(peer, delivery, journal, delivery.answers, rules)

    listen(server, index, bound, Face(session, LMTP_BUSY, LMTP_CROWDED), legacy_tls=None)
    await process.serve(server, tick)
    await process.last_flush(delivery.answers.flush)
    delivery.close()
    lanes.close()
