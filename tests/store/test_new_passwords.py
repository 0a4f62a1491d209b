"""Generated passwords are quick to make, become slow ones at the first web sign-in, and betray nobody meanwhile."""

from __future__ import annotations

from typing import ClassVar

import pytest
from django.contrib.auth.hashers import check_password
from pytest_django import Settings

from mailstore.models import User
from mailstore.store import mailboxes, new_passwords
from mailstore.store.hashers import Argon2
from tests.store.site import ACTOR, a_domain, a_mailbox

pytestmark = pytest.mark.django_db


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


class Told(Argon2):
    """Tells at which cost a password was hashed."""

    costs: ClassVar[list[int]] = []

    def encode(self, password: str, salt: str) -> str:
        Told.costs.append(self.memory_cost)
        return super().encode(password, salt)


def test_a_wrong_guess_at_a_generated_password_costs_a_full_hash(settings: Settings) -> None:
    settings.PASSWORD_HASHERS = [f"{__name__}.Told"]
    user = User()
    new_passwords.put_generated(user, "k7mq-x2ra-hh9d-w3tc")
    assert not check_password("not that one", user.password)
    assert Told.costs == [Argon2.memory_cost]
