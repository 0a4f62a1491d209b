"""A sweep beside deliveries, sessions and relief loses nothing, keeps counters right, and blocks nobody for ever."""

from __future__ import annotations

from datetime import timedelta

import psycopg
import pytest
from django.db import connection
from django.utils import timezone

from mailstore.directory import mailboxes, policies
from mailstore.models import DeviceCoverage, Message
from mailstore.ports import Delivered
from mailstore.retention import sweep
from mailstore.retention.coverage_step import COVERAGE
from mailstore.sql.sweep_step import SweepContext
from tests.messages.test_mailbox_usage import has, signed_in
from tests.site.empty_body_store import EmptyBodyStore
from tests.site.mail import Mail, assert_counters_are_sums
from tests.site.rows import ACTOR, a_mailbox, a_message, at_once
from tests.site.worker import conninfo

pytestmark = pytest.mark.django_db(transaction=True)
ROUNDS = 12


def test_what_every_device_has_is_noted_beside_a_mailbox_that_is_locked() -> None:
    """The check of a foreign key would wait for the lock, and hold all mailboxes noted with it meanwhile."""
    policies.ensure("rules", actor=ACTOR, site=True, expire_confirmed_days=5)
    boxes = [a_mailbox(f"user{number}@example.org") for number in range(2)]
    for box in boxes:
        has(signed_in(box), a_message(box))
    with psycopg.connect(conninfo()) as other:
        other.execute("SELECT FROM mailstore_mailbox WHERE id = %s FOR UPDATE", [boxes[0].pk])
        with connection.cursor() as cursor:
            cursor.execute("SET lock_timeout = '1s'")
            COVERAGE.act(SweepContext(EmptyBodyStore(), timezone.now()))
            cursor.execute("RESET lock_timeout")
    assert DeviceCoverage.objects.count() == 2


def test_deliveries_and_removals_go_on_while_a_sweep_expires(mail: Mail) -> None:
    names = [f"user{number}@example.org" for number in range(4)]
    policy = policies.ensure("rules", actor=ACTOR, expire_days=30, relief="every").row
    for name in names:
        box = a_mailbox(name)
        mailboxes.ensure(name, actor=ACTOR, policy=policy, policy_at_once=True)
        has(signed_in(box), *[a_message(box, arrived_at=timezone.now() - timedelta(days=31)) for _ in range(60)])
    delivered: list[object] = []

    def mail_goes_on() -> None:
        for turn in range(ROUNDS):
            for name in names:
                maildrop = mail.open(name)
                delivered.append(mail.deliver(name))
                if turn % 3 == 0 and maildrop.messages:
                    mail.remove(maildrop, 1)

    _mail, swept = at_once(mail_goes_on, lambda: sweep.run(EmptyBodyStore()))
    assert all(isinstance(answer, Delivered) for answer in delivered)
    assert isinstance(swept, sweep.SweepResult)
    sweep.run(EmptyBodyStore())
    assert_counters_are_sums()
    total = len(names) * (60 + ROUNDS)
    assert Message.objects.count() == total, "what left rests in recovery"
    assert not Message.objects.filter(removed=None, arrived_at__lt=timezone.now() - timedelta(days=30)).exists()
