"""`mailbox`: what it prints, changes and refuses."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from mailstore.models import Mailbox, User
from tests.management.command_runner import one_line, process, said
from tests.site.rows import PASSWORD, a_domain, a_mailbox, a_message

pytestmark = pytest.mark.django_db
ANN = "ann@example.org"


def test_mailbox_ensure_prints_a_generated_password_that_works() -> None:
    a_domain()
    done = json.loads(said("mailbox", "ensure", ANN, "--quota", "2GB", "--no-web", "--json"))
    assert done["created"]
    assert done["changes"] == {"quota_octets": {"old": None, "new": 2**31}, "web": {"old": True, "new": False}}
    assert User.objects.get(address=ANN).check_password(done["password"])


@pytest.mark.django_db(transaction=True)
def test_mailbox_ensure_takes_a_password_from_stdin_and_prints_none() -> None:
    a_domain()
    done = process("mailbox", "ensure", ANN, "--password-stdin", stdin=f"{PASSWORD}\n".encode())
    assert (done.returncode, done.stdout.decode()) == (0, f"{ANN}: created\n")
    assert User.objects.get(address=ANN).check_password(PASSWORD)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    "words", [("mailbox", "ensure", ANN), ("mailbox", "set-password", ANN), ("admin", "ensure", "root")]
)
def test_a_hash_on_stdin_is_refused_by_the_name_of_its_scheme(words: tuple[str, ...]) -> None:
    a_mailbox()
    done = process(*words, "--password-stdin", stdin=b"$6$salt$" + b"x" * 86 + b"\n")
    assert done.returncode == 1
    assert "password hash (SHA512-CRYPT)" in one_line(done.stderr)
    assert User.objects.get().check_password(PASSWORD)


def test_every_switch_of_mailbox_ensure_goes_both_ways() -> None:
    a_mailbox()
    off = ["--no-pop", "--no-receive", "--no-web", "--no-main-pop", "--suspend", "--hold", "--quota-messages", "7"]
    said("mailbox", "ensure", ANN, *off)
    row = json.loads(said("mailbox", "show", ANN, "--json"))
    names = ("pop", "receives", "web", "main_pop", "suspended", "held", "quota_messages")
    assert [row[name] for name in names] == [False, False, False, False, True, True, 7]
    assert "suspended, no mail in, no POP, no web, devices only, on hold" in said("mailbox", "list")
    on = ["--pop", "--receive", "--web", "--main-pop", "--activate", "--no-hold", "--quota-messages", "none"]
    said("mailbox", "ensure", ANN, *on)
    row = json.loads(said("mailbox", "show", ANN, "--json"))
    assert [row[name] for name in names] == [True, True, True, True, False, False, None]


def test_mailbox_list_keeps_to_a_domain_and_prints_quotas_as_they_are_typed() -> None:
    a_mailbox()
    a_mailbox("zoe@other.org")
    said("mailbox", "ensure", "zoe@other.org", "--quota", "500MB")
    (zoe,) = json.loads(said("mailbox", "list", "--domain", "OTHER.org", "--json"))
    assert (zoe["address"], zoe["quota"], zoe["quota_octets"]) == ("zoe@other.org", "500MB", 500 * 2**20)
    assert len(said("mailbox", "list").splitlines()) == 3


def test_mailbox_set_password_generates_one() -> None:
    a_mailbox()
    output = json.loads(said("mailbox", "set-password", ANN, "--json"))
    assert User.objects.get(address=ANN).check_password(output["password"])


def test_mailbox_set_password_may_ask_for_another_one_first() -> None:
    a_mailbox()
    for words, must in ((["set-password", ANN, "--must-change"], True), (["set-password", ANN], False)):
        said("mailbox", *words)
        assert User.objects.get(address=ANN).must_change_password is must
    said("mailbox", "ensure", ANN, "--must-change")
    assert json.loads(said("mailbox", "show", ANN, "--json"))["must_change_password"] is True


def test_mailbox_remove_needs_a_word_for_the_mail() -> None:
    a_message(a_mailbox())
    with pytest.raises(CommandError, match="contains mail"):
        call_command("mailbox", "remove", ANN)
    assert said("mailbox", "remove", ANN, "--with-mail") == f"{ANN}: removed, with 1 message\n"
    assert json.loads(said("mailbox", "list", "--json")) == []


def test_a_removed_mailbox_is_listed_apart_restored_and_purged() -> None:
    a_message(a_mailbox())
    said("mailbox", "remove", ANN, "--with-mail")
    (row,) = json.loads(said("mailbox", "list", "--removed", "--json"))
    assert (row["address"], row["removed_by"] != "", row["removed_at"] < row["kept_until"]) == (ANN, True, True)
    assert f"removed, kept until {row['kept_until'][:10]}" in said("mailbox", "list", "--removed")
    assert said("mailbox", "restore", ANN) == f"{ANN}: restored, with 1 message\n"
    assert said("mailbox", "list", "--removed").splitlines()[1:] == []
    said("mailbox", "remove", ANN, "--with-mail")
    assert json.loads(said("mailbox", "purge", ANN, "--json")) == {"address": ANN, "purged": True, "messages": 1}
    assert not Mailbox.objects.exists()


def test_rename_says_what_it_did_and_a_second_run_finds_it_done() -> None:
    a_mailbox()
    assert (
        said("mailbox", "rename", ANN, "anna@example.org", "--dry-run").strip()
        == f"{ANN} -> anna@example.org: can be renamed"
    )
    assert User.objects.filter(address=ANN).exists()
    assert said("mailbox", "rename", ANN, "anna@example.org").strip() == f"{ANN} -> anna@example.org: renamed"
    assert said("mailbox", "rename", ANN, "anna@example.org").strip() == f"{ANN} -> anna@example.org: already renamed"


def test_rename_by_a_file_tells_of_each_line_and_ends_with_1_if_one_was_refused(tmp_path: Path) -> None:
    a_mailbox()
    a_mailbox("bob@example.org")
    file = tmp_path / "names.csv"
    file.write_text(
        "old,new\nann@example.org,anna@example.org\nbob@example.org,anna@example.org\nnobody@example.org,x@example.org\n"
    )
    with pytest.raises(CommandError, match="2 of 3 not renamed"):
        call_command("mailbox", "rename", "--file", file)
    assert set(User.objects.values_list("address", flat=True)) == {"anna@example.org", "bob@example.org"}


@pytest.mark.parametrize("words", [(), ("ann@example.org",), ("a@example.org", "b@example.org", "--file", "x.csv")])
def test_rename_wants_two_addresses_or_a_file(words: tuple[str, ...]) -> None:
    with pytest.raises(CommandError, match="OLD and NEW"):
        call_command("mailbox", "rename", *words)


def test_a_quota_below_1_mb_is_set_where_it_is_meant() -> None:
    a_domain()
    said("mailbox", "ensure", "ann@example.org", "--quota", "7KB", "--small-sizes")
    assert Mailbox.objects.get().quota_octets == 7 * 1024
