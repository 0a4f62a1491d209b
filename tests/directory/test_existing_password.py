"""Passwords that existed elsewhere: what becomes of them, and that the first right one gets a hash of our own."""

from __future__ import annotations

from threading import Barrier, Thread

import bcrypt
import pytest
from django.contrib.auth.hashers import check_password
from django.db import connection
from hypothesis import given
from hypothesis import settings as given_settings
from hypothesis import strategies as st

from mailstore.directory import existing_password, imported_hash, mailboxes, new_password, password_match
from mailstore.directory.existing_password import ExistingPassword
from mailstore.directory.imported_hash import exported
from mailstore.directory.outcome import Rejected
from mailstore.directory.password_hasher import Argon2
from mailstore.models import User
from mailstore.policy import foreign_hash
from tests import doveadm
from tests.signin.counting_hasher import Counting
from tests.site.rows import ACTOR, PASSWORD, a_domain, a_mailbox

ANN, SECRET = "ann@example.org", "Café2026!xk"
SHA = "{SHA}6gm4jsWoFH5igA6J+AlB2spqT1U="  # of SECRET


def moved(text: str) -> User:
    """The user of a mailbox that was made with this hash."""
    a_domain()
    return mailboxes.ensure(ANN, actor=ACTOR, password=existing_password.of_hash(text)).row.user


@pytest.mark.real
@pytest.mark.django_db
@pytest.mark.parametrize("scheme", doveadm.SCHEMES)
def test_the_password_of_every_scheme_of_dovecot_opens_the_pages_and_is_hashed_anew(client, scheme: str) -> None:
    user = moved(doveadm.hash_of(scheme, SECRET))
    assert foreign_hash.is_stored(user.password) is (scheme.partition(".")[0] not in doveadm.PLAIN)
    assert client.post("/sign-in/", {"username": ANN, "password": "x" + SECRET}).status_code == 200
    response = client.post("/sign-in/", {"username": ANN, "password": SECRET})
    assert response.status_code == 302
    user.refresh_from_db()
    assert user.password.startswith(Argon2.algorithm)
    assert check_password(SECRET, user.password)
    assert client.get("/mailbox/").status_code == 200, "the session is of the new hash"


@pytest.mark.real
@pytest.mark.parametrize("scheme", doveadm.REFUSED)
def test_what_cannot_be_used_is_refused_by_name_with_what_to_do(scheme: str) -> None:
    with pytest.raises(Rejected, match=f"scheme {scheme}: .*new password") as refusal:
        existing_password.of_hash(doveadm.hash_of(scheme, SECRET))
    assert refusal.value.field == "password"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("secret", "not a password hash that is known"),
        ("$6$rounds=999999$s$" + "x" * 86, "hold up the sign-ins"),
        ("{SHA}short", "incomplete"),
        ("!$6$s$" + "x" * 86, "suspend the mailbox"),
    ],
)
def test_each_other_refusal_says_what_is_wrong(text: str, words: str) -> None:
    with pytest.raises(Rejected, match=words):
        existing_password.of_hash(text)


@pytest.mark.django_db
@pytest.mark.parametrize("text", [SHA, "$1$1hUQ6A/J$t6/ZQ0sw6brcPvdst3arc/", "$2y$05$" + "a" * 53])
def test_on_the_pages_too_a_stranger_pays_one_slow_hash_for_a_foreign_one(client, settings, text: str) -> None:
    settings.PASSWORD_HASHERS = [
        "tests.signin.counting_hasher.Counting",
        "mailstore.directory.password_hasher.Imported",
    ]
    moved(text)
    for name, password in ((ANN, "wrong"), ("nobody@example.org", "wrong"), (ANN, SECRET)):
        before = Counting.hashed
        client.post("/sign-in/", {"username": name, "password": password})
        assert Counting.hashed - before == 1


@pytest.mark.django_db
def test_a_hash_that_is_kept_ends_no_open_session_and_is_no_previous_password() -> None:
    user = moved(SHA)
    set_at = user.password_changed_at
    assert password_match.matches(user, SECRET)
    user.refresh_from_db()
    assert (user.password_changed_at, user.previous_password) == (set_at, "")


@pytest.mark.django_db
def test_the_longest_hashes_fit_and_stay_as_the_previous_password() -> None:
    text = "{SHA512-CRYPT}$6$rounds=100000$" + "s" * 16 + "$" + "x" * 86
    moved(text)
    mailboxes.set_password(ANN, PASSWORD, actor=ACTOR)
    user = User.objects.get()
    assert exported(user.previous_password) == text
    assert not user.must_change_password


@pytest.mark.django_db
@pytest.mark.parametrize("secret", ["", "\0" + SECRET, SECRET + "\0", "x" * 5000, "\ud800", "é" * 80])
@pytest.mark.parametrize("scheme", ["SHA512-CRYPT", "MD5-CRYPT", "DES-CRYPT", "BLF-CRYPT", "PBKDF2", "ARGON2ID"])
@pytest.mark.real
def test_whatever_is_typed_is_right_or_wrong_and_never_a_fault(scheme: str, secret: str) -> None:
    encoded = foreign_hash.parse(doveadm.hash_of(scheme, SECRET)).stored
    if secret != "\ud800":  # argon2 refuses half a character as it always did
        assert not check_password(secret, encoded)


@pytest.mark.django_db(transaction=True)
def test_a_password_that_is_changed_while_the_old_one_is_checked_wins() -> None:
    user = moved(SHA)
    stale = User.objects.get()
    mailboxes.set_password(ANN, PASSWORD, actor=ACTOR)
    assert not password_match.matches(stale, SECRET), "it is compared with the new one"
    user.refresh_from_db()
    assert check_password(PASSWORD, user.password)


@pytest.mark.django_db(transaction=True)
def test_two_first_sign_ins_at_once_both_succeed_and_agree_on_the_hash() -> None:
    moved(SHA)
    users, ready, right = [User.objects.get(), User.objects.get()], Barrier(2), []

    def sign_in(user: User) -> None:
        ready.wait()
        right.append(password_match.matches(user, SECRET))
        connection.close()

    threads = [Thread(target=sign_in, args=(user,)) for user in users]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert right == [True, True]
    assert {user.password for user in users} == {User.objects.get().password}


H64 = "./ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"


@given_settings(max_examples=30, deadline=None)
@given(
    st.text(H64, min_size=86, max_size=86),
    st.sampled_from(["$6$s${:.86}", "$5$s${:.43}", "$1$s${:.22}", "{{CRYPT}}{:.13}", "$2y$04${:.53}", "$6$${:.86}"]),
)
def test_every_hash_that_is_taken_can_be_checked(digest: str, form: str) -> None:
    assert not check_password("wrong", foreign_hash.parse(form.format(digest)).stored)


def test_a_hash_of_bcrypt_with_spare_bits_set_still_opens() -> None:
    """crypt(3) ignores them, and some programs set them."""
    made = bcrypt.hashpw(b"secret", bcrypt.gensalt(4)).decode()
    salt, digest = made[:29], made[29:]
    for text in (
        made,
        salt[:-1] + H64[H64.index(salt[-1]) | 0b001111] + digest,
        made[:-1] + H64[H64.index(made[-1]) | 0b000011],
    ):
        assert imported_hash.matches("secret", foreign_hash.parse(text))
        assert not imported_hash.matches("Secret", foreign_hash.parse(text))


# --- existing passwords in plain text -----------------------------------------------------------------------------


@pytest.mark.django_db
@pytest.mark.parametrize("password", ["sesame", "12345678", " blanks ", "password"])
def test_a_weak_password_that_existed_is_taken_and_the_pages_ask_for_another(password: str) -> None:
    a_domain()
    with pytest.raises(Rejected):
        mailboxes.ensure(ANN, actor=ACTOR, password=password)
    user = mailboxes.ensure(ANN, actor=ACTOR, password=ExistingPassword(password)).row.user
    assert check_password(password, user.password)
    assert user.must_change_password
    mailboxes.set_password(ANN, PASSWORD, actor=ACTOR)
    assert not User.objects.get().must_change_password
    mailboxes.set_password(ANN, ExistingPassword(password), actor=ACTOR)
    assert User.objects.get().must_change_password


@pytest.mark.django_db
def test_a_good_password_that_existed_need_not_be_changed_and_a_word_of_the_admin_counts() -> None:
    a_domain()
    assert not mailboxes.ensure(ANN, actor=ACTOR, password=ExistingPassword(PASSWORD)).row.user.must_change_password
    fields = {"must_change_password": False}
    user = mailboxes.ensure(ANN, actor=ACTOR, password=ExistingPassword("sesame"), **fields).row.user
    assert not user.must_change_password


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("password", "words"), [("$6$salt$" + "x" * 86, "hash"), ("a\tb", "cannot send"), ("x" * 201, "200")]
)
def test_no_existing_password_is_a_hash_or_one_that_no_program_can_send(password: str, words: str) -> None:
    a_mailbox()
    with pytest.raises(Rejected, match=words):
        mailboxes.set_password(ANN, ExistingPassword(password), actor=ACTOR)
    assert check_password(PASSWORD, User.objects.get().password)


@pytest.mark.django_db
def test_the_same_hash_again_changes_nothing_and_our_own_comes_home() -> None:
    user = moved(SHA)
    for _ in range(2):
        again = mailboxes.ensure(ANN, actor=ACTOR, password=existing_password.of_hash(exported(user.password) or ""))
        assert again.changes == {}
        assert password_match.matches(user, SECRET)
        user.refresh_from_db()
    encoded = user.password
    mailboxes.set_password(ANN, None, actor=ACTOR)
    mailboxes.ensure(ANN, actor=ACTOR, password=existing_password.of_hash(exported(encoded) or ""))
    assert User.objects.get().password == encoded


# --- the rules of new ones ----------------------------------------------------------------------------------------


@pytest.mark.django_db
@pytest.mark.parametrize("blank", [" ", "\t", "\u00a0", "\u2003"])
@pytest.mark.parametrize("form", ["{}correct horse battery", "correct horse battery{}"])
def test_blanks_around_a_new_password_are_refused_in_one_sentence(form: str, blank: str) -> None:
    a_mailbox()
    with pytest.raises(Rejected) as refusal:
        mailboxes.set_password(ANN, form.format(blank), actor=ACTOR)
    assert str(refusal.value) == "The password begins or ends with a blank: remove it."


@pytest.mark.django_db
def test_a_new_password_is_one_password_however_its_letters_are_composed() -> None:
    user = a_mailbox().user
    new_password.put(user, "Cafe\u0301 au lait 2026")
    assert check_password("Café au lait 2026", user.password)
    assert check_password("Cafe\u0301 au lait 2026", user.password)
