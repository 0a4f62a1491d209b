"""The configuration file that Thunderbird, Evolution, KMail and others ask for: `config-v1.1.xml`.

The format is that of draft-ietf-mailmaint-autoconfig, with the element `pop3` that Thunderbird reads besides.
"""

from __future__ import annotations

from xml.etree.ElementTree import Element

from django.conf import settings
from django.utils import translation
from django.utils.translation import gettext as _

from popadmin.connect.xml_document import add, add_all, octets
from popadmin.web.server_settings import IMPLICIT_TLS, Port, ServerSettings

ADDRESS = "%EMAILADDRESS%"  # the program puts in what its user has typed
FOR_EVER_DAYS = 9999  # the most that Thunderbird's own page can show; without a number it deletes after 14 days
_SOCKET_TYPES = {IMPLICIT_TLS: "SSL"}


def document(site: ServerSettings, *, keep_days: int | None, setup_url: str) -> bytes:
    """Return the file for every address: POP3 alone, the best port first, and the server for sending, if there is one.

    With views, a program that deletes what it has kept for `keep_days` harms no other device. None: never.
    """
    root = Element("clientConfig", version="1.1")
    provider = add(root, "emailProvider", id=settings.PUBLIC_HOSTNAME)
    add(provider, "domain", "%EMAILDOMAIN%")
    add_all(provider, {"displayName": settings.PROVIDER_NAME, "displayShortName": settings.PROVIDER_NAME})
    for port in site.ports:
        server = _server(provider, "incomingServer", "pop3", host=site.host, port=port)
        _keep(server, FOR_EVER_DAYS if keep_days is None else keep_days)
    for port in site.smtp_ports:
        _server(provider, "outgoingServer", "smtp", host=site.smtp_host, port=port)
    _documentation(provider, setup_url)
    return octets(root)


def _server(provider: Element, name: str, protocol: str, *, host: str, port: Port) -> Element:
    server = add(provider, name, type=protocol)
    texts = {
        "hostname": host,
        "port": str(port.number),
        "socketType": _SOCKET_TYPES.get(port.encryption, port.encryption),
        "authentication": "password-cleartext",
        "username": ADDRESS,
    }
    add_all(server, texts)
    return server


def _keep(server: Element, days: int) -> None:
    """Say that mail stays on the server. `deleteByAge` cannot be said: Thunderbird takes it as true."""
    texts = {"leaveMessagesOnServer": "true", "daysToLeaveMessagesOnServer": str(days), "downloadOnBiff": "true"}
    add_all(add(server, "pop3"), texts)


def _documentation(provider: Element, url: str) -> None:
    link = add(provider, "documentation", url=url)
    for language, _name in settings.LANGUAGES:
        with translation.override(language):
            add(link, "descr", _("How to set up a mail program"), lang=language)
