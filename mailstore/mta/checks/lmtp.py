"""What LMTP answers at RCPT: for a mailbox that is there, for none, for a full one. Nothing is delivered."""

from __future__ import annotations

import secrets
import smtplib
import socket

from mailstore.mta.checks.result import Finding, bad, skipped
from mailstore.mta.checks.subject import SECONDS, Subject
from mailstore.mta.socket_address import SocketAddress

FULL = frozenset({452, 552})  # the domain defers, or rejects
UNKNOWN, KNOWN = frozenset({550}), frozenset({250})


class Client(smtplib.LMTP):
    """Python's client, by TCP or by a unix socket."""

    def __init__(self, address: SocketAddress) -> None:
        self._address = address
        super().__init__(address.host or "unix", address.port, timeout=SECONDS)

    def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:
        return self._address.connect(timeout)


def known(subject: Subject) -> Finding:
    if subject.probe is None:
        return skipped("no-probe")
    return _asked(subject, subject.probe.address, KNOWN, "lmtp-known")


def unknown(subject: Subject) -> Finding:
    if subject.probe is None:
        return skipped("no-probe")
    if subject.probe.has_catch_all:
        return skipped("catch-all", domain=subject.probe.domain)
    return _asked(subject, f"{secrets.token_hex(8)}@{subject.probe.domain}", UNKNOWN, "lmtp-unknown")


def full(subject: Subject) -> Finding:
    if subject.probe is None or subject.probe.full_address is None:
        return skipped("no-full-probe")
    return _asked(subject, subject.probe.full_address, FULL, "lmtp-full")


def _asked(subject: Subject, recipient: str, wanted: frozenset[int], fault: str) -> Finding:
    address = subject.server.lmtp.reached()
    try:
        with Client(address) as client:
            client.ehlo(subject.server.hostname)
            client.mail("")
            code, text = client.rcpt(recipient)
    except (OSError, smtplib.SMTPException) as error:
        return bad("lmtp-silent", str(error), address=address)
    said = f"{recipient}: {code} {text.decode(errors='replace')}"
    return Finding(said) if code in wanted else bad(fault, said, recipient=recipient)
