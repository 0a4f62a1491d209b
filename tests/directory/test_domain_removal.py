"""Removed domains: their mailboxes and aliases rest with them, and come back or go with them, no more and no fewer."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from mailstore.directory import aliases, domain_removal, domains, mailbox_lookup, mailbox_removal, mailboxes
from mailstore.directory.outcome import Rejected
from mailstore.directory.removal_state import Removed
from mailstore.errors import UnknownRecipient
from mailstore.models import Alias, AuditEntry, Domain, Mailbox, Message
from mailstore.ports import Recipient
from tests.site.mail import Mail
from tests.site.rows import ACTOR, a_domain, a_mailbox, a_message, at_once

pytestmark = pytest.mark.django_db
ORG = "example.org"


def removed(name: str = ORG) -> Removed:
    return domain_removal.remove(name, actor=ACTOR, with_mailboxes=True)


def a_full_domain() -> None:
    """Two mailboxes, one message, one alias."""
    a_message(a_mailbox("ann@example.org"), octets=70)
    a_mailbox("bob@example.org")
    aliases.ensure("info@example.org", ["ann@example.org"], actor=ACTOR)


def test_a_domain_with_mailboxes_is_not_removed_by_accident() -> None:
    a_full_domain()
    with pytest.raises(Rejected, match="still has 2 mailboxes: remove them with the domain"):
        domain_removal.remove(ORG, actor=ACTOR, with_mailboxes=False)
    assert domains.get(ORG).removed_at is None


def test_one_without_mailboxes_takes_its_aliases_along() -> None:
    a_domain()
    aliases.ensure("info@example.org", ["ann@example.com"], actor=ACTOR)
    assert domain_removal.remove("Example.org", actor=ACTOR, with_mailboxes=False) == Removed(0, 1, 0, 0)
    assert not aliases.listing().exists()


def test_what_goes_is_counted_before_and_told_after() -> None:
    a_full_domain()
    counted = domain_removal.contents(Domain.objects.get())
    assert counted == removed() == Removed(mailboxes=2, aliases=1, messages=1, octets=70)
    entry = AuditEntry.objects.latest("pk")
    assert entry.verb == "domain.remove"
    assert entry.details == {"mailboxes": 2, "aliases": 1, "messages": 1, "octets": 70}
    assert domain_removal.contents(Domain.objects.get()) == counted


def test_a_domain_with_a_mailbox_on_hold_stays() -> None:
    a_full_domain()
    mailboxes.ensure("bob@example.org", actor=ACTOR, held=True)
    with pytest.raises(Rejected, match="has 1 mailbox on hold: lift the hold first"):
        removed()
    assert not Mailbox.objects.exclude(removed_at=None).exists()


@pytest.mark.parametrize(
    "use",
    [
        lambda: domains.ensure(ORG, actor=ACTOR, active=False),
        lambda: domains.get(ORG),
        lambda: mailboxes.ensure("new@example.org", actor=ACTOR),
        lambda: mailbox_lookup.get("ann@example.org"),
        lambda: mailbox_removal.restore("ann@example.org", actor=ACTOR),
        lambda: mailbox_removal.purge_now("ann@example.org", actor=ACTOR),
        lambda: aliases.ensure("new@example.org", ["ann@example.com"], actor=ACTOR),
    ],
    ids=["ensure", "show", "new mailbox", "its mailbox", "restore of it", "purge of it", "new alias"],
)
def test_its_name_stays_taken_and_whoever_uses_it_is_told_what_to_do(use: Callable[[], object]) -> None:
    a_full_domain()
    removed()
    with pytest.raises(Rejected, match=r"^example.org was removed on .*: restore it, or delete it for good"):
        use()


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("address", ["ann@example.org", "info@example.org", "any@example.org"])
def test_nobody_in_it_is_known_until_it_is_restored(mail: Mail, address: str) -> None:
    a_full_domain()
    aliases.ensure("@example.org", ["bob@example.org"], actor=ACTOR)
    removed()
    assert type(mail.recipient(address)) is UnknownRecipient
    domain_removal.restore(ORG, actor=ACTOR)
    assert isinstance(mail.recipient(address), Recipient)


def test_a_restore_brings_back_exactly_what_went_with_it() -> None:
    a_full_domain()
    a_mailbox("cat@example.org")
    mailbox_removal.remove("cat@example.org", actor=ACTOR, with_mail=True)
    went = removed()
    assert went.mailboxes == 2
    domain_removal.restore(ORG, actor=ACTOR)
    assert {str(box) for box in Mailbox.objects.filter(removed_at=None)} == {"ann@example.org", "bob@example.org"}
    assert Mailbox.objects.get(user__address="cat@example.org").removed_at is not None
    assert domain_removal.contents(Domain.objects.get()) == went


@pytest.mark.parametrize("act", [domain_removal.restore, domain_removal.purge_now])
def test_what_is_there_is_neither_restored_nor_purged(act: Callable[..., object]) -> None:
    a_domain()
    with pytest.raises(Rejected, match="is not removed"):
        act(ORG, actor=ACTOR)
    with pytest.raises(Rejected, match="not a domain of this site"):
        act("example.net", actor=ACTOR)


def test_a_purge_takes_everything_in_it_and_frees_its_name() -> None:
    a_full_domain()
    a_message(a_mailbox("zoe@other.org"))
    a_mailbox("cat@example.org")
    mailbox_removal.remove("cat@example.org", actor=ACTOR, with_mail=True)
    removed()
    assert domain_removal.purge_now(ORG, actor=ACTOR) == Removed(mailboxes=3, aliases=1, messages=1, octets=70)
    assert [box.user.address for box in Mailbox.objects.all()] == ["zoe@other.org"]
    assert (Message.objects.count(), Alias.objects.count(), Domain.objects.count()) == (1, 0, 1)
    assert domains.ensure(ORG, actor=ACTOR).created


@pytest.mark.django_db(transaction=True)
def test_a_mailbox_made_while_its_domain_is_removed_is_not_left_behind() -> None:
    a_domain()
    made, _gone = at_once(lambda: mailboxes.ensure("new@example.org", actor=ACTOR), removed)
    left = Mailbox.objects.filter(removed_at=None)
    assert not left.exists()
    assert Mailbox.objects.count() == (0 if isinstance(made, Rejected) else 1)
