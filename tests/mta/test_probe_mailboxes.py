"""The mailboxes that a check of the mail flow makes go with it, and no mailbox of a customer does."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from mailstore.models import Mailbox
from mailstore.mta import probe_mailboxes
from tests.site.rows import ACTOR, a_mailbox

pytestmark = pytest.mark.django_db


def addresses() -> set[str]:
    return set(Mailbox.objects.values_list("user__address", flat=True))


def test_what_a_check_that_was_killed_has_left_goes_with_the_next_one_and_nothing_else() -> None:
    theirs = a_mailbox("popadmin-check-list@example.org").user.address
    for name in ("popadmin-check-0a1b2c3d", "popadmin-check-0a1b2c3d-full"):
        a_mailbox(f"{name}@example.org")
    Mailbox.objects.update(created_at=timezone.now() - timedelta(days=1))
    with probe_mailboxes.probe(None, actor=ACTOR) as probe:
        assert probe is not None
        assert addresses() == {theirs, probe.address, probe.full_address}
    assert addresses() == {theirs}
