"""A real Thunderbird finds its settings by an address alone, sets up the account, and fetches mail with it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from mailstore.directory import domains, policies
from tests.flows.mail_programs import ADDRESS
from tests.flows.thunderbird import Thunderbird, thunderbird
from tests.flows.thunderbird_account import fetched_subjects, set_up, trust_authority
from tests.listeners import ACTOR, PASSWORD, MailSite, numbered

pytestmark = pytest.mark.real
COUNT, KEEP_DAYS = 3, 30


@pytest.fixture
def program(live_server, settings, mail_site: MailSite, tmp_path: Path) -> Iterator[Thunderbird]:
    """A Thunderbird that reaches the pages and the POP3 listener of a site whose policy keeps mail for a month."""
    settings.PUBLIC_POP3S_PORT, settings.PUBLIC_POP3_PORT = mail_site.pop3d.tls_port, mail_site.pop3d.port
    settings.PUBLIC_SMTP_HOSTNAME = "smtp.example.test"
    mail_site.mailbox()
    policy = policies.ensure("Month", actor=ACTOR, expire_days=KEEP_DAYS).row
    domains.ensure(ADDRESS.rpartition("@")[2], actor=ACTOR, policy=policy)
    with thunderbird(tmp_path / "profile", web_port=live_server.thread.port) as started:
        yield started


def test_thunderbird_sets_itself_up_by_the_address_and_fetches(program: Thunderbird, mail_site: MailSite) -> None:
    assert set_up(program, ADDRESS, PASSWORD) == {
        "type": "pop3",
        "host": "mail.example.test",
        "port": mail_site.pop3d.tls_port,
        "user": ADDRESS,
        "encrypted": True,
        "leaves": True,
        "days": KEEP_DAYS,
        "alternatives": [mail_site.pop3d.port],
        "sending": ["smtp.example.test", 465, ADDRESS],
    }
    mail_site.fill(ADDRESS, *numbered(COUNT, octets=3000))
    trust_authority(program, mail_site.authority.ca_file.read_text())
    assert fetched_subjects(program) == [f"message {number}" for number in range(1, COUNT + 1)]
