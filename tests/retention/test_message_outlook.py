"""What is to come for messages of several mailboxes agrees with what is said of each mailbox by itself."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from mailstore.messages import message_history
from mailstore.models import Device, Mailbox, Message, RetentionPolicy
from mailstore.retention import message_outlook, recovery_terms
from mailstore.sql import expiry_rule
from tests.owner.mail import a_device
from tests.site.page_users import an_owner
from tests.site.rows import a_message

pytestmark = pytest.mark.django_db


def test_it_is_that_of_each_mailbox_alone() -> None:
    policy = RetentionPolicy.objects.create(name="short", expire_days=9, expire_unfetched=True, recovery_days=3)
    boxes = [an_owner(f"{name}@example.org") for name in ("plain", "short", "held")]
    Mailbox.objects.filter(pk=boxes[1].pk).update(policy=policy)
    Mailbox.objects.filter(pk=boxes[2].pk).update(held=True)
    for box in boxes:
        phone, _laptop = (a_device(box, f"{name} {box.pk}") for name in ("Phone", "Laptop"))
        first = a_message(box)
        a_message(box, removed_at=timezone.now() - timedelta(days=1))
        Device.objects.filter(pk=phone.pk).update(confirmed=f"{{[{first.added},{first.added + 1})}}")
    outlooks = message_outlook.outlooks(Message.objects.all())
    assert len(outlooks) == 2 * len(boxes)
    for outlook in outlooks:
        message = outlook.message
        holders = message_history.holders([message.pk])[message.pk]
        leaving = expiry_rule.leaves_at(message.mailbox_id, [message.added], now=timezone.now())
        terms = recovery_terms.terms(message.mailbox_id)
        assert list(outlook.waiting) == [None if each.main else each.name for each in holders if each.waits]
        assert outlook.leaves_at == leaving.get(message.added)
        assert outlook.purged_at == (message.removed_at and terms.purged_at(message.removed_at))
    assert {outlook.leaves_at is None for outlook in outlooks} == {True, False}
    assert any(outlook.waiting == [f"Laptop {boxes[0].pk}"] for outlook in outlooks)
