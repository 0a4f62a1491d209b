"""The listeners that answer questions of an MTA: who may send (SASL), and which mail is welcome (policy)."""

from __future__ import annotations

import os
import secrets
from itertools import count

import uvloop

from mailstore.conf import Conf, site_key
from mailstore.delivery.gatekeeper import StoredGatekeeper
from mailstore.delivery.trace_writer import TraceWriter
from mailstore.listener import descriptor_limit
from mailstore.listener.bound_address import BoundAddress, Face, bind, listen
from mailstore.listener.connection_counts import ConnectionCounts
from mailstore.listener.endpoint import Limits
from mailstore.maildrop.last_sign_in import LastSignIns
from mailstore.maildrop.senders import StoredSenders
from mailstore.maildrop.session_log import LogJournal
from mailstore.policyd import session as policy_session
from mailstore.ports import Peer
from mailstore.sasl import protocol as sasl
from mailstore.sasl import session as sasl_session
from mailstore.sql.connection_pool import ConnectionPool
from mailstore.transfer.old_server_moves import OldServerMoves
from mailstore.wiring import process

QUESTION_WORKERS = 1  # of each kind: it has one memory of passwords, and the slow hashes run in threads
QUESTION_WRITE_LANES = 1  # diaries, the trace, and the counts of sent messages
# An MTA keeps its connections while it has work, and asks on them now and then. Postfix has one for each of its
# processes, and takes a connection that ended in between for trouble: it is told the client once, and then connects
# anew. So idle connections are left alone for a day.
QUESTION_IDLE_SECONDS = 86_400.0
QUESTION_CONNECTIONS = 1000  # ten times what Postfix runs by itself (default_process_limit)
NOTHING = b""  # both protocols have no word for it: the MTA sees the end of the connection, and tries again


def serve_sasl(conf: Conf) -> None:
    """Answer who may send until SIGTERM. Raises ImproperlyConfigured before it listens."""
    bound = bind("SASL_LISTEN", conf.sasl.listen, QUESTION_WORKERS)
    counts = ConnectionCounts(QUESTION_WORKERS)
    key = site_key()

    def work(index: int) -> None:
        uvloop.run(_sasl_worker(index, conf, bound, counts, key))

    process.run("authd", QUESTION_WORKERS, work, counts, bound, None)


def serve_policy(conf: Conf) -> None:
    """Answer which mail is welcome until SIGTERM. Raises ImproperlyConfigured before it listens."""
    bound = bind("POLICY_LISTEN", conf.policy.listen, QUESTION_WORKERS)
    counts = ConnectionCounts(QUESTION_WORKERS)

    def work(index: int) -> None:
        uvloop.run(_policy_worker(index, conf, bound, counts))

    process.run("policyd", QUESTION_WORKERS, work, counts, bound, None)


async def _sasl_worker(index: int, conf: Conf, bound: list[BoundAddress], counts: ConnectionCounts, key: bytes) -> None:
    lanes = ConnectionPool(conf.conninfo, write_lanes=QUESTION_WRITE_LANES)
    await lanes.open()
    last_sign_ins = LastSignIns(lanes)
    old_servers = OldServerMoves()
    senders = StoredSenders(lanes, last_sign_ins, old_servers, site_key=key)
    journal = LogJournal()
    rules = sasl.Rules(login_names=conf.pop3.login_names)
    connection_ids = count(1)
    server = process.server(index, _limits(), counts, None, refused=None)

    def tick(number: int) -> None:
        lanes.tick()
        last_sign_ins.flush()
        senders.diary.flush()
        senders.refused_names.flush()
        senders.throttle.exchange()
        if number % process.REFRESH_TICKS == 0:
            senders.refresh()
            process.beat(lanes, b"sasl")

    def session(peer: Peer) -> sasl_session.Session:
        identity = sasl.Identity(os.getpid(), next(connection_ids), secrets.token_hex(16))
        return sasl_session.Session(peer, senders, journal, rules, identity)

    listen(server, index, bound, Face(session, NOTHING, NOTHING))
    await process.serve(server, tick)
    await process.last_flush(
        lambda done: last_sign_ins.flush(lambda _: done()),
        lambda done: senders.diary.flush(done, every=True),
        lambda done: senders.refused_names.flush(done, every=True),
    )
    senders.close()
    old_servers.close()
    lanes.close()


async def _policy_worker(index: int, conf: Conf, bound: list[BoundAddress], counts: ConnectionCounts) -> None:
    lanes = ConnectionPool(conf.conninfo, write_lanes=QUESTION_WRITE_LANES)
    await lanes.open()
    gatekeeper = StoredGatekeeper(lanes, conf.lmtp.hostname)
    trace = TraceWriter(lanes)
    journal = LogJournal()
    server = process.server(index, _limits(), counts, None, refused=None)

    def tick(number: int) -> None:
        lanes.tick()
        trace.flush()
        if number % process.REFRESH_TICKS == 0:
            process.beat(lanes, b"policy")

    face = Face(lambda peer: policy_session.Session(peer, gatekeeper, journal, trace), NOTHING, NOTHING)
    listen(server, index, bound, face)
    await process.serve(server, tick)
    await process.last_flush(trace.flush)
    lanes.close()


def _limits() -> Limits:
    return Limits(
        connections=descriptor_limit.connections(QUESTION_CONNECTIONS),
        connections_per_ip=QUESTION_CONNECTIONS,
        login_seconds=QUESTION_IDLE_SECONDS,
        idle_seconds=QUESTION_IDLE_SECONDS,
    )
