"""Sign-ins by POP3 with names that nobody has, and connections above a limit, are on the page Sign-ins."""

from __future__ import annotations

from contextlib import ExitStack

from django.test import Client

from mailstore.models import RefusedName, User
from tests.listener.proxy_headers import version_1
from tests.listener.test_proxy import proxied_client
from tests.listeners import Daemon, MailSite
from tests.site.page_users import an_admin, signed_in
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
    until(lambda: RefusedName.objects.count() == 2, "the names are written")
    page = shown()
    assert "<b>nobody</b>@example.org" in page
    assert "from 198.51.100.0/24." in page
    assert "secret-phrase" not in page


def test_connections_above_the_limit_of_an_address_are_on_the_page(mail_site: MailSite, proxied: Daemon) -> None:
    with ExitStack() as opened:
        for _ in range(WITH_LIMIT + 1):
            client = opened.enter_context(proxied_client(proxied, version_1(STRANGER)))
            client.line()
    until(lambda: RefusedName.objects.filter(reason="connections").exists(), "the limit is written")
    assert "1 connection was refused." in shown()
