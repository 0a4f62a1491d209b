"""The promises that clients got during faults, as deliveries and removals, to compare with the store."""

from __future__ import annotations

import random
import re
import smtplib
import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from tests.faults.breakable_site import SENDER, BreakableSite
from tests.pop3_client import Pop3Client

_SUBJECT = re.compile(rb"^Subject: (\S+)", re.MULTILINE)


@dataclass
class Ledger:
    """Names of messages by what was said of them. `open_removals` are the QUITs that got no +OK: each all or none."""

    promised: set[str] = field(default_factory=set)
    tried: set[str] = field(default_factory=set)
    removed: set[str] = field(default_factory=set)
    open_removals: list[set[str]] = field(default_factory=list)

    def check(self, found: Counter[str]) -> None:
        """Hold what is there now against every promise."""
        assert found.keys() <= self.tried
        assert {name for name, times in found.items() if times > 1} == set(), "delivered twice"
        assert {name for name in self.removed if found[name]} == set(), "removed by QUIT, and back"
        in_doubt = set().union(*self.open_removals)
        lost = {name for name in self.promised - self.removed - in_doubt if not found[name]}
        assert lost == set(), "answered 250, and lost"
        for group in self.open_removals:
            left = {name for name in group - self.removed if found[name]}
            gone_later = self.removed | set().union(*(other for other in self.open_removals if other is not group))
            assert left in (set(), group) or group - left <= gone_later, "a QUIT removed some of its messages"


class Clients:
    """Senders and readers in threads, one reader for each mailbox; they go on whatever happens, until told to stop."""

    def __init__(self, site: BreakableSite, ledger: Ledger, seed: int) -> None:
        self._site = site
        self._ledger = ledger
        self._seed = seed
        self._stop = threading.Event()
        self._threads: list[threading.Thread] = []
        self.bugs: list[BaseException] = []

    def begin(self, people: list[str], senders: int) -> None:
        for n in range(senders):
            self._thread(lambda n=n: self._send(people, random.Random(f"{self._seed} sender {n}"), n))
        for address in people:
            self._thread(lambda address=address: self._read(address, random.Random(f"{self._seed} {address}")))

    def end(self) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join(60)
            assert not thread.is_alive(), "a client hangs"
        assert self.bugs == []

    def _thread(self, work: Callable[[], None]) -> None:
        thread = threading.Thread(target=self._guarded, args=(work,))
        self._threads.append(thread)
        thread.start()

    def _guarded(self, work: Callable[[], None]) -> None:
        try:
            work()
        except BaseException as bug:
            self.bugs.append(bug)

    # --- senders --------------------------------------------------------------------------------------------------

    def _send(self, people: list[str], chance: random.Random, number: int) -> None:
        count = 0
        while not self._stop.is_set():
            try:
                with self._site.lmtp() as client:
                    while not self._stop.is_set():
                        count += 1
                        self._message(client, chance, people, f"{self._seed}-{number}-{count}")
            except (OSError, smtplib.SMTPException, AssertionError):
                self._stop.wait(0.02)  # the listener is gone: connect again

    def _message(self, client: smtplib.LMTP, chance: random.Random, people: list[str], name: str) -> None:
        """One message to one or two people; for each it has a name of its own."""
        client.mail(SENDER)
        names = []
        for address in chance.sample(people, chance.choice((1, 1, 2))):
            names.append(f"{name}:{address}")
            self._ledger.tried.add(names[-1])
            if client.rcpt(address)[0] != 250:
                client.rset()
                return
        client.putcmd("DATA")
        assert client.getreply()[0] == 354
        body = b"x" * chance.choice((10, 5_000, 300_000))
        client.send(b"Subject: " + name.encode() + b"\r\n\r\n" + body + b"\r\n.\r\n")
        for recipient in names:
            if client.getreply()[0] == 250:
                self._ledger.promised.add(recipient)

    # --- readers --------------------------------------------------------------------------------------------------

    def _read(self, address: str, chance: random.Random) -> None:
        while not self._stop.is_set():
            try:
                with self._site.session(address) as client:
                    self._session(client, address, chance)
            except (OSError, AssertionError, IndexError):
                self._stop.wait(0.02)

    def _session(self, client: Pop3Client, address: str, chance: random.Random) -> None:
        names = [f"{subject(client, n)}:{address}" for n in range(1, len(client.uidls()) + 1)]
        marked = {n for n in range(1, len(names) + 1) if chance.random() < 0.5}
        for n in marked:
            assert client.ask(f"DELE {n}").startswith(b"+OK")
        group = {names[n - 1] for n in marked}
        if chance.random() < 0.2:
            return  # a connection that is lost removes nothing
        self._ledger.open_removals.append(group)
        if client.ask("QUIT").startswith(b"+OK"):
            self._ledger.open_removals.remove(group)
            self._ledger.removed |= group


def subject(client: Pop3Client, number: int) -> str:
    found = _SUBJECT.search(b"\n".join(client.rows(f"TOP {number} 0")))
    assert found
    return found.group(1).decode()


def everything(site: BreakableSite, people: list[str]) -> Counter[str]:
    """The names of all messages that clients are given now, each read whole."""
    found: Counter[str] = Counter()
    for address in people:
        with site.session(address) as client:
            sizes = [int(row.split()[1]) for row in client.rows("LIST")]
            for number, octets in enumerate(sizes, 1):
                message = client.message(number)
                assert len(message) == octets
                match = _SUBJECT.search(message)
                assert match
                found[f"{match.group(1).decode()}:{address}"] += 1
    return found
