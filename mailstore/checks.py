"""The checks of `manage.py check` on the settings of the mail. Each message has an id, a reason and what to do."""

from __future__ import annotations

import datetime
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning, register

from mailstore import conf, keypair
from mailstore.listener.self_signed import expires_at, is_replaceable

EXPIRY_WARNING_DAYS = 14  # certificates are renewed 30 days ahead: two weeks later something is wrong


@register()
def plaintext(**_options: Any) -> list[CheckMessage]:
    if settings.PLAINTEXT_LOGIN != "always":
        return []
    return [
        Warning(
            "Passwords may cross the network in clear (PLAINTEXT_LOGIN=always).",
            hint="Set PLAINTEXT_LOGIN=loopback; mail programs can use port 995 or STLS.",
            id="mailstore.W001",
        )
    ]


@register()
def certificate(**_options: Any) -> list[CheckMessage]:
    """Check the certificate, if there is one: else the listener makes one, or says what is missing."""
    if keypair.missing(settings.TLS_CERT_FILE):
        return []
    if is_replaceable(conf.load().tls):
        return [Warning(f"{settings.TLS_CERT_FILE.parent} is damaged.", hint=_REPLACED, id="mailstore.W003")]
    if fault := keypair.fault(settings.TLS_CERT_FILE, settings.TLS_KEY_FILE):
        return [_unusable(fault)]
    try:
        expiry = expires_at(settings.TLS_CERT_FILE)
    except ValueError as error:
        return [Error(f"{settings.TLS_CERT_FILE} is not a certificate: {error}", hint=_RENEW, id="mailstore.E001")]
    left = expiry - datetime.datetime.now(datetime.UTC)
    if left > datetime.timedelta(days=EXPIRY_WARNING_DAYS):
        return []
    return [Warning(f"{settings.TLS_CERT_FILE} ends on {expiry:%Y-%m-%d}.", hint=_RENEW, id="mailstore.W002")]


def _unusable(fault: keypair.Fault) -> CheckMessage:
    """Return a message for a pair that cannot be used. A key that only the listener can read is no error for others."""
    if fault.file == settings.TLS_KEY_FILE:
        return Warning(f"The certificate cannot be used: {fault}.", hint=_RENEW, id="mailstore.W005")
    return Error(f"The certificate cannot be used: {fault}.", hint=_RENEW, id="mailstore.E001")


_REPLACED = "pop3d sets it aside at its next start and makes a self-signed pair; put yours there if you had one."
_RENEW = "Put a valid pair at TLS_CERT_FILE and TLS_KEY_FILE, then send SIGHUP to pop3d."
