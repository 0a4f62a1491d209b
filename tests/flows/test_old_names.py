"""Mailboxes of old servers with dots where RFC 5321 wants none without quotes: they go on under their names."""

from __future__ import annotations

from collections.abc import Callable
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import call_command

from mailstore.directory import domains
from mailstore.models import User
from tests.listeners import ACTOR, PASSWORD, MailSite
from tests.management.command_runner import process

NAMES = ["x..y@example.org", "x.@example.org"]
NOTE = b"Subject: note\r\n\r\nnote\r\n"


def by_shell(address: str, _folder: Path) -> None:
    done = process("mailbox", "ensure", address, "--password-stdin", stdin=f"{PASSWORD}\n".encode())
    assert done.returncode == 0, done.stderr


def by_file(address: str, folder: Path) -> None:
    (folder / "people.csv").write_text(f"address,password\n{address},{PASSWORD}\n")
    call_command("import", str(folder / "people.csv"), stdout=StringIO())


@pytest.mark.parametrize("address", NAMES)
@pytest.mark.parametrize("made", [by_shell, by_file])
def test_it_is_made_gets_mail_with_and_without_quotes_and_signs_in(
    mail_site: MailSite, tmp_path: Path, address: str, made: Callable[[str, Path], None]
) -> None:
    domains.ensure("example.org", actor=ACTOR)
    made(address, tmp_path)
    assert User.objects.get().address == address
    local_part, _at, domain = address.partition("@")
    for path in (address, f'"{local_part}"@{domain}'):
        ((code, text),) = mail_site.deliver(NOTE, path)
        assert code == 250, text
    with mail_site.session(address) as session:
        assert session.ask("STAT").startswith(b"+OK 2 ")
    quoted = mail_site.dial()
    assert quoted.ask(f'USER "{local_part}"@{domain}').startswith(b"+OK")
    assert quoted.ask(f"PASS {PASSWORD}").startswith(b"+OK")
