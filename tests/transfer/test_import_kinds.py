"""Files of aliases, of domains, and of rows of several kinds: from here and from other programs."""

from __future__ import annotations

from collections.abc import Collection

import pytest

from mailstore.directory import aliases, domain_rename, mailboxes
from mailstore.directory.outcome import Rejected
from mailstore.models import Alias, Domain, Mailbox, MailboxImport, MailboxImportRow
from mailstore.transfer import mailbox_import, mailbox_import_changes, mailbox_import_undo
from tests.site.rows import ACTOR, PASSWORD, a_domain, a_mailbox
from tests.transfer.test_mailbox_import import run_steps

pytestmark = pytest.mark.django_db


def brought(*lines: str, mode: str = "create", domains_of: Collection[str] | None = None) -> MailboxImport:
    """Bring in a file as it is guessed, and check it."""
    upload = mailbox_import.bring_in("\n".join(lines).encode(), "file.csv", owner=None)
    mailbox_import.choose(upload, upload.meaning, mode)
    return run_steps(upload, domains_of)


def carried_out(*lines: str, mode: str = "create") -> MailboxImport:
    upload = brought(*lines, mode=mode)
    mailbox_import.start(upload)
    return run_steps(upload)


def fates(upload: MailboxImport) -> dict[str, str]:
    return dict(MailboxImportRow.objects.filter(mailbox_import=upload).values_list("address", "fate"))


def detail(upload: MailboxImport, address: str) -> str:
    return MailboxImportRow.objects.get(mailbox_import=upload, address=address).detail


def targets() -> dict[str, list[str]]:
    return dict(Alias.objects.values_list("address", "targets"))


def undo(upload: MailboxImport) -> None:
    while mailbox_import_undo.step(upload, actor=ACTOR, domains=None):
        pass


def test_a_file_of_aliases_makes_aliases_and_leaves_the_mail_to_their_targets() -> None:
    """The harm: `address,goto` made a mailbox `info@` that took the mail away from its targets."""
    a_mailbox("ann@example.org")
    upload = carried_out("address,goto", "info@example.org,ann@example.org", "Sales@example.org,ann@example.org")
    assert upload.kind == "aliases"
    assert targets() == {"info@example.org": ["ann@example.org"], "sales@example.org": ["ann@example.org"]}
    assert Mailbox.objects.count() == 1


def test_a_check_of_aliases_keeps_nothing_of_them() -> None:
    a_domain()
    upload = brought("address,goto", "info@example.org,ann@elsewhere.example")
    assert fates(upload) == {"info@example.org": "create"}
    assert not Alias.objects.exists()


@pytest.mark.parametrize("between", [" ", "; ", ", ", ","])
def test_a_cell_may_have_several_targets(between: str) -> None:
    a_domain()
    carried_out("address|goto", f"info@example.org|ann@elsewhere.example{between}bob@elsewhere.example")
    assert targets() == {"info@example.org": ["ann@elsewhere.example", "bob@elsewhere.example"]}


def test_without_names_of_columns_each_cell_behind_the_first_is_a_target() -> None:
    a_domain()
    carried_out("info@example.org,ann@elsewhere.example", "all@example.org,ann@elsewhere.example,bob@elsewhere.example")
    assert targets()["all@example.org"] == ["ann@elsewhere.example", "bob@elsewhere.example"]


def test_an_alias_may_lead_to_one_that_stands_further_down() -> None:
    a_mailbox("ann@example.org")
    upload = carried_out("address,goto", "a@example.org,b@example.org", "b@example.org,ann@example.org")
    assert fates(upload) == {"a@example.org": "create", "b@example.org": "create"}
    assert mailbox_import_changes.nowhere(detail(upload, "a@example.org")) == []


def test_the_row_that_closes_a_loop_is_wrong_in_the_check_already() -> None:
    a_domain()
    upload = brought(
        "address,goto", "a@example.org,b@example.org", "b@example.org,c@example.org", "c@example.org,a@example.org"
    )
    assert fates(upload) == {"a@example.org": "create", "b@example.org": "create", "c@example.org": "wrong"}
    assert detail(upload, "c@example.org") == "c@example.org would lead back to itself"
    assert not Alias.objects.exists()


def test_a_loop_over_rows_of_different_steps_is_found_too() -> None:
    a_domain()
    lines = [f"a{n}@example.org,x@elsewhere.example" for n in range(150)]
    upload = brought("address,goto", "first@example.org,last@example.org", *lines, "last@example.org,first@example.org")
    assert fates(upload)["last@example.org"] == "wrong"


def test_the_check_names_targets_that_lead_to_nobody_and_the_row_may_be_imported() -> None:
    a_mailbox("ann@example.org")
    upload = brought("address,goto", "info@example.org,ann@example.org lost@example.org who@elsewhere.example")
    assert mailbox_import_changes.nowhere(detail(upload, "info@example.org")) == ["lost@example.org"]
    assert mailbox_import.counts(upload)["nowhere"] == 1
    assert fates(upload) == {"info@example.org": "create"}


def test_a_mailbox_that_leads_to_itself_needs_no_alias_and_one_that_leads_on_says_whether_it_keeps_a_copy() -> None:
    """As PostfixAdmin writes them: each mailbox is in the file of aliases too."""
    for name in ("ann", "bob", "eve"):
        a_mailbox(f"{name}@example.org")
    upload = carried_out(
        "address,goto",
        "ann@example.org,ann@example.org",
        "bob@example.org,bob@elsewhere.example",
        'eve@example.org,"eve@example.org,eve@elsewhere.example"',
    )
    assert fates(upload)["ann@example.org"] == "same"
    kept = dict(Alias.objects.values_list("address", "keep_copy"))
    assert kept == {"bob@example.org": False, "eve@example.org": True}


def test_an_import_of_aliases_is_undone_row_by_row() -> None:
    a_domain()
    aliases.ensure("old@example.org", ["x@elsewhere.example"], actor=ACTOR)
    upload = carried_out(
        "address,goto",
        "old@example.org,y@elsewhere.example",
        "new@example.org,x@elsewhere.example",
        "kept@example.org,x@elsewhere.example",
        mode="both",
    )
    aliases.ensure("kept@example.org", ["z@elsewhere.example"], actor=ACTOR)
    undo(upload)
    assert targets() == {"old@example.org": ["x@elsewhere.example"], "kept@example.org": ["z@elsewhere.example"]}
    assert detail(upload, "kept@example.org") == "somebody has changed it since then: not undone"


def test_aliases_and_domains_that_were_renamed_since_are_undone_all_the_same() -> None:
    a_domain("old.example")
    upload = carried_out("domain,active", "example.org,yes", "old.example,no", mode="both")
    of_aliases = carried_out("address,goto", "new@example.org,x@elsewhere.example")
    for old, new in (("example.org", "example.com"), ("old.example", "old.com")):
        domain_rename.rename(old, new, actor=ACTOR)
    assert list(targets()) == ["new@example.com"]
    undo(of_aliases)
    assert targets() == {}
    undo(upload)
    assert "example.org is an alias of example.com: remove it first" in detail(upload, "example.org")
    assert Domain.objects.get(name="old.com").active


def test_a_file_of_domains_makes_domains_and_those_that_stand_for_them_in_any_order() -> None:
    upload = carried_out(
        "domain,stands_for,max mailboxes,mailbox_limit", "example.net,example.org,,", "Example.org,,,50"
    )
    assert upload.kind == "domains"
    assert Domain.objects.get(name="example.net").stands_for == Domain.objects.get(name="example.org")
    assert Domain.objects.get(name="example.org").mailbox_limit == 50
    undo(upload)
    assert not Domain.objects.filter(removed_at=None).exists()


@pytest.mark.parametrize("preset", ["", "postfixadmin", "mailcow"])
def test_the_alias_domains_of_other_programs_are_no_domains_of_their_own(preset: str) -> None:
    """The harm: the column of the target was left out, and the alias domain became a domain without addresses."""
    lines = "domain,target_domain,active", "old.example,example.org,1", "example.org,,1"
    upload = mailbox_import.bring_in("\n".join(lines).encode(), "domains.csv", owner=None)
    if preset:
        mailbox_import.use_preset(upload, preset)
        upload.refresh_from_db()
    mailbox_import.choose(upload, upload.meaning, "create")
    mailbox_import.start(run_steps(upload))
    run_steps(upload)
    assert dict(Domain.objects.values_list("name", "stands_for__name")) == {
        "example.org": None,
        "old.example": "example.org",
    }


def test_a_domain_admin_makes_no_domain_and_no_alias_of_others() -> None:
    a_domain("example.org")
    a_domain("other.org")
    assert fates(brought("domain", "new.org", domains_of=["example.org"])) == {"new.org": "wrong"}
    upload = brought("address,goto", "a@other.org,x@y.example", "a@example.org,x@y.example", domains_of=["example.org"])
    assert fates(upload) == {"a@other.org": "wrong", "a@example.org": "create"}


MODOBOA = (
    "alias; info@example.org; True; ann@example.org",
    "forward; bob@example.org; True; bob@elsewhere.example; bob@example.org",
    "dlist; all@example.org; True; ann@example.org; bob@example.org",
    "domain; example.org; 100; 10; True",
    "domainalias; example.net; example.org; True",
    f"account; ann@example.org; {PASSWORD}; Ann; Smith; True; SimpleUsers; ann@example.org; 1024",
    f"account; bob@example.org; {PASSWORD}; Bob; ; False; SimpleUsers; bob@example.org; 0",
    "relaydomain; relay.org; mx.relay.org; 25; relay; True; False",
)


def test_a_file_of_modoboa_has_rows_of_several_kinds_in_any_order_and_its_quotas_are_megabytes() -> None:
    upload = brought(*MODOBOA)
    assert upload.kind == "mixed"
    (relayed,) = MailboxImportRow.objects.filter(mailbox_import=upload, fate="wrong")
    assert (relayed.address, relayed.column) == ("relay.org", "kind")
    assert relayed.detail.startswith("relaydomain is no kind of row")
    assert not Domain.objects.exists()
    mailbox_import.start(upload)
    run_steps(upload)
    ann, bob = (
        Mailbox.objects.select_related("user").get(user__address=f"{name}@example.org") for name in ("ann", "bob")
    )
    assert (ann.user.name, ann.quota_octets, ann.user.is_active) == ("Ann Smith", 2**30, True)
    assert ann.user.check_password(PASSWORD)
    assert (bob.quota_octets, bob.user.is_active) == (None, False)
    assert targets() == {
        "info@example.org": ["ann@example.org"],
        "all@example.org": ["ann@example.org", "bob@example.org"],
        "bob@example.org": ["bob@elsewhere.example"],
    }
    assert Alias.objects.get(address="bob@example.org").keep_copy
    undo(upload)
    assert not Alias.objects.exists()
    assert not Mailbox.objects.filter(removed_at=None).exists()
    assert not Domain.objects.filter(removed_at=None).exists()


@pytest.mark.parametrize(
    ("lines", "quota_octets"),
    [
        (
            [
                "username,password,name,maildir,quota,local_part,domain,active",
                "ann@example.org,,Ann,x,1048576,ann,example.org,1",
            ],
            2**20,
        ),
        (
            [
                "username,password,name,maildir,quota,local_part,domain,active",
                "ann@example.org,,Ann,x,0,ann,example.org,1",
            ],
            None,
        ),
        (["local_part,domain,name,quota", "ann,example.org,Ann,1024"], 2**30),
        (["Email,Password,Quota", "ann@example.org,,1024"], 2**30),
        (["Email,Password,Quota", "ann@example.org,,unlimited"], None),
    ],
)
def test_a_program_is_known_by_its_columns_and_its_units_with_it(lines: list[str], quota_octets: int | None) -> None:
    a_domain()
    mailboxes.ensure("other@example.org", actor=ACTOR)
    carried_out(*lines)
    assert Mailbox.objects.get(user__address="ann@example.org").quota_octets == quota_octets


def test_a_wrong_row_shows_its_address() -> None:
    a_domain()
    upload = brought("address,quota", "Ann@example.org,many", "no address,")
    assert fates(upload) == {"ann@example.org": "wrong", "no address": "wrong"}


def test_an_answer_for_the_whole_column_gives_its_numbers_a_unit() -> None:
    a_domain()
    upload = brought("address,quota", "ann@example.org,1024", "bob@example.org,0")
    assert set(fates(upload).values()) == {"wrong"}
    mailbox_import.choose(upload, upload.meaning, "create", reading=mailbox_import.Reading("MB", "none"))
    assert set(fates(run_steps(upload)).values()) == {"create"}
    mailbox_import.start(upload)
    run_steps(upload)
    assert list(Mailbox.objects.order_by("user__address").values_list("quota_octets", flat=True)) == [2**30, None]


def test_sizes_below_1_mb_are_taken_once_they_are_confirmed_for_the_file() -> None:
    a_domain()
    upload = brought("address,quota", "ann@example.org,1024", "bob@example.org,0", "cid@example.org,7KB")
    mailbox_import.choose(upload, upload.meaning, "create", reading=mailbox_import.Reading("B", "0B"))
    assert fates(run_steps(upload)) == {
        "ann@example.org": "wrong",
        "bob@example.org": "create",  # what 0 means was asked, and answered
        "cid@example.org": "wrong",
    }
    mailbox_import.choose(upload, upload.meaning, "create", reading=mailbox_import.Reading("B", "0B", small=True))
    mailbox_import.start(run_steps(upload))
    run_steps(upload)
    assert list(Mailbox.objects.order_by("user__address").values_list("quota_octets", flat=True)) == [1024, 0, 7168]


def test_passwords_of_another_server_may_be_weak_and_their_users_are_asked_for_better_ones() -> None:
    a_domain()
    lines = ("address,password", "ann@example.org,sesame", f"bob@example.org,{PASSWORD}")
    upload = brought(*lines)
    assert fates(upload) == {"ann@example.org": "wrong", "bob@example.org": "create"}
    mailbox_import.choose(upload, upload.meaning, "create", existing_passwords=True)
    mailbox_import.start(run_steps(upload))
    run_steps(upload)
    ann, bob = (Mailbox.objects.get(user__address=f"{name}@example.org").user for name in ("ann", "bob"))
    assert ann.check_password("sesame")
    assert (ann.must_change_password, bob.must_change_password) == (True, False)


def test_a_kind_that_does_not_fit_is_refused() -> None:
    a_domain()
    upload = mailbox_import.bring_in(b"address\nann@example.org\n", "x.csv", owner=None)
    mailbox_import.use_kind(upload, "aliases")
    upload.refresh_from_db()
    with pytest.raises(Rejected, match="one column must contain the targets"):
        mailbox_import.choose(upload, upload.meaning, "create")
    with pytest.raises(Rejected, match="choose what the rows are"):
        mailbox_import.use_kind(upload, "groups")
