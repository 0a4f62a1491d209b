"""Many rows written at once: each gets its own values, and nothing else of any row moves."""

from __future__ import annotations

import pytest
from django.utils import timezone

from mailstore.models import Mailbox, User
from mailstore.store import columns, policies
from tests.store.site import ACTOR, a_mailbox

pytestmark = pytest.mark.django_db


def test_each_row_gets_its_own_values_of_any_kind_and_keeps_the_rest() -> None:
    boxes = [a_mailbox(address) for address in ("ann@example.org", "bob@example.org", "cat@example.org")]
    now, policy = timezone.now(), policies.ensure("week", actor=ACTOR).row
    ann, bob, _cat = boxes
    ann.quota_octets, ann.policy, ann.policy_since, ann.pop, ann.notes = (
        7,
        policy,
        now,
        False,
        "not written",
    )
    bob.quota_octets, bob.notes = None, "neither"
    columns.update([ann, bob], ("quota_octets", "policy", "policy_since", "pop"))
    found = list(Mailbox.objects.order_by("pk").values_list("quota_octets", "policy", "policy_since", "pop", "notes"))
    assert found == [(7, policy.pk, now, False, ""), (None, None, None, True, ""), (None, None, None, True, "")]


def test_texts_come_as_they_are() -> None:
    users = [a_mailbox(address).user for address in ("ann@example.org", "bob@example.org")]
    users[0].name, users[1].name = 'It\'s {"odd", \\ %s}', "NULL"
    columns.update(users, ("name",))
    assert list(User.objects.order_by("pk").values_list("name", flat=True)) == ['It\'s {"odd", \\ %s}', "NULL"]
    columns.update([], ("name",))
    columns.update(users, ())
