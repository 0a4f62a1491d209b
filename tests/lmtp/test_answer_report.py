"""Each RCPT and each recipient of a message is reported once, with what it was answered."""

from __future__ import annotations

from mailstore.errors import MessageTooLarge, QuotaDeferred, StorageFull, UnknownRecipient
from mailstore.ports import Answer, Delivered, Unfit
from tests.fakes.lmtp import RULES, Conversation

ANNA, BERT = "Anna+Shop@example.org", "bert@example.org"


def told(answer: Answer) -> tuple[str, str, object, str]:
    return answer.sender, answer.recipient, type(answer.outcome), answer.reply[:9]


def test_a_delivered_message_is_reported_for_each_recipient_with_size_and_marks() -> None:
    talk = Conversation()
    talk.open(ANNA, BERT)
    talk.delivery.outcomes[BERT] = StorageFull("disk")
    talk.say("DATA", "Received: by mx (Postfix)", "\tid 4XyzA1B2; x", "Message-ID: <a@example.net>", "", "text", ".")
    first, second = talk.trace.answers
    assert told(first) == ("s@example.net", ANNA, Delivered, "250 2.0.0")
    assert told(second) == ("s@example.net", BERT, StorageFull, "452 4.3.1")
    assert (first.octets, first.marks.message_id, first.marks.mta_id) == (
        talk.intake.committed[1], "a@example.net", "4XyzA1B2",
    )  # fmt: skip


def test_recipients_that_are_not_accepted_are_reported_at_rcpt() -> None:
    talk = Conversation()
    talk.delivery.refuse(BERT, QuotaDeferred(BERT, mailboxes=(3,)))
    talk.say("LHLO mx", "MAIL FROM:<> SIZE=500", "RCPT TO:<nobody@example.org>", f"RCPT TO:<{BERT}>")
    talk.say("RCPT TO:<not an address>", "RCPT TO:<jürgen@example.org>")
    assert [told(answer) for answer in talk.trace.answers] == [
        ("", "nobody@example.org", UnknownRecipient, "550 5.1.1"),
        ("", BERT, QuotaDeferred, "452 4.2.2"),
        ("", "not an address", Unfit, "501 5.1.3"),
        ("", "jürgen@example.org", Unfit, "553 5.6.7"),
    ]
    assert [answer.announced_octets for answer in talk.trace.answers] == [500] * 4


def test_a_size_refused_at_mail_is_reported_for_the_recipients_that_follow_or_without_any() -> None:
    talk = Conversation()
    too_large = f"MAIL FROM:<s@example.net> SIZE={RULES.max_message_octets + 1}"
    talk.say("LHLO mx", too_large, f"RCPT TO:<{ANNA}>", f"RCPT TO:<{BERT}>", too_large, "QUIT")
    talk.session.ended("quit", 0, 0)
    assert [told(answer) for answer in talk.trace.answers] == [
        ("s@example.net", ANNA, MessageTooLarge, "552 5.3.4"),
        ("s@example.net", BERT, MessageTooLarge, "552 5.3.4"),
        ("s@example.net", "", MessageTooLarge, "552 5.3.4"),
    ]


def test_an_answer_that_comes_when_the_client_has_gone_is_reported_all_the_same() -> None:
    talk = Conversation()
    talk.open(ANNA)
    talk.say("DATA")
    talk.delivery.held = True
    talk.say("Subject: x", "", "text", ".")
    talk.session.ended("lost", 0, 0)
    assert talk.trace.answers == []
    talk.delivery.release()
    assert [told(answer)[1:3] for answer in talk.trace.answers] == [(ANNA, Delivered)]


def test_what_xforward_told_is_reported_for_its_message_alone_also_where_a_recipient_is_refused() -> None:
    talk = Conversation()
    talk.delivery.add(ANNA)
    header = ("Received: from helo.example ([192.0.2.9])", "\tby mx (Postfix) with ESMTP id OLDER1; x", "", "text", ".")
    mail = ("MAIL FROM:<s@example.net>", f"RCPT TO:<{BERT}>", f"RCPT TO:<{ANNA}>", "DATA")
    talk.say("LHLO mx", "XFORWARD NAME=out.example.net ADDR=IPV6:2001:db8::5", "XFORWARD HELO=x IDENT=4XyzA1B2", *mail)
    talk.say(*header)
    talk.say(*mail)
    talk.say(*header)
    origin = "out.example.net, 2001:db8::5"
    assert [(answer.recipient, answer.marks.mta_id, answer.marks.origin) for answer in talk.trace.answers] == [
        (BERT, "4XyzA1B2", origin),
        (ANNA, "4XyzA1B2", origin),
        (BERT, "", ""),
        (ANNA, "OLDER1", "helo.example, 192.0.2.9"),
    ]


def test_a_message_refused_at_mail_keeps_what_xforward_told_of_it() -> None:
    talk = Conversation()
    too_large = f"MAIL FROM:<s@example.net> SIZE={RULES.max_message_octets + 1}"
    talk.say(
        "LHLO mx", "XFORWARD IDENT=first", too_large, "XFORWARD IDENT=second NAME=[UNAVAILABLE]", too_large, "RSET"
    )
    assert [answer.marks.mta_id for answer in talk.trace.answers] == ["first", "second"]
