"""`seed`: a sample site whose counters, bodies and passwords are as true as any other's."""

from __future__ import annotations

import json

import pytest
from django.core.management.base import CommandError

from mailstore.models import Domain, Mailbox, Message, User
from tests.management.command_runner import said

pytestmark = pytest.mark.django_db(transaction=True)


def seeded() -> dict[str, object]:
    words = ("seed", "--domains", "3", "--mailboxes", "60", "--messages", "600", "--json")
    made: dict[str, object] = json.loads(said(*words))
    return made


def test_a_seeded_site_is_one_that_fsck_has_nothing_against() -> None:
    made = seeded()
    assert (Domain.objects.count(), Mailbox.objects.count()) == (3, 60)
    assert Message.objects.count() == made["messages"]
    assert said("fsck", "--deep") == "nothing is wrong\n"


def test_every_mailbox_of_it_has_the_password_that_was_printed() -> None:
    password = str(seeded()["password"])
    assert User.objects.order_by("?").first().check_password(password)


def test_a_site_is_seeded_once() -> None:
    seeded()
    with pytest.raises(CommandError, match="already exists"):
        said("seed")
