"""Hosting admins: made once, given a new password at will, never out of a mailbox owner."""

from __future__ import annotations

import pytest

from mailstore.directory import admins
from mailstore.directory.outcome import Rejected
from mailstore.models import AuditEntry, User
from tests.site.rows import ACTOR, PASSWORD, a_mailbox

pytestmark = pytest.mark.django_db


def test_a_new_admin_gets_a_password_that_is_told_once() -> None:
    done = admins.ensure("Root", actor=ACTOR)
    user = User.objects.get(address="root")
    assert (done.created, user.role) == (True, "admin")
    assert user.check_password(done.secret)
    assert admins.ensure("root", actor=ACTOR).secret is None


def test_a_second_ensure_sets_the_given_password_once() -> None:
    admins.ensure("root", actor=ACTOR)
    assert set(admins.ensure("root", actor=ACTOR, password=PASSWORD).changes) == {"password_changed_at"}
    assert admins.ensure("root", actor=ACTOR, password=PASSWORD).changes == {}
    assert [entry.verb for entry in AuditEntry.objects.order_by("pk")] == ["admin.create", "admin.change"]


@pytest.mark.parametrize("login", ["", "  ", "two words", "x" * 255, "a\x07b"])
def test_what_is_no_login_is_refused(login: str) -> None:
    with pytest.raises(Rejected, match="not a login"):
        admins.ensure(login, actor=ACTOR)


def test_a_weak_password_is_refused_and_nobody_is_made() -> None:
    with pytest.raises(Rejected, match="too short"):
        admins.ensure("root", actor=ACTOR, password="short")
    assert not User.objects.exists()


def test_a_mailbox_owner_does_not_become_an_admin_by_the_way() -> None:
    a_mailbox("ann@example.org")
    with pytest.raises(Rejected, match="mailbox owner"):
        admins.ensure("ann@example.org", actor=ACTOR)
