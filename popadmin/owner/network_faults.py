"""What went wrong lately with a mail program in the owner's network that came as nobody, or as somebody else.

No diary has it, since no account was named. A network may be shared with strangers. So a page tells nothing that they
typed, except what the owner's own address has in it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils import timezone
from django.utils.functional import Promise
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from mailstore.models import Device, RefusedName
from mailstore.policy.networks import network
from popadmin.owner import access
from popadmin.web.formats import moment
from popadmin.web.server_settings import Port, server_settings

LATELY = timedelta(minutes=10)
Reason = RefusedName.Reason


@dataclass(frozen=True, slots=True)
class Words:
    """What a page says: the lead, and what the owner can do. `remedy` has the names that `_values` fills in."""

    lead: Promise
    remedy: Promise


BARE = Words(
    _("Refused: the user name is not whole"),
    _("it signed in as “{name}”. The user name must be {address}."),
)
OTHER_DOMAIN = Words(
    _("Refused: the user name has another domain"),
    _("what follows the @ in its user name is wrong. The user name must be {address}."),
)
OTHER_NAME = Words(
    _("Refused: another user name"),
    _("it did not use your user name. The user name must be {address}."),
)
WORDS: Mapping[str, Words] = {
    Reason.NETWORK: Words(
        _("Refused: too many unknown user names"),
        _("too many user names that nobody has were tried there. Wait an hour, then use {address}."),
    ),
    Reason.CONNECTIONS: Words(
        _("Refused: too many connections"),
        _("too many connections are open there. Close other mail programs, then try again in a minute."),
    ),
    Reason.TLS_VERSION: Words(
        _("Refused: its TLS is too old"),
        _("the program is too old for the encryption here. Update it, or ask your administrator."),
    ),
    Reason.TLS_CIPHER: Words(
        _("Refused: no encryption in common"),
        _("the program and this server have no encryption in common. Update it, or ask your administrator."),
    ),
    Reason.CLEARTEXT: Words(
        _("Almost: connected, but without encryption"),
        _("it connected in clear and did not begin TLS. Choose {encryption} with port {port}."),
    ),
    Reason.TLS_FIRST: Words(
        _("Almost: port and encryption do not match"),
        _("it began TLS at once, on the port for STARTTLS. Choose {encryption} with port {port}."),
    ),
    Reason.TLS_MISSING: Words(
        _("Almost: port and encryption do not match"),
        _("it connected in clear, to the port for SSL/TLS. Choose {encryption} with port {port}."),
    ),
}


@dataclass(frozen=True, slots=True)
class NetworkFault:
    """The last thing that went wrong there."""

    at: datetime
    lead: Promise
    text: SafeString


def latest(device: Device, client: str) -> NetworkFault | None:
    """Return what a program in the network of `client` met last, within minutes and since the device was created.

    `client` is the address of the owner's browser, "" if it has none. One query.
    """
    if not client:
        return None
    since = max(device.created_at, timezone.now() - LATELY)
    rows = access.refused_in_network(network(client)).filter(protocol="pop3", last_at__gte=since)
    row = rows.order_by("-last_at").first()
    ports = server_settings().ports
    if row is None or not ports:
        return None
    address = device.mailbox.user.address
    words = chosen(row, address)
    text = format_html(
        gettext("Last try {moment} from your network: {remedy}"),
        moment=moment(row.last_at), remedy=format_html(str(words.remedy), **_values(row, address, ports[0])),
    )  # fmt: skip
    return NetworkFault(row.last_at, words.lead, text)


def chosen(row: RefusedName, address: str) -> Words:
    """Return the words for what was refused, for the owner of this address."""
    if row.reason != Reason.UNKNOWN:
        return WORDS[row.reason]
    local_part = address.rpartition("@")[0]
    if row.name == local_part:
        return BARE
    return OTHER_DOMAIN if row.name.rpartition("@")[0] == local_part else OTHER_NAME


def _values(row: RefusedName, address: str, port: Port) -> dict[str, str]:
    """Return what the remedies name. `name` is the owner's own in the only one that has it."""
    return {"name": row.name, "address": address, "encryption": port.encryption, "port": str(port.number)}
