"""The sweep purges mailboxes and domains that were removed long enough ago, and none that is younger or on hold."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from django.utils import timezone

from mailstore.bodies.files import FileBodies
from mailstore.directory import domain_removal, mailbox_removal
from mailstore.directory.outcome import Rejected
from mailstore.models import AuditEntry, Domain, Mailbox, Message
from mailstore.retention import sweep
from tests.site.rows import ACTOR, a_mailbox, a_message

pytestmark = pytest.mark.django_db
ANN, BOB, ORG = "ann@example.org", "bob@example.org", "example.org"


@pytest.fixture
def store(tmp_path: Path) -> FileBodies:
    made = FileBodies(tmp_path / "bodies")
    made.prepare()
    return made


def both(store: FileBodies, days: float) -> tuple[int, int]:
    """How many mailboxes a pass so many days from now would purge, and how many it did."""
    now = timezone.now() + timedelta(days=days)
    return sweep.preview(store, now=now).mailboxes, sweep.run(store, now=now).mailboxes


def test_a_mailbox_goes_when_it_has_rested_for_thirty_days_and_not_before(store: FileBodies) -> None:
    a_mailbox()
    a_mailbox(BOB)
    mailbox_removal.remove(ANN, actor=ACTOR, with_mail=True)
    assert both(store, 29.9) == (0, 0)
    assert both(store, 30.1) == (1, 1)
    assert str(Mailbox.objects.get()) == BOB
    entry = AuditEntry.objects.latest("pk")
    assert (entry.verb, entry.subject, entry.actor_name) == ("mailbox.purge", ANN, "sweep")


def test_a_domain_goes_with_all_its_mailboxes(store: FileBodies) -> None:
    a_mailbox()
    a_mailbox(BOB)
    domain_removal.remove(ORG, actor=ACTOR, with_mailboxes=True)
    assert both(store, 29.9) == (0, 0)
    assert both(store, 30.1) == (2, 2)
    assert not Domain.objects.exists()


def test_what_rests_in_recovery_of_a_removed_mailbox_stays_for_its_restore(store: FileBodies) -> None:
    a_message(a_mailbox(), removed_at=timezone.now())
    mailbox_removal.remove(ANN, actor=ACTOR, with_mail=True)
    Mailbox.objects.update(removed_at=timezone.now() + timedelta(days=20))
    assert sweep.run(store, now=timezone.now() + timedelta(days=31)).messages == 0
    assert Message.objects.exists()


def test_what_is_held_is_never_purged(store: FileBodies) -> None:
    a_mailbox()
    a_mailbox("zoe@other.org")
    mailbox_removal.remove(ANN, actor=ACTOR, with_mail=True)
    domain_removal.remove("other.org", actor=ACTOR, with_mailboxes=True)
    Mailbox.objects.update(held=True)
    assert both(store, 300) == (0, 0)
    with pytest.raises(Rejected, match="on hold"):
        mailbox_removal.purge_now(ANN, actor=ACTOR)
    with pytest.raises(Rejected, match="on hold"):
        domain_removal.purge_now("other.org", actor=ACTOR)
    assert Mailbox.objects.count() == 2


def test_a_pass_that_is_told_to_end_purges_nothing_more(store: FileBodies) -> None:
    a_mailbox()
    mailbox_removal.remove(ANN, actor=ACTOR, with_mail=True)
    now = timezone.now() + timedelta(days=31)
    assert sweep.run(store, now=now, stop=lambda: True).mailboxes == 0
    assert Mailbox.objects.exists()
