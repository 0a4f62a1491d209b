"""What `manage.py check` says of the mail's settings; each finding has an id, a reason and what to do."""

from __future__ import annotations

import datetime
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning, register

from mailstore.listener.certificate import expires_at

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
    if not settings.TLS_CERT_FILE.is_file():
        return []
    try:
        ends = expires_at(settings.TLS_CERT_FILE)
    except (OSError, ValueError) as error:
        return [Error(f"{settings.TLS_CERT_FILE} is not a certificate: {error}", hint=_RENEW, id="mailstore.E001")]
    left = ends - datetime.datetime.now(datetime.UTC)
    if left > datetime.timedelta(days=EXPIRY_WARNING_DAYS):
        return []
    return [Warning(f"{settings.TLS_CERT_FILE} ends on {ends:%Y-%m-%d}.", hint=_RENEW, id="mailstore.W002")]


_RENEW = "Put a valid pair at TLS_CERT_FILE and TLS_KEY_FILE, then send SIGHUP to pop3d."
