"""Domains: `ensure` may be repeated, says what it changed, and leaves one audit entry each time it did something."""

from __future__ import annotations

import pytest
from pytest_django import Settings

from mailstore.directory import domains
from mailstore.directory.outcome import Rejected
from mailstore.models import AuditEntry, Domain
from tests.site.rows import ACTOR, a_domain, at_once

pytestmark = pytest.mark.django_db


def test_a_new_domain_is_kept_in_lower_case() -> None:
    done = domains.ensure("Example.ORG", actor=ACTOR, mailbox_limit=3)
    assert (done.created, done.row.name, done.row.mailbox_limit) == (True, "example.org", 3)


def test_a_second_ensure_changes_nothing_and_leaves_no_audit() -> None:
    domains.ensure("example.org", actor=ACTOR, over_quota="reject")
    done = domains.ensure("EXAMPLE.org", actor=ACTOR, over_quota="reject")
    assert (done.created, done.changes) == (False, {})
    assert AuditEntry.objects.filter(subject="example.org").count() == 1


def test_ensure_says_what_it_changed_and_the_audit_too() -> None:
    a_domain()
    done = domains.ensure("example.org", actor=ACTOR, mailbox_limit=5, active=False)
    assert done.changes == {"mailbox_limit": (None, 5), "active": (True, False)}
    entry = AuditEntry.objects.latest("pk")
    assert (entry.verb, entry.actor_name, entry.via) == ("domain.change", "tester", "shell")
    assert entry.details == {"changes": {"mailbox_limit": [None, 5], "active": [True, False]}}


@pytest.mark.parametrize("name", ["", "nodots", "-x.org", "x..org", "a b.org", "x.org\n", "1.2.3.4", "a@b.org"])
def test_what_is_no_domain_name_is_refused(name: str) -> None:
    with pytest.raises(Rejected, match=r"not a domain name|lacks its ending"):
        domains.ensure(name, actor=ACTOR)


@pytest.mark.parametrize(
    "fields", [{"mailbox_limit": -1}, {"alias_limit": 2**31}, {"over_quota": "bounce"}], ids=lambda f: next(iter(f))
)
def test_a_value_that_is_not_allowed_leaves_nothing_behind(fields: dict[str, object]) -> None:
    with pytest.raises(Rejected):
        domains.ensure("example.org", actor=ACTOR, **fields)
    assert not Domain.objects.exists()
    assert not AuditEntry.objects.exists()


def test_an_unknown_domain_is_named() -> None:
    with pytest.raises(Rejected, match=r"example\.org is not a domain"):
        domains.get("example.org")


@pytest.mark.django_db(transaction=True)
def test_two_ensures_at_once_make_one_domain() -> None:
    done = at_once(*[lambda: domains.ensure("example.org", actor=ACTOR).created] * 4)
    assert sorted(done) == [False, False, False, True]
    assert AuditEntry.objects.count() == 1


def test_a_name_that_looks_like_a_domain_here_is_refused_unless_it_is_meant() -> None:
    a_domain("apple.com")
    with pytest.raises(Rejected, match=r"\(xn--80ak6aa92e\.com\) looks like apple\.com"):
        domains.ensure("\u0430\u0440\u0440\u04cf\u0435.com", actor=ACTOR)
    assert domains.ensure("\u0430\u0440\u0440\u04cf\u0435.com", actor=ACTOR, look_alike=True).created
    Domain.objects.filter(name="apple.com").delete()
    with pytest.raises(Rejected, match=r"apple\.com \(apple\.com\) looks like"):
        domains.ensure("apple.com", actor=ACTOR)


def test_a_name_of_mixed_letters_is_refused_unless_it_is_meant() -> None:
    with pytest.raises(Rejected, match=r"mixes letters that look alike \(Cyrillic, Latin\)"):
        domains.ensure("\u0430pple.com", actor=ACTOR)
    assert domains.ensure("\u0430pple.com", actor=ACTOR, look_alike=True).row.name == "xn--pple-43d.com"


def test_a_name_in_letters_and_the_same_in_a_labels_are_one_domain() -> None:
    assert domains.ensure("Bücher.example", actor=ACTOR).row.name == "xn--bcher-kva.example"
    assert not domains.ensure("xn--bcher-kva.example", actor=ACTOR).created


def test_a_domain_does_not_name_this_server_as_its_old_one(settings: Settings):
    """The harm: once the name leads here, each first sign-in asks itself until the time is over."""
    settings.PUBLIC_HOSTNAME = "mail.example.org"
    with pytest.raises(Rejected, match="is the name of this server"):
        domains.ensure("example.org", actor=ACTOR, old_server="pop3s://Mail.Example.org:9995")
    domains.ensure("example.org", actor=ACTOR, old_server="pop3s://mail.old.example")
