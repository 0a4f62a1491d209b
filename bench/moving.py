"""`python -m bench.moving`: how long a large mailbox takes to move in, from a Maildir and over POP3 from a Dovecot.

The Dovecot is the one of the tests, on this machine. The mail is that of the other benchmarks.
Then a domain is renamed.
"""

from __future__ import annotations

import argparse
import json
import poplib
import resource
import ssl
import time
from dataclasses import dataclass
from pathlib import Path

from bench import certificate, domain_rename, mail
from bench.__main__ import workplace
from bench.site import Site
from tests.transfer.dovecot_server import DovecotServer, dovecot_server

GOALS_SECONDS = {"Maildir": 30, "POP3": 60}  # for 20,000 messages
FIRST_SECOND = 1_300_000_000


@dataclass(frozen=True, slots=True)
class Pair:
    """A certificate with its key, and what a client trusts."""

    cert_file: Path
    key_file: Path
    ca_file: Path


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.moving", description=__doc__)
    parser.add_argument("--messages", type=int, default=20_000)
    parser.add_argument("--mailboxes", type=int, default=1000, help="of the domain that is renamed")
    parser.add_argument("--mail", choices=mail.COLLECTIONS, default="ordinary")
    options = parser.parse_args()
    with workplace() as folder:
        cert_file, key_file = certificate.make(folder)
        pair = Pair(cert_file, key_file, ca_file=cert_file)  # the certificate is trusted as it is
        site = Site(folder, "moving")
        with dovecot_server(pair) as old, site.running():
            user = _fill(old, options.messages, options.mail)
            site.run("migrate", "--verbosity=0")
            site.run("domain", "ensure", "new.example")
            _measure(site, old, user, options.messages)
            domain_rename.measure(site, options.mailboxes)


def _fill(old: DovecotServer, messages: int, kind: str) -> str:
    """Write the mail of a user, and sign in once, so that the old server has numbered it. Return the user."""
    user, letters = old.user(mail.PASSWORD), mail.collection(kind)
    for number in range(messages):
        data = letters[number % len(letters)]
        name = f"{FIRST_SECOND + number}.{number}.old,S={len(data)},W={len(data)}"
        (old.maildir(user) / "new" / name).write_bytes(data)
    context = ssl.create_default_context(cafile=str(old.authority.ca_file))
    session = poplib.POP3_SSL("localhost", old.tls_port, context=context)
    session.user(user)
    session.pass_(mail.PASSWORD)
    session.quit()
    return user


def _measure(site: Site, old: DovecotServer, user: str, messages: int) -> None:
    account = ("--user", user, "--password-stdin", "--ca-file", str(old.authority.ca_file))
    sources = {"Maildir": (str(old.maildir(user)),), "POP3": (old.url, *account)}
    for name, words in sources.items():
        address = f"{name.lower()}@new.example"
        site.run("mailbox", "ensure", address)
        began, cpu_began = time.monotonic(), _cpu_seconds(site)
        done = json.loads(site.run("import-mail", address, *words, "--json", stdin=f"{mail.PASSWORD}\n"))
        seconds = time.monotonic() - began
        assert done["imported"] == messages, done
        print(f"{messages} messages from {name}: {seconds:.1f} s (goal for 20,000: {GOALS_SECONDS[name]}),", end=" ")
        print(f"{_cpu_seconds(site) - cpu_began:.1f} s of CPU, Postgres and the import")
    began = time.monotonic()
    site.run("import-mail", "pop3@new.example", old.url, *account, stdin=f"{mail.PASSWORD}\n")
    print(f"a second run, with nothing new: {time.monotonic() - began:.1f} s")
    same = site.run("import-mail", "pop3@new.example", "--compare", old.url, *account, stdin=f"{mail.PASSWORD}\n")
    print(same.strip())


def _cpu_seconds(site: Site) -> float:
    """Return the CPU time of Postgres, and of the commands that have ended."""
    ended = resource.getrusage(resource.RUSAGE_CHILDREN)
    return site.meter.cpu_seconds() + ended.ru_utime + ended.ru_stime


if __name__ == "__main__":
    main()
