"""The notices that the site has delivered, for tests of warnings."""

from __future__ import annotations

import email
from email.header import decode_header, make_header
from email.message import Message as Parsed
from pathlib import Path
from typing import Any

import pytest

from mailstore.bodies import layout
from mailstore.bodies.files import FileBodies
from mailstore.models import Message
from tests.site.worker import conninfo


class Notices:
    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.store = FileBodies(folder)

    def to(self, address: str) -> list[Parsed]:
        """The mails of the null sender that lie in a maildrop."""
        rows = Message.objects.filter(mailbox__user__address=address).select_related("body").order_by("added")
        return [self._read(row) for row in rows if b"Return-Path: <>\r\n" in bytes(row.prefix)]

    def subjects(self, address: str) -> list[str]:
        return [str(make_header(decode_header(letter["Subject"]))) for letter in self.to(address)]

    def _read(self, row: Message) -> Parsed:
        wire = (self._folder / layout.path(row.body.key)).read_bytes()[: row.body.wire_octets]
        return email.message_from_bytes(bytes(row.prefix) + wire)


@pytest.fixture
def letters(tmp_path: Path, settings: Any) -> Notices:
    settings.MAIL_STORE_URL = f"file:{tmp_path}/bodies"
    settings.DATABASE_CONNINFO = conninfo()
    made = Notices(tmp_path / "bodies")
    made.store.prepare()
    return made
