"""Autodiscover for classic Outlook: the answer of its XML form ("POX"), and of the JSON form that leads there.

The formats are those of MS-OXDSCLI. The request comes from anybody, so its parser takes no document type, no entity
and no long text.
"""

from __future__ import annotations

from xml.etree.ElementTree import Element, ParseError

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import fromstring

from mailstore.policy.addresses import BadAddress, normal_address
from popadmin.connect.xml_document import add, add_all, octets
from popadmin.web.server_settings import STARTTLS, Port, ServerSettings

REQUEST_OCTETS = 65_536  # a request has some 400; a longer one is not read
_ENVELOPE = "http://schemas.microsoft.com/exchange/autodiscover/responseschema/2006"
_SETTINGS = "http://schemas.microsoft.com/exchange/autodiscover/outlook/responseschema/2006a"
_REQUEST = "http://schemas.microsoft.com/exchange/autodiscover/outlook/requestschema/2006"
_ADDRESS = f"{{{_REQUEST}}}Request/{{{_REQUEST}}}EMailAddress"


def address_in(request: bytes) -> str | None:
    """Return the address in a request, in its normal form; None for a text that is no such request."""
    if len(request) > REQUEST_OCTETS:
        return None
    try:
        found = fromstring(request, forbid_dtd=True).findtext(_ADDRESS)
        return normal_address(found or "")
    except (ParseError, DefusedXmlException, BadAddress, ValueError, LookupError):  # the last two: of the encoding
        return None


def settings_document(site: ServerSettings, address: str) -> bytes:
    """Return how `address` is set up. It is the same for every address, whether it exists or not."""
    root, response = _envelope(_SETTINGS)
    add(add(response, "User"), "DisplayName", address)
    account = add(response, "Account")
    add_all(account, {"AccountType": "email", "Action": "settings"})
    for port in site.ports[:1]:
        add_all(add(account, "Protocol"), _server("POP3", site.host, port, address))
    for port in site.smtp_ports[:1]:
        add_all(add(account, "Protocol"), {**_server("SMTP", site.smtp_host, port, address), "UsePOPAuth": "on"})
    return octets(root)


def error_document() -> bytes:
    """Return error 600, "invalid request". Outlook goes on to its next way."""
    root, response = _envelope(None)
    add_all(add(response, "Error"), {"ErrorCode": "600", "Message": "Invalid Request"})
    return octets(root)


def _envelope(namespace: str | None) -> tuple[Element, Element]:
    root = Element("Autodiscover", xmlns=_ENVELOPE)
    return root, add(root, "Response", **({"xmlns": namespace} if namespace else {}))


def _server(protocol: str, host: str, port: Port, address: str) -> dict[str, str]:
    return {
        "Type": protocol,
        "Server": host,
        "Port": str(port.number),
        "LoginName": address,
        "DomainRequired": "off",
        "SPA": "off",
        "SSL": "on",
        "Encryption": "TLS" if port.encryption == STARTTLS else "SSL",
        "AuthRequired": "on",
    }
