"""Values for tests of the MTA's configuration: a server with all its parts, a configuration directory like Debian's."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

from mailstore.keypair import Pair
from mailstore.mta.mail_server import MailServer, MapDatabase
from mailstore.mta.socket_address import parse
from tests.listeners import Authority

# What Debian's package writes for an "Internet Site", with the mail name among the destinations.
MAIN = """\
# See /usr/share/postfix/main.cf.dist for a commented, more complete version
smtpd_banner = $myhostname ESMTP $mail_name (Debian/GNU)
biff = no
append_dot_mydomain = no
compatibility_level = 3.6

smtpd_relay_restrictions = permit_mynetworks permit_sasl_authenticated
  defer_unauth_destination
myhostname = mail.example.org
mydestination = $myhostname, example.org, localhost.example.org, localhost
relayhost =
mynetworks = 127.0.0.0/8 [::ffff:127.0.0.0]/104 [::1]/128
mailbox_size_limit = 0
recipient_delimiter = +
inet_interfaces = all
"""
MASTER = """\
smtp      inet  n       -       n       -       -       smtpd
#submission inet n       -       y       -       -       smtpd
#  -o syslog_name=postfix/submission
pickup    unix  n       -       n       60      1       pickup
cleanup   unix  n       -       n       -       0       cleanup
"""


def a_server(authority: Authority, **changes: object) -> MailServer:
    server = MailServer(
        hostname="mail.example.org",
        smtp_hostname="mail.example.org",
        lmtp=parse("127.0.0.1:1024"),
        sasl=parse("127.0.0.1:1025"),
        policy=parse("127.0.0.1:1026"),
        database=MapDatabase("/run/postgresql", 5432, "popadmin", "popadmin_mta", "se%cret"),
        pairs=(Pair(authority.cert_file, authority.key_file),),
        message_octets=50_000_000,
        domains=frozenset({"example.org"}),
        service_uid=os.getuid(),
    )
    return replace(server, **changes)


def a_directory(folder: Path, *, main: str = MAIN, master: str = MASTER) -> Path:
    """A configuration directory with a queue of its own beside it, so that the system's is not touched."""
    for name in ("etc", "queue", "data"):
        (folder / name).mkdir()
    own = f"queue_directory = {folder}/queue\ndata_directory = {folder}/data\n"
    (folder / "etc/main.cf").write_text(own + main)
    (folder / "etc/master.cf").write_text(master)
    return folder / "etc"
