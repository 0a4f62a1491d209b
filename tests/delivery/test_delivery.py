"""Delivery on real rows and files: accepted mail is durable, refused mail leaves nothing, and quotas hold."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest
from django.db import connection, transaction

from mailstore.bodies.files import FileBodies
from mailstore.delivery.delivery import StoredDelivery
from mailstore.delivery.message_writer import Placement, PlacementRefused
from mailstore.directory import aliases, mailbox_removal
from mailstore.errors import (
    MailError,
    QuotaDeferred,
    QuotaRejected,
    RecipientDisabled,
    Unavailable,
    UnknownRecipient,
)
from mailstore.models import Body, Device, Domain, Mailbox, Message
from mailstore.pg.pipeline import StatementFailed
from mailstore.policy.quota import GRACE_OCTETS, GRACE_SHARE
from mailstore.ports import Delivered, Recipient
from mailstore.sql.connection_pool import ConnectionPool
from tests.site.mail import ENVELOPE, Mail
from tests.site.rows import ACTOR, a_mailbox
from tests.site.worker import Worker, conninfo

pytestmark = pytest.mark.usefixtures("counters_are_sums")

ANN, BOB = "ann@example.org", "bob@example.org"
WIRE = b"Subject: hello\r\n\r\n..dot\r\n" + b"x" * 1000 + b"\r\n"


def files(bodies_folder: Path) -> set[str]:
    """The names of all bodies and drafts at rest."""
    return {file.name for file in bodies_folder.rglob("*") if file.is_file() and file.name != "popadmin-bodies"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "bodies"


def accepted(mail: Mail, address: str) -> Recipient:
    found = mail.recipient(address)
    assert isinstance(found, Recipient), found
    return found


# --- what a delivery leaves ---------------------------------------------------------------------------------------


def test_a_delivered_message_is_read_back_as_it_came_behind_its_delivery_headers(mail: Mail, folder: Path) -> None:
    a_mailbox()
    answer = mail.deliver("Ann+lists@Example.org", WIRE)
    assert isinstance(answer, Delivered)
    drop = mail.open(ANN)
    wire = mail.read(drop, 1)
    prefix = wire.removesuffix(WIRE)
    assert len(prefix) < len(wire)
    assert re.fullmatch(
        rb"Return-Path: <sender@elsewhere\.example>\r\n"
        rb"Delivered-To: Ann\+lists@Example\.org\r\n"
        rb"Received: from mx\.elsewhere\.example \(\[192\.0\.2\.25\]\)\r\n"
        rb"\tby mail\.example\.test with LMTP id " + answer.queue_id.encode() + rb"\r\n"
        rb"\tfor <Ann\+lists@Example\.org>; [A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d \+0000\r\n",
        prefix,
    )
    # The fixture counts what Mail announced: the length of WIRE.
    assert (drop.messages, drop.octets) == (1, len(wire))
    assert files(folder) == set(Body.objects.values_list("key", flat=True))


@pytest.mark.parametrize(
    ("client", "literal"),
    [
        ("192.0.2.25", b" ([192.0.2.25])"),
        ("2001:db8::1", b" ([IPv6:2001:db8::1])"),
        ("fe80::7%eth0", b" ([IPv6:fe80::7])"),
        ("unix", b""),
    ],
)
def test_the_received_header_names_any_client_as_an_address_literal(mail: Mail, client: str, literal: bytes) -> None:
    """RFC 5321 §4.1.3: programs that trace spam do not read an IPv6 address without its tag."""
    a_mailbox()
    assert isinstance(mail.commit([accepted(mail, ANN)], WIRE, client=client)[0], Delivered)
    assert b"Received: from mx.elsewhere.example" + literal + b"\r\n" in mail.read(mail.open(ANN), 1)


@pytest.mark.parametrize("name", ["mx\r\nX-Evil: 1", "mx\0", "mx\x1b[31m", "\u202emx", "x" * 5000])
def test_nothing_a_peer_says_begins_a_header_line_of_its_own(mail: Mail, name: str) -> None:
    a_mailbox()
    found = accepted(mail, ANN)
    assert isinstance(mail.commit([found], WIRE, client_name=name, sender=name)[0], Delivered)
    prefix = mail.read(mail.open(ANN), 1).removesuffix(WIRE).decode()
    assert re.findall(r"^[^\s:]+:", prefix, re.MULTILINE) == ["Return-Path:", "Delivered-To:", "Received:"]
    assert len(prefix) < 1500
    assert all(character.isprintable() for character in prefix.replace("\r\n", "").replace("\t", ""))


@pytest.mark.parametrize("length", [250, 970])
def test_a_long_sender_stands_whole_in_the_return_path(mail: Mail, length: int) -> None:
    """RFC 5321 §4.4: it is where a notice of failure goes to."""
    a_mailbox()
    sender = "x" * length + "@example.com"
    assert isinstance(mail.commit([accepted(mail, ANN)], WIRE, sender=sender)[0], Delivered)
    first = mail.read(mail.open(ANN), 1).split(b"\r\n")[0]
    assert first == f"Return-Path: <{sender}>".encode()
    assert len(first) <= 998


def test_a_message_without_an_octet_is_a_message(mail: Mail) -> None:
    a_mailbox()
    assert isinstance(mail.deliver(ANN, b""), Delivered)
    assert mail.read(mail.open(ANN), 1).startswith(b"Return-Path:")


def test_uidls_are_distinct_and_in_the_order_of_arrival(mail: Mail) -> None:
    a_mailbox()
    found = accepted(mail, ANN)
    answers = mail.commits(*[([found], WIRE)] * 60)
    assert all(isinstance(answer, Delivered) for [answer] in answers)
    first = mail.uidls(mail.open(ANN))
    assert len(set(first)) == 60
    assert mail.uidls(mail.open(ANN)) == first
    assert list(Message.objects.order_by("added").values_list("added", flat=True)) == list(range(1, 61))


def test_one_body_serves_all_recipients_of_a_message_each_with_headers_of_its_own(mail: Mail, folder: Path) -> None:
    for address in (ANN, BOB):
        a_mailbox(address)
    answers = mail.commit([accepted(mail, ANN), accepted(mail, BOB)], WIRE)
    assert all(isinstance(answer, Delivered) for answer in answers)
    assert Body.objects.count() == len(files(folder)) == 1
    for address in (ANN, BOB):
        assert f"Delivered-To: {address}\r\n".encode() in mail.read(mail.open(address), 1)


def test_a_message_that_is_given_up_leaves_no_file(mail: Mail, folder: Path) -> None:
    intake = mail.intake(b"x" * 1_000_000)
    intake.abort()
    intake.write(b"harmless")
    assert files(folder) == set()


def test_without_its_body_store_a_delivery_is_put_off(
    worker: Worker, lanes: ConnectionPool, mail: Mail, tmp_path: Path
) -> None:
    a_mailbox()
    away = StoredDelivery(lanes, FileBodies(tmp_path / "not-mounted"), "mail.example.test")
    elsewhere = Mail(worker, away, mail.accounts)
    assert isinstance(elsewhere.deliver(ANN, WIRE), Unavailable)
    assert isinstance(elsewhere.deliver(ANN, b"x" * 1_000_000), Unavailable)
    away.close()
    assert not Message.objects.exists()


# --- quota --------------------------------------------------------------------------------------------------------


def fitting(quota_octets: int, each: int) -> int:
    """How many messages of `each` octets an empty mailbox takes (PRODUCT: the last one may exceed, in bounds)."""
    octets = count = 0
    while octets < quota_octets and octets + each <= quota_octets + min(GRACE_OCTETS, quota_octets // GRACE_SHARE):
        octets += each
        count += 1
    return count


@pytest.mark.parametrize("share", [0.5, 3.0, 7.5, 9.95])
def test_many_deliveries_for_the_last_octets_take_exactly_what_is_there(mail: Mail, share: float) -> None:
    """Twenty at once, over several connections of two workers, into room for some."""
    box = a_mailbox()
    found = accepted(mail, ANN)
    mail.commit([found], WIRE)
    each = Mailbox.objects.get().octets
    Mailbox.objects.update(quota_octets=each + int(each * share))
    other_lanes = ConnectionPool(conninfo())
    mail.worker.run(other_lanes.open())
    second = StoredDelivery(other_lanes, mail.delivery._bodies, "mail.example.test")
    answers: list[object] = []

    async def begin() -> None:
        for n in range(20):
            intake = (mail.delivery if n % 2 else second).begin(ENVELOPE)
            intake.write(WIRE)
            intake.commit([found], len(WIRE), lambda _, answer: answers.append(answer))

    mail.worker.run(begin())
    mail.worker.until(lambda: len(answers) == 20, "all are answered")
    second.close()
    other_lanes.close()
    taken = sum(isinstance(answer, Delivered) for answer in answers)
    assert taken == fitting(each + int(each * share), each) - 1
    assert {type(answer) for answer in answers} <= {Delivered, QuotaDeferred}
    box.refresh_from_db()
    assert box.messages == taken + 1


def test_a_quota_of_messages_holds_against_many_at_once(mail: Mail) -> None:
    a_mailbox()
    Mailbox.objects.update(quota_messages=3)
    found = accepted(mail, ANN)
    answers = mail.commits(*[([found], WIRE)] * 12)
    assert sum(isinstance(answer, Delivered) for [answer] in answers) == 3
    assert isinstance(mail.recipient(ANN), QuotaDeferred)


@pytest.mark.parametrize(("over_quota", "said"), [("defer", QuotaDeferred), ("reject", QuotaRejected)])
def test_the_domain_says_whether_a_full_mailbox_defers_or_rejects(
    mail: Mail, folder: Path, over_quota: str, said: type
) -> None:
    a_mailbox()
    found = accepted(mail, ANN)
    Domain.objects.update(over_quota=over_quota)
    Mailbox.objects.update(quota_octets=500)
    assert type(mail.recipient(ANN, 5000)) is said
    assert isinstance(mail.recipient(ANN), Recipient)  # not announced: one octet fits
    assert type(mail.commit([found], WIRE)[0]) is said
    mail.worker.until(lambda: files(folder) == set(), "the body of a refused message is destroyed")
    assert not Body.objects.exists()


def test_a_quota_of_nothing_takes_nothing(mail: Mail) -> None:
    a_mailbox()
    Mailbox.objects.update(quota_octets=0)
    assert isinstance(mail.recipient(ANN), QuotaDeferred)


def test_the_last_message_may_exceed_the_quota_by_a_tenth_and_no_more(mail: Mail) -> None:
    a_mailbox()
    Mailbox.objects.update(quota_octets=100_000)
    assert isinstance(mail.recipient(ANN, 110_000), Recipient)
    assert isinstance(mail.recipient(ANN, 110_001), QuotaDeferred)


def test_hidden_mail_counts_for_the_quota(mail: Mail) -> None:
    a_mailbox()
    mail.deliver(ANN, WIRE)
    Device.objects.filter(main=True).update(mode="peek")
    mail.remove(mail.open(ANN), 1)
    assert mail.open(ANN).messages == 0
    Mailbox.objects.update(quota_octets=Mailbox.objects.get().octets)
    assert isinstance(mail.deliver(ANN, WIRE), QuotaDeferred)


# --- what changes between RCPT and the end of the message ---------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda: Mailbox.objects.update(receives=False), RecipientDisabled),
        (lambda: Domain.objects.update(active=False), RecipientDisabled),
        (lambda: Mailbox.objects.update(quota_octets=1), QuotaDeferred),
        (lambda: mailbox_removal.remove(ANN, actor=ACTOR, with_mail=True), UnknownRecipient),
    ],
    ids=["mailbox does not receive", "domain is off", "quota lowered", "mailbox removed"],
)
def test_what_was_switched_since_rcpt_holds_in_the_transaction(
    mail: Mail, folder: Path, change: object, said: type
) -> None:
    a_mailbox()
    found = accepted(mail, ANN)
    change()
    assert type(mail.commit([found], WIRE)[0]) is said
    mail.worker.until(lambda: files(folder) == set(), "nothing stays of it")
    assert not Message.objects.exists()


def test_a_mailbox_that_was_made_anew_meanwhile_takes_it_at_the_second_try(mail: Mail) -> None:
    a_mailbox()
    found = Recipient(ANN, (999_999,))
    assert isinstance(mail.commit([found], WIRE)[0], Delivered)


# --- several recipients -------------------------------------------------------------------------------------------


def test_one_full_mailbox_costs_the_other_recipients_nothing(mail: Mail) -> None:
    boxes = [a_mailbox(address) for address in (ANN, BOB, "cat@example.org")]
    found = [accepted(mail, str(box)) for box in boxes]
    Mailbox.objects.filter(pk=boxes[1].pk).update(quota_octets=10)
    answers = mail.commit(found, WIRE)
    assert [type(answer) for answer in answers] == [Delivered, QuotaDeferred, Delivered]
    assert list(Mailbox.objects.order_by("pk").values_list("messages", flat=True)) == [1, 0, 1]


def test_an_alias_delivers_to_all_of_its_mailboxes_or_to_none(mail: Mail) -> None:
    boxes = [a_mailbox(address) for address in (ANN, BOB)]
    aliases.ensure("team@example.org", [ANN, BOB], actor=ACTOR)
    found = accepted(mail, "team@example.org")
    assert found.mailboxes == tuple(box.pk for box in boxes)
    assert isinstance(mail.commit([found], WIRE)[0], Delivered)
    Mailbox.objects.filter(pk=boxes[1].pk).update(quota_messages=1)
    assert type(mail.commit([found], WIRE)[0]) is QuotaDeferred
    assert list(Mailbox.objects.values_list("messages", flat=True)) == [1, 1]
    uidls = [mail.uidls(mail.open(address)) for address in (ANN, BOB)]
    assert uidls[0] != uidls[1]


def test_messages_to_several_and_to_each_cross_without_a_deadlock(mail: Mail) -> None:
    for address in (ANN, BOB):
        a_mailbox(address)
    aliases.ensure("team@example.org", [ANN, BOB], actor=ACTOR)
    aliases.ensure("crew@example.org", [BOB, ANN], actor=ACTOR)
    found = [accepted(mail, address) for address in (ANN, BOB, "team@example.org", "crew@example.org")]
    answers = mail.commits(*[([each], WIRE) for each in [*found, *reversed(found)]] * 5)
    assert all(isinstance(answer, Delivered) for each in answers for answer in each), answers
    assert list(Mailbox.objects.values_list("messages", flat=True)) == [30, 30]


# --- several at the same moment -----------------------------------------------------------------------------------


def placements(mail: Mail, *boxes: Mailbox) -> list[Placement]:
    """A message for each of the mailboxes, its body durable."""
    drafts = [mail.delivery._bodies.begin() for _ in boxes]
    for draft in drafts:
        draft.write(WIRE)
    return [Placement((box.pk,), draft.commit(len(WIRE))) for box, draft in zip(boxes, drafts, strict=True)]


def placed(mail: Mail, *wanted: Placement) -> list[MailError | None]:
    """What becomes of them when all are asked for in one turn of the loop."""
    asked = [lambda done, one=one: mail.delivery.place(one, done) for one in wanted]
    return mail.worker.asked(*asked)


def transactions() -> int:
    """How many transactions wrote the messages that are there."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(DISTINCT xmin::text) FROM mailstore_message")
        return int(cursor.fetchone()[0])


def test_what_ends_together_is_one_transaction_also_in_one_mailbox(mail: Mail) -> None:
    ann, bob = a_mailbox(ANN), a_mailbox(BOB)
    assert placed(mail, *placements(mail, bob, ann, bob, ann, ann)) == [None] * 5
    assert transactions() == 1
    assert list(Mailbox.objects.order_by("pk").values_list("messages", "change")) == [(3, 3), (2, 2)]


def test_what_comes_for_a_mailbox_in_a_transaction_goes_together_behind_it(mail: Mail) -> None:
    ann = a_mailbox(ANN)
    answers: list[MailError | None] = []

    async def begin(*wanted: Placement) -> None:
        for one in wanted:
            mail.delivery.place(one, answers.append)

    first, *others = placements(mail, ann, ann, ann, ann)
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT FROM mailstore_mailbox WHERE id = %s FOR UPDATE", [ann.pk])
        mail.worker.run(begin(first))
        for one in others:
            mail.worker.run(begin(one))
    mail.worker.until(lambda: len(answers) == 4, "all are answered")
    assert answers == [None] * 4
    assert transactions() == 2


def test_a_mailbox_that_refuses_costs_those_it_came_with_nothing(mail: Mail) -> None:
    ann, bob = a_mailbox(ANN), a_mailbox(BOB)
    Mailbox.objects.filter(pk=ann.pk).update(quota_messages=1)
    answers = placed(mail, *placements(mail, ann, bob, ann, bob))
    assert [type(answer) for answer in answers] == [type(None), type(None), PlacementRefused, type(None)]
    assert transactions() == 1


def test_an_error_undoes_one_message_and_not_those_it_came_with(mail: Mail) -> None:
    ann, bob = a_mailbox(ANN), a_mailbox(BOB)
    first, second, third = placements(mail, ann, bob, bob)
    twice = replace(third, mailboxes=first.mailboxes)  # two rows for one body: the constraint of its key says no
    answers = placed(mail, first, second, third, twice)
    assert answers[:2] == [None, None]
    assert [type(answer) for answer in answers[2:]].count(StatementFailed) == 1
    assert Message.objects.count() == 3


def test_a_locked_mailbox_holds_those_it_came_with_up_but_does_not_stop_them(mail: Mail) -> None:
    ann, bob = a_mailbox(ANN), a_mailbox(BOB)
    answers: list[MailError | None] = []

    async def begin() -> None:
        for one in placements(mail, bob, ann):
            mail.delivery.place(one, answers.append)

    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("UPDATE mailstore_mailbox SET change = change + 1 WHERE id = %s", [ann.pk])
        mail.worker.run(begin())
        mail.worker.until(lambda: answers, "one is through")
        assert answers == [None]
    mail.worker.until(lambda: len(answers) == 2, "the other one has given up, or is through")
    assert Message.objects.filter(mailbox=bob).count() == 1


# --- imports ------------------------------------------------------------------------------------------------------


def test_a_source_comes_in_once_also_after_its_message_was_removed(mail: Mail, worker: Worker) -> None:
    box = a_mailbox()

    def placed(source: bytes) -> MailError | None:
        draft = mail.delivery._bodies.begin()
        draft.write(WIRE)
        ref = draft.commit(len(WIRE))
        placement = Placement((box.pk,), ref, uidl=f"old-{source.hex()}", unlimited=True, source=source)
        return worker.ask(lambda done: mail.delivery.place(placement, done))

    assert placed(b"\0" * 16) is None
    assert isinstance(placed(b"\0" * 16), PlacementRefused)
    mail.remove(mail.open(ANN), 1)
    assert isinstance(placed(b"\0" * 16), PlacementRefused)
    assert placed(b"\1" * 16) is None
    assert mail.uidls(mail.open(ANN)) == ["old-" + "01" * 16]


def test_an_import_waits_for_a_delivery_to_the_same_mailbox_and_then_comes_in(mail: Mail, worker: Worker) -> None:
    box = a_mailbox()
    draft = mail.delivery._bodies.begin()
    draft.write(WIRE)
    placement = Placement((box.pk,), draft.commit(len(WIRE)), unlimited=True, source=b"\2" * 16)
    answers: list[object] = []

    async def begin() -> None:
        mail.delivery.place(placement, answers.append)

    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("UPDATE mailstore_mailbox SET change = change + 1 WHERE id = %s", [box.pk])
        worker.run(begin())
        waiting = (
            "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
        )

        def waits() -> bool:
            cursor.execute(waiting)
            return cursor.fetchone() == (1,)

        worker.until(waits, "the import waits for the lock")
    worker.until(lambda: answers, "the lock is free")
    assert answers == [None]


# --- several recipients that are one mailbox ----------------------------------------------------------------------


def groups(mail: Mail) -> None:
    for address in (ANN, BOB):
        a_mailbox(address)
    aliases.ensure("a@example.org", [ANN], actor=ACTOR)
    aliases.ensure("team@example.org", [ANN, BOB], actor=ACTOR)
    aliases.ensure("all@example.org", [BOB, ANN], actor=ACTOR)


@pytest.mark.parametrize(
    "recipients",
    [
        [ANN, "ANN@example.org", "ann+x@example.org", "a@example.org"],
        ["team@example.org", "all@example.org"],
        [ANN, "team@example.org", "all@example.org", BOB],
        ["all@example.org", "a@example.org", "ANN@example.org"],
    ],
)
def test_each_mailbox_gets_one_copy_and_each_recipient_a_reply(mail: Mail, recipients: list[str]) -> None:
    groups(mail)
    answers = mail.commit([accepted(mail, address) for address in recipients], WIRE)
    assert [type(answer) for answer in answers] == [Delivered] * len(recipients)
    reached = {box for address in recipients for box in accepted(mail, address).mailboxes}
    assert sorted(Message.objects.values_list("mailbox", flat=True)) == sorted(reached)


def test_the_copy_names_the_first_of_them(mail: Mail) -> None:
    groups(mail)
    mail.commit([accepted(mail, "ann+x@example.org"), accepted(mail, ANN)], WIRE)
    assert b"Delivered-To: ann+x@example.org\r\n" in bytes(Message.objects.get().prefix)


def test_a_group_whose_other_member_is_full_fails_alone(mail: Mail) -> None:
    groups(mail)
    recipients = [accepted(mail, ANN), accepted(mail, "team@example.org"), accepted(mail, "a@example.org")]
    Mailbox.objects.filter(user__address=BOB).update(quota_octets=0)
    delivered, refused, again = mail.commit(recipients, WIRE)
    assert isinstance(delivered, Delivered)
    assert type(refused) is QuotaDeferred
    assert again == delivered
    assert [str(message.mailbox) for message in Message.objects.all()] == [ANN]


def test_a_thousand_recipients_may_be_one_mailbox(mail: Mail) -> None:
    a_mailbox()
    found = accepted(mail, ANN)
    answers = mail.commit([replace(found, address=f"ann+{number}@example.org") for number in range(1000)], WIRE)
    assert len({answer.queue_id for answer in answers if isinstance(answer, Delivered)}) == 1
    assert Message.objects.count() == 1


def test_a_mailbox_that_an_alias_no_longer_reaches_is_not_taken_for_served(mail: Mail) -> None:
    groups(mail)
    recipients = [accepted(mail, "a@example.org"), accepted(mail, ANN)]
    Mailbox.objects.filter(user__address=ANN).update(quota_octets=0)
    aliases.ensure("a@example.org", [BOB], actor=ACTOR)
    delivered, refused = mail.commit(recipients, WIRE)
    assert isinstance(delivered, Delivered)
    assert type(refused) is QuotaDeferred
    assert [str(message.mailbox) for message in Message.objects.all()] == [BOB]
