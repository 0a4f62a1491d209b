"""A message of our own: in by SMTP or by submission, out by POP3, and removed again."""

from __future__ import annotations

import base64
import poplib
import secrets
import smtplib
import ssl
import time
from collections.abc import Iterator
from contextlib import contextmanager
from email.message import EmailMessage
from email.utils import formatdate, make_msgid

from mailstore.mta.checks.result import Finding, bad, skipped
from mailstore.mta.checks.subject import SECONDS, Probe, Subject
from mailstore.mta.socket_address import SocketAddress

ARRIVAL_SECONDS, LOOK_SECONDS = 30.0, 0.5  # until a message must be there, and between two looks
LOOKED_AT = 20  # messages, the newest of a mailbox
HEADER = "X-Popadmin-Check"
SIGNED_IN = 235  # RFC 4954 §4
REFUSED_SENDER = range(500, 560)


def inbound(subject: Subject) -> Finding:
    """A message comes in by port 25, as from a server elsewhere, and out by POP3."""
    probe, address = subject.probe, subject.mta.smtp
    if probe is None:
        return skipped("no-probe")
    if address is None:
        return bad("no-smtp")
    token = secrets.token_hex(8)
    try:
        with smtplib.SMTP(address.host, address.port, timeout=SECONDS) as smtp:
            smtp.ehlo(subject.server.hostname)
            smtp.sendmail("", [probe.address], _message(subject, probe, token).as_bytes())
    except (OSError, smtplib.SMTPException) as error:
        return bad("smtp-refuses", str(error), address=address)
    return _fetched(subject, probe, token)


def submitted(subject: Subject) -> Finding:
    """A program signs in, sends a message to its own address, and gets it by POP3."""
    probe = subject.probe
    if probe is None:
        return skipped("no-probe")
    if subject.server.sasl is None or (subject.mta.submission is None and subject.mta.submissions is None):
        return skipped("no-submission")
    token = secrets.token_hex(8)
    try:
        with signed_in(subject, probe) as smtp:
            smtp.sendmail(probe.address, [probe.address], _message(subject, probe, token).as_bytes())
    except (OSError, smtplib.SMTPException) as error:
        return bad("submission-refuses", str(error))
    return _fetched(subject, probe, token)


def foreign_sender(subject: Subject) -> Finding:
    """A program that signs in cannot send as somebody else."""
    probe = subject.probe
    if probe is None:
        return skipped("no-probe")
    if subject.server.sasl is None or (subject.mta.submission is None and subject.mta.submissions is None):
        return skipped("no-submission")
    other = f"{secrets.token_hex(8)}@{probe.domain}"
    try:
        with signed_in(subject, probe) as smtp:
            code, text = smtp.mail(other)
            if code == 250:
                code, text = smtp.rcpt(probe.address)
    except (OSError, smtplib.SMTPException) as error:
        return bad("submission-refuses", str(error))
    said = f"{other}: {code} {text.decode(errors='replace')}"
    return Finding(said) if code in REFUSED_SENDER else bad("foreign-sender", said)


@contextmanager
def signed_in(subject: Subject, probe: Probe) -> Iterator[smtplib.SMTP]:
    """A connection to submission whose user has signed in. Its certificate is judged by a check of its own."""
    context = trusting()
    if subject.mta.submission is not None:
        address = subject.mta.submission
        smtp = smtplib.SMTP(address.host, address.port, timeout=SECONDS)
    else:
        address = subject.mta.submissions or SocketAddress()
        smtp = smtplib.SMTP_SSL(address.host, address.port, timeout=SECONDS, context=context)
    with smtp:
        smtp.ehlo(subject.server.hostname)
        if subject.mta.submission is not None:
            smtp.starttls(context=context)
            smtp.ehlo(subject.server.hostname)
        # RFC 4616 §2: in UTF-8, which smtplib's own login does not take.
        proof = base64.b64encode(f"\0{probe.address}\0{probe.password}".encode()).decode()
        code, text = smtp.docmd("AUTH", f"PLAIN {proof}")
        if code != SIGNED_IN:
            raise smtplib.SMTPAuthenticationError(code, text)
        yield smtp


def trusting() -> ssl.SSLContext:
    """Return a context that takes any certificate."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def _message(subject: Subject, probe: Probe, token: str) -> EmailMessage:
    message = EmailMessage()
    message["From"] = message["To"] = probe.address
    message["Subject"] = "popadmin mta check"
    message["Date"] = formatdate()
    message["Message-ID"] = make_msgid(domain=subject.server.hostname)
    message[HEADER] = token
    message["Auto-Submitted"] = "auto-generated"  # RFC 3834 §5: nothing answers it
    message.set_content("popadmin tries whether mail arrives. This message is removed again.\n")
    return message


def _fetched(subject: Subject, probe: Probe, token: str) -> Finding:
    """Wait until the message is in the maildrop, and remove it."""
    if subject.pop3 is None:
        return skipped("no-pop3")
    begun = time.monotonic()
    while time.monotonic() - begun < ARRIVAL_SECONDS:
        try:
            if _taken(subject.pop3, probe, token):
                return Finding(f"{time.monotonic() - begun:.1f} s")
        except (OSError, poplib.error_proto) as error:
            return bad("pop3-refuses", str(error))
        time.sleep(LOOK_SECONDS)
    return bad("not-arrived")


def _taken(pop3: tuple[SocketAddress, bool], probe: Probe, token: str) -> bool:
    """Return whether the message is there; it is deleted then."""
    address, in_tls = pop3
    session = (
        poplib.POP3_SSL(address.host, address.port, timeout=SECONDS, context=trusting())
        if in_tls
        else poplib.POP3(address.host, address.port, timeout=SECONDS)
    )
    try:
        session.user(probe.address)
        session.pass_(probe.password)
        newest = session.stat()[0]
        wanted = f"{HEADER}: {token}".encode()
        numbers = range(newest, max(newest - LOOKED_AT, 0), -1)
        found = next((number for number in numbers if wanted in session.top(number, 0)[1]), None)
        if found is not None:
            session.dele(found)
        return found is not None
    finally:
        session.quit()
