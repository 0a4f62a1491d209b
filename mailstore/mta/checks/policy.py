"""The policy service, asked as Postfix asks it at RCPT (SMTPD_POLICY_README)."""

from __future__ import annotations

from contextlib import closing

from mailstore.mta.checks.result import Finding, bad, skipped
from mailstore.mta.checks.subject import SECONDS, Subject

REPLY_OCTETS = 4096
NO_OBJECTION = frozenset({"DUNNO", "OK"})
MESSAGE_OCTETS = "500"  # that are announced


def known(subject: Subject) -> Finding:
    if subject.probe is None:
        return skipped("no-probe")
    return _asked(subject, subject.probe.address, is_refused=False)


def full(subject: Subject) -> Finding:
    if subject.probe is None or subject.probe.full_address is None:
        return skipped("no-full-probe")
    return _asked(subject, subject.probe.full_address, is_refused=True)


def _asked(subject: Subject, recipient: str, *, is_refused: bool) -> Finding:
    address = subject.server.policy
    if address is None:
        return skipped("no-policy")
    try:
        with closing(address.reached().connect(SECONDS)) as sock, sock.makefile("rwb") as stream:
            stream.write(_request(recipient))
            stream.flush()
            action = stream.readline(REPLY_OCTETS).decode(errors="replace").strip()
    except OSError as error:
        return bad("policy-silent", str(error), address=address)
    if not action.startswith("action="):
        return bad("policy-silent", action, address=address)
    word = action.removeprefix("action=").partition(" ")[0].upper()
    said = f"{recipient}: {action}"
    return Finding(said) if (word not in NO_OBJECTION) == is_refused else bad("policy-wrong", said, recipient=recipient)


def _request(recipient: str) -> bytes:
    attributes = {
        "request": "smtpd_access_policy",
        "protocol_state": "RCPT",
        "protocol_name": "ESMTP",
        "client_address": "127.0.0.1",
        "client_name": "localhost",
        "sender": "",
        "recipient": recipient,
        "size": MESSAGE_OCTETS,
        "instance": "popadmin.mta.check",
    }
    return "".join(f"{name}={value}\n" for name, value in attributes.items()).encode() + b"\n"
