"""A site moves in from a real Dovecot, by the commands of docs/moving.md: nobody notices."""

from __future__ import annotations

import poplib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from django.conf import LazySettings

from mailstore.models import Mailbox
from tests import doveadm
from tests.flows.mail_programs import Server, fetchmail, mpop, subjects, succeeded
from tests.listeners import Authority, MailSite
from tests.management.command_runner import said
from tests.site.worker import conninfo
from tests.transfer.dovecot_server import DovecotServer, dovecot_server

pytestmark = pytest.mark.real
SCHEMES = ("SHA512-CRYPT", "SHA256-CRYPT", "MD5-CRYPT", "BLF-CRYPT", "SSHA512", "PLAIN-MD5")
DOMAINS = ("example.org", "example.net")
USERS, MESSAGES = 50, 4


@dataclass
class Customer:
    address: str
    password: str
    stored: str  # the hash at the old server

    @classmethod
    def number(cls, number: int) -> Customer:
        scheme = SCHEMES[number % len(SCHEMES)]
        password = f"the secret of {scheme}"  # one hash each is enough: doveadm takes its time
        return cls(f"user{number}@{DOMAINS[number % 2]}", password, doveadm.hash_of(scheme, password))

    def letters(self) -> list[bytes]:
        return [b"Subject: message %d\n\nto %s\n" % (n, self.address.encode()) for n in range(1, MESSAGES + 1)]


@dataclass
class OldSite:
    """The old server, as the mail programs of this test see a server."""

    pop3d: DovecotServer
    authority: Authority


@pytest.fixture
def old(authority: Authority) -> Iterator[OldSite]:
    with dovecot_server(authority) as server:
        yield OldSite(server, authority)


@pytest.fixture
def customers(old: OldSite) -> list[Customer]:
    everybody = [Customer.number(number) for number in range(USERS)]
    for each in everybody:
        old.pop3d.user(each.password, *each.letters(), name=each.address, stored=each.stored)
    return everybody


def shown(authority: Authority, port: int, customer: Customer) -> list[str]:
    """The UIDLs that a server shows to a customer, in its order."""
    client = poplib.POP3_SSL("localhost", port, context=authority.context(), timeout=30)
    client.user(customer.address)
    client.pass_(customer.password)
    rows = [row.decode().split()[1] for row in client.uidl()[1]]
    client.quit()
    return rows


def test_fifty_customers_move_and_nobody_fetches_a_message_twice_or_misses_one(
    mail_site: MailSite, old: OldSite, customers: list[Customer], tmp_path: Path, settings: LazySettings
) -> None:
    settings.DATABASE_CONNINFO = conninfo()
    by_fetchmail, by_mpop, by_both = customers[:3]
    programs = Programs(tmp_path)
    before = {each.address: shown(old.authority, old.pop3d.tls_port, each) for each in customers}
    programs.fetchmail(old, by_fetchmail)
    programs.mpop(old, by_mpop)
    programs.fetchmail(old, by_both)
    programs.mpop(old, by_both)

    move(customers, old, tmp_path)

    for each in customers:
        assert shown(mail_site.authority, mail_site.pop3d.tls_port, each) == before[each.address]
    for each in (by_fetchmail, by_mpop, by_both):
        mail_site.fill(each.address, b"Subject: message 5\r\n\r\nafter the move\r\n")
    programs.fetchmail(mail_site, by_fetchmail)
    programs.mpop(mail_site, by_mpop)
    programs.fetchmail(mail_site, by_both)
    programs.mpop(mail_site, by_both)
    assert programs.fetched() == {
        ("fetchmail", by_fetchmail.address): [*ALL, "message 5"],
        ("mpop", by_mpop.address): [*ALL, "message 5"],
        ("fetchmail", by_both.address): [*ALL, "message 5"],
        ("mpop", by_both.address): [*ALL, "message 5"],
    }


def move(customers: list[Customer], old: OldSite, folder: Path) -> None:
    """What an operator does by docs/moving.md: the lists of PostfixAdmin, then the Maildirs."""
    domains, people, aliases = (folder / f"{name}.csv" for name in ("domains", "mailboxes", "aliases"))
    domains.write_text("domain,active\n" + "".join(f"{name},t\n" for name in DOMAINS))
    rows = [f"{each.address},{each.stored},Customer,104857600,t\n" for each in customers]
    people.write_text("username,password,name,quota,active\n" + "".join(rows))
    aliases.write_text('address,goto,active\ninfo@example.org,"user0@example.org,user1@example.net",t\n')
    for words in (
        ("import", domains, "--kind", "domains", "--from", "postfixadmin"),
        ("import", people, "--from", "postfixadmin"),
        ("import", aliases, "--from", "postfixadmin"),
    ):
        said(*map(str, words), "--dry-run")
        said(*map(str, words))
    for each in customers:
        said("import-mail", each.address, str(old.pop3d.maildir(each.address)))
    assert Mailbox.objects.count() == len(customers)


@dataclass
class Programs:
    """Mail programs that keep mail on the server. Each customer has a folder for each program."""

    folder: Path
    _used: set[tuple[str, str]] = field(default_factory=set)

    def fetchmail(self, server: Server, customer: Customer) -> None:
        folder = self._folder("fetchmail", customer)
        succeeded(fetchmail(server, folder, "keep", server="uidl", secret=customer.password, address=customer.address))

    def mpop(self, server: Server, customer: Customer) -> None:
        folder = self._folder("mpop", customer)
        mpop(server, folder, keep=True, secret=customer.password, address=customer.address)

    def fetched(self) -> dict[tuple[str, str], list[str]]:
        stores = {"fetchmail": "mbox", "mpop": "mail"}
        return {
            (program, address): subjects(self.folder / program / address / stores[program])
            for program, address in self._used
        }

    def _folder(self, program: str, customer: Customer) -> Path:
        self._used.add((program, customer.address))
        folder = self.folder / program / customer.address
        folder.mkdir(parents=True, exist_ok=True)
        return folder


ALL = [f"message {number}" for number in range(1, MESSAGES + 1)]
