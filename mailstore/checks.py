"""What `manage.py check` says of the mail's settings; each finding has an id, a reason and what to do."""

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
    """Nothing while there is none yet: the listener makes one, or says what is missing."""
    if keypair.missing(settings.TLS_CERT_FILE):
        return []
    if is_replaceable(conf.load().tls):
        return [Warning(f"{settings.TLS_CERT_FILE.parent} is damaged.", hint=_MADE_ANEW, id="mailstore.W003")]
    if fault := keypair.fault(settings.TLS_CERT_FILE, settings.TLS_KEY_FILE):
        return [_unusable(fault)]
    try:
        ends = expires_at(settings.TLS_CERT_FILE)
    except ValueError as error:
        return [Error(f"{settings.TLS_CERT_FILE} is not a certificate: {error}", hint=_RENEW, id="mailstore.E001")]
    left = ends - datetime.datetime.now(datetime.UTC)
    if left > datetime.timedelta(days=EXPIRY_WARNING_DAYS):
        return []
    return [Warning(f"{settings.TLS_CERT_FILE} ends on {ends:%Y-%m-%d}.", hint=_RENEW, id="mailstore.W002")]


def _unusable(fault: keypair.Fault) -> CheckMessage:
    """Only the listener needs the key: what runs as another user goes on without."""
    if fault.file == settings.TLS_KEY_FILE:
        return Warning(f"The certificate cannot be used: {fault}.", hint=_RENEW, id="mailstore.W005")
    return Error(f"The certificate cannot be used: {fault}.", hint=_RENEW, id="mailstore.E001")


_MADE_ANEW = "pop3d sets it aside at its next start and makes a self-signed pair; put yours there if you had one."
_RENEW = "Put a valid pair at TLS_CERT_FILE and TLS_KEY_FILE, then send SIGHUP to pop3d."
