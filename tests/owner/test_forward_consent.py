"""An address elsewhere gets forwarded mail only after somebody there agreed, by the button of a mailed link."""

from __future__ import annotations

import itertools

import pytest
from django.core import mail
from django.test import Client
from pytest_django.fixtures import Settings

from mailstore.directory import aliases, target_confirmation
from mailstore.models import Alias, AuditEntry, Domain
from tests.signin.sent_mail import link, mailed, somewhere
from tests.site.page_users import ANN, an_admin, an_owner, signed_in
from tests.site.rows import ACTOR

pytestmark = pytest.mark.django_db
PATH = "/settings/forwarding/"
_serial = itertools.count(1)


@pytest.fixture
def home() -> str:
    """An address that no test has had mailed: a process counts the mails to one address."""
    return f"ann@home{next(_serial)}.example"


@pytest.fixture
def work() -> str:
    return f"ann@work{next(_serial)}.example"


@pytest.fixture
def client() -> Client:
    an_owner()
    an_owner("bob@example.org")
    Domain.objects.update(owner_forwards=True)
    return signed_in(ANN)


def forward(client: Client, *targets: str) -> str:
    return client.post(PATH, {"targets": "\n".join(targets)}, follow=True, **somewhere()).content.decode()


def test_a_new_target_elsewhere_waits_and_gets_a_link_and_one_here_does_not(client: Client, home: str) -> None:
    page = forward(client, home, "bob@example.org")
    assert Alias.objects.get().unconfirmed == [home]
    assert ("Your mail is forwarded." in page, f"sent to {home}" in page) == (False, True)
    assert [message.to for message in mail.outbox] == [[home]]
    assert ANN in mailed()[0]
    assert "has not followed the link" in client.get(PATH).content.decode()


def test_only_the_button_behind_the_link_agrees_and_the_owner_reads_who_did(client: Client, home: str) -> None:
    forward(client, home)
    stranger, path = Client(), link()
    assert "wants to forward mail" in stranger.get(path).content.decode()
    assert Alias.objects.get().unconfirmed == [home]  # a program that scans mail opens links too
    assert "is forwarded to" in stranger.post(path).content.decode()
    assert Alias.objects.get().unconfirmed == []
    entry = AuditEntry.objects.latest("pk")
    assert (entry.verb, entry.actor_name, entry.mailbox.user.address) == ("alias.confirm", home, ANN)
    assert "is forwarded to" in stranger.get(path).content.decode()  # once more is no fault


def test_a_target_that_was_confirmed_is_not_asked_again_and_one_that_is_gone_confirms_nothing(
    client: Client, home: str, work: str
) -> None:
    forward(client, home)
    path = link()
    Client().post(path)
    forward(client, home, work)
    assert [message.to for message in mail.outbox] == [[home], [work]]
    assert Alias.objects.get().unconfirmed == [work]
    forward(client, work)
    assert Client().get(path).status_code == Client().post(path).status_code == 410
    assert Client().get("/forwarding/made-up/").status_code == 410


def test_the_owner_can_send_the_mail_again_but_not_flood_an_address(client: Client, work: str) -> None:
    forward(client, work)
    for _again in range(5):
        answer = client.post(f"{PATH}letters/", follow=True, **somewhere())
    assert "oo many mails were sent" in answer.content.decode()
    assert len(mail.outbox) == 3


def test_where_nobody_is_asked_nothing_waits_also_what_did(
    client: Client, home: str, work: str, settings: Settings
) -> None:
    forward(client, home)
    settings.CONFIRM_FORWARDS = False
    assert "Your mail is forwarded." in forward(client, home, work)
    assert Alias.objects.get().unconfirmed == []


def test_an_administrators_alias_asks_nobody_and_their_word_lets_a_forward_go(
    client: Client, home: str, work: str
) -> None:
    forward(client, home)
    aliases.ensure("info@example.org", [work], actor=ACTOR)
    assert Alias.objects.get(address="info@example.org").unconfirmed == []
    an_admin()
    admin, alias = signed_in("root"), Alias.objects.get(address=ANN)
    assert "Waiting for consent" in admin.get(f"/aliases/{alias.pk}/").content.decode()
    admin.post(f"/aliases/{alias.pk}/acceptance/")
    assert Alias.objects.get(address=ANN).unconfirmed == []
    assert "the mail server in front has to expand" in admin.get(f"/aliases/{alias.pk}/").content.decode()


def test_a_forward_that_is_restored_still_waits(client: Client, home: str) -> None:
    forward(client, home)
    entry = aliases.remove(ANN, actor=ACTOR)
    assert aliases.restore(entry, actor=ACTOR).unconfirmed == [home]
    assert target_confirmation.confirm(Alias.objects.get().pk, home, actor=ACTOR)
