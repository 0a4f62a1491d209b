"""The trace has a row for each answer, with what explains it, also when the database was away meanwhile."""

from __future__ import annotations

from datetime import timedelta
from io import BytesIO

import pytest
from django.utils import timezone

from mailstore.delivery import notices, pipe
from mailstore.delivery.delivery import StoredDelivery
from mailstore.delivery.notices import Notice
from mailstore.delivery.trace_writer import REFUSALS_AT_MOST, TraceWriter
from mailstore.directory import aliases, domain_removal, mailbox_removal
from mailstore.errors import QuotaDeferred, QuotaRejected, UnknownRecipient
from mailstore.models import Alias, Domain, Mailbox, Message, TraceEntry
from mailstore.policy.trace_fold import NAMES_OF_AN_HOUR
from mailstore.ports import Answer, MessageMarks
from mailstore.sql.connection_pool import ConnectionPool
from tests.site.mta import MESSAGE, Mta
from tests.site.rows import ACTOR, a_domain, a_mailbox
from tests.site.worker import Worker, all_there, end_lanes

ANN, BOB, EVE = "ann@example.org", "bob@example.org", "eve@other.example"


def entries() -> list[TraceEntry]:
    return list(TraceEntry.objects.filter(copy=False).order_by("pk"))


def only() -> TraceEntry:
    [entry] = entries()
    return entry


def test_a_delivered_message_has_a_row_that_leads_to_it(mta: Mta) -> None:
    box = a_mailbox()
    assert mta.send("Ann+shop@example.org", size=1000) == ["250 2.1.5", "250 2.0.0"]
    entry, message = only(), Message.objects.get()
    assert (entry.answer, entry.recipient, entry.sender) == (
        "delivered",
        "Ann+shop@example.org",
        "claire@notaires.example",
    )
    assert (entry.mailbox_id, entry.domain_id, entry.uidl, entry.queue_id) == (
        box.pk,
        box.domain_id,
        message.uidl,
        message.uidl,
    )
    assert (entry.message_id, entry.mta_id) == ("7f3a9c@notaires.example", "4XyzA1B2c3")
    assert (entry.origin, entry.client) == ("mx2.notaires.example, 203.0.113.7", "unix")
    assert (entry.octets, entry.announced_octets, entry.reply[:9]) == (len(MESSAGE), 1000, "250 2.0.0")


def test_what_explains_a_refusal_stands_in_its_row(mta: Mta) -> None:
    boxes = {name: a_mailbox(f"{name}@example.org") for name in ("full", "closed", "gone")}
    a_mailbox("in@off.example")
    Domain.objects.filter(name="off.example").update(active=False)
    Mailbox.objects.filter(pk=boxes["full"].pk).update(quota_octets=10, octets=0)
    Mailbox.objects.filter(pk=boxes["closed"].pk).update(receives=False)
    mailbox_removal.remove("gone@example.org", actor=ACTOR, with_mail=False)
    for name in ("old", "off", "outside"):
        aliases.ensure(f"{name}@example.org", ["x@elsewhere.example"], actor=ACTOR)
    Alias.objects.filter(address="old@example.org").update(expires_at=timezone.now() - timedelta(days=1))
    Alias.objects.filter(address="off@example.org").update(active=False)
    names = ("full", "closed", "gone", "old", "off", "outside", "nobody")
    mta.send(*(f"{name}@example.org" for name in names), "in@off.example", "a@nowhere.example", size=500)
    assert {entry.recipient.partition("@")[0]: (entry.answer, entry.reason) for entry in entries()} == {
        "full": ("deferred", "full"),
        "closed": ("refused", "closed"),
        "gone": ("refused", "removed"),
        "old": ("refused", "alias-expired"),
        "off": ("refused", "alias-off"),
        "outside": ("deferred", "outside"),
        "nobody": ("refused", "unknown"),
        "in": ("refused", "domain-off"),
        "a": ("refused", "no-domain"),
    }
    assert TraceEntry.objects.get(recipient="full@example.org").mailbox_id == boxes["full"].pk
    assert TraceEntry.objects.get(recipient="closed@example.org").mailbox_id == boxes["closed"].pk


def test_a_message_that_is_too_large_is_told_to_each_recipient(mta: Mta) -> None:
    a_mailbox()
    mta.send(ANN, message="x" * 300, limit=100)
    assert (only().answer, only().reason, only().octets) == ("refused", "too-large", 302)


def test_an_announced_size_that_no_column_holds_takes_no_row_of_others_along(mta: Mta) -> None:
    """RFC 1870 §3 lets a client announce 20 digits."""
    a_mailbox()
    mta.send(ANN, size=10**20 - 1)
    mta.send("nobody@example.org")
    assert [(entry.reason, entry.announced_octets) for entry in entries()] == [("too-large", None), ("unknown", None)]


def test_each_owner_and_each_domain_that_an_alias_leads_to_has_a_row(mta: Mta) -> None:
    boxes = [a_mailbox(address) for address in (ANN, BOB, EVE)]
    a_domain("team.example")
    aliases.ensure("all@team.example", [ANN, BOB, EVE], actor=ACTOR)
    mta.send("all@team.example")
    entry = only()
    assert (entry.mailbox_count, entry.via, entry.domain.name) == (3, ["all@team.example"], "team.example")
    rows = list(TraceEntry.objects.order_by("pk"))
    assert {row.queue_id for row in rows} == {entry.queue_id}
    assert {row.mailbox_id for row in rows if row.mailbox_id} == {box.pk for box in boxes}
    uidls = dict(Message.objects.values_list("mailbox", "uidl"))
    assert {row.mailbox_id: row.uidl for row in rows if row.mailbox_id} == uidls
    of_domains = sorted(row.domain.name for row in rows if row.domain_id)
    assert of_domains == ["example.org", "other.example", "team.example"]


def test_the_way_of_a_delivery_is_told(mta: Mta) -> None:
    a_mailbox()
    a_domain("alias.example", stands_for=Domain.objects.get(name="example.org"))
    aliases.ensure("@example.org", [ANN], actor=ACTOR)
    aliases.ensure("info@example.org", [ANN], actor=ACTOR)
    mta.send("info@alias.example", "anything@example.org", ANN)
    assert {entry.recipient: entry.via for entry in entries()} == {
        "info@alias.example": ["alias.example", "info@example.org"],
        "anything@example.org": ["@example.org"],
        ANN: [],
    }
    assert TraceEntry.objects.filter(copy=True).count() == 0


def test_tries_of_one_message_have_one_number(mta: Mta) -> None:
    a_mailbox()
    Mailbox.objects.update(quota_octets=10)
    mta.send(ANN, size=900)
    Mailbox.objects.update(quota_octets=None)
    mta.send("ANN@example.org", size=900)
    mta.send(ANN, size=901)
    first, second, other = entries()
    assert [entry.answer for entry in (first, second, other)] == ["deferred", "delivered", "delivered"]
    assert first.pair == second.pair != other.pair


def test_a_flood_of_unknown_names_is_folded(mta: Mta) -> None:
    a_mailbox()
    names = [f"n{number}@example.org" for number in range(NAMES_OF_AN_HOUR + 30)]
    mta.send(*names)
    mta.send(*names[:2], *names[-2:])
    assert TraceEntry.objects.count() == NAMES_OF_AN_HOUR + 1
    assert TraceEntry.objects.get(recipient=names[0]).tries == 2
    rest = TraceEntry.objects.get(recipient="")
    assert (rest.tries, rest.reason, rest.domain.name) == (32, "unknown", "example.org")


def test_what_an_mta_refuses_before_a_message_came_is_folded_and_each_message_counts(
    worker: Worker, lanes: ConnectionPool
) -> None:
    """Full mailboxes behind an alias: two messages, and one that is tried three times."""
    boxes = [a_mailbox(ANN), a_mailbox(EVE)]
    writer = TraceWriter(lanes)
    for octets in (1000, 2000, 2000):
        full = QuotaDeferred("full", mailboxes=tuple(box.pk for box in boxes))
        writer.answered(Answer("policy", "unix", "s@example.net", ANN, full, "452 4.2.2 full", octets))
    worker.ask(lambda done: writer.flush(lambda: done(None)))
    writer.answered(Answer("policy", "unix", "s@example.net", ANN, full, "452 4.2.2 full", 2000))
    worker.ask(lambda done: writer.flush(lambda: done(None)))
    assert [(entry.announced_octets, entry.tries, entry.reason) for entry in entries()] == [
        (1000, 1, "full"),
        (2000, 3, "full"),
    ]
    eve = TraceEntry.objects.filter(mailbox=boxes[1]).order_by("pk")
    assert [(entry.copy, entry.tries, entry.domain.name) for entry in eve] == [
        (True, 1, "other.example"),
        (True, 3, "other.example"),
    ]
    assert len({entry.pair for entry in entries()}) == 2  # by which the state line counts them


def test_no_flood_of_strangers_hides_what_concerns_a_mailbox(worker: Worker, lanes: ConnectionPool) -> None:
    box = a_mailbox()
    writer = TraceWriter(lanes)
    for number in range(NAMES_OF_AN_HOUR + 5):
        nobody = f"n{number}@example.org"
        writer.answered(Answer("policy", "unix", "", nobody, UnknownRecipient(nobody), "550 5.1.1 no such mailbox"))
    for octets in range(NAMES_OF_AN_HOUR + 5):
        full = QuotaRejected("full", mailboxes=(box.pk,))
        writer.answered(Answer("policy", "unix", "s@example.net", ANN, full, "552 5.2.2 full", octets))
    worker.ask(lambda done: writer.flush(lambda: done(None)))
    assert TraceEntry.objects.filter(mailbox=box).count() == NAMES_OF_AN_HOUR
    rest = TraceEntry.objects.filter(recipient="").order_by("reason")
    assert [(row.reason, row.tries, row.mailbox_id, row.domain.name) for row in rest] == [
        ("full", 5, None, "example.org"),
        ("unknown", 5, None, "example.org"),
    ]


def test_an_outage_loses_nothing_and_writes_nothing_twice(worker: Worker, delivery: StoredDelivery, mta: Mta) -> None:
    a_mailbox()
    mta.send(ANN)
    end_lanes()
    delivery.answers.answered(Answer("lmtp", "unix", "s@example.net", ANN, UnknownRecipient(ANN), "550 5.1.1 x"))
    mta.flush()
    worker.until(lambda: all_there(delivery._lanes), "the lanes are back")
    mta.flush()
    mta.flush()
    assert [entry.answer for entry in entries()] == ["delivered", "refused"]


def test_what_has_no_room_is_counted(worker: Worker, lanes: ConnectionPool) -> None:
    writer = TraceWriter(lanes, waiting_rows=2)
    for number in range(5):
        answer = Answer("lmtp", "unix", "s@example.net", f"n{number}@example.org", UnknownRecipient("x"), "550 5.1.1 x")
        writer.answered(answer)
    worker.ask(lambda done: writer.flush(lambda: done(None)))
    assert [(entry.answer, entry.tries) for entry in entries()] == [("refused", 1), ("refused", 1), ("unrecorded", 3)]


def test_what_the_server_refuses_is_counted_without_another_answer(worker: Worker, lanes: ConnectionPool) -> None:
    writer = TraceWriter(lanes)
    marks = MessageMarks(mta_id="x" * 65)
    unstorable = Answer("lmtp", "unix", "s@example.net", ANN, QuotaDeferred("full"), "452 4.2.2 x", marks=marks)
    writer.answered(unstorable)
    for _ in range(REFUSALS_AT_MOST + 1):
        worker.ask(lambda done: writer.flush(lambda: done(None)))
    assert [(entry.answer, entry.tries) for entry in entries()] == [("unrecorded", 1)]


@pytest.mark.usefixtures("transactional_db", "letters")
def test_a_pipe_and_our_own_notices_are_traced() -> None:
    box = a_mailbox()
    pipe.deliver([ANN, "nobody@example.org"], BytesIO(MESSAGE.encode()), sender="cron@example.net")
    notices.deliver([Notice(box.pk, ANN, "", "Full", "text", "once")], now=timezone.now())
    assert [(entry.source, entry.recipient, entry.answer, entry.reason) for entry in entries()] == [
        ("pipe", ANN, "delivered", ""),
        ("pipe", "nobody@example.org", "refused", "unknown"),
        ("notice", ANN, "delivered", ""),
    ]
    assert entries()[0].message_id == "7f3a9c@notaires.example"


def test_a_purged_mailbox_and_a_purged_domain_take_their_rows_along(mta: Mta) -> None:
    a_mailbox()
    a_mailbox(EVE)
    mta.send(ANN, EVE, "nobody@other.example")
    mailbox_removal.remove(ANN, actor=ACTOR, with_mail=True)
    mailbox_removal.purge_now(ANN, actor=ACTOR)
    assert {entry.recipient for entry in entries()} == {EVE, "nobody@other.example"}
    domain_removal.remove("other.example", actor=ACTOR, with_mailboxes=True)
    domain_removal.purge_now("other.example", actor=ACTOR)
    assert entries() == []
