"""Users of the pages, for tests: created as the shell creates them, signed in by the form."""

from __future__ import annotations

from typing import Any

from django.test import Client

from mailstore.directory import admins, mailboxes
from mailstore.models import Mailbox, User
from tests.site.rows import ACTOR, PASSWORD, a_domain

ANN = "ann@example.org"


def an_owner(address: str = ANN, **fields: Any) -> Mailbox:
    a_domain(address.rpartition("@")[2])
    return mailboxes.ensure(address, actor=ACTOR, password=PASSWORD, **fields).row


def an_admin(login: str = "root") -> User:
    return admins.ensure(login, actor=ACTOR, password=PASSWORD).row


def sign_in(client: Client, name: str, password: str = PASSWORD, **extra: Any) -> Any:
    return client.post("/sign-in/", {"username": name, "password": password}, **extra)


def signed_in(name: str) -> Client:
    client = Client()
    assert sign_in(client, name).status_code == 302
    return client
