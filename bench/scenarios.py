"""The scenarios as data: the workload of each, on which mailboxes, and the goal of the project."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum

from bench import mail
from bench.mailbox_groups import DRAINED, HUGE, LARGE, ONE_RECIPIENT, POLLED, RECIPIENTS, SLOW_HASHED
from bench.workloads import ColdSessions, Deliveries, Drain, IdleSessions, Sessions, Workload

IDLE_SESSIONS = 1_000


class Figure(Enum):
    """The figure of a turn that is compared."""

    CPU = "CPU-ms"
    TIME = "p50 ms"
    MEMORY = "KB"


@dataclass(frozen=True, slots=True)
class Scenario:
    """`goal` is for the ratio to Dovecot, or absolute where the figure is MEMORY; None: for orientation only."""

    name: str
    title: str
    unit: str
    workload: Workload
    goal: float | None
    figure: Figure = Figure.CPU


STAT = (("STAT", False),)
LISTS = (("UIDL", True), ("LIST", True))
NEWEST = (("UIDL", True), ("RETR 100", True))
FETCH = tuple((f"RETR {number}", True) for number in range(1, mail.ORDINARY + 1))
DRAIN = tuple(step for fetch in FETCH for step in (fetch, (fetch[0].replace("RETR", "DELE"), False)))
ONE = (("RETR 1", True),)
UIDL = (("UIDL", True),)

_poll = Sessions(POLLED, STAT)
_fetch = Sessions(POLLED, FETCH, units=mail.ORDINARY)
_large = Sessions(LARGE, ONE, threads=2)
_idle = IdleSessions(POLLED, IDLE_SESSIONS)
_huge = Sessions(HUGE, STAT, processes=1, threads=1)

SCENARIOS = (
    Scenario("poll", "Poll: sign-in, STAT, QUIT; 100 messages wait", "poll", _poll, 0.40),
    Scenario("poll-tls", "Poll over TLS, full handshake", "poll", replace(_poll, tls=True), 0.70),
    Scenario("poll-tls-resumed", "Poll over TLS, resuming", "poll", replace(_poll, tls=True, resume=True), None),
    Scenario("list", "UIDL and LIST of 100", "session", replace(_poll, steps=LISTS), 0.40),
    Scenario("newest", "UIDL and one RETR", "session", replace(_poll, steps=NEWEST), 0.40),
    Scenario("fetch", "Fetch 100 messages of 2 to 60 KB", "message", _fetch, 0.40),
    Scenario("fetch-tls", "The same over TLS", "message", replace(_fetch, tls=True), 0.40),
    Scenario("large", "Fetch one message of 10 MB", "message", _large, 0.15),
    Scenario("large-tls", "The same over TLS", "message", replace(_large, tls=True), 0.30),
    Scenario("drain", "Drain: RETR and DELE 100, QUIT", "message", Drain(DRAINED, DRAIN, mail.ORDINARY), 0.60),
    Scenario("huge-poll", "Sign-in and STAT at 20,000 messages", "session", _huge, 0.10, Figure.TIME),
    Scenario("huge-first", "UIDL of 20,000, first after a start", "session",
             ColdSessions(HUGE, UIDL, processes=1, threads=1), 0.60),
    Scenario("huge-again", "UIDL of 20,000, repeated", "session", replace(_huge, steps=UIDL), 0.20),
    Scenario("slow-hash", "Poll, argon2id password verified before", "poll", Sessions(SLOW_HASHED, STAT), None),
    Scenario("idle", "1,000 idle signed-in sessions", "session", _idle, 20, Figure.MEMORY),
    Scenario("idle-tls", "The same over TLS", "session", replace(_idle, tls=True), 50, Figure.MEMORY),
    Scenario("lmtp", "LMTP delivery of 2 to 60 KB, fsynced, 32 mailboxes", "message", Deliveries(RECIPIENTS), 0.80),
    Scenario("lmtp-one", "The same into one mailbox", "message", Deliveries(ONE_RECIPIENT), 0.80),
)  # fmt: skip
