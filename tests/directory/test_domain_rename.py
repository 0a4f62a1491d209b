"""Renaming a domain: all its addresses follow in one transaction, and the old name stands for the new one."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection, transaction

from mailstore.directory import admins, aliases, domain_removal, domain_rename, domains, grants, mailbox_removal
from mailstore.directory.domain_rename import RenamedDomain
from mailstore.directory.outcome import Rejected
from mailstore.models import Alias, AuditEntry, Domain, Mailbox, User
from tests.site.rows import ACTOR, PASSWORD, a_domain, a_mailbox
from tests.up.programs import until

pytestmark = pytest.mark.django_db
OLD, NEW = "example.org", "new.example"


def rename(old: str = OLD, new: str = NEW) -> RenamedDomain:
    return domain_rename.rename(old, new, actor=ACTOR)


def test_every_address_follows_and_the_rows_stay():
    ann, gone = a_mailbox("ann@example.org"), a_mailbox("gone@example.org")
    mailbox_removal.remove("gone@example.org", actor=ACTOR, with_mail=True)
    a_mailbox("bob@sub.example.org")
    aliases.ensure("@example.org", ["ann@example.org"], actor=ACTOR)
    aliases.ensure("team@sub.example.org", ["ann@example.org", "bob@sub.example.org"], actor=ACTOR)
    aliases.ensure("ann@example.org", ["ann@elsewhere.example"], actor=ACTOR, keep_copy=True)
    User.objects.filter(address="bob@sub.example.org").update(recovery_address="ann@example.org")
    key = Domain.objects.get(name=OLD).pk
    done = rename()
    assert (done.domain.pk, done.domain.name, done.mailboxes, done.aliases) == (key, NEW, 2, 2)
    assert User.objects.get(pk=ann.user_id).address == "ann@new.example"
    assert User.objects.get(pk=gone.user_id).address == "gone@new.example"
    assert Alias.objects.get(address="@new.example").targets == ["ann@new.example"]
    assert Alias.objects.get(address="ann@new.example").mailbox == ann
    assert Alias.objects.get(address="team@sub.example.org").targets == ["ann@new.example", "bob@sub.example.org"]
    bob = User.objects.get(address="bob@sub.example.org")
    assert bob.recovery_address == "ann@new.example"


def test_the_old_name_stands_for_the_new_one_as_do_its_alias_domains():
    a_domain()
    domains.ensure("alias.example", actor=ACTOR, stands_for=Domain.objects.get(name=OLD))
    rename()
    standing = Domain.objects.filter(stands_for__name=NEW).values_list("name", flat=True)
    assert set(standing) == {OLD, "alias.example"}


def test_an_alias_domain_can_be_renamed_and_its_old_name_stands_for_the_same():
    a_domain()
    domains.ensure("alias.example", actor=ACTOR, stands_for=Domain.objects.get(name=OLD))
    rename("alias.example", NEW)
    assert set(Domain.objects.filter(stands_for__name=OLD).values_list("name", flat=True)) == {"alias.example", NEW}


def test_it_gets_its_old_name_back():
    ann = a_mailbox()
    key = Domain.objects.get(name=OLD).pk
    rename()
    rename(NEW, OLD)
    assert Domain.objects.get(name=OLD).pk == key
    assert Domain.objects.get(name=NEW).stands_for_id == key
    assert User.objects.get(pk=ann.user_id).address == "ann@example.org"


def test_its_admins_go_on_administering_it():
    a_domain()
    carla = grants.ensure("carla", [OLD], actor=ACTOR, password=PASSWORD).row
    rename()
    assert [grant.domain.name for grant in carla.grants.all()] == [NEW]


def test_a_name_that_is_taken_is_refused_with_what_to_do():
    a_domain()
    a_domain("other.example")
    a_domain("gone.example")
    domain_removal.remove("gone.example", actor=ACTOR, with_mailboxes=True)
    for new, reason in {
        "other.example": "one by one",
        "gone.example": "removed",
        OLD: "has this name already",
        "no ending": "not a domain name",
    }.items():
        with pytest.raises(Rejected, match=reason):
            rename(new=new)


def test_addresses_that_collide_are_named_and_nothing_changes():
    a_mailbox("ann@example.org")
    a_mailbox("bob@example.org")
    admins.ensure("bob@new.example", actor=ACTOR, password=PASSWORD)
    with pytest.raises(Rejected, match=r"bob@new\.example"):
        rename()
    assert User.objects.filter(address="ann@example.org").exists()


def test_a_name_so_long_that_an_address_would_be_too_long_is_refused():
    a_mailbox(f"{'a' * 64}@example.org")
    long_name = ".".join(["b" * 60] * 3 + ["example"])
    with pytest.raises(Rejected, match="too long"):
        rename(new=long_name)


def test_a_check_changes_nothing():
    a_mailbox()
    done = domain_rename.check(OLD, NEW, actor=ACTOR)
    assert (done.mailboxes, done.aliases, done.refusal, done.collisions) == (1, 0, "", [])
    assert Domain.objects.get().name == OLD


def test_a_check_lists_all_that_collides_also_with_a_domain_that_is_there():
    for name in ("ann", "bob", "cid", "dan", "eve"):
        a_mailbox(f"{name}@example.org")
    a_mailbox("ann@new.example")
    a_mailbox("bob@new.example")
    mailbox_removal.remove("bob@new.example", actor=ACTOR, with_mail=True)
    aliases.ensure("cid@new.example", ["ann@new.example"], actor=ACTOR)
    admins.ensure("dan@new.example", actor=ACTOR, password=PASSWORD)
    aliases.ensure("@example.org", ["ann@example.org"], actor=ACTOR)
    aliases.ensure("@new.example", ["ann@new.example"], actor=ACTOR)
    checked = domain_rename.check(OLD, NEW, actor=ACTOR)
    assert "one by one" in checked.refusal
    assert [(each.address, each.reason) for each in checked.collisions] == [
        ("ann@new.example", "mailbox"),
        ("bob@new.example", "removed mailbox"),
        ("cid@new.example", "alias"),
        ("dan@new.example", "administrator"),
        ("@new.example", "alias"),
    ]


def test_a_check_lists_what_collides_with_the_domain_that_the_other_name_stands_for():
    for address in ("ann@example.org", "bob@example.org", "ann@third.example"):
        a_mailbox(address)
    domains.ensure(NEW, actor=ACTOR, stands_for=Domain.objects.get(name="third.example"))
    (found,) = domain_rename.check(OLD, NEW, actor=ACTOR).collisions
    assert (found.address, found.reason, found.holder) == ("ann@new.example", "mailbox", "ann@third.example")


def test_names_that_stand_for_the_same_domain_do_not_collide():
    a_mailbox()
    domains.ensure(NEW, actor=ACTOR, stands_for=Domain.objects.get(name=OLD))
    checked = domain_rename.check(OLD, NEW, actor=ACTOR)
    assert (checked.refusal, checked.collisions) == ("", [])


def test_each_owner_sees_it_in_the_history():
    box = a_mailbox()
    rename()
    entry = AuditEntry.objects.get(verb="mailbox.rename")
    assert (entry.mailbox_id, entry.subject, entry.details["old_address"]) == (
        box.pk,
        "ann@new.example",
        "ann@example.org",
    )
    details = AuditEntry.objects.get(verb="domain.rename").details
    assert details == {"old_name": OLD, "mailboxes": 1, "aliases": 0, "undo_data": {"made_alias": True}}


def test_the_statements_do_not_grow_with_the_mailboxes(django_assert_max_num_queries):
    for number in range(30):
        a_mailbox(f"box{number}@example.org")
    with django_assert_max_num_queries(30):
        rename()
    assert Mailbox.objects.filter(user__address__endswith="@new.example").count() == 30


@pytest.mark.django_db(transaction=True)
def test_a_mailbox_that_is_purged_meanwhile_ends_neither_the_rename_nor_the_purge_in_a_deadlock():
    """The harm: the rename held the user and waited for the mailbox, the purge the other way round."""
    a_mailbox("kept@example.org")
    gone = a_mailbox("gone@example.org")
    with ThreadPoolExecutor(1) as other:
        with transaction.atomic():
            purged = Mailbox.objects.select_for_update(of=("self",)).select_related("user").get(pk=gone.pk)
            renaming = other.submit(_rename_elsewhere)
            until(_somebody_waits, "the rename waits for the purge")
            AuditEntry.objects.filter(mailbox=purged).update(mailbox=None)
            purged.user.delete()
        assert renaming.result(30).mailboxes == 1
    assert set(User.objects.filter(mailbox__isnull=False).values_list("address", flat=True)) == {"kept@new.example"}


def _rename_elsewhere() -> RenamedDomain:
    try:
        return rename()
    finally:
        connection.close()


def _somebody_waits() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_locks WHERE NOT granted")  # fresh within a transaction too
        return bool(cursor.fetchone()[0])
