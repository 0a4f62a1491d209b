"""Domain admins: made by a grant, of the domains that are there, never out of a hosting admin."""

from __future__ import annotations

import pytest

from mailstore.directory import admins, domain_removal, grants, mailboxes
from mailstore.directory.audit import Actor
from mailstore.directory.outcome import Rejected
from mailstore.models import AuditEntry, DomainGrant, User
from tests.site.rows import ACTOR, PASSWORD, a_domain, a_mailbox

pytestmark = pytest.mark.django_db
ANN = "ann@example.org"


def audit_entries() -> list[tuple[str, str, dict[str, str]]]:
    return [(entry.verb, entry.subject, entry.details) for entry in AuditEntry.objects.order_by("pk")]


def test_a_new_domain_admin_gets_a_password_and_his_domains() -> None:
    a_domain("one.example")
    a_domain("two.example")
    done = grants.ensure("Carla", ["one.example", "TWO.example"], actor=ACTOR)
    user = User.objects.get(address="carla")
    assert (done.created, user.role, user.check_password(done.secret)) == (True, "owner", True)
    assert {grant.domain.name for grant in user.grants.all()} == {"one.example", "two.example"}
    assert grants.ensure("carla", ["one.example"], actor=ACTOR).changes == {}
    assert audit_entries()[-3:] == [
        ("admin.create", "carla", {}),
        ("grant.create", "carla", {"domain": "one.example"}),
        ("grant.create", "carla", {"domain": "two.example"}),
    ]


def test_an_owner_is_granted_a_domain_and_it_is_taken_back() -> None:
    mailbox = a_mailbox(ANN)
    assert grants.grant(ANN, "example.org", actor=ACTOR)
    assert not grants.grant(ANN, "example.org", actor=ACTOR)
    assert grants.revoke(ANN, "example.org", actor=ACTOR)
    assert not grants.revoke(ANN, "example.org", actor=ACTOR)
    assert [verb for verb, _subject, _details in audit_entries()[-2:]] == ["grant.create", "grant.remove"]
    assert AuditEntry.objects.filter(mailbox=mailbox, verb="grant.remove").exists()
    assert User.objects.filter(address=ANN).exists()


def test_who_has_every_domain_needs_no_grant() -> None:
    a_domain()
    admins.ensure("root", actor=ACTOR)
    with pytest.raises(Rejected, match="already manages every domain"):
        grants.grant("root", "example.org", actor=ACTOR)
    with pytest.raises(Rejected, match="already manages every domain"):
        grants.ensure("root", ["example.org"], actor=ACTOR)


def test_the_password_of_a_mailbox_is_not_set_by_way_of_a_grant() -> None:
    a_mailbox(ANN)
    with pytest.raises(Rejected, match="its password is set there"):
        grants.ensure(ANN, ["example.org"], actor=ACTOR, password=PASSWORD)
    assert not DomainGrant.objects.exists()


def test_an_unknown_domain_or_user_is_refused_and_nobody_is_made() -> None:
    a_domain()
    with pytest.raises(Rejected, match="not a domain of this site"):
        grants.ensure("carla", ["example.org", "nowhere.example"], actor=ACTOR)
    with pytest.raises(Rejected, match="not a user of this site"):
        grants.grant("nobody", "example.org", actor=ACTOR)
    assert not User.objects.exists()


# --- an owner who administers another domain is not to be taken over by his own domain's admin --------------------


def dora(*names: str) -> Actor:
    """She administers example.org, where Ann's mailbox is, and these."""
    a_mailbox(ANN)
    for name in names:
        a_domain(name)
    return Actor("dora", "web", grants.ensure("dora", ["example.org", *names], actor=ACTOR).row)


WAYS = (
    lambda actor: mailboxes.set_password(ANN, None, actor=actor),
    lambda actor: mailboxes.set_password(ANN, "another good pass phrase", actor=actor),
    lambda actor: mailboxes.ensure(ANN, actor=actor, password="and yet another phrase"),
)


def refused(actor: Actor) -> None:
    for way in WAYS:
        with pytest.raises(Rejected, match=r"^ann@example\.org administers other domains: ask a hosting admin$"):
            way(actor)
    assert User.objects.get(address=ANN).check_password(PASSWORD)


def allowed(actor: Actor) -> None:
    for way in WAYS:
        way(actor)
    assert User.objects.get(address=ANN).check_password("and yet another phrase")


def test_a_domain_admin_sets_no_password_of_who_administers_what_he_does_not() -> None:
    actor = dora()
    a_domain("other.example")
    grants.grant(ANN, "other.example", actor=ACTOR)
    grants.grant(ANN, "example.org", actor=ACTOR)
    refused(actor)
    domain_removal.remove("other.example", actor=ACTOR, with_mailboxes=True)
    refused(actor)
    mailboxes.ensure(ANN, actor=actor, name="Ann", must_change_password=True, suspended=True)


def test_nor_is_he_told_whether_he_guessed_it() -> None:
    actor = dora()
    a_domain("other.example")
    grants.grant(ANN, "other.example", actor=ACTOR)
    with pytest.raises(Rejected, match="administers other domains"):
        mailboxes.ensure(ANN, actor=actor, password=PASSWORD)


def test_he_sets_it_where_the_owner_administers_no_more_than_he_does() -> None:
    actor = dora("other.example")
    grants.grant(ANN, "other.example", actor=ACTOR)
    allowed(actor)


def test_hosting_admins_and_the_shell_set_it() -> None:
    dora()
    a_domain("other.example")
    grants.grant(ANN, "other.example", actor=ACTOR)
    root = Actor("root", "web", admins.ensure("root", actor=ACTOR).row)
    allowed(root)
    mailboxes.set_password(ANN, PASSWORD, actor=ACTOR)
