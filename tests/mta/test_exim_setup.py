"""`mta setup exim` as text: what the choices change, and what Exim cannot do. tests/flows has a real Exim."""

from __future__ import annotations

from pathlib import Path

import pytest

from mailstore.directory.outcome import Rejected
from mailstore.mta import exim_files
from mailstore.mta.exim_setup import EximSetup
from mailstore.mta.mail_server import Choices, Dkim, MailServer, MapDatabase, Recipients
from mailstore.mta.setup import HIDDEN
from mailstore.mta.socket_address import parse
from tests.listeners import Authority
from tests.mta.site import a_server

AUTH = parse("unix:/run/popadmin/auth")


def text_of(server: MailServer, choices: Choices, *, srs_secret: str | None = None) -> str:
    return exim_files.config(server, choices, Path("/etc/exim4"), user="Debian-exim", srs_secret=srs_secret)


def test_a_part_that_is_off_has_no_line(authority: Authority) -> None:
    text = text_of(a_server(authority, sasl=None, policy=None), Choices())
    assert "@marker@" not in text
    assert "readsocket" not in text
    assert "driver = dovecot" not in text
    assert "daemon_smtp_ports = 25\n" in text
    assert "primary_hostname = mail.example.org\n" in text
    assert "primary_hostname" not in text_of(a_server(authority, sasl=None, hostname="box"), Choices())
    assert "srs_encode" not in text


def test_each_choice_has_its_lines(authority: Authority) -> None:
    server = a_server(authority, sasl=AUTH, lmtp=parse("unix:/run/popadmin/lmtp"))
    choices = Choices(Recipients.VERIFY, dkim=Dkim.EXIM, srs=True, submission=None)
    text = text_of(server, choices, srs_secret="abc")
    assert "verify = recipient/callout=10s,no_cache" in text
    assert "FROM mta_mailboxes" not in text
    assert "server_socket = /run/popadmin/auth" in text
    assert "socket = /run/popadmin/lmtp" in text
    assert "daemon_smtp_ports = 25 : 465" in text
    assert text.count("dkim_selector = dkim") == 2  # of mail that is sent, and of mail that goes on
    assert "${readsocket{inet:127.0.0.1:1026}" in text
    assert "FROM mta_mailboxes" in text_of(server, Choices())


def test_the_password_is_read_back_from_the_file(authority: Authority, tmp_path: Path) -> None:
    (tmp_path / "exim4.conf").write_text(text_of(a_server(authority, sasl=AUTH), Choices()))
    assert exim_files.written_password(tmp_path) == "se%cret"
    assert exim_files.written_password(tmp_path / "no") is None


@pytest.mark.parametrize(
    ("changes", "choices", "words"),
    [
        ({}, Choices(), "by a unix socket alone"),
        ({"sasl": AUTH}, Choices(dkim=Dkim.RSPAMD), "use --dkim exim"),
        ({"sasl": AUTH}, Choices(submission="127.0.0.1:587"), "a port is a number"),
        ({"sasl": AUTH, "database": MapDatabase("h", 5432, "d", "u", "a/b"), "pairs": ()}, Choices(), "a slash"),
    ],
)
def test_what_exim_cannot_do_is_refused(
    authority: Authority, tmp_path: Path, changes: dict[str, object], choices: Choices, words: str
) -> None:
    with pytest.raises(Rejected, match=words):
        EximSetup(tmp_path).files(a_server(authority, **changes), choices, may_replace=False)


def test_a_preview_shows_no_secret_of_the_senders_that_are_rewritten(authority: Authority, tmp_path: Path) -> None:
    text = text_of(a_server(authority, sasl=AUTH), Choices(srs=True), srs_secret="abc123")
    shown = [EximSetup(tmp_path).without_secrets(line) for line in text.splitlines()]
    assert f"SRS_SECRET = {HIDDEN}" in shown
    assert "abc123" not in "\n".join(shown)
