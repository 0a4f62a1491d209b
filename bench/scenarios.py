"""The scenarios as data: which mailboxes there are, what is done to them, and what the project wants to reach."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum

from bench import mail
from bench.groups import DRAINED, HUGE, INTO, INTO_ONE, LARGE, POLLED, SLOW_HASHED
from bench.works import ColdVisits, Deliveries, Drains, Idle, Visits, Work

IDLE_SESSIONS = 1_000


class Figure(Enum):
    """What of a turn is compared."""

    CPU = "CPU-ms"
    TIME = "p50 ms"
    MEMORY = "KB"


@dataclass(frozen=True, slots=True)
class Scenario:
    """`goal` is of the ratio to Dovecot, or absolute where the figure is MEMORY; None: shown for orientation."""

    name: str
    title: str
    unit: str
    work: Work
    goal: float | None
    figure: Figure = Figure.CPU


STAT = (("STAT", False),)
LISTS = (("UIDL", True), ("LIST", True))
NEWEST = (("UIDL", True), ("RETR 100", True))
FETCH = tuple((f"RETR {number}", True) for number in range(1, mail.ORDINARY + 1))
DRAIN = tuple(step for fetch in FETCH for step in (fetch, (fetch[0].replace("RETR", "DELE"), False)))
ONE = (("RETR 1", True),)
UIDL = (("UIDL", True),)

_poll = Visits(POLLED, STAT)
_fetch = Visits(POLLED, FETCH, units=mail.ORDINARY)
_large = Visits(LARGE, ONE, threads=2)
_huge = Visits(HUGE, STAT, processes=1, threads=1)

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
    Scenario("drain", "Drain: RETR and DELE 100, QUIT", "message", Drains(DRAINED, DRAIN, mail.ORDINARY), 0.60),
    Scenario("huge-poll", "Sign-in and STAT at 20,000 messages", "session", _huge, 0.10, Figure.TIME),
    Scenario("huge-first", "UIDL of 20,000, first after a start", "session",
             ColdVisits(HUGE, UIDL, processes=1, threads=1), 0.60),
    Scenario("huge-again", "UIDL of 20,000, repeated", "session", replace(_huge, steps=UIDL), 0.20),
    Scenario("slow-hash", "Poll, argon2id password verified before", "poll", Visits(SLOW_HASHED, STAT), None),
    Scenario("idle", "1,000 idle signed-in sessions", "session", Idle(POLLED, IDLE_SESSIONS), 20, Figure.MEMORY),
    Scenario("idle-tls", "The same over TLS", "session", Idle(POLLED, IDLE_SESSIONS, tls=True), 50, Figure.MEMORY),
    Scenario("lmtp", "LMTP delivery of 2 to 60 KB, fsynced, 32 mailboxes", "message", Deliveries(INTO), 0.80),
    Scenario("lmtp-one", "The same into one mailbox", "message", Deliveries(INTO_ONE), 0.80),
)  # fmt: skip
