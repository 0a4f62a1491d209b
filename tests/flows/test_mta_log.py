"""A real Postfix: the trace has what it delivered to us by our own answer, and the rest from its log."""

from __future__ import annotations

import smtplib

import pytest

from mailstore.models import Mailbox, TraceEntry
from mailstore.mta_log import log_source
from mailstore.mta_log.log_reader import LogReader
from tests.flows.postfix import PORT, postfix
from tests.listeners import LONGEST_WAIT_SECONDS, MailSite
from tests.up.programs import until

pytestmark = pytest.mark.real
ANN, FULL, NOBODY, AWAY = "ann@example.org", "full@example.org", "nobody@example.org", "x@elsewhere.example"
NOTE = b"From: s@example.net\r\nMessage-ID: <note@example.net>\r\nSubject: note\r\n\r\nline\r\n"
CLOSED = "default_transport = lmtp:inet:[127.0.0.1]:1"
SETTINGS = (
    f"{CLOSED}\nlmtp_send_xforward_command = yes\n"
    f"smtpd_recipient_restrictions = check_recipient_access inline:{{ {{ {NOBODY} = 550 5.1.1 nobody }} }}"
)


def test_postfix_and_the_trace_together_explain_each_message(mail_site: MailSite) -> None:
    mail_site.mailbox(ANN)
    mail_site.mailbox(FULL)
    Mailbox.objects.filter(user__address=FULL).update(quota_octets=10)
    with postfix(f"lmtp:inet:[127.0.0.1]:{mail_site.lmtpd.port}", "example.org", settings=SETTINGS) as mta:
        mta.submit(NOTE, ANN, sender="s@example.net")
        mta.submit(NOTE, FULL, sender="s@example.net")
        mta.submit(NOTE, AWAY, sender=ANN)
        with (
            smtplib.SMTP(mta.address, PORT, timeout=LONGEST_WAIT_SECONDS) as smtp,
            pytest.raises(smtplib.SMTPRecipientsRefused),
        ):
            smtp.sendmail("s@example.net", [NOBODY], NOTE)
        for recipient, status in ((ANN, "sent"), (FULL, "deferred"), (AWAY, "deferred")):
            mta.log_line(recipient, status)
        until(lambda: "reject: RCPT" in mta.log(), "the refusal is in the log")
        until(lambda: TraceEntry.objects.filter(recipient__in=[ANN, FULL]).count() >= 2, "the trace has our answers")
        LogReader(log_source.source(str(mta.folder / "log"))).read()
        log = mta.log()
    told = {row.recipient: row for row in TraceEntry.objects.exclude(sender="")}
    assert {name: (row.source, row.answer, row.reason) for name, row in told.items()} == {
        ANN: ("lmtp", "delivered", ""),
        FULL: ("lmtp", "deferred", "full"),
        NOBODY: ("mta", "refused", "rejected"),
        AWAY: ("mta", "deferred", "queued"),
    }
    # LMTP has refused one at RCPT, so no header came.
    for name in (ANN, FULL):
        assert f"{told[name].mta_id}: to=<{name}>" in log
        assert told[name].origin == "elsewhere.example, 127.0.0.1"
    assert told[ANN].message_id == told[AWAY].message_id == "note@example.net"
    assert told[FULL].announced_octets is not None
    assert told[AWAY].mailbox.user.address == ANN
