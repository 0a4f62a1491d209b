"""An owner connects a device and errs in each way: a real listener hears it, and the page of the device tells it."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator

import pytest

from mailstore.models import Device, Mailbox
from tests.listener.conftest import FOR_PROXIES, PROXY
from tests.listener.proxy_headers import version_1
from tests.listener.tls_records import ECDHE_CBC, RSA_CBC, TLS_1_1, TLS_1_2, old_hello
from tests.listeners import PASSWORD, Authority, Daemon, MailSite, daemon
from tests.pop3_client import Pop3Client, connect_to
from tests.site.page_users import ANN, signed_in
from tests.site.refused_names import heard
from tests.up.programs import until

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.real]
BROWSER, PROGRAM = "203.0.113.7", "203.0.113.9"  # in one network


class Program:
    """A mail program in the owner's network, as somebody has set it up."""

    def __init__(self, listener: Daemon, authority: Authority) -> None:
        self._listener = listener
        self._context = authority.context()

    def sends(self, *lines: bytes, tls: bool = False) -> None:
        """Send each line behind a reply, to the port that begins in clear or to the one that begins with TLS."""
        address = self._listener.proxy_tls_address if tls else self._listener.proxy_address
        with connect_to(address, source=PROXY, head=version_1(PROGRAM)) as client:
            for line in lines:
                if not tls:
                    client.line()
                client.send(line)
            client.rest()

    def signs_in(self, name: str, secret: str) -> None:
        """Sign in by STLS, and leave."""
        with connect_to(self._listener.proxy_address, source=PROXY, head=version_1(PROGRAM)) as client:
            client.line()
            client.ask("STLS")
            inside = Pop3Client(self._context.wrap_socket(client.sock, server_hostname="localhost"))
            inside.ask(f"USER {name}")
            inside.ask(f"PASS {secret}")
            inside.ask("QUIT")
            inside.sock.close()


@pytest.fixture
def program(mail_site: MailSite, tls_settings: dict[str, str], authority: Authority) -> Iterator[Program]:
    with daemon("pop3d", **FOR_PROXIES, **tls_settings) as listener:
        yield Program(listener, authority)


FAULTS = (
    "it connected in clear and did not begin TLS",
    "it began TLS at once, on the port for STARTTLS",
    "it connected in clear, to the port for SSL/TLS",
    "too old for the encryption here",
    "have no encryption in common",
    "it signed in as “ann”. The user name must be ann@example.org",
    "what follows the @ in its user name is wrong",
    "it did not use your user name",
)


def errs(program: Program) -> None:
    """Make each of FAULTS in turn."""
    program.sends(b"CAPA\r\n", b"QUIT\r\n")
    program.sends(old_hello(TLS_1_2, (RSA_CBC,)))
    program.sends(b"CAPA\r\n", tls=True)
    program.sends(old_hello(TLS_1_1, (ECDHE_CBC,)), tls=True)
    program.sends(old_hello(TLS_1_2, (RSA_CBC,)), tls=True)
    program.signs_in("ann", PASSWORD)
    program.signs_in("ann@example.net", PASSWORD)
    program.signs_in("somebody", PASSWORD)


def test_the_page_tells_each_mistake_in_words_the_newest_first_and_at_last_that_it_works(
    mail_site: MailSite, program: Program
) -> None:
    mail_site.mailbox(ANN)
    owner = signed_in(ANN)
    form = {"name": "Phone", "mode": "independent", "start": "all"}
    created = owner.post("/devices/connect/", form, REMOTE_ADDR=BROWSER).content.decode()
    secret = re.search(r'id="copy-secret">([^<]+)<', created)[1]
    Mailbox.objects.update(main_pop=False)
    key = Device.objects.get(name="Phone").pk

    def page() -> str:
        return html.unescape(owner.get(f"/devices/{key}/status/", REMOTE_ADDR=BROWSER).content.decode())

    errs(program)
    until(lambda: heard().count() == len(FAULTS), "all are written")
    for words in reversed(FAULTS):
        assert words in page()
        heard().order_by("-last_at")[0].delete()
    assert "Waiting for its first sign-in" in page()
    for password, words in (
        ("wrong", "the password was wrong"),
        (PASSWORD, "it used the main password, which mail programs may not use"),
        (secret, "“Phone” works"),
    ):
        program.signs_in(ANN, password)
        until(lambda words=words: words in page(), words)
