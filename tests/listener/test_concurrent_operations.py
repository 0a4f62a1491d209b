"""Deliveries, sessions on several devices, two sweeps and restores at once, in several processes: nothing is lost.

15 seconds of it; a minute where CI=true.
"""

from __future__ import annotations

import os
import random
import re
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress

import pytest
from django.conf import settings
from django.db import connection

from mailstore import bodies
from mailstore.directory import policies
from mailstore.directory.outcome import Rejected
from mailstore.integrity import fsck
from mailstore.messages import recovery
from mailstore.models import AuditEntry, Mailbox, Message, SweepPass
from mailstore.retention import sweep
from tests.listeners import ACTOR, MANAGE, MailSite
from tests.up.programs import until

SECONDS = 60 if os.environ.get("CI") == "true" else 15
ADDRESS = "ann@example.org"
DEVICES = ("phone", "tablet", "desk")


class Actors:
    """Threads that each repeat an action until the time is over; an error of any of them ends the test."""

    def __init__(self) -> None:
        self._until = time.monotonic() + SECONDS
        self._faults: list[BaseException] = []
        self._threads: list[threading.Thread] = []

    def go(self, act: Callable[[], None]) -> None:
        self._threads.append(threading.Thread(target=self._repeat, args=(act,)))
        self._threads[-1].start()

    def wait(self) -> None:
        for thread in self._threads:
            thread.join()
        assert self._faults == []

    def _repeat(self, act: Callable[[], None]) -> None:
        try:
            while time.monotonic() < self._until and not self._faults:
                act()
        except BaseException as fault:
            self._faults.append(fault)
        finally:
            connection.close()


class Sender:
    """Delivers one message after the other, each of another size."""

    def __init__(self, mail_site: MailSite, name: str) -> None:
        self._mail_site = mail_site
        self._name = name
        self._chance = random.Random(name)
        self.sent: list[str] = []

    def deliver(self) -> None:
        subject = f"{self._name} {len(self.sent) + 1}"
        body = b"x" * self._chance.randrange(900) + b"\r\n"
        ((code, text),) = self._mail_site.deliver(f"Subject: {subject}\r\n\r\n".encode() + body, ADDRESS)
        assert code == 250, text
        self.sent.append(subject)


class Program:
    """A mail program that remembers UIDLs: it fetches what is new, deletes some of it, and sometimes its line drops."""

    def __init__(self, mail_site: MailSite, name: str) -> None:
        self._mail_site = mail_site
        self._secret = mail_site.device(ADDRESS, name)
        self._chance = random.Random(name)
        self._known: set[bytes] = set()
        self.fetched: Counter[str] = Counter()

    def poll(self, *, orderly: bool = False) -> None:
        with self._mail_site.session(password=self._secret) as session:
            count, octets = map(int, session.ask("STAT").split()[1:])
            uidls = [row.split()[1] for row in session.rows("UIDL")]
            sizes = [int(row.split()[1]) for row in session.rows("LIST")]
            assert (len(uidls), len(set(uidls)), len(sizes), sum(sizes)) == (count, count, count, octets)
            for number, uidl in enumerate(uidls, 1):
                if uidl not in self._known:
                    message = session.message(number)
                    assert len(message) == sizes[number - 1]
                    self.fetched[re.search(rb"^Subject: (.*)\r$", message, re.MULTILINE).group(1).decode()] += 1
                    self._known.add(uidl)
                if not orderly and self._chance.random() < 0.4:
                    session.ask(f"DELE {number}")
            if orderly or self._chance.random() < 0.8:
                assert session.quit().startswith(b"+OK")


@contextmanager
def sweeping() -> Iterator[subprocess.Popen[bytes]]:
    """`manage.py sweep` every second, on the test's database."""
    database = connection.settings_dict
    url = f"postgres://{database['USER']}@/{database['NAME']}?host={database['HOST']}&port={database['PORT']}"
    command = [sys.executable, str(MANAGE), "sweep", "--every", "1"]
    process = subprocess.Popen(command, env={**os.environ, "DATABASE_URL": url}, stdout=subprocess.DEVNULL)
    try:
        yield process
    finally:
        process.terminate()
        assert process.wait(30) == 0


class SecondSweep:
    """Sweeps beside the other: whichever comes while one is under way is refused."""

    def __init__(self) -> None:
        self.passes = 0

    def run(self) -> None:
        with suppress(Rejected):
            sweep.run(bodies.from_url(settings.MAIL_STORE_URL))
            self.passes += 1
        time.sleep(random.random() / 2)


def give_back() -> None:
    """Restore some of what left last, for all devices or for one or two; there may be nothing."""
    devices = random.choice([None, random.sample(DEVICES, random.randrange(1, len(DEVICES)))])
    try:
        recovery.restore(ADDRESS, recovery.Choice(newest=random.randrange(1, 4)), actor=ACTOR, devices=devices)
    except Rejected:
        time.sleep(0.05)


@pytest.fixture
def busy(mail_site: MailSite) -> MailSite:
    """Ann has devices only; what every device has leaves with the next sweep."""
    mail_site.mailbox(main_pop=False)
    policies.ensure("quick", actor=ACTOR, at_once=True, site=True, remove_when_confirmed=True, hold_days=0)
    return mail_site


def test_nothing_is_lost_whatever_happens_at_once(busy: MailSite) -> None:
    already = len(busy.pop3d.log()), len(busy.lmtpd.log())
    senders = [Sender(busy, name) for name in ("first", "second")]
    programs = [Program(busy, name) for name in DEVICES]
    second = SecondSweep()
    with ExitStack() as stack:
        stack.enter_context(sweeping())
        actors = Actors()
        for act in (*(one.deliver for one in senders), *(one.poll for one in programs), give_back, second.run):
            actors.go(act)
        actors.wait()
    sent = {subject for sender in senders for subject in sender.sent}
    assert len(sent) > 10
    restores = [entry.details for entry in AuditEntry.objects.filter(verb="recovery.restore")]
    assert {"devices" in details for details in restores} == {True, False}
    assert 0 < second.passes < SweepPass.objects.count()
    assert Message.objects.filter(mailbox=Mailbox.objects.get()).count() == len(sent)
    for program in programs:
        program.poll(orderly=True)
        # A message leaves only when every device has it, so each has had or still sees every one.
        assert set(program.fetched) == sent
        assert set(program.fetched.values()) == {1}, "a message came down twice under one UIDL"
    until(lambda: list(fsck.Check(bodies.from_url(settings.MAIL_STORE_URL)).run()) == [], "fsck finds nothing")
    troubles = re.compile(r"deadlock|\berror\b", re.IGNORECASE)
    logs = busy.pop3d.log()[already[0] :] + busy.lmtpd.log()[already[1] :]
    assert [line for line in logs if troubles.search(line)] == []
