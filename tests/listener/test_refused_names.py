"""Names that nobody has, connections above a limit and TLS too old, at POP3, are on the page Sign-ins."""

from __future__ import annotations

from contextlib import ExitStack

from django.test import Client

from mailstore.models import User
from tests.listener.conftest import PROXY
from tests.listener.proxy_headers import version_1
from tests.listener.test_proxy import proxied_client
from tests.listener.tls_records import ECDHE_CBC, RSA_CBC, TLS_1_1, TLS_1_2, old_hello
from tests.listeners import Daemon, MailSite
from tests.pop3_client import connect_to
from tests.site.page_users import an_admin, signed_in
from tests.site.refused_names import heard
from tests.up.programs import until

STRANGER = "198.51.100.7"
NOBODY = "nobody@example.org"
WITH_LIMIT = 3  # connections of an address, in the fixture


def shown() -> str:
    if not User.objects.filter(address="root").exists():
        an_admin()
    client: Client = signed_in("root")
    return client.get("/sign-ins/").content.decode()


def test_an_unknown_name_is_on_the_page_and_a_text_that_is_no_address_is_not(
    mail_site: MailSite, proxied: Daemon
) -> None:
    for name in (NOBODY, "secret-phrase"):
        with proxied_client(proxied, version_1(STRANGER)) as client:
            client.send(f"USER {name}\r\nPASS wrong\r\nQUIT\r\n".encode())
            client.rest()
    until(lambda: heard().count() == 2, "the names are written")
    page = shown()
    assert "<b>nobody</b>@example.org" in page
    assert "from 198.51.100.0/24." in page
    assert "secret-phrase" not in page


def test_connections_above_the_limit_of_an_address_are_on_the_page(mail_site: MailSite, proxied: Daemon) -> None:
    with ExitStack() as opened:
        greetings = []
        for _ in range(WITH_LIMIT + 1):
            client = opened.enter_context(proxied_client(proxied, version_1(STRANGER)))
            greetings.append(client.line())
    assert greetings[-1] == b"-ERR [SYS/TEMP] too many connections from your network\r\n"
    until(lambda: heard().filter(reason="connections").exists(), "the limit is written")
    assert "1 connection was refused." in shown()


def test_a_device_whose_tls_is_too_old_is_on_the_page_with_its_address_and_version(
    mail_site: MailSite, proxied: Daemon
) -> None:
    """By implicit TLS and by STLS, each twice: one row for each version."""
    for version, cipher in ((TLS_1_1, ECDHE_CBC), (TLS_1_2, RSA_CBC)):
        hello = old_hello(version, (cipher,))
        with connect_to(proxied.proxy_tls_address, source=PROXY, head=version_1(STRANGER)) as client:
            client.send(hello)
            client.rest()
        with proxied_client(proxied, version_1(STRANGER)) as client:
            client.line()
            assert client.ask("STLS").startswith(b"+OK")
            client.send(hello)
            client.rest()
    tries = heard().values_list("reason", "name", "network", "version", "tries")
    rows = [
        ("tls-cipher", STRANGER, "198.51.100.0/24", "TLS 1.2", 2),
        ("tls-version", STRANGER, "198.51.100.0/24", "TLS 1.1", 2),
    ]
    until(lambda: list(tries.order_by("reason")) == rows, "both are written")
    page = shown()
    assert f"TLS too old: TLS 1.1, from {STRANGER}, 2 times." in page
    assert f"No common cipher: TLS 1.2, from {STRANGER}, 2 times." in page
