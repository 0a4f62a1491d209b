"""Recovery among everything else at once: deliveries, a client that drains, restores, purges and the sweep.

Nothing is lost, nothing is twice, no counter is off; what was purged is the only thing that is gone.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.utils import timezone

from mailstore.bodies.files import FileBodies
from mailstore.directory.outcome import Rejected
from mailstore.messages import recovery
from mailstore.messages.recovery import Choice
from mailstore.models import Mailbox, Message
from mailstore.retention import sweep
from mailstore.sql.statements.removal import leaving
from tests.site.mail import assert_counters_are_sums
from tests.site.rows import ACTOR, a_mailbox, a_message, at_once

pytestmark = pytest.mark.django_db(transaction=True)
ANN = "ann@example.org"
MESSAGES = 200
ROUNDS = 25
# A primary device's DELE of a few, as REMOVE does it.
DRAIN = leaving(
    """
    UPDATE mailstore_message m SET removed = x.change + 1, removed_at = now(), removed_why = 'dele'
      FROM mailstore_mailbox x
     WHERE x.id = %(mailbox)s AND m.id IN (
           SELECT id FROM mailstore_message WHERE mailbox_id = %(mailbox)s AND removed IS NULL ORDER BY added LIMIT 20)
     RETURNING m.mailbox_id, m.added, m.octets""",
    of="= %(mailbox)s",
    answer="SELECT 1",
)


def drain(mailbox: int) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT 1 FROM mailstore_mailbox WHERE id = %s FOR UPDATE", [mailbox])
        cursor.execute(DRAIN, {"mailbox": mailbox})


def some(chance: random.Random) -> Choice:
    return Choice(newest=chance.randrange(1, 30))


def often(act: Callable[[random.Random], object], seed: int) -> Callable[[], int]:
    """The act again and again; what the store refuses is no harm. Returns the sum of what it told."""

    def run() -> int:
        chance, messages = random.Random(seed), 0
        for _ in range(ROUNDS):
            try:
                messages += getattr(act(chance), "messages", 0)
            except Rejected:
                continue
        return messages

    return run


def test_whatever_happens_at_once_each_message_is_in_one_place(tmp_path) -> None:
    store = FileBodies(tmp_path / "bodies")
    store.prepare()
    box = a_mailbox()
    for number in range(MESSAGES):
        long_ago = timezone.now() - timedelta(days=40)
        a_message(box, removed_at=long_ago if number % 10 == 0 else timezone.now() if number % 2 else None)
    counts = at_once(
        often(lambda _chance: drain(box.pk), 1),
        often(lambda _chance: drain(box.pk), 2),
        often(lambda chance: recovery.restore(ANN, some(chance), actor=ACTOR), 3),
        often(lambda chance: recovery.restore(ANN, some(chance), actor=ACTOR, devices=["main"], new_uidls=True), 4),
        often(lambda chance: recovery.purge_now(ANN, Choice(newest=chance.randrange(1, 3)), actor=ACTOR), 5),
        often(lambda _chance: sweep.run(store), 6),
    )
    purged, swept = counts[4], counts[5]
    assert Message.objects.count() == MESSAGES - purged - swept
    box = Mailbox.objects.get()
    assert box.messages + box.recovery_messages == Message.objects.count()
    uidls = list(Message.objects.values_list("uidl", flat=True))
    assert len(uidls) == len(set(uidls))
    assert_counters_are_sums()
