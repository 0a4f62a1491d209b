"""Real mail programs fetch: all mail arrives, deleted mail is gone, nothing arrives twice."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.flows.mail_programs import ADDRESS, curl, fetchmail, getmail, mpop, subjects, succeeded
from tests.listeners import MailSite, numbered

pytestmark = pytest.mark.real
COUNT = 5


@pytest.fixture
def filled(mail_site: MailSite) -> MailSite:
    """Five messages wait for ann; the second begins its lines with dots."""
    mail_site.mailbox()
    first, second, *rest = numbered(COUNT, octets=3000)
    mail_site.fill(ADDRESS, first, second + b".\r\n..\r\n.dots\r\n", *rest)
    return mail_site


def waiting(mail_site: MailSite) -> int:
    with mail_site.session() as session:
        return int(session.ask("STAT").split()[1])


ALL = [f"message {number}" for number in range(1, COUNT + 1)]


# --- curl ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("how", ["pop3", "pop3s", "STLS", "AUTH LOGIN", "initial response"])
def test_curl_lists_fetches_and_deletes(filled: MailSite, how: str) -> None:
    options = {
        "STLS": ["--ssl-reqd"],
        "AUTH LOGIN": ["--ssl-reqd", "--login-options", "AUTH=LOGIN"],
        "initial response": ["--ssl-reqd", "--sasl-ir"],
    }.get(how, [])
    port = filled.pop3d.tls_port if how == "pop3s" else filled.pop3d.port
    url = f"{'pop3s' if how == 'pop3s' else 'pop3'}://localhost:{port}/"
    with filled.session() as session:
        listed, second = session.rows("LIST"), session.message(2)
    assert curl(filled, url, *options).splitlines() == listed
    assert curl(filled, url + "2", *options) == second
    curl(filled, url + "2", *options, "--request", "DELE", "--head")
    assert waiting(filled) == COUNT - 1


def test_curl_fetches_several_messages_on_one_connection(filled: MailSite) -> None:
    url = f"pop3s://localhost:{filled.pop3d.tls_port}/[1-{COUNT}]"
    fetched = curl(filled, url)
    assert [fetched.count(f"Subject: {subject}\r\n".encode()) for subject in ALL] == [1] * COUNT


# --- fetchmail ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("tls", ["ssl", "STLS"])
def test_fetchmail_drains_a_mailbox(filled: MailSite, tmp_path: Path, tls: str) -> None:
    succeeded(fetchmail(filled, tmp_path, "fetchall nokeep", tls=tls))
    assert subjects(tmp_path / "mbox") == ALL
    assert waiting(filled) == 0
    assert fetchmail(filled, tmp_path, "fetchall nokeep", tls=tls).returncode == 1  # fetchmail's "no mail"


def test_fetchmail_keeps_mail_and_knows_by_uidl_what_it_has(filled: MailSite, tmp_path: Path) -> None:
    succeeded(fetchmail(filled, tmp_path, "keep", server="uidl"))
    assert fetchmail(filled, tmp_path, "keep", server="uidl").returncode == 1
    filled.fill(ADDRESS, b"Subject: message 6\r\n\r\nnew\r\n")
    succeeded(fetchmail(filled, tmp_path, "keep", server="uidl"))
    assert subjects(tmp_path / "mbox") == [*ALL, "message 6"]
    assert waiting(filled) == COUNT + 1


# --- mpop ---------------------------------------------------------------------------------------------------------


def test_mpop_drains_a_mailbox_with_pipelined_commands(filled: MailSite, tmp_path: Path) -> None:
    mpop(filled, tmp_path, keep=False)
    assert subjects(tmp_path / "mail") == ALL
    assert waiting(filled) == 0


def test_mpop_keeps_mail_and_fetches_nothing_twice(filled: MailSite, tmp_path: Path) -> None:
    mpop(filled, tmp_path, keep=True)
    filled.fill(ADDRESS, b"Subject: message 6\r\n\r\nnew\r\n")
    mpop(filled, tmp_path, keep=True)
    assert subjects(tmp_path / "mail") == [*ALL, "message 6"]
    assert waiting(filled) == COUNT + 1


# --- getmail ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("tls", [True, False], ids=["pop3s", "pop3"])
def test_getmail_drains_a_mailbox(filled: MailSite, tmp_path: Path, tls: bool) -> None:
    getmail(filled, tmp_path, delete=True, tls=tls)
    assert subjects(tmp_path / "mbox") == ALL
    assert waiting(filled) == 0


def test_getmail_keeps_mail_and_fetches_nothing_twice(filled: MailSite, tmp_path: Path) -> None:
    getmail(filled, tmp_path, delete=False)
    filled.fill(ADDRESS, b"Subject: message 6\r\n\r\nnew\r\n")
    getmail(filled, tmp_path, delete=False)
    assert subjects(tmp_path / "mbox") == [*ALL, "message 6"]
    assert waiting(filled) == COUNT + 1
