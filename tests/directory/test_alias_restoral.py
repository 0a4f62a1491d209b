"""A removed alias comes back as it was, unless something else has its name by now."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from mailstore.directory import (
    aliases,
    domain_removal,
    domain_rename,
    domains,
    mailbox_removal,
    mailbox_rename,
    mailboxes,
)
from mailstore.directory.outcome import Rejected
from mailstore.models import Alias, AuditEntry
from tests.site.rows import ACTOR, PASSWORD, a_domain, a_mailbox, at_once

pytestmark = pytest.mark.django_db
INFO, AWAY = "info@example.org", "away@elsewhere.example"


def removed(address: str = INFO, targets: tuple[str, ...] = (AWAY,), **fields: Any) -> AuditEntry:
    a_domain()
    aliases.ensure(address, targets, actor=ACTOR, **fields)
    return aliases.remove(address, actor=ACTOR)


def columns(address: str = INFO) -> dict[str, Any]:
    row = Alias.objects.filter(address=address).values().get()
    del row["id"]
    return row


def test_it_comes_back_as_it_was() -> None:
    a_domain()
    ends = timezone.now() + timedelta(days=9)
    aliases.ensure(INFO, [AWAY, "b@x.example"], actor=ACTOR, comment="the desk", active=False, expires_at=ends)
    before = columns()
    aliases.restore(aliases.remove(INFO, actor=ACTOR), actor=ACTOR)
    assert columns() == before
    assert AuditEntry.objects.latest("pk").verb == "alias.restore"


def test_a_forward_comes_back_with_its_mailbox() -> None:
    mailbox = a_mailbox("ann@example.org")
    entry = removed("ann@example.org", keep_copy=True)
    restored = aliases.restore(entry, actor=ACTOR)
    assert (restored.mailbox, restored.keep_copy) == (mailbox, True)


def test_a_catch_all_comes_back() -> None:
    aliases.restore(removed("@example.org"), actor=ACTOR)
    assert Alias.objects.get().address == "@example.org"


def test_it_comes_back_under_the_names_that_its_domain_its_mailbox_and_its_targets_have_by_now() -> None:
    mailbox = a_mailbox("ann@example.org")
    a_mailbox("bob@example.org")
    entry, forward = removed(targets=("bob@example.org", AWAY)), removed("ann@example.org", keep_copy=True)
    mailbox_rename.rename("ann@example.org", "anna@example.org", actor=ACTOR)
    mailbox_rename.rename("bob@example.org", "bobby@example.org", actor=ACTOR, keep_alias=False)
    domain_rename.rename("example.org", "example.com", actor=ACTOR)
    assert aliases.restore(entry, actor=ACTOR).targets == ["bobby@example.com", AWAY]
    restored = aliases.restore(forward, actor=ACTOR)
    assert (restored.address, restored.mailbox) == ("anna@example.com", mailbox)
    assert Alias.objects.filter(address="info@example.com").exists()
    with pytest.raises(Rejected, match=r"info@example\.com is an alias again"):
        aliases.restore(entry, actor=ACTOR)


def test_a_forward_does_not_follow_its_mailbox_into_another_domain() -> None:
    a_domain("other.org")
    a_mailbox("ann@example.org")
    forward = removed("ann@example.org", keep_copy=True)
    mailbox_rename.rename("ann@example.org", "ann@other.org", actor=ACTOR, keep_alias=False)
    with pytest.raises(Rejected, match="forwarding was not restored"):
        aliases.restore(forward, actor=ACTOR)


def test_its_name_is_taken_by_another_alias() -> None:
    entry = removed()
    aliases.ensure(INFO, ["other@x.example"], actor=ACTOR)
    with pytest.raises(Rejected, match="is an alias again"):
        aliases.restore(entry, actor=ACTOR)
    assert Alias.objects.get().targets == ["other@x.example"]


def test_of_two_removals_the_older_one_does_not_bring_back_its_targets() -> None:
    older = removed()
    newer = removed(targets=("new@x.example",))
    with pytest.raises(Rejected, match="only the latest removal can be undone"):
        aliases.restore(older, actor=ACTOR)
    assert aliases.restore(newer, actor=ACTOR).targets == ["new@x.example"]


def test_its_name_is_taken_by_a_mailbox() -> None:
    entry = removed()
    mailboxes.ensure(INFO, actor=ACTOR, password=PASSWORD)
    with pytest.raises(Rejected, match="is a mailbox now"):
        aliases.restore(entry, actor=ACTOR)


def test_its_domain_is_another_one_of_that_name() -> None:
    entry = removed()
    domain_removal.remove("example.org", actor=ACTOR, with_mailboxes=True)
    with pytest.raises(Rejected, match="was removed on"):
        aliases.restore(entry, actor=ACTOR)
    domain_removal.purge_now("example.org", actor=ACTOR)
    with pytest.raises(Rejected, match="deleted for good"):
        aliases.restore(entry, actor=ACTOR)
    a_domain()
    with pytest.raises(Rejected, match="deleted for good"):
        aliases.restore(entry, actor=ACTOR)


def test_its_mailbox_is_another_one_of_that_name() -> None:
    a_mailbox("ann@example.org")
    entry = removed("ann@example.org", keep_copy=True)
    mailbox_removal.remove("ann@example.org", actor=ACTOR, with_mail=True)
    mailbox_removal.purge_now("ann@example.org", actor=ACTOR)
    a_mailbox("ann@example.org")
    with pytest.raises(Rejected, match="its forwarding was not restored"):
        aliases.restore(entry, actor=ACTOR)


def test_there_is_no_room_any_more() -> None:
    entry = removed()
    domains.ensure("example.org", actor=ACTOR, alias_limit=1)
    aliases.ensure("other@example.org", [AWAY], actor=ACTOR)
    with pytest.raises(Rejected, match="alias limit"):
        aliases.restore(entry, actor=ACTOR)


def test_it_would_close_a_loop_by_now() -> None:
    entry = removed(targets=("b@example.org",))
    aliases.ensure("b@example.org", [INFO], actor=ACTOR)
    with pytest.raises(Rejected, match="back to itself"):
        aliases.restore(entry, actor=ACTOR)


def test_it_has_expired_meanwhile() -> None:
    entry = removed(expires_at=timezone.now() + timedelta(days=1))
    entry.details["undo_data"]["expires_at"] = (timezone.now() - timedelta(days=1)).isoformat()
    with pytest.raises(Rejected, match="expired already"):
        aliases.restore(entry, actor=ACTOR)


def test_an_entry_of_an_older_version_has_not_everything() -> None:
    entry = removed()
    del entry.details["undo_data"]
    with pytest.raises(Rejected, match="create it again"):
        aliases.restore(entry, actor=ACTOR)
    with pytest.raises(Rejected, match="create it again"):
        aliases.restore(AuditEntry.objects.filter(verb="alias.create").get(), actor=ACTOR)


@pytest.mark.django_db(transaction=True)
def test_of_two_who_restore_it_at_once_one_is_refused_by_name() -> None:
    entry = removed()
    outcomes = at_once(*[lambda: aliases.restore(entry, actor=ACTOR)] * 2)
    assert Alias.objects.count() == 1
    assert sorted(type(each).__name__ for each in outcomes) == ["Alias", "Rejected"]
