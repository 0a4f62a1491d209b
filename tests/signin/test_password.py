"""The page that changes the password."""

from __future__ import annotations

import pytest

from mailstore.models import AuditEntry, User
from tests.site.page_users import ANN, an_admin, an_owner, sign_in, signed_in
from tests.site.rows import PASSWORD

pytestmark = pytest.mark.django_db
NEW = "a wholly different one"


def change(client, old=PASSWORD, new=NEW, again=None, **extra):
    form = {"old_password": old, "new_password1": new, "new_password2": new if again is None else again}
    return client.post("/password/", form, **extra)


def test_the_new_password_signs_in_and_the_old_one_does_not(client):
    an_owner()
    assert change(signed_in(ANN)).status_code == 302
    assert sign_in(client, ANN, PASSWORD).status_code == 200
    assert sign_in(client, ANN, NEW).status_code == 302


def test_a_hash_is_refused_as_a_new_password_by_its_name():
    an_owner()
    page = change(signed_in(ANN), new="$2y$10$" + "x" * 53)
    assert page.status_code == 200
    assert "password hash (BLF-CRYPT)" in page.content.decode()
    assert User.objects.get(address=ANN).check_password(PASSWORD)


@pytest.mark.parametrize("new", [f"{NEW} ", f" {NEW}", f"{NEW}\u00a0"])
def test_blanks_around_a_new_password_are_refused_as_by_shell_and_file(new):
    """The harm: programs drop them unseen, so the password was another one there."""
    an_owner()
    errors = change(signed_in(ANN), new=new).context["form"].errors
    assert "The password begins or ends with a blank: remove it." in [text for each in errors.values() for text in each]
    assert User.objects.get(address=ANN).check_password(PASSWORD)


def test_every_other_session_ends_and_this_one_goes_on():
    an_owner()
    here, elsewhere = signed_in(ANN), signed_in(ANN)
    change(here)
    assert here.get("/mailbox/").status_code == 200
    assert elsewhere.get("/mailbox/").status_code == 302


def test_the_stored_hash_is_another_one_so_that_no_cache_of_a_pop3_worker_fits():
    an_owner()
    before = User.objects.get(address=ANN)
    change(signed_in(ANN))
    after = User.objects.get(address=ANN)
    assert after.password != before.password
    assert after.password_changed_at > before.password_changed_at


def test_one_audit_entry_tells_the_owner_and_holds_no_secret():
    mailbox = an_owner()
    AuditEntry.objects.all().delete()
    change(signed_in(ANN))
    entry = AuditEntry.objects.get()
    assert (entry.verb, entry.via, entry.actor_name, entry.subject) == ("password.change", "web", ANN, ANN)
    assert (entry.mailbox, entry.actor, entry.details) == (mailbox, mailbox.user, {})


def test_an_admin_changes_their_own():
    an_admin()
    assert change(signed_in("root")).status_code == 302
    signed_in_again = User.objects.get(address="root")
    assert signed_in_again.check_password(NEW)


@pytest.mark.parametrize(
    ("old", "new", "again", "field"),
    [
        ("not the old one", NEW, NEW, "old_password"),
        (PASSWORD, NEW, "something else", "new_password2"),
        (PASSWORD, "short", "short", "new_password2"),
        (PASSWORD, "password123", "password123", "new_password2"),
        (PASSWORD, "8302749510375", "8302749510375", "new_password2"),
        (PASSWORD, ANN, ANN, "new_password2"),
        (PASSWORD, "ends a POP3 line\r\nDELE 1", "ends a POP3 line\r\nDELE 1", "new_password2"),
        (PASSWORD, "é" * 101, "é" * 101, "new_password2"),
        (PASSWORD, "a null \0 in the middle", "a null \0 in the middle", "new_password1"),
    ],
    ids=["wrong", "differ", "short", "common", "digits", "address", "line end", "long", "null"],
)
def test_a_bad_change_says_why_and_changes_nothing(old, new, again, field):
    an_owner()
    before = User.objects.get(address=ANN).password
    response = change(signed_in(ANN), old, new, again)
    assert response.status_code == 200
    assert field in response.context["form"].errors
    assert User.objects.get(address=ANN).password == before


def test_a_stolen_session_cannot_guess_the_old_password_for_ever(settings):
    settings.PASSWORD_HASHERS = ["tests.signin.counting_hasher.Counting"]  # fifty slow hashes prove nothing more
    an_owner("stolen@example.org")  # a process remembers guesses: this name is used here alone
    client = signed_in("stolen@example.org")
    for number in range(50):
        change(client, f"guess {number}", REMOTE_ADDR="198.51.100.23")
    response = change(client, PASSWORD, REMOTE_ADDR="198.51.100.23")
    assert "Too many" in response.content.decode()
