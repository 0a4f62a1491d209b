"""Lines as Postfix 3.7 and Exim 4.96 write them: what of them is told, and what is left out."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailstore.mta_log import exim_line, line_head, postfix_line, refusal_text
from mailstore.mta_log.log_event import Outcome, Taken

AT = datetime(2026, 11, 30, 9, 12, tzinfo=UTC)
PARIS = ZoneInfo("Europe/Paris")


def outcome(
    reason: str, recipient: str | None, *, final: bool, mta_id: str = "4XyzA1B2c3", **fields: object
) -> Outcome:
    return Outcome(AT, reason, final, mta_id, recipient, **{"text": "", **fields})


@pytest.mark.parametrize(
    ("program", "text", "told"),
    [
        ("postfix/cleanup", "4XyzA1B2c3: message-id=<a@example.net>", Taken("4XyzA1B2c3", message_id="a@example.net")),
        (
            "postfix/qmgr", "4XyzA1B2c3: from=<s@example.net>, size=1432, nrcpt=2 (queue active)",
            Taken("4XyzA1B2c3", "s@example.net", 1432),
        ),
        (
            "postfix/smtpd",
            "NOQUEUE: reject: RCPT from mx.example.net[203.0.113.9]: 554 5.7.1 <nobody@example.org>: Recipient address "
            "rejected: Access denied; from=<s@example.net> to=<nobody@example.org> proto=ESMTP helo=<mx.example.net>",
            outcome(
                "rejected", "nobody@example.org", final=True, mta_id="", sender="s@example.net",
                text="554 5.7.1 <nobody@example.org>: Recipient address rejected: Access denied",
                origin="mx.example.net, 203.0.113.9",
            ),
        ),
        (
            "postfix/submission/smtpd",
            "NOQUEUE: reject: RCPT from unknown[2001:db8::7]:4711: 450 4.7.1 Later; from=<x@y.example> to=<fake@z>; "
            "from=<> to=<ann@example.org> proto=SMTP helo=<a>",
            outcome(
                "rejected", "ann@example.org", final=False, mta_id="", sender="", origin="2001:db8::7",
                text="450 4.7.1 Later; from=<x@y.example> to=<fake@z>",
            ),
        ),
        (
            "postfix/smtpd",
            "NOQUEUE: reject: RCPT from unknown[203.0.113.9]: 550 5.1.1 No; from=<s@example.net> to=<x@example.net> "
            "proto=SMTP helo=<a; from=<boss@example.org> to=<ann@example.org> proto=SMTP helo=<b>", None,
        ),
        (
            "postfix/lmtp",
            "4XyzA1B2c3: to=<ann@example.org>, orig_to=<info@example.org>, relay=none, delay=0.05, delays=0.04/0/0/0, "
            "dsn=4.4.1, status=deferred (connect to mail[private/popadmin]: Connection refused)",
            outcome(
                "queued", "info@example.org", final=False, text="connect to mail[private/popadmin]: Connection refused"
            ),
        ),
        (
            "postfix/smtp",
            "4XyzA1B2c3: to=<x@elsewhere.example>, relay=mx.elsewhere.example[198.51.100.2]:25, delays=1/0/1/0, "
            "dsn=5.1.1, status=bounced (host mx.elsewhere.example[198.51.100.2] said: 550 5.1.1 no (in reply to RCPT))",
            outcome(
                "bounced", "x@elsewhere.example", final=True,
                text="host mx.elsewhere.example[198.51.100.2] said: 550 5.1.1 no (in reply to RCPT)",
            ),
        ),
        (
            "postfix/qmgr", "4XyzA1B2c3: from=<s@example.net>, status=expired, returned to sender",
            outcome("bounced", None, final=True, sender="s@example.net", text="returned to sender"),
        ),
        (
            "postfix/lmtp",
            "4XyzA1B2c3: to=<ann@example.org>, relay=mail[private/popadmin], delay=0.05, delays=0/0/0/0, dsn=4.2.2, "
            "status=deferred (host mail[private/popadmin] said: 452 4.2.2 full (in reply to RCPT TO command))",
            None,
        ),
        (
            "postfix/lmtp", "4XyzA1B2c3: to=<ann@example.org>, relay=mail[private/popadmin], delay=0, delays=0/0/0/0, "
            "dsn=2.0.0, status=sent (250 2.0.0 delivered as 01m8)", None,
        ),
        (
            "postfix/smtp",
            "4XyzA1B2c3: to=<x@elsewhere.example>, relay=mx.elsewhere.example[198.51.100.2]:25, delay=301, "
            "delays=300/0/1/0, dsn=2.0.0, status=sent (250 2.0.0 Ok: queued as 77)",
            outcome("sent", "x@elsewhere.example", final=True, text="250 2.0.0 Ok: queued as 77"),
        ),
        (
            "postfix/cleanup",
            "4XyzA1B2c3: milter-reject: END-OF-MESSAGE from mx.example.net[203.0.113.9]: 5.7.1 Spam message rejected; "
            "from=<s@example.net> to=<ann@example.org> proto=ESMTP helo=<mx.example.net>",
            outcome(
                "rejected", "ann@example.org", final=True, sender="s@example.net", text="5.7.1 Spam message rejected",
                origin="mx.example.net, 203.0.113.9",
            ),
        ),
        (
            "postfix/smtpd",
            "NOQUEUE: reject: MAIL from unknown[203.0.113.9]: 552 5.3.4 Message size exceeds fixed limit; "
            "from=<s@example.net> proto=ESMTP helo=<mx.example.net>",
            outcome(
                "rejected", "", final=True, mta_id="", sender="s@example.net", origin="203.0.113.9",
                text="552 5.3.4 Message size exceeds fixed limit",
            ),
        ),
        (
            "postfix/submission/smtpd",
            "4XyzA1B2c3: reject: END-OF-MESSAGE from pc.example.net[203.0.113.9]: 450 4.7.1 <END-OF-MESSAGE>: "
            "End-of-data rejected: too many messages from this sender, try again later; from=<ann@example.org> "
            "proto=ESMTP helo=<pc>",
            outcome(
                "rejected", "", final=False, sender="ann@example.org", origin="pc.example.net, 203.0.113.9",
                text="450 4.7.1 <END-OF-MESSAGE>: End-of-data rejected: too many messages from this sender, try again "
                "later",
            ),
        ),
        ("postfix/smtpd", "connect from unknown[203.0.113.9]", None),
        ("sshd", "4XyzA1B2c3: message-id=<a@b>", None),
    ],
)  # fmt: skip
def test_a_line_of_postfix_is_told_or_left_out(program: str, text: str, told: object) -> None:
    assert postfix_line.event(program, AT, text) == told


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (
            "1rXyzA-0001Ab-2C <= s@example.net H=mx.example.net [203.0.113.9] P=esmtps S=1432 id=a.b@example.net",
            Taken("1rXyzA-0001Ab-2C", "s@example.net", 1432, "a.b@example.net"),
        ),
        ("1rXyzA-0001Ab-2C <= <> R=1rXyz9-0001AA-1B U=Debian-exim P=local S=2001", Taken("1rXyzA-0001Ab-2C", "", 2001)),
        (
            "H=mx.example.net (helo.example) [203.0.113.9]:4711 X=TLS1.3 F=<s@example.net> rejected RCPT "
            "<nobody@example.org>: Unrouteable address",
            outcome(
                "rejected", "nobody@example.org", final=True, mta_id="", sender="s@example.net",
                text="Unrouteable address", origin="mx.example.net, 203.0.113.9",
            ),
        ),
        (
            "H=(x) [203.0.113.9] F=<> temporarily rejected RCPT <ann@example.org>: greylisted",
            outcome(
                "rejected", "ann@example.org", final=False, mta_id="", sender="", text="greylisted",
                origin="x, 203.0.113.9",
            ),
        ),
        (
            "1rXyzA-0001Ab-2C == ann@example.org R=popadmin T=popadmin_lmtp defer (111): Connection refused",
            outcome(
                "queued", "ann@example.org", final=False, mta_id="1rXyzA-0001Ab-2C",
                text="R=popadmin T=popadmin_lmtp defer (111): Connection refused",
            ),
        ),
        (
            "1tAbcD-00000001Abc-2xYz ** x@elsewhere.example <info@example.org> R=dnslookup T=remote_smtp: SMTP error "
            "from remote mail server after RCPT TO:<x@elsewhere.example>: 550 5.1.1 no",
            outcome(
                "bounced", "info@example.org", final=True, mta_id="1tAbcD-00000001Abc-2xYz",
                text="R=dnslookup T=remote_smtp: SMTP error from remote mail server after RCPT "
                "TO:<x@elsewhere.example>: 550 5.1.1 no",
            ),
        ),
        (
            "1rXyzA-0001Ab-2C == ann@example.org R=popadmin T=popadmin_lmtp defer (-44) H=localhost [127.0.0.1]: LMTP "
            "error from remote mail server after RCPT TO:<ann@example.org>: 452 4.2.2 the mailbox is full",
            None,
        ),
        ("1rXyzA-0001Ab-2C => ann@example.org R=popadmin T=popadmin_lmtp C=\"250 2.0.0 delivered\"", None),
        (
            '1rXyzA-0001Ab-2C => x@elsewhere.example R=elsewhere T=smtp_out H=mx [198.51.100.2] C="250 OK"',
            outcome(
                "sent", "x@elsewhere.example", final=True, mta_id="1rXyzA-0001Ab-2C",
                text='R=elsewhere T=smtp_out H=mx [198.51.100.2] C="250 OK"',
            ),
        ),
        (
            '1rXyzA-0001Ab-2C ** ann@example.org: Too many "Received" headers - suspected mail loop',
            outcome(
                "bounced", "ann@example.org", final=True, mta_id="1rXyzA-0001Ab-2C",
                text='Too many "Received" headers - suspected mail loop',
            ),
        ),
        (
            "H=(x) [203.0.113.9] F=<s@example.net> rejected MAIL <s@example.net>: 553 5.7.1 not yours",
            outcome(
                "rejected", "", final=True, mta_id="", sender="s@example.net", text="553 5.7.1 not yours",
                origin="x, 203.0.113.9",
            ),
        ),
        (
            "rejected MAIL FROM:<s@example.net> H=(x) [203.0.113.9]: message too big: size=64000000 max=52428800",
            outcome(
                "rejected", "", final=True, mta_id="", sender="s@example.net", origin="x, 203.0.113.9",
                text="message too big: size=64000000 max=52428800",
            ),
        ),
        (
            "1rXyzA-0001Ab-2C rejected from <s@example.net> H=(x) [203.0.113.9]: message too big: read=52428801 "
            "max=52428800",
            outcome(
                "rejected", "", final=True, mta_id="1rXyzA-0001Ab-2C", sender="s@example.net",
                text="message too big: read=52428801 max=52428800", origin="x, 203.0.113.9",
            ),
        ),
        (
            "1rXyzA-0001Ab-2C H=mx.example.net (x) [203.0.113.9] F=<s@example.net> A=plain:ann@example.org temporarily "
            "rejected after DATA: 450 4.7.1 too many messages from this sender, try again later",
            outcome(
                "rejected", "", final=False, mta_id="1rXyzA-0001Ab-2C", sender="s@example.net",
                text="450 4.7.1 too many messages from this sender, try again later",
                origin="mx.example.net, 203.0.113.9",
            ),
        ),
        (
            'H=(x) [203.0.113.9] F=<"a rejected RCPT <ann@x.example>: "@example.net> rejected RCPT <x@example.net>: no',
            None,
        ),
        ("1rXyzA-0001Ab-2C Completed", None),
    ],
)  # fmt: skip
def test_a_line_of_exim_is_told_or_left_out(text: str, told: object) -> None:
    assert exim_line.event(AT, text) == told


@pytest.mark.parametrize(
    ("text", "of_policy", "of_recipient"),
    [
        ("550 5.1.1 <n@example.org>: Recipient address rejected: no such mailbox here", True, True),
        ("452 4.2.2 <n@example.org>: Recipient address rejected: the mailbox is full, try again later", True, True),
        ("552 5.2.2 the mailbox is full", True, True),  # Exim's
        ("550 5.1.1 <n@example.org>: Recipient address rejected: User unknown in virtual mailbox table", False, True),
        ("454 4.7.1 <n@off.example>: Relay access denied", False, True),
        ("550 5.1.1 <n@example.org>: Recipient address rejected: undeliverable address: host mail[private/popadmin] "
         "said: 550 5.1.1 no such mailbox here (in reply to RCPT TO command)", False, True),
        ("Unrouteable address", False, True),
        ("550 5.7.1 relay not permitted", False, True),
        ("554 5.7.1 <n@example.org>: Recipient address rejected: Access denied", False, False),
        ("554 5.7.1 Service unavailable; Client host [203.0.113.9] blocked using zen.example", False, False),
        ("550 5.1.0 <s@example.net>: Sender address rejected: undeliverable address: host mx said: no", False, False),
        ('554 5.7.1 <"Relay access denied"@example.net>: Sender address rejected: Access denied', False, False),
    ],
)  # fmt: skip
def test_the_words_of_a_refusal_say_whether_it_is_ours_and_about_the_recipient(
    text: str, of_policy: bool, of_recipient: bool
) -> None:
    assert (refusal_text.is_of_policy(text), refusal_text.is_of_recipient(text)) == (of_policy, of_recipient)


@pytest.mark.parametrize(
    ("reason", "text", "cause"),
    [
        ("bounced", "mail forwarding loop for ann@example.org", "loop"),
        ("bounced", "mail for elsewhere.example loops back to myself", "loop"),
        (
            "bounced",
            "host mx.elsewhere.example said: 554 5.4.6 Too many hops (in reply to end of DATA command)",
            "loop",
        ),
        ("rejected", 'too many "Received" headers', "loop"),
        ("rejected", "552 5.3.4 Message size exceeds fixed limit", "too-large"),
        ("rejected", "message too big: read=7 max=6", "too-large"),
        ("rejected", '554 5.7.1 <"mail loop"@example.net>: Sender address rejected: Access denied', "rejected"),
        ("sent", "250 2.0.0 mail loop", "sent"),
    ],
)
def test_the_words_of_a_refusal_name_some_causes(reason: str, text: str, cause: str) -> None:
    assert refusal_text.reason(outcome(reason, "ann@example.org", final=True, text=text)) == cause


@pytest.mark.parametrize(
    ("line", "program"),
    [
        ("2026-11-30T09:12:00+00:00 mail postfix/smtpd[42]: text", "postfix/smtpd"),
        ("Nov 30 10:12:00 mail postfix/qmgr[42]: text", "postfix/qmgr"),
        ("2026-11-30 10:12:00 [42] text", ""),
        ("2026-11-30 04:12:00.123 -0500 text", ""),
    ],
)
def test_the_head_of_a_line_is_time_program_and_text(line: str, program: str) -> None:
    assert line_head.head(line, AT, PARIS) == (AT, program, "text")


def test_the_zone_of_times_without_one_is_that_of_the_machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(line_head, "LOCAL_ZONE", tmp_path / "localtime")
    assert line_head.machine_zone() is UTC
    (tmp_path / "localtime").write_bytes(Path("/usr/share/zoneinfo/Europe/Paris").read_bytes())
    assert AT.astimezone(line_head.machine_zone()).hour == 10


def test_a_time_without_a_year_is_never_to_come() -> None:
    found = line_head.head("Dec 31 23:00:00 mail postfix/qmgr[1]: x", datetime(2027, 1, 1, 12, tzinfo=UTC), UTC)
    assert found is not None
    assert found[0].year in (2026, 2027)
    assert found[0] < datetime(2027, 1, 2, tzinfo=UTC)
    assert line_head.head("Feb 30 23:00:00 mail postfix/qmgr[1]: x", AT, UTC) is None


@given(st.text(max_size=300), st.sampled_from(["postfix/smtpd", "postfix/qmgr", "postfix/smtp", "postfix/cleanup"]))
def test_no_text_makes_a_reader_fail(text: str, program: str) -> None:
    line_head.head(text, AT, UTC)
    exim_line.event(AT, text)
    postfix_line.event(program, AT, f"4XyzA1B2c3: {text}")
