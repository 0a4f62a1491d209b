"""A bare name gets the domain of the TLS server name, by TLS from the start and by STLS, else of the address."""

from __future__ import annotations

import socket

import pytest

from tests.listeners import PASSWORD, Daemon, MailSite, daemon, greeted
from tests.pop3_client import Pop3Client, connect_to

SETTINGS = {
    "DEFAULT_LOGIN_DOMAIN": "pop.example.net=example.net,127.0.0.1=example.org,nobody.test",
    "LOGIN_SEPARATORS": "%",
}


def test_the_name_or_the_address_of_the_server_completes_a_bare_name(
    mail_site: MailSite, tls_settings: dict[str, str]
) -> None:
    for domain in ("example.net", "example.org"):
        mail_site.mailbox(f"alice@{domain}", f"{PASSWORD} of {domain}")
    with daemon("pop3d", **SETTINGS, **tls_settings) as started:
        for name, domain in (("pop.example.net", "example.net"), ("mail.example.com", "example.org")):
            for client in (by_tls(mail_site, started, name), by_stls(mail_site, started, name)):
                with client:
                    assert client.ask("USER alice").startswith(b"+OK")
                    assert client.ask(f"PASS {PASSWORD} of {domain}").startswith(b"+OK"), (name, domain)
        with by_tls(mail_site, started, "mail.example.com") as client:
            client.sign_in("alice%example.net", f"{PASSWORD} of example.net")


@pytest.mark.parametrize("name", ["alice", "alice%example.org"])
def test_without_the_settings_a_name_stays_as_it_was_typed(mail_site: MailSite, name: str) -> None:
    mail_site.mailbox("alice@example.org")
    with mail_site.dial_tls() as client:
        assert client.ask(f"USER {name}").startswith(b"+OK")
        assert client.ask(f"PASS {PASSWORD}").startswith(b"-ERR [AUTH]")


def by_tls(mail_site: MailSite, started: Daemon, name: str) -> Pop3Client:
    context = mail_site.authority.context()
    context.check_hostname = False
    sock = socket.create_connection(started.tls_address, 30)
    return greeted(Pop3Client(context.wrap_socket(sock, server_hostname=name)))


def by_stls(mail_site: MailSite, started: Daemon, name: str) -> Pop3Client:
    context = mail_site.authority.context()
    context.check_hostname = False
    return greeted(connect_to(started.address)).start_tls(context, name)
