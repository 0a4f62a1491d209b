"""Relief of a full mailbox: first mail that all devices have, then mail that one has, never mail that none has."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from mailstore.directory import aliases, devices, domains, mailboxes, policies
from mailstore.errors import QuotaDeferred
from mailstore.models import Device, Mailbox, Message
from mailstore.ports import Delivered, Recipient
from mailstore.retention import sweep
from mailstore.retention.relief_step import RELIEF
from mailstore.sql import prepared_statement
from mailstore.sql.quota_relief import RELIEF_BATCHES, RELIEF_ROWS
from mailstore.sql.sweep_step import SweepContext
from tests.messages.test_mailbox_usage import has, signed_in
from tests.site.empty_body_store import EmptyBodyStore
from tests.site.mail import Mail, assert_counters_are_sums
from tests.site.rows import ACTOR, a_mailbox, a_message

ANN = "ann@example.org"


def following(relief: str, **fields: object) -> Mailbox:
    a_mailbox()
    policy = policies.ensure("rules", actor=ACTOR, relief=relief).row
    return mailboxes.ensure(ANN, actor=ACTOR, policy=policy, **fields).row


def removed() -> list[tuple[int, str]]:
    return list(Message.objects.exclude(removed=None).order_by("added").values_list("added", "removed_why"))


def swept() -> sweep.SweepResult:
    preview = sweep.preview(EmptyBodyStore())
    done = sweep.run(EmptyBodyStore())
    assert (done.relieved, done.relieved_octets) == (preview.relieved, preview.relieved_octets)
    assert_counters_are_sums()
    return done


@pytest.mark.django_db
@pytest.mark.parametrize(("relief", "gone"), [("never", []), ("every", [2]), ("one", [1, 2, 4])])
def test_the_order_is_what_all_have_then_what_one_has(relief: str, gone: list[int]) -> None:
    box = following(relief)
    phone, _secret = devices.add(ANN, "Phone", actor=ACTOR)
    messages = [a_message(box, octets=1000) for _ in range(5)]
    has(signed_in(box), messages[0], messages[1], messages[3])
    has(phone, messages[1])
    mailboxes.ensure(ANN, actor=ACTOR, quota_octets=2500)
    assert swept().relieved == len(gone)
    # device add took a change number of its own
    first = messages[0].added - 1
    assert [added - first for added, _why in removed()] == gone
    assert {why for _added, why in removed()} <= {"relief"}


@pytest.mark.django_db
def test_no_more_goes_than_is_needed_the_oldest_first() -> None:
    box = following("every")
    messages = [a_message(box, octets=1000) for _ in range(10)]
    has(signed_in(box), *messages)
    mailboxes.ensure(ANN, actor=ACTOR, quota_octets=10_000)
    assert swept().relieved == 2, "down to a tenth below the quota, with the octet that was to fit"
    assert [added for added, _why in removed()] == [messages[0].added, messages[1].added]


@pytest.mark.django_db
def test_a_quota_of_messages_is_relieved_too() -> None:
    box = following("every")
    has(signed_in(box), *[a_message(box) for _ in range(5)])
    mailboxes.ensure(ANN, actor=ACTOR, quota_messages=4)
    assert (swept().relieved, Message.objects.filter(removed=None).count()) == (2, 3)


@pytest.mark.django_db
def test_a_hold_stops_relief() -> None:
    box = following("one", held=True)
    has(signed_in(box), *[a_message(box) for _ in range(5)])
    mailboxes.ensure(ANN, actor=ACTOR, quota_messages=4)
    assert swept().relieved == 0


@pytest.mark.django_db(transaction=True)
def test_mail_for_a_full_mailbox_makes_its_own_room(mail: Mail) -> None:
    box = following("every", quota_messages=2)
    assert isinstance(mail.deliver(ANN), Delivered)
    assert isinstance(mail.deliver(ANN), Delivered)
    assert isinstance(mail.deliver(ANN), QuotaDeferred), "nobody has fetched it"
    has(signed_in(box), *Message.objects.all())
    assert isinstance(mail.deliver(ANN), Delivered)
    assert removed() == [(1, "relief")]
    assert_counters_are_sums()


@pytest.mark.django_db(transaction=True)
def test_a_message_larger_than_was_said_makes_its_room_when_it_is_there(mail: Mail) -> None:
    box = following("every", quota_octets=20_000)
    wire = b"Subject: x\r\n\r\n" + b"x" * 70 + b"\r\n"
    for _ in range(2):
        assert isinstance(mail.deliver(ANN, wire * 90), Delivered)
    has(signed_in(box), *Message.objects.all())
    accepted = mail.recipient(ANN)
    assert isinstance(mail.commit([accepted], wire * 90)[0], Delivered)
    assert [why for _added, why in removed()] == ["relief"]
    assert_counters_are_sums()


@pytest.mark.django_db(transaction=True)
def test_a_message_that_can_never_fit_moves_nothing(mail: Mail) -> None:
    box = following("every", quota_octets=4000)
    assert isinstance(mail.deliver(ANN), Delivered)
    has(signed_in(box), *Message.objects.all())
    accepted = mail.recipient(ANN)
    assert isinstance(mail.commit([accepted], b"x" * 9000 + b"\r\n")[0], QuotaDeferred)
    assert removed() == []


def much(box: Mailbox, count: int, *, octets: int, fetched: int) -> None:
    """So many small messages, the oldest of which all devices have."""
    first = a_message(box, octets=octets)
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO mailstore_message (mailbox_id, body_id, uidl, prefix, octets, arrived_at, added, removed_why)
            SELECT mailbox_id, body_id, 'more-' || n, prefix, octets, arrived_at, added + n, ''
              FROM mailstore_message, generate_series(1, %s) AS n WHERE id = %s""",
            [count - 1, first.pk],
        )
    box.refresh_from_db()
    Mailbox.objects.filter(pk=box.pk).update(
        change=box.change + count - 1, messages=count, octets=count * octets, quota_octets=count * octets
    )
    Device.objects.filter(pk=signed_in(box).pk).update(confirmed=f"{{[{first.added},{first.added + fetched})}}")


@pytest.mark.django_db(transaction=True)
def test_room_is_made_in_as_many_rounds_as_it_takes_none_above_its_limit(mail: Mail) -> None:
    much(following("every"), 4 * RELIEF_ROWS, octets=10_000, fetched=4 * RELIEF_ROWS)
    assert isinstance(mail.recipient(ANN, 3 * RELIEF_ROWS * 10_000), Recipient)
    batches = Counter(Message.objects.exclude(removed=None).values_list("removed", flat=True))
    assert len(batches) >= 3
    assert max(batches.values()) == RELIEF_ROWS
    assert_counters_are_sums()


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("relief", ["every", "one"])
def test_where_all_that_may_go_is_too_little_nothing_goes(mail: Mail, relief: str) -> None:
    much(following(relief), 100, octets=10_000, fetched=20)
    assert isinstance(mail.recipient(ANN, 600_000), QuotaDeferred)
    assert removed() == []
    assert isinstance(mail.recipient(ANN, 200_000), Recipient)
    assert len(removed()) == 20


@pytest.mark.django_db(transaction=True)
def test_what_would_take_more_rounds_than_there_are_moves_nothing(mail: Mail) -> None:
    most = RELIEF_BATCHES * RELIEF_ROWS
    much(following("every"), 2 * most, octets=1000, fetched=2 * most)
    assert isinstance(mail.recipient(ANN, (most + most // 2) * 1000), QuotaDeferred)
    assert removed() == []


@pytest.mark.django_db(transaction=True)
def test_where_one_of_an_alias_can_make_no_room_the_other_need_not(mail: Mail) -> None:
    much(following("every"), 10, octets=10_000, fetched=10)
    a_mailbox("bob@example.org")
    mailboxes.ensure("bob@example.org", actor=ACTOR, quota_octets=0)
    aliases.ensure("both@example.org", actor=ACTOR, targets=[ANN, "bob@example.org"])
    assert isinstance(mail.recipient("both@example.org", 1000), QuotaDeferred)
    assert removed() == []


@pytest.mark.django_db
def test_what_one_has_waits_until_nothing_is_left_that_all_have() -> None:
    box = following("one")
    phone, _secret = devices.add(ANN, "Phone", actor=ACTOR)
    one = a_message(box, octets=10_000)
    much(box, RELIEF_ROWS + 100, octets=10_000, fetched=RELIEF_ROWS + 100)
    both = Device.objects.get(main=True).confirmed
    Device.objects.filter(pk=phone.pk).update(confirmed=both)
    Device.objects.filter(main=True).update(confirmed=f"{{[{one.added},{one.added + RELIEF_ROWS + 101})}}")
    Mailbox.objects.update(messages=RELIEF_ROWS + 101, octets=(RELIEF_ROWS + 101) * 10_000, quota_messages=100)
    swept()
    assert one.added not in [added for added, _why in removed()]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(("quota_octets", "moved"), [(335_000, 0), (340_000, 2)])
def test_where_the_domain_has_no_room_even_then_nothing_goes(mail: Mail, quota_octets: int, moved: int) -> None:
    much(following("every"), 10, octets=10_000, fetched=10)
    a_message(a_mailbox("bob@example.org"), octets=250_000)
    domains.ensure("example.org", actor=ACTOR, quota_octets=quota_octets)
    answer = mail.recipient(ANN, 10_000)
    assert isinstance(answer, Recipient if moved else QuotaDeferred)
    assert len(removed()) == moved


@pytest.mark.django_db(transaction=True)
def test_a_round_is_judged_anew_behind_the_lock(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is found without one: a device that comes in between has none of it."""
    much(following("every"), 10, octets=10_000, fetched=10)
    fetch = prepared_statement.fetch

    def meanwhile(statement: str, parameters: Mapping[str, Any]) -> list[tuple[Any, ...]]:
        rows = fetch(statement, parameters)
        if "array_agg(added)" in statement:
            devices.add(ANN, "Phone", actor=ACTOR)
        return rows

    monkeypatch.setattr(prepared_statement, "fetch", meanwhile)
    assert RELIEF.act(SweepContext(EmptyBodyStore(), timezone.now())) == (0, 0)
    assert removed() == []
