"""`mailbox`: passwords from other servers, and hashes for another server."""

from __future__ import annotations

import json

import pytest
from django.contrib.auth.hashers import check_password
from django.core.management import call_command
from django.core.management.base import CommandError

from mailstore.models import AuditEntry, User
from mailstore.policy import foreign_hash
from tests.management.command_runner import one_line, process, said
from tests.site.rows import PASSWORD, a_domain, a_mailbox

pytestmark = pytest.mark.django_db
ANN = "ann@example.org"
SECRET = "Café2026!xk"
SHA = "{SHA}6gm4jsWoFH5igA6J+AlB2spqT1U="  # of SECRET


def test_ensure_and_set_password_take_the_hash_of_an_existing_password() -> None:
    a_domain()
    assert said("mailbox", "ensure", ANN, "--password-hash", SHA) == f"{ANN}: created\n"
    assert check_password(SECRET, User.objects.get().password)
    assert said("mailbox", "ensure", ANN, "--password-hash", SHA) == f"{ANN}: unchanged\n"
    said("mailbox", "set-password", ANN)
    assert said("mailbox", "set-password", ANN, "--password-hash", SHA) == f"{ANN}: password changed\n"
    assert check_password(SECRET, User.objects.get().password)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("verb", ["ensure", "set-password"])
def test_a_hash_is_read_from_standard_input(verb: str) -> None:
    a_mailbox()
    done = process("mailbox", verb, ANN, "--password-hash-stdin", stdin=f"{SHA}\n".encode())
    assert done.returncode == 0, done.stderr
    assert SECRET.encode() not in done.stdout
    assert check_password(SECRET, User.objects.get().password)
    done = process("mailbox", verb, ANN, "--password-hash-stdin")
    assert done.returncode == 2
    assert "standard input is empty" in one_line(done.stderr)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{CRAM-MD5}" + "e" * 64, "CRAM-MD5: take it in another scheme"),
        (PASSWORD, "not a password hash that is known"),
        ("$2y$13$" + "a" * 53, "hold up the sign-ins"),
    ],
)
def test_what_is_no_hash_that_can_be_used_is_refused_and_changes_nothing(text: str, words: str) -> None:
    a_mailbox()
    for verb in ("ensure", "set-password"):
        with pytest.raises(CommandError, match=words):
            call_command("mailbox", verb, ANN, "--password-hash", text)
    assert check_password(PASSWORD, User.objects.get().password)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("verb", ["ensure", "set-password"])
def test_a_weak_existing_password_needs_the_word_and_is_then_asked_for_on_the_pages(verb: str) -> None:
    a_mailbox()
    refused = process("mailbox", verb, ANN, "--password-stdin", stdin=b"sesame\n")
    assert (refused.returncode, check_password(PASSWORD, User.objects.get().password)) == (1, True)
    done = process("mailbox", verb, ANN, "--password-stdin", "--existing-passwords", stdin=b"sesame\n")
    assert done.returncode == 0, done.stderr
    user = User.objects.get()
    assert (check_password("sesame", user.password), user.must_change_password) == (True, True)
    hashed = process("mailbox", verb, ANN, "--password-stdin", "--existing-passwords", stdin=f"{SHA}\n".encode())
    assert hashed.returncode == 1, "not even then is a hash a password"
    assert "password hash (SHA), not like a password: give it by --password-hash-stdin" in one_line(hashed.stderr)


def test_the_word_alone_is_no_password_and_two_passwords_are_too_many() -> None:
    a_mailbox()
    with pytest.raises(CommandError, match="--existing-passwords needs --password-stdin"):
        call_command("mailbox", "set-password", ANN, "--existing-passwords")
    with pytest.raises(CommandError, match="not allowed with"):
        call_command("mailbox", "set-password", ANN, "--password-stdin", "--password-hash", SHA)


@pytest.mark.django_db(transaction=True)
def test_blanks_around_a_new_password_are_refused() -> None:
    a_mailbox()
    done = process("mailbox", "set-password", ANN, "--password-stdin", stdin=b"correct horse battery \n")
    assert done.returncode == 1
    assert "The password begins or ends with a blank: remove it." in one_line(done.stderr)


def test_hashes_are_exported_on_request_with_an_entry_that_the_owner_sees() -> None:
    a_mailbox()
    a_mailbox("bob@other.org")
    said("mailbox", "set-password", ANN, "--password-hash", SHA)
    User.objects.filter(address="bob@other.org").update(password="!nothing")
    assert "password_hash" not in said("mailbox", "list", "--json")
    ann, bob = json.loads(said("mailbox", "list", "--with-hashes", "--json"))
    assert (ann["address"], ann["password_hash"], bob["password_hash"]) == (ANN, SHA, None)
    entries = AuditEntry.objects.filter(verb="mailbox.hashes").order_by("subject")
    assert list(entries.values_list("subject", "mailbox__user__address")) == [
        (ANN, ANN),
        ("bob@other.org", "bob@other.org"),
    ]
    assert SHA not in str(list(AuditEntry.objects.values()))
    assert len(json.loads(said("mailbox", "list", "--domain", "other.org", "--with-hashes", "--json"))) == 1
    with pytest.raises(CommandError, match="--with-hashes needs --json"):
        call_command("mailbox", "list", "--with-hashes")


def test_what_was_exported_here_comes_in_elsewhere_as_it_was() -> None:
    a_mailbox()
    (row,) = json.loads(said("mailbox", "list", "--with-hashes", "--json"))
    stored = User.objects.get().password
    said("mailbox", "set-password", ANN)
    said("mailbox", "set-password", ANN, "--password-hash", row["password_hash"])
    assert User.objects.get().password == stored
    assert not foreign_hash.is_stored(stored)
