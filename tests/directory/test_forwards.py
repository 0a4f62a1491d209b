"""Forwards of mailboxes, expiry and comments of aliases, and what an owner may do himself."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from django.utils import timezone

from mailstore.bodies.files import FileBodies
from mailstore.directory import aliases, domains, forwards, mailbox_removal
from mailstore.directory.outcome import Rejected
from mailstore.errors import AliasOutside, RecipientDisabled, UnknownRecipient
from mailstore.models import Alias, AuditEntry, Mailbox
from mailstore.ports import Recipient
from mailstore.retention import sweep
from tests.site.mail import Mail
from tests.site.rows import ACTOR, a_domain, a_mailbox

pytestmark = pytest.mark.django_db
ANN, BOB, AWAY = "ann@example.org", "bob@example.org", "ann@elsewhere.example"


def goes_to(mail: Mail, address: str) -> set[str]:
    found = mail.recipient(address)
    assert isinstance(found, Recipient), found
    return {str(box) for box in Mailbox.objects.filter(pk__in=found.mailboxes)}


def forward(*targets: str, keep_copy: bool = True, address: str = ANN) -> Alias:
    return aliases.ensure(address, targets, actor=ACTOR, keep_copy=keep_copy).row


# --- where mail goes ----------------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_a_forward_takes_the_mail_along_and_leaves_a_copy_where_that_is_said(mail: Mail) -> None:
    a_mailbox(ANN)
    a_mailbox(BOB)
    forward(BOB)
    assert goes_to(mail, ANN) == goes_to(mail, "ann+news@example.org") == {ANN, BOB}
    forward(BOB, keep_copy=False)
    assert goes_to(mail, ANN) == {BOB}
    aliases.ensure(ANN, [BOB], actor=ACTOR, active=False)
    assert goes_to(mail, ANN) == {ANN}


@pytest.mark.django_db(transaction=True)
def test_a_forward_to_elsewhere_leaves_its_copy_and_is_else_the_mtas(mail: Mail) -> None:
    a_mailbox(ANN)
    a_mailbox(BOB)
    forward(BOB, AWAY)
    assert goes_to(mail, ANN) == {ANN}
    forward(BOB, AWAY, keep_copy=False)
    assert type(mail.recipient(ANN)) is AliasOutside


@pytest.mark.django_db(transaction=True)
def test_a_forward_that_reaches_elsewhere_by_an_alias_leaves_its_copy_too(mail: Mail) -> None:
    a_mailbox(ANN)
    aliases.ensure("team@example.org", [AWAY], actor=ACTOR)
    forward("team@example.org")
    assert goes_to(mail, ANN) == {ANN}


@pytest.mark.django_db(transaction=True)
def test_a_mailbox_that_takes_no_mail_forwards_none(mail: Mail) -> None:
    a_mailbox(ANN)
    a_mailbox(BOB)
    forward(BOB, keep_copy=False)
    Mailbox.objects.filter(user__address=ANN).update(receives=False)
    assert type(mail.recipient(ANN)) is RecipientDisabled


@pytest.mark.django_db(transaction=True)
def test_two_that_forward_to_each_other_are_refused_and_would_end_all_the_same(mail: Mail) -> None:
    a_mailbox(ANN)
    a_mailbox(BOB)
    forward(BOB)
    with pytest.raises(Rejected, match="would lead back to itself"):
        forward(ANN, address=BOB)
    bob = Mailbox.objects.get(user__address=BOB)
    Alias.objects.create(address=BOB, domain=bob.domain, mailbox=bob, targets=[ANN], keep_copy=True)
    assert goes_to(mail, ANN) == {ANN, BOB}


@pytest.mark.django_db(transaction=True)
def test_a_target_here_that_nobody_has_any_more_does_not_hold_up_the_others(mail: Mail) -> None:
    a_mailbox(ANN)
    a_mailbox(BOB)
    aliases.ensure("team@example.org", [ANN, BOB], actor=ACTOR)
    mailbox_removal.remove(BOB, actor=ACTOR, with_mail=True)
    assert goes_to(mail, "team@example.org") == {ANN}
    mailbox_removal.remove(ANN, actor=ACTOR, with_mail=True)
    assert type(mail.recipient("team@example.org")) is UnknownRecipient


@pytest.mark.django_db(transaction=True)
def test_an_expired_alias_is_as_if_absent(mail: Mail) -> None:
    a_mailbox(ANN)
    aliases.ensure("fair@example.org", [ANN], actor=ACTOR, expires_at=timezone.now() + timedelta(days=1))
    assert goes_to(mail, "fair@example.org") == {ANN}
    Alias.objects.update(expires_at=timezone.now())
    assert type(mail.recipient("fair@example.org")) is UnknownRecipient


# --- making them --------------------------------------------------------------------------------------------------


def test_an_alias_of_a_mailbox_must_say_whether_it_keeps_a_copy() -> None:
    a_mailbox(ANN)
    with pytest.raises(Rejected, match="is a mailbox: say whether it keeps a copy"):
        aliases.ensure(ANN, [BOB], actor=ACTOR)
    row = forward(AWAY, keep_copy=False)
    assert (str(row.mailbox), row.keep_copy) == (ANN, False)
    assert aliases.ensure(ANN, [BOB], actor=ACTOR).changes == {"targets": ([AWAY], [BOB])}
    assert AuditEntry.objects.latest("pk").mailbox == row.mailbox


def test_to_forward_to_oneself_too_is_to_keep_a_copy() -> None:
    a_mailbox(ANN)
    row = aliases.ensure(ANN, [ANN, AWAY], actor=ACTOR).row
    assert (row.targets, row.keep_copy) == ([AWAY], True)
    with pytest.raises(Rejected, match="not be forwarded to any other address"):
        aliases.ensure(ANN, [ANN], actor=ACTOR)


def test_only_a_mailbox_keeps_a_copy() -> None:
    a_domain()
    with pytest.raises(Rejected, match="it cannot keep a copy"):
        aliases.ensure("info@example.org", [AWAY], actor=ACTOR, keep_copy=True)


def test_a_forward_is_no_alias_of_the_domains_limit_and_goes_with_its_mailbox() -> None:
    a_domain(alias_limit=0)
    a_mailbox(ANN)
    forward(AWAY)
    with pytest.raises(Rejected, match=r"reached its alias limit \(0\)"):
        aliases.ensure("info@example.org", [AWAY], actor=ACTOR)
    mailbox_removal.remove(ANN, actor=ACTOR, with_mail=True)
    with pytest.raises(Rejected, match="was removed"):
        forward(BOB)
    mailbox_removal.restore(ANN, actor=ACTOR)
    assert Alias.objects.get().targets == [AWAY]
    mailbox_removal.remove(ANN, actor=ACTOR, with_mail=True)
    mailbox_removal.purge_now(ANN, actor=ACTOR)
    assert not Alias.objects.exists()


def test_an_expiry_that_is_past_is_refused_and_one_to_come_is_told() -> None:
    a_domain()
    with pytest.raises(Rejected, match="would have expired already"):
        aliases.ensure("info@example.org", [AWAY], actor=ACTOR, expires_at=timezone.now())
    done = aliases.ensure(
        "info@example.org", [AWAY], actor=ACTOR, expires_at=timezone.now() + timedelta(days=1), comment="for the fair"
    )
    assert (done.row.comment, "expires_at" in done.changes) == ("for the fair", True)


def test_the_sweep_removes_what_expired_thirty_days_ago_and_nothing_that_was_renewed(tmp_path: Path) -> None:
    store = FileBodies(tmp_path / "bodies")
    store.prepare()
    a_domain()
    later = timezone.now() + timedelta(days=1)
    for name in ("old", "renewed"):
        aliases.ensure(f"{name}@example.org", [AWAY], actor=ACTOR, expires_at=later)
    aliases.ensure("renewed@example.org", [AWAY], actor=ACTOR, expires_at=None)
    assert sweep.run(store, now=later + timedelta(days=29)).aliases == 0
    month = later + timedelta(days=31)
    assert (sweep.preview(store, now=month).aliases, sweep.run(store, now=month).aliases) == (1, 1)
    assert Alias.objects.get().address == "renewed@example.org"
    entry = AuditEntry.objects.latest("pk")
    assert (entry.verb, entry.subject, entry.actor_name) == ("alias.remove", "old@example.org", "sweep")


# --- owners -------------------------------------------------------------------------------------------------------


def test_an_owner_forwards_only_where_the_domain_allows_it() -> None:
    box = a_mailbox(ANN)
    with pytest.raises(Rejected, match="owners may not forward"):
        forwards.ensure_own(box, [AWAY], ask_targets=False, keep_copy=True, actor=ACTOR)
    domains.ensure("example.org", actor=ACTOR, owner_forwards=True)
    forwards.ensure_own(box, [AWAY], ask_targets=False, keep_copy=True, actor=ACTOR)
    made = forwards.of(box)
    assert made is not None
    assert made.targets == [AWAY]
    with pytest.raises(Rejected, match="to at most 10 addresses"):
        forwards.ensure_own(
            box, [f"n{n}@elsewhere.example" for n in range(11)], ask_targets=False, keep_copy=True, actor=ACTOR
        )
    forwards.remove_own(box, actor=ACTOR)
    assert forwards.of(box) is None
