"""The numbers in the menu: one statement a page, reused for some seconds on a large site."""

from __future__ import annotations

import datetime
from typing import Any

import pytest
from django.http import HttpRequest
from django.utils import timezone

from mailstore.directory import aliases, grants, mailbox_removal
from mailstore.models import AuditEntry, Mailbox, RetentionPolicy, User
from popadmin.panel import access, menu_counts
from popadmin.web.layout import Menu
from tests.site.page_users import ANN, an_admin, an_owner, signed_in
from tests.site.rows import ACTOR, PASSWORD

pytestmark = pytest.mark.django_db


def counts(name: str, path: str = "/settings/") -> dict[str, int | None]:
    menu: Menu = signed_in(name).get(path).context["menu"]
    return {link.url.strip("/"): link.count for group in menu.groups for link in group.links}


def a_site() -> None:
    for address in (ANN, "bob@example.org", "eve@other.example", "gone@other.example"):
        an_owner(address)
    mailbox_removal.remove("gone@other.example", actor=ACTOR, with_mail=False)
    for address in ("info@example.org", "info@other.example"):
        aliases.ensure(address, targets=[ANN], actor=ACTOR)
    RetentionPolicy.objects.create(name="offered", offered=True)
    RetentionPolicy.objects.create(name="secret")
    grants.ensure("carla", ["example.org"], actor=ACTOR, password=PASSWORD)


def test_a_hosting_admin_sees_how_many_of_each_there_are():
    root = an_admin()
    a_site()
    found = counts("root")
    assert found["mailboxes"] == access.mailboxes(root).count() == 3
    assert found["domains"] == access.domains(root).count() == 2
    assert found["aliases"] == access.aliases(root).count() == 2
    assert found["policies"] == access.policies(root).count() == 2
    assert found["admins"] == access.admins(root).count() == 2
    assert found["audit"] is None


def test_a_domain_admin_counts_their_domains_only():
    a_site()
    found = counts("carla")
    assert (found["domains"], found["mailboxes"], found["aliases"], found["policies"]) == (1, 2, 1, 1)
    assert "admins" not in found


def test_an_owner_sees_their_messages_without_a_statement_more(django_assert_num_queries: Any):
    mailbox = an_owner()
    Mailbox.objects.filter(pk=mailbox.pk).update(messages=7, recovery_messages=2)
    found = counts(ANN, "/devices/")
    assert (found["messages"], found["recovery"], found["devices"]) == (7, 2, None)


@pytest.fixture
def quiet(monkeypatch: pytest.MonkeyPatch) -> User:
    """A hosting admin of a large site that nobody has changed for a while."""
    monkeypatch.setattr(menu_counts, "KEPT_FROM", 1)
    root = an_admin()
    an_owner()
    AuditEntry.objects.update(at=timezone.now() - datetime.timedelta(minutes=5))
    return root


def mailboxes(user: User) -> int:
    return menu_counts.figures(HttpRequest(), user).counts.mailboxes


def test_a_large_site_is_not_counted_again_for_some_seconds(quiet: User, django_assert_num_queries: Any):
    with django_assert_num_queries(1):
        assert mailboxes(quiet) == 1
    Mailbox.objects.update(removed_at=timezone.now())
    with django_assert_num_queries(1):
        assert mailboxes(quiet) == 1


def test_the_page_of_the_parts_counts_anew(quiet: User):
    assert mailboxes(quiet) == 1
    Mailbox.objects.update(removed_at=timezone.now())
    assert counts(quiet.address, "/parts/")["mailboxes"] == 0


def test_what_somebody_changed_is_counted_at_once(quiet: User):
    assert mailboxes(quiet) == 1
    mailbox_removal.remove(ANN, actor=ACTOR, with_mail=True)
    assert mailboxes(quiet) == 0


def test_a_change_that_was_under_way_while_it_was_counted_is_seen(quiet: User):
    assert mailboxes(quiet) == 1
    AuditEntry.objects.update(at=timezone.now() - datetime.timedelta(seconds=2))  # and committed after the count
    Mailbox.objects.update(removed_at=timezone.now())
    assert mailboxes(quiet) == 0


def test_a_small_site_is_counted_each_time():
    root = an_admin()
    an_owner()
    assert mailboxes(root) == 1
    Mailbox.objects.update(removed_at=timezone.now())
    assert mailboxes(root) == 0


def test_nobody_else_is_shown_what_was_counted_of_the_site(quiet: User):
    a_site()
    assert mailboxes(quiet) == 3
    carla = grants.ensure("carla", ["example.org"], actor=ACTOR, password=PASSWORD).row
    assert mailboxes(carla) == 2
