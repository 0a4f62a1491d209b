"""New passwords: generated ones are quick to make and betray nobody; a hash is none."""

from __future__ import annotations

from typing import ClassVar

import pytest
from django.contrib.auth.hashers import check_password
from pytest_django import Settings

from mailstore.directory import admins, mailboxes, new_password
from mailstore.directory.outcome import Rejected
from mailstore.directory.password_hasher import Argon2
from mailstore.models import User
from tests.site.rows import ACTOR, PASSWORD, a_domain, a_mailbox

pytestmark = pytest.mark.django_db
HASH = "{SHA512-CRYPT}$6$rounds=5000$saltsalt$" + "x" * 86


def memory(encoded: str) -> int:
    return int(Argon2().decode(encoded)["memory_cost"])


def test_what_was_generated_costs_little_and_what_was_chosen_costs_all() -> None:
    chosen = a_mailbox().user.password
    generated = mailboxes.ensure("bob@example.org", actor=ACTOR).row.user.password
    assert (memory(chosen), memory(generated)) == (Argon2.memory_cost, 1024)


def test_the_first_right_web_sign_in_stores_the_full_cost() -> None:
    a_domain()
    secret = mailboxes.ensure("ann@example.org", actor=ACTOR).secret
    assert User.objects.get().check_password(secret or "")
    assert memory(User.objects.get().password) == Argon2.memory_cost


class CostRecorder(Argon2):
    """Tells at which cost a password was hashed."""

    costs: ClassVar[list[int]] = []

    def encode(self, password: str, salt: str) -> str:
        CostRecorder.costs.append(self.memory_cost)
        return super().encode(password, salt)


def test_a_wrong_guess_at_a_generated_password_costs_a_full_hash(settings: Settings) -> None:
    settings.PASSWORD_HASHERS = [f"{__name__}.CostRecorder"]
    user = User()
    new_password.put_generated(user, "k7mq-x2ra-hh9d-w3tc")
    assert not check_password("not that one", user.password)
    assert CostRecorder.costs == [Argon2.memory_cost]


def test_a_hash_is_no_password_of_a_mailbox_and_the_refusal_names_its_scheme() -> None:
    a_mailbox()
    for act in (
        lambda: mailboxes.ensure("bob@example.org", actor=ACTOR, password=HASH),
        lambda: mailboxes.ensure("ann@example.org", actor=ACTOR, password=HASH),
        lambda: mailboxes.set_password("ann@example.org", HASH, actor=ACTOR),
        lambda: admins.ensure("root", actor=ACTOR, password=HASH),
    ):
        with pytest.raises(Rejected, match=r"password hash \(SHA512-CRYPT\).*type the password itself") as refusal:
            act()
        assert refusal.value.field == "password"
    assert [user.address for user in User.objects.all()] == ["ann@example.org"]
    assert User.objects.get().check_password(PASSWORD)


def test_a_hash_that_became_a_password_before_is_refused_all_the_same() -> None:
    user = a_mailbox().user
    new_password.put(user, HASH)
    user.save()
    admin = admins.ensure("root", actor=ACTOR).row
    new_password.put(admin, HASH)
    admin.save()
    for act in (
        lambda: mailboxes.ensure("ann@example.org", actor=ACTOR, password=HASH),
        lambda: admins.ensure("root", actor=ACTOR, password=HASH),
    ):
        with pytest.raises(Rejected, match="password hash"):
            act()


@pytest.mark.parametrize("password", ["$ecret Horse 2026", "{curly}braces-2026"])
def test_a_password_that_only_begins_like_a_hash_is_taken(password: str) -> None:
    a_mailbox()
    mailboxes.set_password("ann@example.org", password, actor=ACTOR)
    assert User.objects.get().check_password(password)
