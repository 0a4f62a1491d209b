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
def old_tls(**_options: Any) -> list[CheckMessage]:
    if not settings.POP3S_LEGACY_LISTEN:
        return []
    return [
        Warning(
            f"TLS 1.0 and 1.1 are taken on {', '.join(settings.POP3S_LEGACY_LISTEN)} (POP3S_LEGACY_LISTEN).",
            hint="Passwords there are less safe. Replace the old devices, then leave POP3S_LEGACY_LISTEN empty.",
            id="mailstore.W006",
        )
    ]


@register()
def certificate(**_options: Any) -> list[CheckMessage]:
    """Check the certificate, if there is one: else the listener makes one, or says what is missing."""
    tls = conf.load().tls
    if keypair.missing(tls.cert_file):
        return []
    if is_replaceable(tls):
        return [Warning(f"{tls.cert_file.parent} is damaged.", hint=_REPLACED, id="mailstore.W003")]
    return [message for pair in tls.pairs for message in _of_pair(pair)]


def _of_pair(pair: keypair.Pair) -> list[CheckMessage]:
    if fault := keypair.fault(*pair.files):
        return [_unusable(fault, pair)]
    try:
        expiry = expires_at(pair.cert_file)
    except ValueError as error:
        return [Error(f"{pair.cert_file} is not a certificate: {error}", hint=_RENEW, id="mailstore.E001")]
    left = expiry - datetime.datetime.now(datetime.UTC)
    if left > datetime.timedelta(days=EXPIRY_WARNING_DAYS):
        return []
    return [Warning(f"{pair.cert_file} ends on {expiry:%Y-%m-%d}.", hint=_RENEW, id="mailstore.W002")]


def _unusable(fault: keypair.Fault, pair: keypair.Pair) -> CheckMessage:
    """Return a message for a pair that cannot be used. A key that only the listener can read is no error for others."""
    if fault.file == pair.key_file:
        return Warning(f"The certificate cannot be used: {fault}.", hint=_RENEW, id="mailstore.W005")
    return Error(f"The certificate cannot be used: {fault}.", hint=_RENEW, id="mailstore.E001")


_REPLACED = "pop3d sets it aside at its next start and makes a self-signed pair; put yours there if you had one."
_RENEW = "Put a valid pair at TLS_CERT_FILE and TLS_KEY_FILE. pop3d serves it within a minute."
