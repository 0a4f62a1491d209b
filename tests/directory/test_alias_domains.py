"""Domains that stand for others: any address in them is one there, by the same single question; never in a circle."""

from __future__ import annotations

import pytest

from mailstore.directory import aliases, domain_removal, domains, mailbox_removal, mailboxes
from mailstore.directory.outcome import Rejected
from mailstore.errors import RecipientDisabled, UnknownRecipient
from mailstore.models import Domain, Mailbox
from mailstore.ports import Recipient
from tests.site.mail import Mail
from tests.site.rows import ACTOR, a_domain, a_mailbox, at_once

pytestmark = pytest.mark.django_db
ORG, COM = "example.org", "example.com"


def standing(name: str = COM, other: str = ORG) -> None:
    domains.ensure(name, actor=ACTOR, stands_for=domains.get(other))


def goes_to(mail: Mail, address: str) -> set[str]:
    found = mail.recipient(address)
    assert isinstance(found, Recipient), found
    assert found.address == address
    return {str(box) for box in Mailbox.objects.filter(pk__in=found.mailboxes)}


@pytest.mark.django_db(transaction=True)
def test_every_address_in_it_is_one_there(mail: Mail) -> None:
    a_mailbox("ann@example.org")
    a_mailbox("bob@example.org")
    aliases.ensure("info@example.org", ["bob@example.org"], actor=ACTOR)
    standing()
    assert goes_to(mail, "Ann+news@example.com".lower()) == {"ann@example.org"}
    assert goes_to(mail, "info@example.com") == {"bob@example.org"}
    assert type(mail.recipient("nobody@example.com")) is UnknownRecipient
    aliases.ensure("@example.org", ["bob@example.org"], actor=ACTOR)
    assert goes_to(mail, "nobody@example.com") == {"bob@example.org"}


@pytest.mark.django_db(transaction=True)
def test_an_alias_may_lead_through_it(mail: Mail) -> None:
    a_mailbox("ann@example.org")
    standing()
    a_domain("other.net")
    aliases.ensure("ann@other.net", ["ann@example.com"], actor=ACTOR)
    assert goes_to(mail, "ann@other.net") == {"ann@example.org"}


@pytest.mark.django_db(transaction=True)
def test_it_is_switched_and_removed_by_itself(mail: Mail) -> None:
    a_mailbox("ann@example.org")
    standing()
    domains.ensure(COM, actor=ACTOR, active=False)
    assert type(mail.recipient("ann@example.com")) is RecipientDisabled
    domain_removal.remove(COM, actor=ACTOR, with_mailboxes=False)
    assert type(mail.recipient("ann@example.com")) is UnknownRecipient
    domain_removal.restore(COM, actor=ACTOR)
    domains.ensure(COM, actor=ACTOR, active=True)
    assert goes_to(mail, "ann@example.com") == goes_to(mail, "ann@example.org") == {"ann@example.org"}
    domains.ensure(COM, actor=ACTOR, stands_for=None)
    assert type(mail.recipient("ann@example.com")) is UnknownRecipient


def test_no_domain_stands_for_itself_or_for_one_that_stands() -> None:
    for name in (ORG, COM, "example.net"):
        a_domain(name)
    with pytest.raises(Rejected, match=r"cannot be an alias of example\.org"):
        standing(ORG, ORG)
    standing()
    with pytest.raises(Rejected, match=r"cannot be an alias of example\.com"):
        standing("example.net", COM)
    with pytest.raises(Rejected, match="other domains are aliases of"):
        standing(ORG, "example.net")


@pytest.mark.django_db(transaction=True)
def test_two_at_once_never_stand_for_each_other() -> None:
    a_domain(ORG)
    a_domain(COM)
    at_once(standing, lambda: standing(ORG, COM))
    assert Domain.objects.filter(stands_for__isnull=False).count() == 1


def test_what_has_mailboxes_or_aliases_stands_for_none_and_what_stands_gets_none() -> None:
    a_domain(ORG)
    a_mailbox("ann@example.com")
    mailbox_removal.remove("ann@example.com", actor=ACTOR, with_mail=True)
    with pytest.raises(Rejected, match="has mailboxes or aliases of its own"):
        standing()
    mailbox_removal.purge_now("ann@example.com", actor=ACTOR)
    standing()
    with pytest.raises(Rejected, match=r"example\.com is an alias of example\.org: create it there"):
        mailboxes.ensure("ann@example.com", actor=ACTOR)
    with pytest.raises(Rejected, match=r"example\.com is an alias of example\.org: create it there"):
        aliases.ensure("info@example.com", ["ann@example.org"], actor=ACTOR)


def test_a_domain_does_not_stand_where_aliases_would_lead_back() -> None:
    a_domain(ORG)
    a_domain(COM)
    aliases.ensure("info@example.org", ["info@example.com"], actor=ACTOR)
    with pytest.raises(Rejected, match=r"info@example\.org would lead back to itself"):
        standing()
    aliases.remove("info@example.org", actor=ACTOR)
    standing()
    with pytest.raises(Rejected, match=r"info@example\.org would lead back to itself"):
        aliases.ensure("info@example.org", ["info@example.com"], actor=ACTOR)


def test_what_is_stood_for_is_not_removed() -> None:
    a_domain(ORG)
    standing()
    with pytest.raises(Rejected, match=r"example\.com is an alias of example\.org"):
        domain_removal.remove(ORG, actor=ACTOR, with_mailboxes=False)
    domain_removal.remove(COM, actor=ACTOR, with_mailboxes=False)
    domain_removal.remove(ORG, actor=ACTOR, with_mailboxes=False)
    domain_removal.purge_now(ORG, actor=ACTOR)
    assert domain_removal.restore(COM, actor=ACTOR).stands_for is None
