"""What a domain gives its mailboxes, and what its admin may: quotas within caps that bind him and no hosting admin."""

from __future__ import annotations

import pytest

from mailstore.directory import admins, mailbox_removal, mailboxes
from mailstore.directory.audit import Actor
from mailstore.directory.fields.domain import DOMAIN
from mailstore.directory.fields.field import Kind
from mailstore.directory.outcome import Rejected
from mailstore.models import Mailbox, User
from tests.site.rows import ACTOR, a_domain, a_mailbox

pytestmark = pytest.mark.django_db
ANN, BOB = "ann@example.org", "bob@example.org"
GB = 2**30


def a_domain_admin() -> Actor:
    return Actor("dora", "web", User.objects.create(address="dora@elsewhere.example"))


def quota(address: str, octets: int | None, actor: Actor) -> Mailbox:
    return mailboxes.ensure(address, actor=actor, quota_octets=octets).row


@pytest.mark.parametrize(
    ("fields", "given"),
    [
        ({}, None),
        ({"mailbox_quota_default": GB}, GB),
        ({"mailbox_quota_most": 2 * GB}, 2 * GB),
        ({"mailbox_quota_default": GB, "mailbox_quota_most": 2 * GB}, GB),
    ],
)
def test_a_new_mailbox_gets_the_quota_of_its_domain(fields: dict[str, int], given: int | None) -> None:
    a_domain(**fields)
    assert a_mailbox().quota_octets == given
    assert quota(BOB, 5, ACTOR).quota_octets == 5


def test_a_default_above_the_most_is_refused() -> None:
    with pytest.raises(Rejected, match=r"\(2GB\) is above what a mailbox may have \(1GB\)"):
        a_domain(mailbox_quota_default=2 * GB, mailbox_quota_most=GB)


def test_a_domain_admin_keeps_to_the_most_and_lowers_what_is_above_it() -> None:
    a_domain(mailbox_quota_most=GB)
    dora = a_domain_admin()
    a_mailbox()
    with pytest.raises(Rejected, match=r"can be at most 1GB"):
        quota(ANN, GB + 1, dora)
    with pytest.raises(Rejected, match="needs a quota"):
        quota(ANN, None, dora)
    quota(ANN, 5 * GB, ACTOR)
    assert quota(ANN, 4 * GB, dora).quota_octets == 4 * GB


def test_a_domain_admin_allots_no_more_than_there_is_to_allot() -> None:
    a_domain(allotment_octets=3 * GB, mailbox_quota_default=GB)
    dora = a_domain_admin()
    mailboxes.ensure(ANN, actor=dora)
    quota(BOB, 2 * GB, dora)
    with pytest.raises(Rejected, match=r"can be at most 3GB together: this is 1GB too much"):
        mailboxes.ensure("cat@example.org", actor=dora)
    assert not Mailbox.objects.filter(user__address="cat@example.org").exists()
    mailboxes.ensure("cat@example.org", actor=ACTOR)


def test_a_removal_is_no_way_around_the_allotment() -> None:
    a_domain(allotment_octets=2 * GB, mailbox_quota_default=2 * GB)
    dora = a_domain_admin()
    mailboxes.ensure(ANN, actor=dora)
    mailbox_removal.remove(ANN, actor=dora, with_mail=True)
    mailboxes.ensure(BOB, actor=dora)
    with pytest.raises(Rejected, match="too much"):
        mailbox_removal.restore(ANN, actor=dora)
    root = Actor("root", "web", admins.ensure("root", actor=ACTOR, password="correct horse battery staple").row)
    assert mailbox_removal.restore(ANN, actor=root).removed_at is None


@pytest.mark.parametrize("name", DOMAIN.names(Kind.SIZE))
def test_no_quota_is_negative(name: str) -> None:
    with pytest.raises(Rejected, match="cannot be negative"):
        a_domain(**{name: -1})
