"""The pages while the old server of a domain is away: nobody sees for whom it would be asked."""

from __future__ import annotations

import socket

import pytest
from django.contrib.auth.hashers import make_password
from django.test import Client

from mailstore.directory import domains, mailbox_moves, mailboxes
from mailstore.directory.existing_password import ExistingPassword
from mailstore.models import Domain
from tests.site.page_users import ANN, an_owner, sign_in
from tests.site.rows import ACTOR, a_domain

pytestmark = pytest.mark.django_db
BUSY, WRONG = "Too many people are signing in right now.", "The address or the password is wrong."


def refusal(client: Client, name: str) -> str:
    (text,) = sign_in(client, name, "wrong").context["form"].non_field_errors()
    return text


def test_strangers_in_its_domain_are_told_what_those_are_told_for_whom_it_is_asked(client: Client) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        server = f"pop3s://127.0.0.1:{closed.getsockname()[1]}"
    a_domain(old_server=server)
    domains.ensure("standing.org", actor=ACTOR, stands_for=Domain.objects.get())
    mailboxes.ensure(ANN, actor=ACTOR, password=ExistingPassword("", make_password(None)))
    mailbox_moves.mark(ANN, actor=ACTOR)
    an_owner("bob@other.example")
    assert refusal(client, "nobody@example.org").startswith(WRONG)
    for name in (ANN, "nobody@example.org", "nobody@standing.org"):
        assert refusal(client, name).startswith(BUSY), name
    for name in ("nobody@other.example", "bob@other.example", "root"):
        assert refusal(client, name).startswith(WRONG), name
