"""The profile that sets up Mail on an iPhone, iPad or Mac with POP: a property list, before it is signed.

Keys and values are those of Apple's payload com.apple.mail.managed. No key says for how long mail stays on the server:
Apple's programs decide, and with a view of its own a device harms no other.
"""

from __future__ import annotations

import plistlib
import uuid
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.utils import translation
from django.utils.translation import gettext as _

from popadmin.web.server_settings import ServerSettings

CONTENT_TYPE = "application/x-apple-aspen-config"
_VERSION = 1


@dataclass(frozen=True, slots=True)
class Account:
    """Whose mail a profile sets up. `name` is what recipients see; `device_id` is the key of the device.

    `may_send`: the secret opens the outgoing server too.
    """

    address: str
    name: str
    secret: str
    device_id: int
    may_send: bool


def document(account: Account, site: ServerSettings) -> bytes:
    """Return the profile. Its identifiers follow the device: a second installation replaces the first."""
    identifier = f"{'.'.join(reversed(settings.PUBLIC_HOSTNAME.split('.')))}.mail.{account.device_id}"
    title = f"{settings.PROVIDER_NAME}: {account.address}"
    return plistlib.dumps(
        {
            **_payload("Configuration", identifier),
            "PayloadDisplayName": title,
            "PayloadOrganization": settings.PROVIDER_NAME,
            "PayloadRemovalDisallowed": False,
            "PayloadScope": "User",
            "ConsentText": _consent(account.address),
            "PayloadContent": [_mail(account, site, f"{identifier}.account")],
        }
    )


def _payload(kind: str, identifier: str) -> dict[str, Any]:
    return {
        "PayloadType": kind,
        "PayloadVersion": _VERSION,
        "PayloadIdentifier": identifier,
        "PayloadUUID": str(uuid.uuid4()).upper(),
    }


def _consent(address: str) -> dict[str, str]:
    texts = {}
    for language, _name in settings.LANGUAGES:
        with translation.override(language):
            text = _("This profile sets up Mail for %(address)s. It holds a password that is for this device alone.")
            texts[language] = text % {"address": address}
    return {"default": texts[settings.LANGUAGE_CODE], **texts}


def _mail(account: Account, site: ServerSettings, identifier: str) -> dict[str, Any]:
    return {
        **_payload("com.apple.mail.managed", identifier),
        "PayloadDisplayName": account.address,
        "EmailAccountType": "EmailTypePOP",
        "EmailAccountDescription": account.address,
        "EmailAddress": account.address,
        **({"EmailAccountName": account.name} if account.name else {}),
        **_incoming(account, site),
        **_outgoing(account, site),
    }


def _incoming(account: Account, site: ServerSettings) -> dict[str, Any]:
    port = {"IncomingMailServerPortNumber": site.ports[0].number} if site.ports else {}
    return {
        "IncomingMailServerAuthentication": "EmailAuthPassword",
        "IncomingMailServerHostName": site.host,
        **port,
        "IncomingMailServerUseSSL": True,
        # The whole address: macOS would else make a user name of its own.
        "IncomingMailServerUsername": account.address,
        "IncomingPassword": account.secret,
    }


def _outgoing(account: Account, site: ServerSettings) -> dict[str, Any]:
    """Return the server for sending. Its name and kind of sign-in must stand there even where nothing can be sent."""
    if not (site.smtp_ports and account.may_send):
        return {"OutgoingMailServerAuthentication": "EmailAuthNone", "OutgoingMailServerHostName": site.smtp_host}
    return {
        "OutgoingMailServerAuthentication": "EmailAuthPassword",
        "OutgoingMailServerHostName": site.smtp_host,
        "OutgoingMailServerPortNumber": site.smtp_ports[0].number,
        "OutgoingMailServerUseSSL": True,
        "OutgoingMailServerUsername": account.address,
        "OutgoingPasswordSameAsIncomingPassword": True,
    }
