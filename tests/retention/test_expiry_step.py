"""Mail expires into recovery by its policy: after its arrival, or once every device has it."""

from __future__ import annotations

from datetime import datetime, timedelta
from time import monotonic

import pytest
from django.utils import timezone

from mailstore.directory import devices, domains, mailboxes, policies
from mailstore.models import Device, DeviceCoverage, Mailbox, Message
from mailstore.retention import forecast, sweep
from mailstore.retention.expiry_step import EXPIRY
from mailstore.sql import expiry_rule
from mailstore.sql.locked_batch import ROWS_AT_MOST
from mailstore.sql.sweep_step import SweepContext
from tests.messages.test_mailbox_usage import has, signed_in
from tests.site.empty_body_store import EmptyBodyStore
from tests.site.mail import assert_counters_are_sums
from tests.site.rows import ACTOR, a_body, a_mailbox, a_message

pytestmark = pytest.mark.django_db
ANN = "ann@example.org"
NOW = timezone.now().replace(hour=9)


def ago(days: float) -> datetime:
    return NOW - timedelta(days=days)


def following(**rules: object) -> Mailbox:
    """A mailbox whose policy has these rules, for mail that is there too."""
    box = a_mailbox()
    policy = policies.ensure("rules", actor=ACTOR, at_once=True, **rules).row
    return mailboxes.ensure(ANN, actor=ACTOR, policy=policy, policy_at_once=True).row or box


def swept(days: float = 0) -> sweep.SweepResult:
    """What a pass in so many days did; a preview just before must have told the same."""
    now = NOW + timedelta(days=days)
    preview = sweep.preview(EmptyBodyStore(), now=now)
    done = sweep.run(EmptyBodyStore(), now=now)
    assert (done.expired, done.expired_octets) == (preview.expired, preview.expired_octets)
    assert_counters_are_sums()
    return done


def live() -> set[int]:
    return set(Message.objects.filter(removed=None).values_list("pk", flat=True))


def test_fetched_mail_expires_and_unfetched_mail_never_does() -> None:
    box = following(expire_days=30)
    fetched, unfetched, young = (a_message(box, arrived_at=ago(days), octets=7) for days in (31, 31, 29))
    has(signed_in(box), fetched, young)
    assert (swept().expired_octets, live()) == (7, {unfetched.pk, young.pk})
    fetched.refresh_from_db()
    assert (fetched.removed_why, fetched.removed) == ("expired", box.change + 1)


def test_it_left_when_it_did_and_not_when_the_pass_began() -> None:
    a_message(following(expire_days=30, expire_unfetched=True), arrived_at=ago(31))
    EXPIRY.act(SweepContext(EmptyBodyStore(), NOW, began_seconds=monotonic() - 60))
    left_at = Message.objects.get().removed_at
    assert NOW + timedelta(seconds=60) <= left_at < NOW + timedelta(seconds=90)


def test_unfetched_mail_expires_where_the_policy_says_so() -> None:
    a_message(following(expire_days=30, expire_unfetched=True), arrived_at=ago(31))
    assert swept().expired == 1


@pytest.mark.parametrize("mode", ["peek", "revoked"])
def test_what_only_a_peeking_or_revoked_device_has_is_unfetched(mode: str) -> None:
    box = following(expire_days=30)
    message = a_message(box, arrived_at=ago(31))
    device, _secret = devices.add(ANN, "Phone", actor=ACTOR, mode="peek" if mode == "peek" else "independent")
    has(device, message)
    if mode == "revoked":
        devices.revoke(ANN, "Phone", actor=ACTOR)
    assert swept().expired == 0


@pytest.mark.parametrize("rules", [{"expire_days": 1}, {"expire_confirmed_days": 1}, {"remove_when_confirmed": True}])
def test_a_hold_stops_all_of_it(rules: dict[str, object]) -> None:
    box = following(expire_unfetched=True, hold_days=1, **rules)
    has(signed_in(box), a_message(box, arrived_at=ago(50)))
    mailboxes.ensure(ANN, actor=ACTOR, held=True)
    assert (swept().expired, swept(3).expired) == (0, 0)
    mailboxes.ensure(ANN, actor=ACTOR, held=False)
    assert swept(3).expired + swept(6).expired == 1


def test_what_every_device_has_leaves_after_the_minimum_hold() -> None:
    box = following(remove_when_confirmed=True, hold_days=7)
    message = a_message(box, arrived_at=ago(0))
    has(signed_in(box), message)
    phone, _secret = devices.add(ANN, "Phone", actor=ACTOR)
    assert swept(6.9).expired == swept(8).expired == 0, "the phone has not got it"
    has(phone, message)
    assert swept(8).expired == 1
    assert Message.objects.get().removed_why == "every"


def test_days_count_from_when_all_have_it_without_a_break() -> None:
    box = following(expire_confirmed_days=5)
    message = a_message(box, arrived_at=ago(50))
    has(signed_in(box), message)
    assert swept().expired == swept(5).expired == 0, "the day in which it was seen does not count"
    phone, _secret = devices.add(ANN, "Phone", actor=ACTOR)
    assert swept(6).expired == 0, "a new device has not got it"
    has(phone, message)
    assert swept(7).expired == swept(12).expired == 0, "and the days begin anew"
    assert swept(13).expired == 1
    assert Message.objects.get().removed_why == "had"


def test_the_notes_of_what_all_have_are_few() -> None:
    box = following(expire_confirmed_days=3, expire_unfetched=False)
    main, message = signed_in(box), a_message(box)
    for day in range(12):
        message = a_message(box, arrived_at=ago(0))
        has(main, *Message.objects.filter(removed=None))
        swept(day)
    assert DeviceCoverage.objects.count() <= 3 + 2
    assert Message.objects.filter(removed=None).count() < 12
    assert message.pk in live()


def test_a_rule_that_is_saved_spares_old_mail_for_its_days() -> None:
    box = following(expire_days=300)
    has(signed_in(box), a_message(box, arrived_at=ago(100)))
    policies.ensure("rules", actor=ACTOR, expire_days=10)
    assert (swept(9.5).expired, swept(10.9).expired) == (0, 1)


def test_a_policy_that_a_domain_gets_spares_old_mail_for_its_days() -> None:
    box = a_mailbox()
    has(signed_in(box), a_message(box, arrived_at=ago(100)))
    policy = policies.ensure("rules", actor=ACTOR, expire_days=10).row
    domains.ensure("example.org", actor=ACTOR, policy=policy)
    assert (swept(9.5).expired, swept(10.9).expired) == (0, 1)


def test_what_was_imported_ages_from_then() -> None:
    box = following(expire_days=30)
    message = a_message(box, arrived_at=ago(3000))
    Message.objects.filter(pk=message.pk).update(aged_from=ago(29))
    has(signed_in(box), message)
    assert (swept().expired, swept(1.1).expired) == (0, 1)


def test_a_device_that_comes_back_counts_again() -> None:
    box = following(remove_when_confirmed=True, hold_days=0)
    has(signed_in(box), a_message(box, arrived_at=ago(1)))
    phone, _secret = devices.add(ANN, "Phone", actor=ACTOR)
    Device.objects.filter(pk=phone.pk).update(silent_since=NOW)
    Device.objects.filter(pk=phone.pk).update(silent_since=None)
    assert swept().expired == 0
    Device.objects.filter(pk=phone.pk).update(silent_since=NOW)
    assert swept().expired == 1


def test_more_than_a_batch_in_several_mailboxes_goes_in_one_pass() -> None:
    box = following(expire_days=30, expire_unfetched=True)
    other = mailboxes.ensure("bob@example.org", actor=ACTOR, policy=box.policy, policy_at_once=True).row
    body = a_body()
    for mailbox, count in ((box, ROWS_AT_MOST + 20), (other, 30)):
        Message.objects.bulk_create(
            Message(mailbox=mailbox, body=body, uidl=f"u{n}", prefix=b"", octets=2, arrived_at=ago(31), added=n)
            for n in range(1, count + 1)
        )
        Mailbox.objects.filter(pk=mailbox.pk).update(messages=count, octets=2 * count, change=count)
    assert (swept().expired, live()) == (ROWS_AT_MOST + 50, set())


def test_when_a_message_leaves_is_told() -> None:
    box = following(expire_days=30)
    fetched, unfetched = a_message(box, arrived_at=ago(1)), a_message(box, arrived_at=ago(1))
    has(signed_in(box), fetched)
    moments = expiry_rule.leaves_at(box.pk, [fetched.added, unfetched.added], now=NOW)
    assert moments == {fetched.added: ago(-29)}


def test_a_forecast_tells_days_and_leaves_nothing_behind() -> None:
    box = following(expire_days=300)
    messages = [a_message(box, arrived_at=ago(days), octets=9) for days in (100, 101, 2)]
    has(signed_in(box), *messages)

    def save(at_once: bool) -> forecast.Forecast:
        return forecast.of_policy(policies.plan("rules", at_once=at_once, expire_days=10), now=NOW)

    at_once = save(True)
    assert [(day.messages, day.octets, day.mailboxes) for day in at_once.days] == [(2, 18, 1), (1, 9, 1)]
    assert [day.date for day in at_once.days] == [NOW.date(), ago(-8).date()]
    assert (at_once.total.messages, at_once.before.messages) == (3, 0)
    assert [day.messages for day in save(False).days] == [3]
    assert policies.get("rules").expire_days == 300


def test_a_forecast_of_a_domain_or_mailbox_looks_at_no_other() -> None:
    box, other = a_mailbox(), a_mailbox("bob@elsewhere.example")
    for mailbox in (box, other):
        has(signed_in(mailbox), a_message(mailbox, arrived_at=ago(100)))
    policy = policies.ensure("rules", actor=ACTOR, expire_days=10).row
    of_domain = forecast.of_domain(other.domain, policy, at_once=True, now=NOW)
    of_mailbox = forecast.of_mailbox(box, policy, at_once=True, now=NOW)
    assert (of_domain.total.messages, of_mailbox.total.messages) == (1, 1)
    assert swept().expired == 0


def test_a_forecast_for_many_who_choose_a_policy_is_the_sum_of_those_for_each() -> None:
    boxes = [a_mailbox(), a_mailbox("bob@elsewhere.example"), a_mailbox("cat@elsewhere.example")]
    for number, box in enumerate(boxes):
        messages = [a_message(box, arrived_at=ago(100 + day), octets=7) for day in range(number + 1)]
        has(signed_in(box), *messages)
        a_message(box, removed_at=ago(40 - 2 * number))
    gentle = policies.ensure("gentle", actor=ACTOR, expire_days=90, recovery_days=60).row
    mailboxes.ensure("cat@elsewhere.example", actor=ACTOR, policy=gentle, policy_at_once=True)
    rules = policies.ensure("rules", actor=ACTOR, expire_days=10, recovery_days=38).row
    keys = [box.pk for box in boxes]
    for policy in (rules, gentle, None):
        each = [forecast.of_mailbox(Mailbox.objects.get(pk=box.pk), policy, now=NOW) for box in boxes]
        outcome = forecast.of_choice(keys, policy, now=NOW)
        for what in ("total", "before", "destroyed"):
            found = [getattr(one, what) for one in each]
            sums = [sum(getattr(one, name) for one in found) for name in ("messages", "octets", "mailboxes")]
            assert [getattr(getattr(outcome, what), name) for name in ("messages", "octets", "mailboxes")] == sums
        assert sum(day.messages for day in outcome.days) == outcome.total.messages
    assert forecast.of_choice(keys, rules, now=NOW).total.messages == 6


def test_a_forecast_tells_what_goes_for_good() -> None:
    box = following(recovery_days=60)
    a_message(box, removed_at=ago(20))
    outcome = forecast.of_policy(policies.plan("rules", at_once=True, recovery_days=10), now=NOW)
    assert (outcome.destroyed.messages, outcome.destroyed.octets) == (1, 100)
